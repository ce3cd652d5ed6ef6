"""Do labels tell the nodes of a spec apart, and say nothing else?"""

from __future__ import annotations

from flowlib import Flow, TaskSpec
from flowlib.labels import TaskRefs


def train(lr, model=None, seed=0):
    return lr


def labels(config, **options):
    """The labels of all nodes of one spec."""
    graph = Flow([TaskSpec(train, config, **options)]).graph
    refs = TaskRefs(graph.by_spec)
    return [refs.of(node).label for node in graph]


def test_only_what_varies_is_shown():
    """Also inside of dicts; in the order of the config."""
    config = {"seed": 1, "lr": [0.1, 0.2], "model": {"kind": "mlp", "layers": [[64], [64, 64]]}}
    assert labels(config, expand="product") == [
        "lr=0.1 model.layers=[64]",
        "lr=0.1 model.layers=[64, 64]",
        "lr=0.2 model.layers=[64]",
        "lr=0.2 model.layers=[64, 64]",
    ]


def test_one_node_needs_no_label():
    assert labels({"lr": 0.1}) == [""]


def test_keys_that_only_some_have_are_shown():
    config = {"lr": 1, "model": [{"kind": "mlp", "width": 8}, {"kind": "linear"}]}
    assert labels(config, expand="product") == ["model.kind=mlp model.width=8", "model.kind=linear"]


def test_equal_looking_values_of_other_types_differ():
    assert labels({"lr": [1, 1.0, "1"]}, expand="product") == ["lr=1", "lr=1.0", "lr='1'"]


def test_labels_are_one_line_and_short():
    (first, second) = labels({"lr": ["a\nb" * 50, "x"]}, expand="product")
    assert (len(first), "\n" in first, second) == (len("lr=") + 40, False, "lr=x")


def test_a_reference_names_the_node():
    graph = Flow([TaskSpec(train, {"lr": [1, 2]}, expand="product")]).graph
    node = list(graph)[1]
    ref = TaskRefs(graph.by_spec).of(node)
    assert (ref.spec, ref.unique_name, ref.key, ref.id) == (
        "train",
        node.unique_name,
        node.key,
        f"train/{node.key[:8]}",
    )
