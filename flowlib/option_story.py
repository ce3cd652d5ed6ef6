"""What was said of the options of a flow, in order: it holds for specs that come later, too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from flowlib.declaration import Declaration, Options
from flowlib.spec import TaskSpec
from flowlib.spec_options import changed_options, field_of, options_of
from stores.lazy_dataclass import dataclass

_NOTHING_SAID: Final = Options()
_OF_REDUCE: Final = frozenset({"min_ok"})
"""Options that make sense for a reduce only."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A query: which specs are meant.

    Attributes:
        within: The query that it narrows down.
        pattern: A regular expression that is found in one of the names of the spec.
        options: Those that the spec has, and of `tags` one at least.
    """

    within: Asked | None
    pattern: str | None
    options: Mapping[str, Any]

    def fits(self, names: Iterable[str], declared: Options) -> bool:
        """Whether a spec is meant that has these names and options."""
        if self.pattern is not None and not any(map(re.compile(self.pattern).search, names)):
            return False
        said = options_of("Flow.query", self.options, is_reduce=True)
        if said.tags and not {*said.tags} & {*declared.tags}:
            return False
        fields = {field_of(name) for name in self.options} - {"tags"}
        return all(getattr(declared, each) == getattr(said, each) for each in fields)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Options were given.

    Attributes:
        asked: To which specs; None: all.
        given: They.
        is_default: Whether they hold only where a spec says nothing itself.
    """

    asked: Asked | None
    given: Mapping[str, Any]
    is_default: bool = False


Story = tuple[Asked | Said, ...]


def layered(
    declaration: Declaration, defaults: Mapping[str, Any], changes: Mapping[str, Any]
) -> Declaration:
    """A declaration with other options: its own stand over the defaults, and the changes over both.

    Raises:
        SpecError: an option does not fit the spec.
    """
    own = declaration.options
    unsaid = {
        name: value
        for name, value in defaults.items()
        if getattr(own, field_of(name)) == getattr(_NOTHING_SAID, field_of(name))
    }
    given = {**unsaid, **changes}
    is_reduce = bool(declaration.reduce)
    if not is_reduce:
        given = {k: v for k, v in given.items() if k in changes or k not in _OF_REDUCE}
    options = changed_options(declaration.name, own, given, is_reduce=is_reduce)
    return replace(declaration, options=options)


def own_names(spec: TaskSpec) -> list[str]:
    """What a spec calls itself: its label, and the name of its task."""
    label: str | None = getattr(spec, "label", None)
    return list(dict.fromkeys([*([] if label is None else [label]), spec.name]))
