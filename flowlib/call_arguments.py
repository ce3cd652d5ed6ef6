"""What stands in the arguments of a call? Items in the places of specs, sweeps, plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flowlib.choices import Choices, Varying
from flowlib.errors import CallError
from flowlib.items import PLAIN, Item, replaced
from flowlib.spec import TaskSpec


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
