"""What stands in the arguments of a call? Items in the places of specs, sweeps, plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from flowlib.call_links import Links, Reads
from flowlib.choices import Choices, Varying
from flowlib.declaration import Declaration
from flowlib.errors import CallError, SpecError
from flowlib.identity import Resolver
from flowlib.items import PLAIN, Item, replaced, slot
from flowlib.node import Argument
from flowlib.spec import TaskSpec
from stores.lazy_dataclass import dataclass

PLACE: Final = ...
"""Stands in the arguments of a call where a spec is the whole argument; calls share the rest."""

_SHARED: Final = frozenset({int, float, str, bool})
_MOST_SHARED: Final = 512
"""How many arguments of scalar values calls share, and how many of their types are noted."""


@dataclass(frozen=True, slots=True)
class Binding:
    """The arguments of one task of a call.

    Attributes:
        arguments: Sorted by name; where a spec stood there is a slot.
        reads: What belongs into the slots.
    """

    arguments: tuple[Argument, ...]
    reads: Reads


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


class Arguments:
    """Makes the arguments of the tasks that the calls of one task have.

    Args:
        declaration: What the calls have in common.
    """

    __slots__ = ("_declaration", "_fitting", "_resolver", "_scalars", "_slots")

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._resolver = Resolver(declaration)
        self._slots: dict[str, Argument] = {}
        self._scalars: dict[tuple[str, type, object], Argument] = {}
        self._fitting: set[tuple[str, type]] = set()

    def fit_by_types(self, given: Mapping[str, object]) -> bool:
        """Whether arguments fit whatever their values are: earlier ones of these types have.

        Args:
            given: Plain values by parameter, and `PLACE` where a spec is the whole argument.
        """
        fitting = self._fitting
        for name, value in given.items():  # noqa: SIM110  # for every call
            if (name, type(value)) not in fitting:
                return False
        return True

    def of(self, given: Mapping[str, object], links: Links) -> tuple[Argument, ...]:
        """The arguments of a call, sorted by name.

        Args:
            given: As for `fit_by_types`.
            links: What belongs into the places.

        Raises:
            SpecError: one of them has the wrong type, or is ignored and a spec.
        """
        items = links.items
        names = sorted(given) if len(given) > 1 else given
        if not items:
            return tuple([self._plain(name, given[name]) for name in names])
        return tuple(
            [
                self._whole(name, items[name].source)
                if name in items
                else self._plain(name, given[name])
                for name in names
            ]
        )

    def checked(self, given: Mapping[str, object], links: Links) -> tuple[Argument, ...]:
        """As `of`; from then on it is known that these types fit."""
        found = self.of(given, links)
        if len(self._fitting) < _MOST_SHARED:
            self._fitting.update(
                (name, type(value))
                for name, value in given.items()
                if value is PLACE or self._is_judged_by_type(name)
            )
        return found

    def binding(self, config: Mapping[str, object], linked: Iterable[str]) -> Binding:
        """The arguments of one task.

        Args:
            config: Values by parameter; specs are items.
            linked: The parameters in which there are some.

        Raises:
            SpecError: one of them has the wrong type, or no text that stays.
        """
        reads: list[tuple[str, TaskSpec]] = []
        arguments = []
        for name in sorted(config):
            value = config[name]
            if name not in linked:
                arguments.append(self._plain(name, value))
            elif type(value) is Item and not value.steps:
                source: Any = value.source
                reads.append((name, source))
                arguments.append(self._whole(name, source))
            else:
                arguments.append(self._linked(name, value, reads))
        return Binding(tuple(arguments), tuple(reads))

    def _is_judged_by_type(self, name: str) -> bool:
        parameter = self._declaration.signature.config.get(name)
        return parameter is None or not _lists_values(parameter.annotation)

    def _plain(self, name: str, value: object) -> Argument:
        """An argument without specs; those of some scalar values are shared by calls."""
        if type(value) not in _SHARED or value == 0:  # 0.0 and -0.0 are equal, and two values
            return self._resolver.argument(name, value)
        known = (name, type(value), value)
        shared = self._scalars.get(known)
        if shared is None:
            shared = self._resolver.argument(name, value)
            if len(self._scalars) < _MOST_SHARED:
                self._scalars[known] = shared
        return shared

    def _whole(self, name: str, source: object) -> Argument:
        """The argument that is a spec: its role says it all, so calls share it."""
        if name not in self._slots:
            self._refuse_ignored(name, source)
            self._slots[name] = Argument(name, slot(name, ()), None, None, None)
        return self._slots[name]

    def _refuse_ignored(self, name: str, source: object) -> None:
        if name in self._declaration.ignored:
            raise SpecError(
                f"{self._declaration.name}.{name} is ignored, so that it is no part of the "
                f"identity: it cannot hold {source!r}, whose key would be lost"
            )

    def _linked(self, name: str, value: object, reads: list[tuple[str, TaskSpec]]) -> Argument:
        def placed(each: object, role: str) -> object:
            if type(each) is not Item:
                return each
            source: Any = each.source
            reads.append((role, source))
            return slot(role, each.steps)

        count = len(reads)
        resolved = replaced(value, name, placed)
        if len(reads) == count:  # the spec is in another of the choices
            return self._resolver.argument(name, resolved)
        self._refuse_ignored(name, reads[-1][1])
        return self._resolver.argument(name, resolved)


def _lists_values(annotation: object) -> bool:
    """Whether an annotation allows some values of a type, and others not."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return any(map(_lists_values, get_args(annotation)))
    return origin is Literal
