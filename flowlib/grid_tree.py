"""Where does a config vary? A tree whose forks are its choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final

from flowlib.choices import Condition, Uniform
from flowlib.errors import SweepError
from stores.lazy_dataclass import dataclass

Path = tuple[str, ...]
"""Dict keys, and `[i]` for the i-th element of a list."""


class _Absent:
    """The type of ABSENT."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""Stands for a parameter that a condition has switched off."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """The same value in every task."""

    path: ClassVar[Path] = ()
    value: object


@dataclass(frozen=True, slots=True, eq=False)
class Fork:
    """One of several subtrees per task; those of one group advance together.

    Attributes:
        is_flat: Whether all options are leaves, so that there is nothing to look for in them.
    """

    path: Path
    options: tuple[Node, ...]
    group: str | None
    is_flat: bool


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One of `size` integers, counted from `start`."""

    path: Path
    start: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """A number drawn for each task."""

    path: Path
    distribution: Uniform


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A dict, list, tuple or dataclass with something that varies inside; lists have keys 0, 1, …

    Attributes:
        kind: Makes it of its values; `dict` is asked for, of keys and values.
    """

    path: Path
    kind: Callable[..., object]
    items: tuple[tuple[object, Node], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Switch:
    """A subtree that is absent unless the values at some paths are allowed ones."""

    path: Path
    node: Node
    conditions: tuple[tuple[Path, Condition], ...]


Node = Leaf | Fork | Span | Hole | Branch | Switch


@dataclass(frozen=True, slots=True)
class Tree:
    """A config that has been read.

    Attributes:
        root: Its tree, a dict even where nothing varies.
        spec: Name of the spec, for errors.
        constants: Values of the parameters that do not vary and that a condition may ask for.
        targets: Paths of the parameters that conditions ask for.
    """

    root: Branch
    spec: str
    constants: Mapping[Path, object]
    targets: frozenset[Path]

    def error(self, message: str, path: Path = ()) -> SweepError:
        """The error of this spec at this path."""
        return SweepError(message, spec=self.spec, path=dotted(path))


def dotted(path: Path) -> str:
    """How a path is shown: `model.layers` or `model[1].depth`."""
    return ".".join(path).replace(".[", "[")


def children(node: Node) -> tuple[Node, ...]:
    """The subtrees directly below a node, those of a flat fork left out."""
    match node:
        case Fork():
            return () if node.is_flat else node.options
        case Branch():
            return tuple(child for _, child in node.items)
        case Switch():
            return (node.node,)
    return ()


def descendants(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order of the config."""
    stack = [node]
    while stack:
        found = stack.pop()
        yield found
        stack.extend(reversed(children(found)))
