"""Which combinations are possible where parameters depend on each other? Walks them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from flowlib.grid_tree import (
    ABSENT,
    Branch,
    Fork,
    Hole,
    Leaf,
    Node,
    Path,
    Span,
    Switch,
    Tree,
    descendants,
    dotted,
)

Token = str | Path
"""What ties places together: the name of a group, or the path that a condition asks for."""

Chosen = Mapping[Token, object]
"""What has been decided on the way: the index of a group, the value at a path."""

NOTHING: Final[Chosen] = {}


def tokens(node: Node, tree: Tree) -> set[Token]:
    """What a subtree shares, or might share, with others."""
    found: set[Token] = set(needs(node, tree))
    for below in descendants(node):
        if isinstance(below, Fork) and below.group is not None:
            found.add(below.group)
        if below.path in tree.targets:
            found.add(below.path)
    return found


def needs(node: Node, tree: Tree) -> list[Path]:
    """The varying parameters that the conditions in a subtree ask for."""
    return [
        target
        for below in descendants(node)
        if isinstance(below, Switch)
        for target, _ in below.conditions
        if target not in tree.constants
    ]


def in_order(nodes: Iterable[Node], tree: Tree) -> list[Node]:
    """The nodes in their order, but each behind those that its conditions ask for.

    Raises:
        SweepError: conditions ask for each other.
    """
    nodes = list(nodes)
    if not tree.targets:
        return nodes
    providers = {node.path: node for node in nodes}
    ordered: dict[Node, None] = {}

    def place(node: Node, waiting: tuple[Node, ...]) -> None:
        if node in waiting:
            names = " and ".join(
                dotted(each.path) for each in waiting if not isinstance(each, Leaf)
            )
            raise tree.error(f"the conditions of {names} ask for each other", node.path)
        if node not in ordered:
            for path in needs(node, tree):
                if path in providers:
                    place(providers[path], (*waiting, node))
            ordered[node] = None

    for node in nodes:
        place(node, ())
    return list(ordered)


def rows(
    nodes: Sequence[Node], tree: Tree, chosen: Chosen = NOTHING
) -> list[tuple[tuple[object, ...], Chosen]]:
    """Every possible combination of values, in product order, and what was decided for it.

    Linear in the number of combinations: whatever a step leaves open can be completed.
    """
    found: list[tuple[tuple[object, ...], Chosen]] = [((), chosen)]
    for node in nodes:
        found = [
            ((*values, value), after)
            for values, before in found
            for value, after in alternatives(node, tree, before)
        ]
    return found


def alternatives(node: Node, tree: Tree, chosen: Chosen) -> Iterator[tuple[object, Chosen]]:
    """The possible values of one subtree, given what has been decided before."""
    for value, after in _alternatives(node, tree, chosen):
        if node.path in tree.targets:
            yield value, {**after, node.path: value}
        else:
            yield value, after


def _alternatives(node: Node, tree: Tree, chosen: Chosen) -> Iterator[tuple[object, Chosen]]:
    if isinstance(node, Fork):
        yield from _options(node, tree, chosen)
    elif isinstance(node, Branch):
        yield from _branch(node, tree, chosen)
    elif isinstance(node, Switch):
        if _holds(node, tree, chosen):
            yield from _alternatives(node.node, tree, chosen)
        else:
            yield ABSENT, chosen
    else:
        for value in _values(node):
            yield value, chosen


def _values(node: Leaf | Hole | Span) -> Iterable[object]:
    match node:
        case Leaf():
            return (node.value,)
        case Span():
            return range(node.start, node.start + node.size)
        case Hole():
            return (node,)


def _options(fork: Fork, tree: Tree, chosen: Chosen) -> Iterator[tuple[object, Chosen]]:
    if fork.group is None:
        for option in fork.options:
            yield from alternatives(option, tree, chosen)
    elif fork.group in chosen:
        index = cast(int, chosen[fork.group])
        yield from alternatives(fork.options[index], tree, chosen)
    else:
        for index, option in enumerate(fork.options):
            yield from alternatives(option, tree, {**chosen, fork.group: index})


def _branch(branch: Branch, tree: Tree, chosen: Chosen) -> Iterator[tuple[object, Chosen]]:
    keys = {node: key for key, node in branch.items}
    ordered = in_order(keys, tree)
    for values, after in rows(ordered, tree, chosen):
        found = dict(zip((keys[node] for node in ordered), values, strict=True))
        if branch.kind is dict:
            in_place = ((key, found[key]) for key, _ in branch.items)
            yield {key: value for key, value in in_place if value is not ABSENT}, after
        else:
            yield branch.kind(found[key] for key, _ in branch.items), after


def _holds(switch: Switch, tree: Tree, chosen: Chosen) -> bool:
    for target, condition in switch.conditions:
        value = tree.constants[target] if target in tree.constants else chosen.get(target, ABSENT)
        if value is ABSENT or not condition.holds(value):
            return False
    return True
