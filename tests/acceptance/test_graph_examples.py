"""Are nodes, names, order and unique configs those that fluidml showed when it was run?"""

from __future__ import annotations

from typing import Any

import pytest

from flowlib import Flow, Task, TaskSpec
from tests.acceptance.tasks import Anything


class A(Anything):
    """The first of the page's letters."""


class B(Anything):
    """Reads from A."""


class C(Anything):
    """Reads from A."""


class D(Anything):
    """Reads from B and C."""


class R(Anything):
    """A reduce."""


def unique_configs(flow: Flow, name: str) -> list[dict[str, Any]]:
    """The unique configs of the nodes of one spec, in expansion order."""
    nodes = [data["task"] for _, data in flow.task_graph.nodes(data=True)]
    return [plain(node.unique_config) for node in nodes if node.name == name]


def plain(value: Any) -> Any:
    """`value` with plain dicts only."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value


def predecessors(flow: Flow, unique_name: str) -> set[str]:
    """The nodes that one node reads from."""
    return set(flow.task_graph.predecessors(unique_name))


def grid(task: type[Task], **config: Any) -> TaskSpec:
    """A spec whose lists are choices."""
    return TaskSpec(task, config=config, expand="product")


def test_chain_of_two_sweeps() -> None:
    """A(x=[1,2]) -> B(y=[3,4]): the predecessor varies slowest."""
    a, b = grid(A, x=[1, 2]), grid(B, y=[3, 4])
    b.requires(a)
    flow = Flow([a, b])
    assert list(flow.task_graph.nodes) == ["A-1", "A-2", "B-1", "B-2", "B-3", "B-4"]
    assert flow.num_tasks == 6
    assert unique_configs(flow, "B") == [
        {"A": {"x": x}, "B": {"y": y}} for x in (1, 2) for y in (3, 4)
    ]
    assert [predecessors(flow, f"B-{n}") for n in (1, 2, 3, 4)] == [
        {"A-1"},
        {"A-1"},
        {"A-2"},
        {"A-2"},
    ]


def diamond() -> Flow:
    """A(2) -> B(1), C(2) -> D."""
    a, b, c, d = grid(A, x=[1, 2]), grid(B, y=0), grid(C, z=[5, 6]), grid(D, w=9)
    b.requires(a)
    c.requires(a)
    d.requires(b, c)
    return Flow([a, b, c, d])


def test_diamond_has_only_combinations_that_agree_on_the_shared_ancestor() -> None:
    """A2, B2, C4 and D4, not D8."""
    flow = diamond()
    names = [data["task"].name for _, data in flow.task_graph.nodes(data=True)]
    assert [names.count(name) for name in "ABCD"] == [2, 2, 4, 4]
    assert unique_configs(flow, "D") == [
        {"A": {"x": x}, "B": {"y": 0}, "C": {"z": z}, "D": {"w": 9}} for x in (1, 2) for z in (5, 6)
    ]
    assert [predecessors(flow, f"D-{n}") for n in (1, 2, 3, 4)] == [
        {"B-1", "C-1"},
        {"B-1", "C-2"},
        {"B-2", "C-3"},
        {"B-2", "C-4"},
    ]


def test_independent_parents_are_combined_freely() -> None:
    """A(2) and B(2) give four D, the first required varying slowest."""
    a, b, d = grid(A, x=[1, 2]), grid(B, y=[3, 4]), grid(D, w=9)
    d.requires(a, b)
    flow = Flow([a, b, d])
    assert unique_configs(flow, "D") == [
        {"A": {"x": x}, "B": {"y": y}, "D": {"w": 9}} for x in (1, 2) for y in (3, 4)
    ]


def test_reduce_over_a_sweep() -> None:
    """One node, all members, differing values as lists."""
    a, b = grid(A, x=[1, 2]), grid(B, y=[3, 4])
    r = TaskSpec(R, config={"m": "acc"}, reduce=True)
    b.requires(a)
    r.requires(b)
    flow = Flow([a, b, r])
    assert unique_configs(flow, "R") == [
        {"A": {"x": [1, 2]}, "B": {"y": [3, 4]}, "R": {"m": "acc"}}
    ]
    assert predecessors(flow, "R") == {"B-1", "B-2", "B-3", "B-4"}


def test_reduce_over_one_unexpanded_task_keeps_its_lists() -> None:
    """A(x=[[1, 2]], expand=None) is shown as it was given."""
    a, r = TaskSpec(A, config={"x": [[1, 2]]}), TaskSpec(R, config={"m": "acc"}, reduce=True)
    r.requires(a)
    assert unique_configs(Flow([a, r]), "R") == [{"A": {"x": [[1, 2]]}, "R": {"m": "acc"}}]


def test_reduce_wraps_a_constant_list_beside_a_sweep() -> None:
    """A list that all members share is one value: it is shown as a list of one."""
    a, r = grid(A, x=[1, 2], l=[[7, 8]]), TaskSpec(R, reduce=True)
    r.requires(a)
    assert unique_configs(Flow([a, r]), "R") == [{"A": {"x": [1, 2], "l": [[7, 8]]}, "R": {}}]


def test_reduce_shows_dict_choices_key_by_key() -> None:
    """The merged config is for reading; the identity does not stand on it (D6)."""
    a, r = grid(A, x=[{"p": 1}, {"q": 2}, {"p": 3}]), TaskSpec(R, reduce=True)
    r.requires(a)
    assert unique_configs(Flow([a, r]), "R") == [{"A": {"x": {"p": [1, 3], "q": 2}}, "R": {}}]


@pytest.mark.parametrize("order", ["reduce first", "reduce last"])
def test_spec_after_a_reduce_and_its_source(order: str) -> None:
    """Whatever the order of `requires`, each node keeps the config of its own ordinary parent."""
    a, r, d = grid(A, x=[1, 2]), TaskSpec(R, reduce=True), TaskSpec(D, config={"w": 1})
    r.requires(a)
    d.requires(*([r, a] if order == "reduce first" else [a, r]))
    flow = Flow([a, r, d])
    shown = unique_configs(flow, "D")
    assert [(each["A"], each["D"]) for each in shown] == [
        ({"x": 1}, {"w": 1}),
        ({"x": 2}, {"w": 1}),
    ]
    assert [predecessors(flow, f"D-{n}") for n in (1, 2)] == [{"A-1", "R"}, {"A-2", "R"}]


def test_single_node_keeps_the_name_of_its_spec() -> None:
    """`A` is A, a sweep is A-1, A-2."""
    alone, swept = grid(A, x=[1]), TaskSpec(B, config={"y": [1, 2]}, expand="product")
    flow = Flow([alone, swept])
    assert list(flow.task_graph.nodes) == ["A", "B-1", "B-2"]


def test_spec_graph_has_the_specs_as_nodes() -> None:
    """Both graphs are networkx graphs with the object in the attribute `task`."""
    a, b = grid(A, x=[1, 2]), grid(B, y=0)
    b.requires(a)
    flow = Flow([b])
    graph = flow.task_spec_graph
    assert [graph.nodes[name]["task"] for name in ("A", "B")] == [a, b]
    assert graph.nodes["B"]["task"].predecessors == [a]
    assert graph.nodes["A"]["task"].config == {"x": [1, 2]}
    flow = diamond()
    assert flow.task_spec_graph.name == "task spec graph"
    assert flow.task_graph.name == "task graph"
    assert sorted(flow.task_spec_graph.edges) == [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")]
    assert flow.task_graph.nodes["A-1"]["task"].unique_name == "A-1"


def test_predecessors_that_are_not_listed_are_added() -> None:
    """A flow of the last spec only has all that it needs."""
    a, b = grid(A, x=[1, 2]), grid(B, y=[3, 4])
    b.requires(a)
    assert sorted(Flow([b]).task_spec_graph.nodes) == ["A", "B"]


def test_several_flows_of_the_same_specs() -> None:
    """Building a flow changes no spec: the second flow is like the first."""
    a, b = grid(A, x=[1, 2]), grid(B, y=[3, 4])
    b.requires(a)
    first, second = Flow([a, b]), Flow([a, b])
    assert list(first.task_graph.nodes) == list(second.task_graph.nodes)
    assert [key_of(first, n) for n in first.task_graph] == [
        key_of(second, n) for n in second.task_graph
    ]


def key_of(flow: Flow, unique_name: str) -> str:
    """The displayed key of a node."""
    shown: str = flow.task_graph.nodes[unique_name]["task"].unique_config_hash
    return shown


def test_prefixes_of_a_flow_serve_specs_that_have_none() -> None:
    """`Flow(config_ignore_prefix=, config_group_prefix=)` are defaults, and no spec is changed."""
    a = grid(A, x=[1, 2, "@g"], y=[3, 4, "@g"], _dev="cuda")
    b = TaskSpec(B, config={"-k": 1, "_k": [1, 2]}, expand="product", config_ignore_prefix="-")
    flow = Flow([a, b], config_ignore_prefix="_", config_group_prefix="@")
    assert unique_configs(flow, "A") == [{"A": {"x": 1, "y": 3}}, {"A": {"x": 2, "y": 4}}]
    assert unique_configs(flow, "B") == [{"B": {"_k": 1}}, {"B": {"_k": 2}}]
    assert a.config_ignore_prefix is None


def test_ignore_prefix_at_any_depth() -> None:
    """Prefixed keys are handed on without the prefix and are no part of the unique config."""
    config = {"x": [1, None], "n": None, "_dev": "cuda", "nested": {"_k": 1, "w": [1, None]}}
    spec = TaskSpec(
        A,
        config=config,
        expand="product",
        config_ignore_prefix="_",
        additional_kwargs={"extra": (1, 2)},
    )
    flow = Flow([spec])
    choices = [(x, w) for x in (1, None) for w in (1, None)]
    assert unique_configs(flow, "A") == [
        {"A": {"x": x, "n": None, "nested": {"w": w}}} for x, w in choices
    ]
    run = flow.run(num_workers=1)
    assert [result.results["out"] for result in run["A"]] == [
        {
            "name": f"A-{number}",
            "x": x,
            "n": None,
            "dev": "cuda",
            "nested": {"k": 1, "w": w},
            "extra": (1, 2),
        }
        for number, (x, w) in enumerate(choices, 1)
    ]


EXPANSIONS: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    (
        "product",
        {"a": [1, 2], "b": [3, 4]},
        [{"a": a, "b": b} for a in (1, 2) for b in (3, 4)],
    ),
    ("product", {}, [{}]),
    ("product", {"a": {}}, [{"a": {}}]),
    ("product", {"a": [{}]}, [{"a": {}}]),
    ("product", {"a": [[1, 2]]}, [{"a": [1, 2]}]),
    ("product", {"a": [[[1, 2], [3]]]}, [{"a": [[1, 2], [3]]}]),
    (
        "product",
        {"a": [{"x": [1, 2]}, {"y": 3}]},
        [{"a": {"x": 1}}, {"a": {"x": 2}}, {"a": {"y": 3}}],
    ),
    (
        "product",
        {"a": [{"x": [1, 2]}, 5]},
        [{"a": {"x": 1}}, {"a": {"x": 2}}, {"a": 5}],
    ),
    (
        "product",
        {"a": {"b": [{"c": [1, 2]}, {"d": [3, 4]}]}},
        [{"a": {"b": inner}} for inner in ({"c": 1}, {"c": 2}, {"d": 3}, {"d": 4})],
    ),
    ("product", {"a": [None, 1]}, [{"a": None}, {"a": 1}]),
    ("zip", {"a": [1, 2], "b": [3, 4]}, [{"a": 1, "b": 3}, {"a": 2, "b": 4}]),
    ("zip", {"a": [1, 2], "b": 7, "c": [8]}, [{"a": a, "b": 7, "c": 8} for a in (1, 2)]),
    ("zip", {"a": [[1, 2]]}, [{"a": [1, 2]}]),
    (
        "zip",
        {"a": [{"x": 1}, {"x": 2}], "b": [10, 20]},
        [{"a": {"x": 1}, "b": 10}, {"a": {"x": 2}, "b": 20}],
    ),
    (
        "product",
        {"a": [1, 2, "@x"], "b": [1, 2, 3], "c": [1, 2, "@x"]},
        [{"a": a, "b": b, "c": a} for a in (1, 2) for b in (1, 2, 3)],
    ),
    (
        "product",
        {"a": [1, 2, "@x"], "c": [1, 2, "@y"]},
        [{"a": a, "c": c} for a in (1, 2) for c in (1, 2)],
    ),
    (
        "product",
        {"a": [1, 2, "@x"], "n": {"c": [1, 2, "@x"]}},
        [{"a": 1, "n": {"c": 1}}, {"a": 2, "n": {"c": 2}}],
    ),
    ("product", {"a": [[1, 2, "@x"]], "b": [3]}, [{"a": [1, 2, "@x"], "b": 3}]),
    ("product", {"a": ["u", "@v"]}, [{"a": "u"}]),
    (
        "product",
        {"a": [True, False, "@x"], "b": [[[1, 2]], [[3]], "@x"]},
        [{"a": True, "b": [[1, 2]]}, {"a": False, "b": [[3]]}],
    ),
    (
        "zip",
        {"a": {"x": [1, 2], "y": [3, 4]}, "b": [5, 6]},
        [{"a": {"x": 1, "y": 3}, "b": 5}, {"a": {"x": 2, "y": 4}, "b": 6}],
    ),
]


@pytest.mark.parametrize(("expand", "config", "expected"), EXPANSIONS)
def test_expansion_gives_what_fluidml_gave(
    expand: str, config: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    """The configs of the parity page, in its order."""
    spec = TaskSpec(A, config=config, expand=expand, config_group_prefix="@")
    assert unique_configs(Flow([spec]), "A") == [{"A": each} for each in expected]


@pytest.mark.parametrize(
    ("config", "choices"),
    [
        ({"a": [[1, 2], [3]]}, [[1, 2], [3]]),
        ({"a": [1, [2, 3]]}, [1, [2, 3]]),
        ({"a": [[1, 2], 3]}, [[1, 2], 3]),
    ],
)
def test_lists_among_choices_stay_whole(config: dict[str, Any], choices: list[Any]) -> None:
    """A difference: fluidml made 1, 2 and 3 of each of them (D13)."""
    spec = TaskSpec(A, config=config, expand="product")
    assert [each["A"]["a"] for each in unique_configs(Flow([spec]), "A")] == choices


def test_values_that_a_zip_could_never_reach_are_told() -> None:
    """A difference: fluidml gave two configs, and x=2 in none of them."""
    spec = TaskSpec(A, {"a": [{"x": [1, 2]}, {"y": 3}], "b": [1, 2]}, expand="zip")
    with pytest.raises(ValueError, match=r"A\.a\[0\]\.x: only one of its 2 values"):
        Flow([spec])


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({"a": {"b": [1, 2], "c": [3, 4]}, "d": [5, 6]}, 8),
        ({"a": [1, 2, "@x"], "b": [1, 2, 3], "c": [1, 2, "@x"]}, 27),
    ],
)
def test_number_of_configs_without_groups(config: dict[str, Any], count: int) -> None:
    """Without a group prefix a marker is an ordinary value, and choices multiply."""
    assert Flow([TaskSpec(A, config=config, expand="product")]).num_tasks == count


def test_lists_are_values_without_expand() -> None:
    """`expand=None` gives one config, unchanged."""
    flow = Flow([TaskSpec(A, config={"x": [1, 2]})])
    assert unique_configs(flow, "A") == [{"A": {"x": [1, 2]}}]


def test_input_config_is_not_mutated() -> None:
    """Expansion, building and running leave the user's dict alone."""
    config = {"x": [1, 2, "@g"], "y": [3, 4, "@g"], "n": {"_k": [[1]]}}
    before = {"x": [1, 2, "@g"], "y": [3, 4, "@g"], "n": {"_k": [[1]]}}
    spec = TaskSpec(
        A, config=config, expand="product", config_group_prefix="@", config_ignore_prefix="_"
    )
    Flow([spec]).run(num_workers=1)
    assert config == before
