"""What has a task grown? Nodes, and a value with places for what they give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from flowlib.grown import Specs
from flowlib.node import Node, Upstream
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """What one node has grown that has returned specs.

    Attributes:
        specs: What it has returned.
        value: The same with slots in the places of the specs.
        upstream: The nodes that give the values for these, with their roles.
        new: The nodes that the graph did not have before, predecessors first.
    """

    specs: Specs
    value: object
    upstream: Upstream
    new: tuple[Node, ...]


def in_running_order(nodes: Iterable[Node], growths: Mapping[str, Growth]) -> Iterator[Node]:
    """Nodes in an order in which they could run: those that have grown after what they have grown.

    Args:
        nodes: Predecessors first, in whatever order otherwise.
        growths: What nodes have grown, by key.
    """
    wanted = {node.key: node for node in nodes}
    seen: set[str] = set()
    for first in wanted.values():
        stack = [(first, False)]
        while stack:
            node, is_expanded = stack.pop()
            if is_expanded:
                yield node
            elif node.key not in seen:
                seen.add(node.key)
                stack.append((node, True))
                grown = growths.get(node.key)
                read = (*node.upstream.nodes, *(grown.upstream.nodes if grown else ()))
                stack += [(wanted[e.key], False) for e in reversed(read) if e.key in wanted]
