"""Which part of a node's config tells it from the others of its spec, as short text?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flowlib.events import TaskRef
from flowlib.node import Node

_LONGEST_VALUE: Final = 40
"""Characters of one value in a label; longer ones are cut."""


class TaskRefs:
    """The names by which views know the nodes of a graph.

    What varies within a spec is found out when one of its nodes is first asked for, so a run
    that computes nothing pays nothing.

    Args:
        by_spec: The nodes of each spec.
    """

    def __init__(self, by_spec: Mapping[str, Sequence[Node]]) -> None:
        self._by_spec = by_spec
        self._varying: dict[str, frozenset[str]] = {}

    def of(self, node: Node) -> TaskRef:
        """The name of `node` for views."""
        return TaskRef(node.name, node.unique_name, node.key, self.label(node))

    def label(self, node: Node) -> str:
        """The values of what varies in the spec: `lr=0.001 layers=[64, 64]`."""
        varying = self._varying.get(node.name)
        if varying is None:
            varying = self._varying[node.name] = _varying(self._by_spec.get(node.name, ()))
        if not varying:
            return ""
        return " ".join(
            f"{path}={_short(value)}" for path, value in _leaves(node) if path in varying
        )


def _varying(nodes: Sequence[Node]) -> frozenset[str]:
    """The paths at which not all nodes have the same value."""
    if len(nodes) < 2:
        return frozenset()
    seen: dict[str, str] = {}
    counts: dict[str, int] = {}
    varying: set[str] = set()
    for node in nodes:
        for path, value in _leaves(node):
            text = repr(value)
            counts[path] = counts.get(path, 0) + 1
            if seen.setdefault(path, text) != text:
                varying.add(path)
    return frozenset(varying | {path for path, count in counts.items() if count < len(nodes)})


def _leaves(node: Node) -> Iterator[tuple[str, object]]:
    """Path and value of everything in the config that is no dict with names as keys."""
    stack: list[tuple[str, object]] = [(a.name, a.value) for a in reversed(node.arguments)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, Mapping) and value and all(isinstance(key, str) for key in value):
            stack.extend((f"{path}.{key}", each) for key, each in reversed([*value.items()]))
        else:
            yield path, value


def _short(value: object) -> str:
    """One line; a word stands without quotes."""
    text = value if isinstance(value, str) and value.isidentifier() else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
