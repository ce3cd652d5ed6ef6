"""From specs to nodes: every sweep expanded, every node linked to the nodes it reads from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from flowlib.bulk import paused_collection
from flowlib.call_nodes import CallNodes, Place, as_places
from flowlib.calls import Call
from flowlib.declaration import Declaration
from flowlib.errors import GraphError, SpecError, nearest
from flowlib.graph_checks import (
    missing_message,
    refuse_ambiguous_labels,
    refuse_ambiguous_names,
    refuse_doubled_names,
    refuse_unreachable_min_ok,
)
from flowlib.grid import Point, expand_config
from flowlib.growth import Growth
from flowlib.identity import Resolver, missing_keys, refuse_ignored_sweep
from flowlib.joins import Family, combinations, inherited_mask
from flowlib.later_specs import LaterSpecs
from flowlib.node import Argument, Node
from flowlib.node_names import NodeNames
from flowlib.reduction import agreed_mask, gathered
from flowlib.signature import location_of
from flowlib.spec import TaskSpec
from flowlib.spec_order import in_order
from stores.lazy_dataclass import dataclass

Declared = Callable[[TaskSpec, Declaration], Declaration]
"""Gives what counts for a spec, from its own declaration."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskGraph:
    """Every node of a flow, predecessors first.

    Attributes:
        nodes: All nodes by key, in an order in which they could run.
        by_spec: The nodes of each spec in expansion order.
        spec_edges: For each spec the names of the specs it reads from.
        labelled: The nodes that have names of their own, by what was said: `fit(x).named("big")`.
        growths: What nodes have grown that have returned specs, by their key.
        later: What holds for specs that tasks return.
        later_of: The same for those that some tasks return, by the keys of these.
    """

    nodes: dict[str, Node]
    by_spec: dict[str, tuple[Node, ...]]
    spec_edges: dict[str, tuple[str, ...]]
    labelled: dict[str, tuple[Node, ...]] = field(default_factory=dict)
    growths: dict[str, Growth] = field(default_factory=dict)
    later: LaterSpecs = field(default_factory=LaterSpecs)
    later_of: dict[str, LaterSpecs] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """What was declared; calls of one task that differ in their options are several."""
        found: dict[Declaration, None] = {}
        for nodes in self.by_spec.values():
            if nodes and nodes[0].declaration.is_call:
                found.update((node.declaration, None) for node in nodes)
            elif nodes:
                found[nodes[0].declaration] = None
        return tuple(found)

    def widest_level(self) -> int:
        """The greatest number of nodes with one and the same distance from the start."""
        levels: dict[int, int] = {}
        level_of: dict[str, int] = {}
        below: dict[int, int] = {}
        for node in self.nodes.values():
            upstream = node.upstream
            level = below.get(id(upstream))
            if level is None:
                level = 1 + max((level_of[each.key] for each in upstream.nodes), default=-1)
                below[id(upstream)] = level
            level_of[node.key] = level
            levels[level] = levels.get(level, 0) + 1
        return max(levels.values())


def build_graph(
    specs: Sequence[TaskSpec],
    *,
    ignore_prefix: str | None = None,
    group_prefix: str | None = None,
    labels: Mapping[int, str] | None = None,
    declared: Declared | None = None,
    later: LaterSpecs | None = None,
) -> TaskGraph:
    """Expand and link `specs`. The cost is linear in the number of nodes and edges.

    Args:
        specs: They; what they read from is added by itself.
        ignore_prefix: For specs that have none.
        group_prefix: For specs that have none.
        labels: What the nodes of some specs are called, by the id of the spec.
        declared: Gives what counts as the declaration of a spec.
        later: What holds for specs that tasks return.

    Raises:
        GraphError: no specs, a circle, a doubled name, predecessors that never agree.
        SpecError: a config does not fit the task, or cannot be expanded.
    """
    if not specs:
        raise GraphError("there are no tasks to run: give the flow at least one spec")
    names = NodeNames(labels)
    ordered, families = _families(specs, names, declared, ignore_prefix, group_prefix)
    return replace(_graph_of(ordered, families, names), later=later or LaterSpecs())


def graph_of_spec(spec: TaskSpec) -> tuple[TaskGraph, tuple[Node, ...]]:
    """The graph that ends with one spec, and the nodes of that spec in expansion order.

    Raises:
        GraphError: as `build_graph`.
        SpecError: as `build_graph`.
    """
    names = NodeNames()
    ordered, families = _families([spec], names)
    own = next(family for each, family in zip(ordered, families, strict=True) if each is spec)
    return _graph_of(ordered, families, names), tuple(dict.fromkeys(own.nodes))


def families_of(
    specs: Sequence[TaskSpec], later: LaterSpecs
) -> tuple[list[TaskSpec], list[Family]]:
    """Specs that a task has returned with all that they read from, and the nodes of each.

    Raises:
        FlowError: as `build_graph`.
    """
    return _families(specs, NodeNames(), later, later.ignore_prefix, later.group_prefix)


def _families(
    specs: Sequence[TaskSpec],
    names: NodeNames,
    declared: Declared | None = None,
    ignore_prefix: str | None = None,
    group_prefix: str | None = None,
) -> tuple[list[TaskSpec], list[Family]]:
    """All specs, predecessors first, and the nodes of each."""
    families: dict[int, Family] = {}
    shared_upstream: dict[tuple[str, ...], list[Place]] = {}
    with paused_collection():
        ordered = in_order(specs)
        calls = CallNodes([spec for spec in ordered if isinstance(spec, Call)], names)
        declarations = [spec.declaration(ignore_prefix, group_prefix) for spec in ordered]
        if declared is not None:
            declarations = [declared(*each) for each in zip(ordered, declarations, strict=True)]
        for position, spec in enumerate(ordered):
            sources = tuple([families[id(each)] for each in spec.predecessors])
            families[id(spec)] = family = Family(spec.name, position, sources)
            if isinstance(spec, Call):
                calls.fill(family, spec, declarations[position])
            else:
                _fill(family, declarations[position], shared_upstream)
                if (label := names.label_of(spec)) is not None:
                    _rename(family, label, names)
    return ordered, list(families.values())


def _rename(family: Family, label: str, names: NodeNames) -> None:
    """Call the nodes of a spec by its label."""
    is_alone = len(family.nodes) == 1
    family.nodes = [
        replace(node, unique_name=names.next_name(label, is_alone=is_alone))
        for node in family.nodes
    ]


def _graph_of(specs: Sequence[TaskSpec], families: Sequence[Family], names: NodeNames) -> TaskGraph:
    """The nodes of all families; calls of one task stand together."""
    by_spec: dict[str, dict[str, Node]] = {}
    edges: dict[str, dict[str, None]] = {}
    labelled: dict[str, dict[str, Node]] = {}
    for spec, family in zip(specs, families, strict=True):
        own = by_spec.get(spec.name)
        if own is None:
            own, edges[spec.name] = by_spec.setdefault(spec.name, {}), {}
        for node in family.nodes:
            own[node.key] = node
        if (label := names.label_of(spec)) is not None:
            labelled.setdefault(label, {}).update((node.key, node) for node in family.nodes)
        read = edges[spec.name]
        for source in family.predecessors:
            read[source.name] = None
    refuse_ambiguous_labels(labelled, by_spec)
    refuse_ambiguous_names(by_spec)
    refuse_doubled_names(labelled, by_spec)
    return TaskGraph(
        nodes={node.key: node for family in families for node in family.nodes},
        by_spec={name: tuple(nodes.values()) for name, nodes in by_spec.items()},
        spec_edges={name: tuple(sources) for name, sources in edges.items()},
        labelled={label: tuple(nodes.values()) for label, nodes in labelled.items()},
    )


def _fill(
    family: Family, declaration: Declaration, shared: dict[tuple[str, ...], list[Place]]
) -> None:
    """Make the nodes of one spec."""
    _check_declaration(declaration, family)
    points = expand_config(
        declaration.config,
        declaration.expand,
        group_prefix=declaration.group_prefix,
        spec=declaration.name,
    )
    places = _places(family, declaration, shared)
    family.nodes = _nodes(declaration, points, places)
    refuse_unreachable_min_ok(declaration, family.nodes)
    if declaration.reduce:
        family.close(agreed_mask(family))
    else:
        family.close(inherited_mask(family.predecessors))


def _places(
    family: Family, declaration: Declaration, shared: dict[tuple[str, ...], list[Place]]
) -> Iterable[Place]:
    """The combinations of predecessors; shared by the specs that require the same ones."""
    if declaration.reduce:
        return as_places(gathered(family, declaration.reduce), gathers=True)
    required = tuple(each.name for each in family.predecessors)
    if required in shared:
        return shared[required]
    places = as_places(combinations(family.name, family.predecessors), gathers=False)
    return places if len(required) < 2 else shared.setdefault(required, list(places))


def _nodes(
    declaration: Declaration, points: Iterable[Point], places: Iterable[Place]
) -> list[Node]:
    resolver = Resolver(declaration)
    configs = _distinct_configs(declaration, resolver, points)
    rows: dict[str, tuple[tuple[Argument, ...], Place]] = {}
    for place in places:
        for arguments in configs:
            key = resolver.key(arguments, place.digest)
            known = rows.setdefault(key, (arguments, place))
            if known[0] is not arguments:
                refuse_ignored_sweep(declaration, known[0], arguments)
    name, is_alone = declaration.name, len(rows) == 1
    return [
        Node(
            declaration=declaration,
            key=key,
            unique_name=name if is_alone else f"{name}-{index + 1}",
            index=index,
            arguments=arguments,
            upstream=place.upstream,
        )
        for index, (key, (arguments, place)) in enumerate(rows.items())
    ]


def _distinct_configs(
    declaration: Declaration, resolver: Resolver, points: Iterable[Point]
) -> list[tuple[Argument, ...]]:
    configs: list[tuple[Argument, ...]] = []
    shape: tuple[str, ...] | None = None
    for point in points:
        configs.append(resolver.resolve(point))
        if tuple(point) != shape:
            shape = tuple(point)
            if missing := missing_keys(declaration, shape):
                raise SpecError(missing_message(declaration, missing))
    return configs


def _check_declaration(declaration: Declaration, family: Family) -> None:
    signature = declaration.signature
    unknown = sorted(declaration.additional_kwargs.keys() - signature.config.keys())
    if unknown and not signature.takes_any_config:
        hint = nearest(unknown[0], signature.config)
        raise SpecError(
            f"{declaration.name}: additional_kwargs has {unknown[0]!r}, which is not a parameter "
            f"of the task ({location_of(declaration.task)}).{hint}"
        )
    if declaration.reduce and not family.predecessors:
        raise GraphError(f"{declaration.name} is a reduce, but requires no spec to gather from")
    wanted = [name for name, p in signature.expects.items() if p.default is p.empty]
    if wanted and not family.predecessors:
        raise SpecError(
            f"{declaration.name} wants {', '.join(wanted)}, but neither its config gives "
            f"{'it' if len(wanted) == 1 else 'them'} nor does it require another spec that could"
        )
