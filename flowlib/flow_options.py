"""With which options do the specs of a flow run? Their own, those set in the flow, its defaults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Unpack

from flowlib.declaration import Declaration
from flowlib.errors import NothingSelected, SpecError, nearest
from flowlib.later_specs import LaterSpecs
from flowlib.option_story import Asked, Said, Story, layered, own_names
from flowlib.signature import may_return_specs
from flowlib.spec import TaskSpec
from flowlib.spec_options import OptionArguments, options_of


class FlowOptions:
    """What a flow says of the options of its specs. None of it is part of any identity.

    Attributes:
        changes: How often something was said.
        story: What was said and asked, in order.
    """

    def __init__(self) -> None:
        self.changes = 0
        self.story: Story = ()
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
        self._note(Said(None, dict(given), is_default=True))

    def ask(self, asked: Asked) -> None:
        """Note which specs are meant: `change` may tell of them."""
        self.story = (*self.story, asked)

    def change(
        self, specs: Iterable[TaskSpec], asked: Asked | None, given: Mapping[str, Any]
    ) -> None:
        """Let these hold for some specs, whatever they say themselves.

        Args:
            specs: Those that are there.
            asked: Which are meant of those that tasks will return.
            given: The options.

        Raises:
            SpecError: one is no option, or its value is none.
        """
        options_of("Flow.query(…).set", given, is_reduce=True)
        for spec in specs:
            options_of(spec.name, given, is_reduce=bool(spec.reduce))
            self._said.setdefault(id(spec), {}).update(given)
        self._note(Said(asked, dict(given)))

    def of(self, spec: TaskSpec, declaration: Declaration) -> Declaration:
        """A declaration of a spec with the options that hold in the flow."""
        changes = self._said.get(id(spec), {})
        if not changes and not self._defaults:
            return declaration
        known = (id(declaration), repr(sorted(changes.items())))
        if known not in self._known:  # the first is kept, so that its id is not used again
            self._known[known] = (declaration, layered(declaration, self._defaults, changes))
        return self._known[known][1]

    def of_later_specs(self, *prefixes: str | None) -> LaterSpecs:
        """What holds for specs that tasks will return, as it stands now.

        Args:
            *prefixes: Of configs: the one for what is ignored, and that of groups.
        """
        return LaterSpecs(self.story if self.changes else (), *prefixes)

    def _note(self, said: Said) -> None:
        self.story = (*self.story, said)
        self.changes += 1


class FlowQuery:
    """Some specs of a flow, to give them options: made by `Flow.query`.

    What is set holds for specs that tasks return, too, if the query would have found them.

    Args:
        specs: Those that are there.
        names: What each is called in the flow, by its id.
        options: Those of the flow.
        asked: What was asked to find them; None: nothing.
        is_growing: Tells whether tasks may return specs that are not there yet.
    """

    def __init__(
        self,
        specs: list[TaskSpec],
        names: Mapping[int, list[str]],
        options: FlowOptions,
        asked: Asked | None,
        is_growing: Callable[[], bool],
    ) -> None:
        self.specs = specs
        self._names = names
        self._options = options
        self._asked = asked
        self._is_growing = is_growing

    def __iter__(self) -> Iterator[TaskSpec]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    def __repr__(self) -> str:
        return f"<FlowQuery of {len(self)}: {', '.join(self._every_name(self.specs))}>"

    def query(self, pattern: str | None = None, **options: Unpack[OptionArguments]) -> FlowQuery:
        """Those of them that fit, too: see `Flow.query`."""
        _check_pattern(pattern)
        asked = Asked(self._asked, pattern, dict(options))
        found = [
            spec
            for spec in self.specs
            if asked.fits(self._called(spec), self._options.of(spec, spec.declaration()).options)
        ]
        if not found and not self._is_growing():
            raise NothingSelected(self._nothing(pattern, options))
        self._options.ask(asked)
        return FlowQuery(found, self._names, self._options, asked, self._is_growing)

    def set(self, **options: Unpack[OptionArguments]) -> FlowQuery:
        """Give them options for this flow; the specs themselves are left as they are.

        Returns:
            Itself.

        Raises:
            SpecError: one is no option, or its value is none.
        """
        self._options.change(self.specs, self._asked, options)
        return self

    def _called(self, spec: TaskSpec) -> list[str]:
        return list(dict.fromkeys([*self._names.get(id(spec), []), *own_names(spec)]))

    def _every_name(self, specs: Iterable[TaskSpec]) -> list[str]:
        return list(dict.fromkeys(self._called(spec)[0] for spec in specs))

    def _nothing(self, pattern: str | None, options: Mapping[str, object]) -> str:
        asked = [repr(pattern)] if pattern is not None else []
        asked += [f"{name}={value!r}" for name, value in options.items()]
        names = self._every_name(self.specs)
        word = "" if pattern is None else nearest(pattern.strip("^$"), names)
        return (
            f"query({', '.join(asked)}) fits no spec.{word} There are: {', '.join(names)}. (Of a "
            f"task that returns other specs, the annotation has to say so: -> Call[int])"
        )


def _check_pattern(pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise SpecError(
            f"query({pattern!r}): {error} in this regular expression; {re.escape(str(pattern))!r} "
            f"means these characters as they are"
        ) from None


def every_spec(
    specs: list[TaskSpec], names: Mapping[int, list[str]], options: FlowOptions
) -> FlowQuery:
    """All specs of a flow, to be asked for some of them."""

    def is_growing() -> bool:
        return any(map(may_return_specs, {spec.task for spec in specs}))

    return FlowQuery(specs, names, options, None, is_growing)
