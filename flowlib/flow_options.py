"""With which options do the specs of a flow run? Their own, those set in the flow, its defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Unpack

from flowlib.declaration import Declaration, Options
from flowlib.errors import NothingSelected, nearest
from flowlib.spec import TaskSpec
from flowlib.spec_options import OptionArguments, changed_options, field_of, options_of

_NOTHING_SAID: Final = Options()
_OF_REDUCE: Final = frozenset({"min_ok"})
"""Options that make sense for a reduce only."""


class FlowOptions:
    """What a flow says of the options of its specs. None of it is part of any identity.

    Attributes:
        changes: How often something was said.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._defaults: dict[str, Any] = {}
        self._said: dict[int, dict[str, Any]] = {}
        self._known: dict[tuple[int, str], tuple[Declaration, Declaration]] = {}

    def add_defaults(self, given: Mapping[str, Any]) -> None:
        """Let these hold where a spec says nothing else.

        Raises:
            SpecError: one is no option, or its value is none.
        """
        options_of("Flow.defaults", given, is_reduce=True)
        self._defaults |= given
        self._known.clear()
        self.changes += 1

    def change(self, specs: Iterable[TaskSpec], given: Mapping[str, Any]) -> None:
        """Let these hold for some specs, whatever they say themselves.

        Raises:
            SpecError: one is no option, or its value is none.
        """
        for spec in specs:
            options_of(spec.name, given, is_reduce=bool(spec.reduce))
            self._said.setdefault(id(spec), {}).update(given)
        self.changes += 1

    def of(self, spec: TaskSpec, declaration: Declaration) -> Declaration:
        """A declaration of a spec with the options that hold in the flow."""
        changes = self._said.get(id(spec), {})
        if not changes and not self._defaults:
            return declaration
        known = (id(declaration), repr(sorted(changes.items())))
        if known not in self._known:  # the first is kept, so that its id is not used again
            self._known[known] = (declaration, self._layered(declaration, changes))
        return self._known[known][1]

    def _layered(self, declaration: Declaration, changes: Mapping[str, Any]) -> Declaration:
        own = declaration.options
        unsaid = {
            name: value
            for name, value in self._defaults.items()
            if getattr(own, field_of(name)) == getattr(_NOTHING_SAID, field_of(name))
        }
        given = {**unsaid, **changes}
        is_reduce = bool(declaration.reduce)
        if not is_reduce:
            given = {k: v for k, v in given.items() if k in changes or k not in _OF_REDUCE}
        options = changed_options(declaration.name, own, given, is_reduce=is_reduce)
        return replace(declaration, options=options)


class FlowQuery:
    """Some specs of a flow, to give them options: made by `Flow.query`.

    Args:
        specs: They.
        names: What each is called in the flow, by its id.
        options: Those of the flow.
    """

    def __init__(
        self, specs: list[TaskSpec], names: Mapping[int, list[str]], options: FlowOptions
    ) -> None:
        self.specs = specs
        self._names = names
        self._options = options

    def __iter__(self) -> Iterator[TaskSpec]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    def __repr__(self) -> str:
        return f"<FlowQuery of {len(self)}: {', '.join(self._every_name(self.specs))}>"

    def query(self, pattern: str | None = None, **options: Unpack[OptionArguments]) -> FlowQuery:
        """Those of them that fit, too: see `Flow.query`."""
        said = options_of("Flow.query", options, is_reduce=True)
        wanted = {*said.tags}
        fields = {field_of(name) for name in options} - {"tags"}
        found = []
        for spec in self.specs:
            declared = self._options.of(spec, spec.declaration()).options
            if pattern is not None and not any(map(re.compile(pattern).search, self._called(spec))):
                continue
            if wanted and not wanted & {*declared.tags}:
                continue
            if all(getattr(declared, each) == getattr(said, each) for each in fields):
                found.append(spec)
        if not found:
            raise NothingSelected(self._nothing(pattern, options))
        return FlowQuery(found, self._names, self._options)

    def set(self, **options: Unpack[OptionArguments]) -> FlowQuery:
        """Give them options for this flow; the specs themselves are left as they are.

        Returns:
            Itself.

        Raises:
            SpecError: one is no option, or its value is none.
        """
        self._options.change(self.specs, options)
        return self

    def _called(self, spec: TaskSpec) -> list[str]:
        label: str | None = getattr(spec, "label", None)
        given = self._names.get(id(spec), [])
        return list(dict.fromkeys([*given, *([] if label is None else [label]), spec.name]))

    def _every_name(self, specs: Iterable[TaskSpec]) -> list[str]:
        return list(dict.fromkeys(self._called(spec)[0] for spec in specs))

    def _nothing(self, pattern: str | None, options: Mapping[str, object]) -> str:
        asked = [repr(pattern)] if pattern is not None else []
        asked += [f"{name}={value!r}" for name, value in options.items()]
        names = self._every_name(self.specs)
        word = "" if pattern is None else nearest(pattern.strip("^$"), names)
        return f"query({', '.join(asked)}) fits no spec.{word} There are: {', '.join(names)}"
