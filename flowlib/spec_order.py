"""In which order are specs expanded? Predecessors first; cycles and doubled names are errors."""

from __future__ import annotations

from collections.abc import Iterable

from flowlib.calls import Call
from flowlib.errors import GraphError
from flowlib.signature import location_of
from flowlib.spec import TaskSpec


def with_predecessors(specs: Iterable[TaskSpec]) -> list[TaskSpec]:
    """`specs` and all that they read from, each once, in the order in which they were given.

    Raises:
        GraphError: two specs have one name, and are not calls of one task.
    """
    found: dict[int, TaskSpec] = {}
    waiting = list(specs)
    for spec in waiting:  # it grows meanwhile
        if id(spec) not in found:
            found[id(spec)] = spec
            waiting.extend(spec.predecessors)
    every = list(found.values())
    _refuse_doubled(every)
    return every


def in_order(specs: Iterable[TaskSpec]) -> list[TaskSpec]:
    """`specs` and all that they read from, predecessors first, otherwise as given.

    Raises:
        GraphError: two specs have one name, or specs require each other in a circle.
    """
    every = with_predecessors(specs)
    missing: dict[int, int] = {}
    readers: dict[int, list[TaskSpec]] = {}
    ordered: list[TaskSpec] = []
    for spec in every:
        if read := spec.predecessors:
            missing[id(spec)] = len(read)
            for predecessor in read:
                readers.setdefault(id(predecessor), []).append(spec)
        else:
            ordered.append(spec)
    for spec in ordered:  # it grows meanwhile
        for reader in readers.get(id(spec), ()):
            missing[id(reader)] -= 1
            if not missing[id(reader)]:
                ordered.append(reader)
    if len(ordered) < len(every):
        raise GraphError(f"the specs require each other in a circle: {_circle(every, missing)}")
    return ordered


def _refuse_doubled(specs: list[TaskSpec]) -> None:
    names: dict[str, TaskSpec] = {}
    labels: dict[str, TaskSpec] = {}
    for spec in specs:
        first = names.setdefault(spec.name, spec)
        if first is not spec and not _are_calls_of_one_task(first, spec):
            raise GraphError(_doubled_message(first, spec))
        if isinstance(spec, Call) and spec.label is not None:
            labelled = labels.setdefault(spec.label, spec)
            if labelled is not spec:
                raise GraphError(
                    f"two calls are named {spec.label!r}: give one of them another name"
                )
    if doubled := sorted(labels.keys() & names.keys()):
        raise GraphError(
            f"a call is named {doubled[0]!r}, which is the name of a task in this flow: "
            f"give it another name"
        )


def _are_calls_of_one_task(first: TaskSpec, second: TaskSpec) -> bool:
    return first.task is second.task and isinstance(first, Call) and isinstance(second, Call)


def _doubled_message(first: TaskSpec, second: TaskSpec) -> str:
    calls = [each for each in (first, second) if isinstance(each, Call)]
    if not calls:
        return (
            f"two specs are called {first.name!r}: one of them would be lost. "
            f"Give one another name, TaskSpec(..., name=...)"
        )
    where = " and ".join(location_of(each.task) for each in (first, second))
    return (
        f"two tasks are called {first.name!r} ({where}), so that their results could not be told "
        f"apart: give one another name, @task(name=...) or TaskSpec(..., name=...)"
    )


def _circle(specs: list[TaskSpec], missing: dict[int, int]) -> str:
    """One circle, written along the direction of the data: `A -> B -> A`."""
    spec = next(spec for spec in specs if missing.get(id(spec)))
    path: list[str] = []
    while spec.name not in path:
        path.append(spec.name)
        spec = next(each for each in spec.predecessors if missing.get(id(each)))
    circle = [*path[path.index(spec.name) :], spec.name]
    return " -> ".join(reversed(circle))
