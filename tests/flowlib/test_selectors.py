"""Do selectors select what their text says, and nothing else?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib import Flow, TaskSpec
from flowlib.errors import SelectorError
from flowlib.selection import downstream, select
from flowlib.selectors import Condition, Selector, parse_selector


def prepare(lower=True):
    return {"text": 1}


def train(text, lr, model=None, seed=0):
    return {"score": 1}


def evaluate(score):
    return {"value": 1}


@pytest.fixture(name="graph")
def _graph():
    """One node, then four, then four, then a reduce."""
    first = TaskSpec(prepare, name="Prepare")
    config = {"lr": [1, 0.1], "model": [{"kind": "mlp", "depth": 2}, {"kind": "cnn"}]}
    middle = TaskSpec(train, config, expand="product", name="Train").requires(first)
    last = TaskSpec(evaluate, name="Eval").requires(middle)
    gather = TaskSpec(evaluate, name="Select", reduce=True).requires(last)
    return Flow([first, middle, last, gather]).graph


def names(graph, *texts, words=None):
    """The unique names of what is selected, in the order of the graph."""
    keys = select(graph, texts, words).keys
    return [node.unique_name for node in graph if node.key in keys]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Prepare", ["Prepare"]),
        ("Train-2", ["Train-2"]),
        ("T*", ["Train-1", "Train-2", "Train-3", "Train-4"]),
        ("*[lr=1]", ["Train-1", "Train-2"]),
        ("Train[lr=1.0]", ["Train-1", "Train-2"]),
        ("Train[lr=true]", []),
        ("Train[model.kind=cnn]", ["Train-2", "Train-4"]),
        ("Train[model.kind=c*]", ["Train-2", "Train-4"]),
        ("Train[model.kind='c*']", []),
        ("Train[ lr=0.1 , model.depth=2 ]", ["Train-3"]),
        ("Train-2+", ["Train-2", "Eval-2", "Select"]),
        ("+Eval-3", ["Prepare", "Train-3", "Eval-3"]),
        ("+Train[lr=1,model.depth=2]+", ["Prepare", "Train-1", "Eval-1", "Select"]),
        ("Eval+", ["Eval-1", "Eval-2", "Eval-3", "Eval-4", "Select"]),
        ("?elect", ["Select"]),
    ],
)
def test_what_is_selected(graph, text, expected):
    """By name, key, config, and what is up- and downstream."""
    if expected:
        assert names(graph, text) == expected
    else:
        with pytest.raises(SelectorError, match="selects nothing"):
            select(graph, [text])


def test_a_key_selects_by_its_beginning(graph):
    """The whole key, or as much of it as the user likes."""
    node = graph.by_spec["Train"][2]
    for length in (32, 8, 6):
        assert names(graph, f"Train/{node.key[:length]}") == ["Train-3"]
    with pytest.raises(SelectorError, match="no task has this key"):
        select(graph, ["Train/0123456789abcdef"])


def test_words_stand_for_keys(graph):
    """What the caller knows: what failed, what ran last."""
    failed = {graph.by_spec["Train"][0].key}
    assert names(graph, "@failed+", words={"failed": failed}) == ["Train-1", "Eval-1", "Select"]
    with pytest.raises(SelectorError, match="there is none"):
        select(graph, ["@failed"], {"failed": ()})
    with pytest.raises(SelectorError, match="no @faild. Did you mean failed"):
        select(graph, ["@faild"], {"failed": ()})


def test_what_only_a_plus_adds_is_kept_apart(graph):
    """A node that is named itself is not spread to."""
    found = select(graph, ["Train-1+", "Eval-1"])
    by_key = {node.key: node.unique_name for node in graph}
    assert {by_key[key] for key in found.named} == {"Train-1", "Eval-1"}
    assert {by_key[key] for key in found.spread} == {"Select"}


def test_a_spec_of_any_name_selects_itself():
    """Also with letters of the grammar."""
    odd = ["a b", "x[1]", "@home", "c++", "+d", "50%/2", "T*"]
    graph = Flow([TaskSpec(prepare, {"lower": each}, name=each) for each in odd]).graph
    for each in odd:
        assert names(graph, each) == [each]
        assert names(graph, f"+{each}+") == [each]


def test_the_id_of_a_task_selects_it_whatever_its_name():
    """It is what lists show, and what failures tell to type next."""
    odd = ["a b", "x[1]", "@home", "c++", "+d", "50%/2", "T*", "ab/12", "two\nlines"]
    graph = Flow([TaskSpec(prepare, {"lower": each}, name=each) for each in odd]).graph
    for key, node in graph.nodes.items():
        assert names(graph, f"{node.name}/{key[:8]}") == [node.name]
        assert names(graph, f"{node.name}/{key}+") == [node.name]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Trian", "Did you mean Train"),
        ("Train/XYZ", "is no selector"),
        ("", "is no selector"),
        ("+", "is no selector"),
        ("Train[", "is no selector"),
        ("Train[]", "a condition such as lr=0.1"),
        ("Train[lr]", "a condition such as lr=0.1"),
        ("Train[lr=]", "a condition such as lr=0.1"),
        ("Train[lr='1' 2]", "a comma is expected after lr='1'"),
        ("Train[lr=1,]", "a condition such as lr=0.1"),
        ("Train-9", "Did you mean Train"),
    ],
)
def test_what_selects_nothing_is_an_error(graph, text, reason):
    """With the nearest name, or what was expected."""
    with pytest.raises(SelectorError, match=reason):
        select(graph, [text])


def test_force_takes_selectors(graph, tmp_path):
    """One node of a spec, and what is downstream of it alone."""
    from stores import LocalFileStore

    config = {"lr": [1, 2]}
    first = TaskSpec(train, config, {"text": 1}, expand="product", name="Train")
    flow = Flow([first, TaskSpec(evaluate, name="Eval").requires(first)])
    store = LocalFileStore(tmp_path)
    flow.run(num_workers=1, results_store=store)
    plan = flow.plan(force="Train[lr=2]+", results_store=store)
    assert [(n.unique_name, plan.reasons[n.key].value) for n in plan.to_run] == [
        ("Train-2", "force"),
        ("Eval-2", "upstream"),
    ]
    run = flow.run(num_workers=1, results_store=store, force=["Train-2"])
    assert run.counts == {"cached": 3, "finished": 1}


def test_downstream_of_many_is_linear_in_the_graph(graph):
    """Every node is looked at once; those asked for are not in the answer."""
    assert downstream(graph, [node.key for node in graph]) == set()
    assert len(downstream(graph, [graph.by_spec["Prepare"][0].key])) == 9


@given(st.text(max_size=20))
def test_any_text_is_a_selector_or_one_clear_error(text):
    """And a selector keeps its text."""
    try:
        assert parse_selector(text).text == text
    except SelectorError as error:
        assert repr(text) in str(error)


NAME = st.from_regex(r"[A-Za-z_]{1,8}", fullmatch=True)


@given(NAME, st.from_regex(r"[0-9a-f]{0,8}", fullmatch=True), st.booleans(), st.booleans())
def test_selectors_are_read_as_they_are_written(name, key, upstream, downstream):
    """All parts."""
    text = "+" * upstream + name + (f"/{key}" if key else "") + "[a.b=1]" + "+" * downstream
    assert parse_selector(text) == Selector(
        text, name, key, "", (Condition("a.b", 1),), upstream, downstream
    )
