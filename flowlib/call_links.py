"""Which specs do calls read? Those that read the same share what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from weakref import ref

from flowlib.items import Item
from flowlib.spec import NOBODY, TaskSpec
from stores.lazy_dataclass import dataclass

Reads = tuple[tuple[str, TaskSpec], ...]
"""Which specs a call reads, and as what: the paths of the arguments."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Links:
    """What calls have in common that read the same specs, each of them a whole argument.

    A fan-out of 100,000 calls makes these objects once, and the garbage collector sees them once.

    Attributes:
        names: The parameters.
        items: What stands in the places of the specs; empty where other calls read something else.
        sources: The specs, in order.
        reads: The specs with the names of the parameters, sorted by these.
        varies: Whether there is a sweep, which has arguments and `reads` for each of its tasks.
    """

    names: frozenset[str]
    items: Mapping[str, Item]
    sources: list[TaskSpec]
    reads: Reads
    varies: bool = False

    def are_those_of(self, config: Mapping[str, object], special: Sequence[str]) -> bool:
        """Whether they are the same in these arguments, of which the special ones are no data."""
        items = self.items
        if len(special) != len(items):
            return False
        for name in special:  # noqa: SIM110  # for every call
            if name not in items or items[name].source is not config[name]:
                return False
        return True


NO_LINKS: Final = Links(frozenset(), {}, NOBODY, ())
"""What calls of plain values read."""


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
