"""Can the nodes of a graph be told apart, and can each of them run at all?"""

from __future__ import annotations

from collections.abc import Mapping

from flowlib.declaration import Declaration
from flowlib.errors import GraphError
from flowlib.node import Node
from flowlib.signature import location_of, promised_in


def refuse_unreachable_min_ok(declaration: Declaration, nodes: list[Node]) -> None:
    """Refuse a reduce that wants more members than it gathers.

    Raises:
        GraphError: it could never run.
    """
    tolerance = declaration.options.tolerance
    if tolerance.min_ok is None:
        return
    for node in nodes:
        total = len(node.upstream.nodes)
        if tolerance.needed(total) > total:
            raise GraphError(
                f"{node.unique_name} needs {tolerance.min_ok} members that succeed (min_ok), but "
                f"it gathers {total}: it could never run"
            )


def refuse_ambiguous_labels(
    labelled: Mapping[str, Mapping[str, Node]], by_spec: Mapping[str, object]
) -> None:
    """Refuse a label that is the name of a task, too.

    Raises:
        GraphError: there is one.
    """
    for label in labelled:
        if label in by_spec:
            raise GraphError(
                f"{label!r} is the name of a task in this flow, and of another spec in "
                f"Flow({{…}}): give that another name"
            )


def refuse_doubled_names(
    labelled: Mapping[str, Mapping[str, Node]], by_spec: Mapping[str, Mapping[str, Node]]
) -> None:
    """Refuse a label that makes two nodes have one name: `fit(x).named("fit-2")`.

    Raises:
        GraphError: there is one.
    """
    names: dict[str, Node] = {}
    for nodes in by_spec.values() if labelled else ():
        for node in nodes.values():
            other = names.setdefault(node.unique_name, node)
            if other is not node:
                raise GraphError(
                    f"two tasks of this flow are called {node.unique_name!r}: {other.address} and "
                    f"{node.address}. One is a name that was given, the other one ends with the "
                    f"number of its task: give another name"
                )


def refuse_ambiguous_names(by_spec: Mapping[str, Mapping[str, Node]]) -> None:
    """Refuse a spec that is called like a node of another one.

    Raises:
        GraphError: there is one.
    """
    for name, nodes in by_spec.items():
        for node in nodes.values():
            if node.unique_name != name and node.unique_name in by_spec:
                raise GraphError(
                    f"the spec {node.unique_name!r} has the name of a node of "
                    f"{name!r}, which has {len(nodes)} nodes: rename the spec"
                )


def missing_message(declaration: Declaration, missing: list[str]) -> str:
    """What is to be said where parameters of a spec are missing."""
    task = getattr(declaration.task, "__name__", str(declaration.task))
    location = location_of(declaration.task)
    where = f" ({location})" if location else ""
    if missing[0] in promised_in(declaration.task):
        return (
            f"{declaration.name}.{missing[0]} has a spec as its default, which only calls read: "
            f"{task}.spec(…) in place of TaskSpec({task}). Or give a value in config"
        )
    return (
        f"{declaration.name}.{missing[0]} is missing: {task}{where} has no default for "
        f"{', '.join(missing)}. Give it in config or additional_kwargs"
    )
