"""In which order are specs expanded? Predecessors first; cycles and doubled names are errors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flowlib.errors import GraphError

if TYPE_CHECKING:
    from flowlib.spec import TaskSpec


def with_predecessors(specs: Iterable[TaskSpec]) -> list[TaskSpec]:
    """`specs` and all that they read from, each once, in the order in which they were given.

    Raises:
        GraphError: two specs have one name.
    """
    found: dict[int, TaskSpec] = {}
    waiting = deque(specs)
    while waiting:
        spec = waiting.popleft()
        if id(spec) not in found:
            found[id(spec)] = spec
            waiting.extend(spec.predecessors)
    names: dict[str, TaskSpec] = {}
    for spec in found.values():
        if names.setdefault(spec.name, spec) is not spec:
            raise GraphError(
                f"two specs are called {spec.name!r}: one of them would be lost. "
                f"Give one another name, TaskSpec(..., name=...)"
            )
    return list(found.values())


def in_order(specs: Iterable[TaskSpec]) -> list[TaskSpec]:
    """`specs` and all that they read from, predecessors first, otherwise as given.

    Raises:
        GraphError: two specs have one name, or specs require each other in a circle.
    """
    every = with_predecessors(specs)
    missing = {spec.name: len(spec.predecessors) for spec in every}
    readers: dict[str, list[TaskSpec]] = {spec.name: [] for spec in every}
    for spec in every:
        for predecessor in spec.predecessors:
            readers[predecessor.name].append(spec)
    ready = deque(spec for spec in every if not missing[spec.name])
    ordered: list[TaskSpec] = []
    while ready:
        spec = ready.popleft()
        ordered.append(spec)
        for reader in readers[spec.name]:
            missing[reader.name] -= 1
            if not missing[reader.name]:
                ready.append(reader)
    if len(ordered) < len(every):
        raise GraphError(f"the specs require each other in a circle: {_circle(every, missing)}")
    return ordered


def _circle(specs: list[TaskSpec], missing: dict[str, int]) -> str:
    """One circle, written along the direction of the data: `A -> B -> A`."""
    spec = next(spec for spec in specs if missing[spec.name])
    path: list[str] = []
    while spec.name not in path:
        path.append(spec.name)
        spec = next(each for each in spec.predecessors if missing[each.name])
    circle = [*path[path.index(spec.name) :], spec.name]
    return " -> ".join(reversed(circle))
