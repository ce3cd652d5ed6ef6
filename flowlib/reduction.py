"""Which nodes does a reduce gather: all of them, or those that differ in named parameters only?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flowlib.errors import SpecError, nearest
from flowlib.joins import Family, combinations, inherited_mask
from flowlib.node import Argument, Node, lineage
from stores import canonical


def gathered(family: Family, reduce: bool | tuple[str, ...]) -> Iterator[tuple[Node, ...]]:
    """The members of each reduce node, in the order of `requires`, then of expansion.

    Raises:
        SpecError: a named parameter is none of any spec upstream.
    """
    sources = family.predecessors
    if isinstance(reduce, bool):
        yield tuple(node for source in sources for node in source.nodes)
        return
    signatures = _signatures_without(family, reduce)
    groups: dict[tuple[str, ...], dict[str, Node]] = {}
    for combination in combinations(family.name, sources):
        group = groups.setdefault(tuple(signatures[node.key] for node in combination), {})
        group.update((node.key, node) for node in combination)
    order = {node.key: at for at, node in enumerate(n for s in sources for n in s.nodes)}
    for members in groups.values():
        yield tuple(sorted(members.values(), key=lambda node: order[node.key]))


def agreed_mask(family: Family) -> int:
    """The varied ancestors on which the members of every group agree."""
    if len(family.nodes) < 2:
        return 0
    mask = 0
    for source in family.predecessors:
        index = {each.key: at for at, each in enumerate(source.nodes)}
        for position in _positions(source.varied):
            column = source.ancestors(position)
            if all(_agree(node, index, column) for node in family.nodes):
                mask |= 1 << position
    return mask & inherited_mask(family.predecessors)


def _agree(node: Node, index: Mapping[str, int], column: list[Node]) -> bool:
    read = [index[each.key] for each in node.upstream.nodes if each.key in index]
    return len({column[at].key for at in read}) == 1


def _positions(mask: int) -> list[int]:
    return [position for position in range(mask.bit_length()) if mask >> position & 1]


def _signatures_without(family: Family, axes: tuple[str, ...]) -> dict[str, str]:
    """What identifies each node upstream when the named parameters are left out."""
    members = [node for source in family.predecessors for node in source.nodes]
    signatures: dict[str, str] = {}
    seen: set[str] = set()
    for node in lineage(members):
        kept = []
        for argument in node.arguments:
            text, met = _text_without(argument, node.name, axes)
            seen.update(met)
            if text is not None:
                kept.append(text)
        upstream = sorted({signatures[each.key] for each in node.upstream.nodes})
        signatures[node.key] = canonical.digest("\n".join([node.name, ",".join(kept), *upstream]))
    _refuse_unknown(family, axes, seen, members)
    return signatures


def _text_without(
    argument: Argument, spec: str, axes: tuple[str, ...]
) -> tuple[str | None, list[str]]:
    """The text of an argument without the named parameters in it, and the names that were met.

    An axis is a parameter (`seed`), one inside a dict (`model.depth`), or either of one spec
    (`Train.seed`).
    """
    value, met = argument.value, []
    for axis in axes:
        path = axis.removeprefix(f"{spec}.").split(".")
        if path[0] != argument.name:
            continue
        if len(path) == 1:
            return None, [axis]
        if _has(value, path[1:]):
            met.append(axis)
            value = _without(value, path[1:])
    if not met:
        return argument.full_text, []
    return f"{argument.name}:{canonical.encode(value, argument.name)}", met


def _has(value: object, path: list[str]) -> bool:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def _without(value: object, path: list[str]) -> object:
    """A copy of a dict without the value at `path`."""
    if not isinstance(value, dict):
        return value
    if len(path) == 1:
        return {key: inner for key, inner in value.items() if key != path[0]}
    return {k: _without(v, path[1:]) if k == path[0] else v for k, v in value.items()}


def _refuse_unknown(
    family: Family, axes: tuple[str, ...], seen: set[str], members: list[Node]
) -> None:
    unknown = [axis for axis in axes if axis not in seen]
    if unknown:
        known = {argument.name for node in lineage(members) for argument in node.arguments}
        hint = nearest(unknown[0], known)
        raise SpecError(
            f"{family.name}: reduce names {unknown[0]!r}, which no spec upstream has as a "
            f"parameter.{hint} There are: {', '.join(sorted(known)) or 'none'}"
        )
