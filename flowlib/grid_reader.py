"""What is a choice in a config, and what a value? Reads a config into its tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from typing import Any, Final

from flowlib.choices import Choices, Integers, Uniform, Varying
from flowlib.errors import SweepError, nearest
from flowlib.expansion import Axis
from flowlib.grid_tree import (
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
from flowlib.items import fields_of, with_fields
from stores.lazy_dataclass import dataclass

DEEPEST: Final = 200
"""Levels a config may have; one that contains itself has more."""


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""Types whose values hold nothing that could vary."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a config is to be read.

    Attributes:
        lists_are_choices: Whether a plain list stands for its elements.
        group: The group of a list of several choices, given what is written.
        group_prefix: What the name of a group begins with, as last element; None: no such names.
        spec: Name of the spec, for errors.
    """

    lists_are_choices: bool
    group: Callable[[Axis], str | None]
    group_prefix: str | None = None
    spec: str = ""


def read_tree(config: dict[str, object], reading: Reading) -> Tree:
    """The tree of `config`, which is not changed.

    Raises:
        SweepError: a list of choices is empty, lists of a group differ in length, some values
            could never be reached, a condition asks for something unknown.
    """
    return _Reader(reading, config).tree()


@dataclass(slots=True)
class _Reader:
    reading: Reading
    config: dict[str, object]
    bound: dict[str, Path] = field(default_factory=dict)
    members: dict[str, dict[Path, int]] = field(default_factory=dict)
    constants: dict[Path, object] = field(default_factory=dict)
    targets: set[Path] = field(default_factory=set)

    def tree(self) -> Tree:
        items = self.read_items(self.config, (), self.reading.lists_are_choices)
        self.check_lengths()
        constants = {path: self.constants[path] for path in self.targets & self.constants.keys()}
        root = Branch((), dict, items)
        return Tree(root, self.reading.spec, constants, frozenset(self.targets))

    def read(self, value: object, path: Path, lists_are_choices: bool) -> Node:
        """The node of a value; a list in it is a set of choices only if that is asked for."""
        if len(path) > DEEPEST:
            raise self.error(
                f"the config contains itself, or has more than {DEEPEST} levels", path[:3]
            )
        if isinstance(value, Varying):
            return self.read_varying(value, path)
        if isinstance(value, dict):
            return self.read_dict(value, path, lists_are_choices)
        if isinstance(value, list) and lists_are_choices:
            return self.read_list(value, path)
        if isinstance(value, list | tuple):
            return self.read_sequence(value, path)
        if isinstance(value, set | frozenset) and any(isinstance(v, Varying) for v in value):
            raise self.error("a set cannot hold a sweep; sweep over whole sets instead", path)
        if lists_are_choices and self.is_marker(value):
            raise self.error(
                f"{value!r} names a group, but stands alone; it ends a list of choices", path
            )
        fields = fields_of(value)
        return Leaf(value) if fields is None else self.read_fields(value, fields, path)

    def read_varying(self, value: Varying, path: Path) -> Node:
        if value.conditions:
            raise self.error("when() has a meaning only for a parameter of a dict", path)
        match value:
            case Choices():
                return self.read_choices(value.values, value.group, path)
            case Integers():
                return Span(path, value.low, value.high - value.low + 1)
            case Uniform():
                return Hole(path, value)
        raise self.error(f"{value!r} is not one of sweep, zipped, union, uniform, integers", path)

    def read_dict(self, value: dict[object, object], path: Path, lists_are_choices: bool) -> Node:
        items = self.read_items(value, path, lists_are_choices)
        if _is_unchanged(items, value.values()):
            return Leaf(value)
        if all(isinstance(node, Leaf) for _, node in items):
            return Leaf({key: node.value for key, node in items if isinstance(node, Leaf)})
        return Branch(path, dict, items)

    def read_items(
        self, value: Mapping[Any, object], path: Path, lists_are_choices: bool
    ) -> tuple[tuple[object, Node], ...]:
        items: list[tuple[object, Node]] = []
        for key, inner in value.items():
            below = (*path, str(key))
            if isinstance(inner, Varying) and inner.conditions:
                node = self.read_switch(inner, value, below)
            else:
                node = self.read(inner, below, lists_are_choices)
            if isinstance(node, Leaf):
                self.constants[below] = node.value
            items.append((key, node))
        return tuple(items)

    def read_sequence(self, value: list[object] | tuple[object, ...], path: Path) -> Node:
        """A list or tuple that is a value: only explicit sweeps vary in it."""
        items = tuple((i, self.read(v, (*path, f"[{i}]"), False)) for i, v in enumerate(value))
        if _is_unchanged(items, value):
            return Leaf(value)
        if type(value) not in (list, tuple):
            raise self.error(f"a {type(value).__name__} cannot hold a sweep", path)
        return Branch(path, type(value), items)

    def read_fields(self, value: object, fields: dict[str, object], path: Path) -> Node:
        """A dataclass: only explicit sweeps vary in it."""
        items = tuple((name, self.read(v, (*path, name), False)) for name, v in fields.items())
        if _is_unchanged(items, fields.values()):
            return Leaf(value)
        if any(isinstance(below, Hole) for _, node in items for below in descendants(node)):
            raise self.error(f"a {type(value).__name__} cannot hold a number that is drawn", path)

        def made(values: Iterable[object]) -> object:
            return with_fields(value, dict(zip(fields, values, strict=True)))

        return Branch(path, made, items)

    def read_list(self, value: list[object], path: Path) -> Node:
        if not value or not self.is_marker(value[-1]):
            return self.read_choices(tuple(value), None, path)
        return self.read_choices(tuple(value[:-1]), str(value[-1]), path)

    def read_choices(self, values: tuple[object, ...], group: str | None, path: Path) -> Node:
        if not values:
            named = f" beside the name of its group, {group!r}" if group else ""
            raise self.error(
                f"an empty list of choices{named} leaves no task; name at least one", path
            )
        if group is not None or len(values) > 1:
            group = self.reading.group(Axis(dotted(path), len(values), group))
        if group is not None:
            self.note_member(group, path, len(values))
        if len(values) == 1:
            return self.read_option(values[0], path)
        if group is not None:
            self.bound[group] = path
        options = tuple(
            Leaf(value) if type(value) in _PLAIN else self.read_option(value, (*path, f"[{i}]"))
            for i, value in enumerate(values)
        )
        if group is not None:
            del self.bound[group]
        return Fork(path, options, group, all(isinstance(option, Leaf) for option in options))

    def read_option(self, value: object, path: Path) -> Node:
        """One of several choices: a dict is walked in turn, a list is a value."""
        if type(value) in _PLAIN:
            return Leaf(value)
        walks = self.reading.lists_are_choices and isinstance(value, dict)
        return self.read(value, path, walks)

    def read_switch(self, value: Varying, siblings: Mapping[Any, object], path: Path) -> Node:
        plain = replace(value, conditions=())
        conditions = []
        for condition in value.conditions:
            target = self.target(condition.name, siblings, path)
            self.targets.add(target)
            conditions.append((target, condition))
        return Switch(path, self.read(plain, path, False), tuple(conditions))

    def target(self, name: str, siblings: Mapping[Any, object], path: Path) -> Path:
        """Where the parameter stands that a condition names: beside `path`, else at the top."""
        top = self.config
        scopes = ((siblings, (*path[:-1], name)), (top, (name,)))
        for scope, found in scopes:
            if name in scope and found != path:
                if isinstance(scope[name], dict | Uniform):
                    raise self.error(
                        f"when({name}=…) can ask for a plain value or choices only", path
                    )
                return found
        known = [str(key) for key in (*siblings, *top) if str(key) != path[-1]]
        raise self.error(
            f"when({name}=…) asks for a parameter that is neither beside it nor at the top of"
            f" the config; there are {', '.join(dict.fromkeys(known))}.{nearest(name, known)}",
            path,
        )

    def note_member(self, group: str, path: Path, size: int) -> None:
        if size > 1 and group in self.bound:
            raise self.error(
                f"only one of its {size} values could ever be reached, because it stands in"
                f" {dotted(self.bound[group])} and both advance together ({group}); give it a"
                " group of its own, or write the one value",
                path,
            )
        self.members.setdefault(group, {})[path] = size

    def check_lengths(self) -> None:
        for group, sizes in self.members.items():
            if len(set(sizes.values())) > 1:
                found = ", ".join(f"{dotted(path)} has {size}" for path, size in sizes.items())
                raise self.error(
                    f"lists that advance together ({group}) differ in length: {found}",
                    next(iter(sizes)),
                )

    def is_marker(self, value: object) -> bool:
        prefix = self.reading.group_prefix
        return bool(prefix) and isinstance(value, str) and value.startswith(str(prefix))

    def error(self, message: str, path: Path) -> SweepError:
        return SweepError(message, spec=self.reading.spec, path=dotted(path))


def _is_unchanged(items: Iterable[tuple[object, Node]], values: Iterable[object]) -> bool:
    pairs = zip(items, values, strict=True)
    return all(isinstance(node, Leaf) and node.value is value for (_, node), value in pairs)
