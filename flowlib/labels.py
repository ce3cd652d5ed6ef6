"""Which part of a node's config tells it from the others of its spec, as short text?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flowlib.events import TaskRef
from flowlib.node import Argument, Node

_MOST_RECENT: Final = 1024
"""How many names are kept for when they are asked for again."""

_NAMES: Final = frozenset({str})

_LONGEST_VALUE: Final = 40
"""Characters of one value in a label; longer ones are cut."""


class TaskRefs:
    """The names by which views know the nodes of a graph.

    What varies within a spec is found out when one of its nodes is first asked for, so a run
    that computes nothing pays nothing; the text of each value is made once.

    Args:
        by_spec: The nodes of each spec.
    """

    def __init__(self, by_spec: Mapping[str, Sequence[Node]]) -> None:
        self._by_spec = by_spec
        self._texts: dict[str, dict[int, str]] = {}
        self._recent: dict[str, TaskRef] = {}

    def of(self, node: Node) -> TaskRef:
        """The name of `node` for views."""
        found = self._recent.get(node.key)
        if found is None:  # asked twice, when a task begins and when it ends
            if len(self._recent) >= _MOST_RECENT:
                self._recent.clear()
            found = TaskRef(node.name, node.unique_name, node.key, self.label(node))
            self._recent[node.key] = found
        return found

    def label(self, node: Node) -> str:
        """The values of what varies in the spec: `lr=0.001 layers=[64, 64]`."""
        texts = self._texts.get(node.name)
        if texts is None:
            texts = self._texts[node.name] = _texts(self._by_spec.get(node.name, ()))
        if not texts:
            return ""
        return " ".join([texts[id(each)] for each in node.arguments if id(each) in texts])


def _texts(nodes: Sequence[Node]) -> dict[int, str]:
    """What to say of each argument that not all nodes share, by its `id`.

    Nodes with the same value share the argument object, and the nodes keep all of them alive.
    """
    if len(nodes) < 2:
        return {}
    by_name: defaultdict[str, dict[int, Argument]] = defaultdict(dict)
    holders: defaultdict[str, int] = defaultdict(int)
    for node in nodes:
        for argument in node.arguments:
            by_name[argument.name][id(argument)] = argument
            holders[argument.name] += 1
    return {
        number: text
        for name, arguments in by_name.items()
        if len(arguments) > 1 or holders[name] < len(nodes)
        for number, text in _argument_texts(name, arguments, holders[name] < len(nodes))
    }


def _argument_texts(
    name: str, arguments: Mapping[int, Argument], is_optional: bool
) -> Iterator[tuple[int, str]]:
    leaves = {number: _leaves(name, each.value) for number, each in arguments.items()}
    varying = _varying(list(leaves.values()), is_optional=is_optional)
    for number, each in leaves.items():
        parts = [f"{path}={_short(value)}" for path, value in each.items() if path in varying]
        if parts:
            yield number, " ".join(parts)


def _varying(leaves: Sequence[Mapping[str, object]], *, is_optional: bool) -> set[str]:
    """The paths whose values are not everywhere the same, or that are not everywhere."""
    first: dict[str, object] = {}
    varying: set[str] = set()
    for each in leaves:
        for path, value in each.items():
            known = first.setdefault(path, value)
            if known is not value and path not in varying and repr(known) != repr(value):
                varying.add(path)
    if is_optional:
        return {*first}
    if any(len(each) < len(first) for each in leaves):
        counts = Counter(path for each in leaves for path in each)
        varying |= {path for path, count in counts.items() if count < len(leaves)}
    return varying


def _leaves(name: str, top: object) -> dict[str, object]:
    """By path, everything in a value that is no dict with names as keys."""
    leaves: dict[str, object] = {}
    stack = [(name, top)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict) and value and _NAMES.issuperset(map(type, value)):
            stack += [(f"{path}.{key}", each) for key, each in reversed(value.items())]
        else:
            leaves[path] = value
    return leaves


def _short(value: object) -> str:
    """One line; a word stands without quotes."""
    text = value if isinstance(value, str) and value.isidentifier() else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
