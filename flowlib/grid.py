"""Which concrete configs does a config with lists stand for?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flowlib.choices import Choices, Varying
from flowlib.errors import SweepError
from flowlib.expansion import Axis, Expansion, FunctionExpansion, find_expansion
from flowlib.grid_points import Choice, Grid, Grids, Point, Row
from flowlib.grid_reader import Reading, read_tree
from flowlib.grid_tree import (
    Fork,
    Hole,
    Span,
    Switch,
    Tree,
    descendants,
    dotted,
)

__all__ = ["Choice", "Point", "expand_config", "varying_paths"]

Config = Mapping[str, object]

_DEFAULT: Final = "product"
"""How explicit sweeps are combined where lists are values."""


def expand_config(
    config: Config | Choices,
    expand: object = None,
    *,
    group_prefix: str | None = None,
    spec: str = "",
) -> Iterator[Point]:
    """The concrete configs of a config, in product order with the last key fastest.

    Args:
        config: Parameters, with what is to be swept; or the `union` of several. Not changed.
        expand: How lists are combined: a name, a name with options (`{"random": {"n": 20}}`) or
            an `Expansion`. None: lists are values, and only explicit sweeps are combined.
        group_prefix: A list whose last element is a string that begins with it advances
            together with the other lists that end in the same string.
        spec: Name of the spec, for errors.

    Returns:
        An iterator; time and memory are linear in what is taken from it. Parameters that depend
        on each other other than in lockstep (conditions, groups across the dicts of a list of
        choices) are combined at once.

    Raises:
        SweepError: the config cannot be expanded so; raised here, before the first point.
    """
    method = find_expansion(_DEFAULT if expand is None else expand, spec)
    if isinstance(method, FunctionExpansion):
        return _points_of_function(method, config, group_prefix, spec)
    trees = _trees(config, expand is not None, method, group_prefix, spec)
    for tree in trees if not method.samples else ():
        _refuse_draws(tree)
    grids = [Grid(tree, keeps_order=not method.samples) for tree in trees]
    grid = grids[0] if len(grids) == 1 else Grids(grids)
    return map(grid.point, _checked(method, grid.axes, spec))


def varying_paths(
    config: Config | Choices, expand: object = None, group_prefix: str | None = None
) -> list[str]:
    """Dotted paths of what differs between the points of a config, in its order.

    What varies inside a dict that is one of several choices stands behind the path of these:
    `model`, `model.depth`.
    """
    method = find_expansion(_DEFAULT if expand is None else expand)
    if isinstance(method, FunctionExpansion):
        return _differing(list(_points_of_function(method, config, group_prefix, "")))
    found = [
        dotted(tuple(part for part in node.path if not part.startswith("[")))
        for tree in _trees(config, expand is not None, method, group_prefix, "")
        for node in descendants(tree.root)
        if isinstance(node, Fork | Span | Hole | Switch)
    ]
    return list(dict.fromkeys(found))


def _trees(
    config: Config | Choices,
    lists_are_choices: bool,
    method: Expansion,
    group_prefix: str | None,
    spec: str,
) -> list[Tree]:
    reading = Reading(lists_are_choices, method.group, group_prefix, spec)
    trees = [read_tree(grid, reading) for grid in _sub_grids(config, spec)]
    if not trees:
        raise SweepError("a union needs at least one grid", spec=spec, path="config")
    return trees


def _sub_grids(config: object, spec: str) -> Iterator[dict[str, object]]:
    if isinstance(config, Mapping):
        yield dict(config)
    elif isinstance(config, Choices) and not config.conditions:
        for grid in config.values:
            yield from _sub_grids(grid, spec)
    else:
        found = type(config).__name__
        raise SweepError(f"a config is a dict or a union of dicts, found {found}", spec=spec)


def _refuse_draws(tree: Tree) -> None:
    for node in descendants(tree.root):
        if isinstance(node, Hole | Span):
            raise tree.error(
                "uniform() and integers() are drawn: ask for an expansion that samples,"
                ' expand={"random": {"n": 20}}, or write sweep.linear(…) or sweep.range(…)',
                node.path,
            )


def _checked(method: Expansion, axes: Sequence[Axis], spec: str) -> Iterator[Row]:
    """The rows of an expansion; the first is asked for now, so that errors are raised here."""
    name = type(method).__name__
    try:
        rows = iter(method.combine(axes))
        first = next(rows)
    except StopIteration:
        raise SweepError(f"{name} gave no point", spec=spec, path="expand") from None
    except SweepError as error:
        raise SweepError(error.message, spec=spec, path=error.path or "expand") from None
    if len(first) != len(axes):
        found = f"{name} gave {len(first)} indices for {len(axes)} axes"
        raise SweepError(found, spec=spec, path="expand")
    return itertools.chain((first,), rows)


def _points_of_function(
    method: FunctionExpansion, config: Config | Choices, group_prefix: str | None, spec: str
) -> Iterator[Point]:
    if not isinstance(config, Mapping):
        raise SweepError("a union cannot be expanded by a function", spec=spec, path="expand")
    configs = list(method.configs(config, group_prefix))
    if not configs:
        raise SweepError(f"{type(method).__name__} gave no point", spec=spec, path="expand")
    shared: dict[tuple[str, int], Choice] = {}
    points = []
    for found in configs:
        if not isinstance(found, dict):
            name, kind = type(method).__name__, type(found).__name__
            raise SweepError(f"{name} gave a {kind}, not a dict", spec=spec, path="expand")
        for key, value in found.items():
            if isinstance(value, Varying):
                raise SweepError("left unexpanded by the function", spec=spec, path=key)
            shared.setdefault((key, id(value)), Choice(value))
        points.append({key: shared[key, id(value)] for key, value in found.items()})
    return iter(points)


def _differing(points: Sequence[Point]) -> list[str]:
    names = dict.fromkeys(name for point in points for name in point)
    return [
        name
        for name in names
        if len({repr(point[name].value) if name in point else "" for point in points}) > 1
    ]
