"""Which tasks and specs does a picture show, and with which counts?"""

from __future__ import annotations

import pytest

from flowlib.errors import SelectorError
from flowlib.graph_summary import GraphFacts, TaskFacts, related, shown
from tests.flowlib.graph_cases import sweep


def edges(graph):
    return {
        (graph.nodes[a].short_name, graph.nodes[b].short_name)
        for a, near in enumerate(graph.targets)
        for b in near
    }


def test_specs_have_counts_and_the_worst_state():
    """A spec of 12 tasks is one node."""
    graph = shown(sweep(3))
    train = next(node for node in graph.nodes if node.name == "Train")
    assert (train.size, train.state, train.is_spec) == (12, "failed", True)
    assert train.counts == {"finished": 9, "running": 2, "failed": 1}
    assert edges(graph) == {
        ("Fetch", "Clean"), ("Clean", "Tfidf"), ("Clean", "Glove"), ("Tfidf", "Train"),
        ("Glove", "Train"), ("Train", "Eval"), ("Eval", "Select"),
    }  # fmt: skip


def test_words_of_task_states_are_those_of_the_vocabulary():
    """`upstream_failed` is counted as skipped."""
    graph = shown(sweep(3))
    evaluate = next(node for node in graph.nodes if node.name == "Eval")
    assert evaluate.counts["skipped"] == 1


def test_an_expanded_spec_is_shown_task_by_task():
    """Its neighbours stay specs."""
    graph = shown(sweep(3), ["Tfidf"])
    assert [node.short_name for node in graph.nodes][2:5] == ["Tfidf-1", "Tfidf-2", "Glove"]
    assert {("Clean", "Tfidf-1"), ("Tfidf-2", "Train")} <= edges(graph)


def test_all_tasks_have_all_edges():
    """53 of them."""
    facts = sweep(3)
    graph = shown(facts, None)
    assert len(graph.nodes) == len(facts.tasks) == 31
    assert len(edges(graph)) == 53


def test_a_spec_that_is_not_there_is_told_with_the_nearest():
    """A misspelled name is no empty picture."""
    with pytest.raises(SelectorError, match="'Trian'.* Did you mean Train"):
        shown(sweep(3), ["Trian"])


@pytest.mark.parametrize("name", ["Train-4", f"Train/{10:032x}", f"{10:032x}"])
def test_what_is_around_a_task_are_its_ancestors_and_descendants(name):
    """By its unique name, its id or its key."""
    facts, focus = related(sweep(3), name)
    assert [task.unique_name for task in facts.tasks] == [
        "Fetch", "Clean", "Tfidf-1", "Glove-2", "Train-4", "Eval-4", "Select",
    ]  # fmt: skip
    assert [facts.tasks[each].unique_name for each in focus] == ["Train-4"]
    assert [node.short_name for node in shown(facts, (), focus).nodes if node.is_focus] == [
        "Train-4"
    ]


def test_what_is_around_a_spec_is_around_all_its_tasks():
    """No task of another branch."""
    facts, focus = related(sweep(3), "Tfidf")
    assert {task.spec for task in facts.tasks} == {
        "Fetch", "Clean", "Tfidf", "Train", "Eval", "Select",
    }  # fmt: skip
    assert len(focus) == 2


def test_a_beginning_of_a_key_must_be_unique():
    """Several tasks begin so: they are named."""
    with pytest.raises(SelectorError, match="is not unique: Train/000.* and 9 more"):
        related(sweep(3), "Train/0")
    with pytest.raises(SelectorError, match="no task 'Trian-4'.* Did you mean Train-4"):
        related(sweep(3), "Trian-4")
    with pytest.raises(SelectorError, match="no task"):
        related(sweep(3), "Train/")


def test_a_prefix_of_a_key_is_enough():
    """Any that only one task of the spec has."""
    tasks = [TaskFacts("A", f"A-{n}", key) for n, key in enumerate(["ab12", "ab34", "cd"])]
    facts, focus = related(GraphFacts(tasks, [(), (), ()]), "A/ab3")
    assert [task.key for task in facts.tasks] == ["ab34"]
    assert focus == {0}


def test_shared_sources_are_looked_at_once():
    """A thousand tasks that read the same thousand: as one sequence they cost as much as one."""

    class Counted(tuple):
        looks = 0

        def __iter__(self):
            type(self).looks += 1
            return super().__iter__()

    tasks = [TaskFacts(f"S{n // 1000}", f"S{n}") for n in range(2000)]
    sources = Counted(range(1000))
    graph = shown(GraphFacts(tasks, [()] * 1000 + [sources] * 1000))
    assert graph.targets == ((1,), ())
    assert Counted.looks == 1
