"""What stands in the arguments of a call? Items in the places of specs, sweeps, plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import ref

from flowlib.choices import Choices, Varying
from flowlib.errors import CallError
from flowlib.items import PLAIN, Item, replaced
from flowlib.spec import TaskSpec


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Links:
    """What calls have in common that read the same specs, each of them a whole argument.

    A fan-out of 100,000 calls makes these objects once, and the garbage collector sees them once.

    Attributes:
        names: The parameters.
        items: What stands in the places of the specs.
        sources: The specs, in order.
        reads: The specs with the names of the parameters, sorted by these.
    """

    names: frozenset[str]
    items: Mapping[str, Item]
    sources: list[TaskSpec]
    reads: tuple[tuple[str, TaskSpec], ...]

    def are_those_of(self, config: Mapping[str, object], special: Sequence[str]) -> bool:
        """Whether they are the same in these arguments, of which the special ones are no data."""
        items = self.items
        if len(special) != len(items):
            return False
        for name in special:  # noqa: SIM110  # for every call
            if name not in items or items[name].source is not config[name]:
                return False
        return True


class LastLinks:
    """What the last call of a task reads, as long as that call lives."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: Callable[[], Links | None] = _nothing

    def __reduce__(self) -> tuple[object, ...]:
        return LastLinks, ()  # others find out themselves

    def of(self, config: Mapping[str, object], special: Sequence[str]) -> Links | None:
        """What a call reads whose special arguments are specs; None if there is more in them.

        The same object as of the last call, if it reads the same.
        """
        last = self._known()
        if last is not None and last.are_those_of(config, special):
            return last
        links = _links_in(config, special)
        self._known = _nothing if links is None else ref(links)
        return links


def _nothing() -> None:
    """As a reference to what is no more."""


def _links_in(config: Mapping[str, object], special: Iterable[str]) -> Links | None:
    specs: dict[str, TaskSpec] = {}
    for name in special:
        value = config[name]
        if not isinstance(value, TaskSpec):
            return None
        specs[name] = value
    sources = list({id(each): each for each in specs.values()}.values())
    items = {name: Item(each, ()) for name, each in specs.items()}
    return Links(frozenset(specs), items, sources, tuple(sorted(specs.items(), key=_name)))


def _name(read: tuple[str, TaskSpec]) -> str:
    return read[0]


class CallArguments:
    """Makes the arguments of a call what they are now, and knows what is special in them.

    Args:
        config: The arguments by parameter: copies take their places, items those of specs.
        special: The parameters whose values are not plain.

    Attributes:
        linked: The parameters that hold some.
        sources: The specs in the arguments, in order, by id.
        varies: Whether there is a sweep.
    """

    __slots__ = ("_name", "linked", "sources", "varies")

    def __init__(self, config: dict[str, Any], special: Iterable[str]) -> None:
        self.sources: dict[int, TaskSpec] = {}
        self.varies = False
        self._name = ""
        self.linked: set[str] = set()
        for name in special:
            value = config[name]
            self._name = name
            if isinstance(value, TaskSpec):
                config[name] = self._leaf(value, name)
                continue
            try:
                config[name] = replaced(value, name, self._leaf)
            except RecursionError:
                raise CallError(
                    f"{name} contains itself, or has too many levels: an argument is a tree"
                ) from None

    def _leaf(self, value: object, path: str) -> object:
        if isinstance(value, TaskSpec):
            value = Item(value, ())
        if type(value) is Item:
            source: Any = value.source
            self.sources.setdefault(id(source), source)
            self.linked.add(self._name)
        elif isinstance(value, Varying):
            self.varies = True
            if isinstance(value, Choices):
                values = tuple(
                    each if type(each) in PLAIN else replaced(each, path, self._leaf)
                    for each in value.values
                )
                return replace(value, values=values)
        return value
