"""One concrete task of a flow: frozen, with one key, linked to the nodes it reads from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stores import Address
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from flowlib.declaration import Declaration


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """One value of one parameter, shared by all nodes of a spec that have it.

    Attributes:
        name: The parameter as the task sees it (an ignore prefix is removed).
        value: What the task gets; shared, so it is copied before user code sees it.
        key_text: `"name":value` as it enters the key; None if it does not.
        full_text: The same for the whole resolved config; None if it is ignored.
        user_text: The same for what the user gave; None if ignored or not given.
    """

    name: str
    value: object
    key_text: str | None
    full_text: str | None
    user_text: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Upstream:
    """The nodes that a node reads from; one object is shared by all nodes that have the same.

    Attributes:
        nodes: In the order of `requires`, then of expansion.
        gathers: Whether the values arrive as lists (a reduce).
        roles: Of a call: as what it reads which of `nodes`, by number; a node may have several.
            Empty: each node is read under the name of its spec.
    """

    nodes: tuple[Node, ...] = ()
    gathers: bool = False
    roles: tuple[tuple[str, int], ...] = ()

    @property
    def by_role(self) -> tuple[tuple[str, Node], ...]:
        """As what each node is read, in order."""
        if self.roles:
            return tuple([(role, self.nodes[index]) for role, index in self.roles])
        return tuple([(node.name, node) for node in self.nodes])


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One configuration of one spec. Two nodes are equal when their keys are.

    Attributes:
        declaration: The spec it comes from.
        key: Its identity: 32 hexadecimal digits.
        unique_name: `Train-12` for the 12th node of a spec, `Train` if there is one only.
        index: Its position among the nodes of its spec, from 0.
        arguments: Its own config, parameter by parameter.
        upstream: The nodes it reads from.
    """

    declaration: Declaration
    key: str
    unique_name: str
    index: int
    arguments: tuple[Argument, ...]
    upstream: Upstream

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"<Node {self.unique_name} {self.address}>"

    @property
    def name(self) -> str:
        """Name of its spec."""
        return self.declaration.name

    @property
    def address(self) -> Address:
        """Where its record lies in a store."""
        return Address(self.declaration.name, self.key)

    @property
    def predecessors(self) -> tuple[Node, ...]:
        """The nodes it reads from."""
        return self.upstream.nodes

    @property
    def config(self) -> Mapping[str, object]:
        """Its own config as the task gets it: prefixes removed, without `additional_kwargs`."""
        return {argument.name: argument.value for argument in self.arguments}


def lineage(nodes: list[Node]) -> Iterator[Node]:
    """Yield `nodes` and everything upstream of them, each once, predecessors first."""
    seen: set[str] = set()
    stack = [(node, False) for node in reversed(nodes)]
    while stack:
        node, is_expanded = stack.pop()
        if is_expanded:
            yield node
        elif node.key not in seen:
            seen.add(node.key)
            stack.append((node, True))
            stack.extend((each, False) for each in reversed(node.upstream.nodes))
