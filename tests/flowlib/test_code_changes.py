"""Which code a node has, and what is said about results that other code has made."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowlib import Flow, SpecError, TaskSpec
from flowlib.code_changes import CodeChanges, code_of
from flowlib.fingerprint import Fingerprints
from stores import InMemoryStore


class Net:
    def size(self):
        return LAYERS


LAYERS = 3


class Color(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: int = 0


def other(x):
    return x


def task(model=None, at=None, x=1):
    return {"y": x}


def node(**config):
    (found,) = Flow([TaskSpec(task, config)]).graph
    return found


def test_functions_and_classes_of_the_config_belong_to_the_code():
    """At any depth, and the classes of objects; plain values are none."""
    config = {"b": [other, (Point(1), "x")], "a": {"z": Color.RED, "n": 1.5}}

    assert code_of(node(x=3, at="here")) == (task,)
    assert code_of(node(model=Net)) == (task, Net)
    assert code_of(node(model=config)) == (task, Color, other, Point)


def test_what_the_config_gives_is_reached():
    """Its own source and what that reaches; Python's own classes are nothing."""
    fingerprints = Fingerprints()
    found = fingerprints.of(*code_of(node(model=Net)))

    assert [part.name for part in found.parts] == ["task", "Net", "Net.size", "LAYERS"]
    assert found.fact not in ("", fingerprints.fact(task))
    assert fingerprints.fact(*code_of(node(at=Path("x")))) == fingerprints.fact(task)
    assert fingerprints.fact(*code_of(node(model=math.sqrt))) == fingerprints.fact(task)


def test_only_the_nodes_with_that_value_have_changed():
    """A node of the same spec with another function is as it was."""
    store = InMemoryStore()
    flow = Flow([TaskSpec(task, {"model": [Net, other]}, expand="product")])
    flow.run(num_workers=1, results_store=store)
    known = {
        key: status.facts["code"] for key, status in flow.plan(results_store=store).statuses.items()
    }

    assert len(set(known.values())) == 2


def test_keys_that_are_ignored_give_no_code():
    """They are no part of what a result is."""
    spec = TaskSpec(task, {"_model": lambda: 1}, config_ignore_prefix="_")
    (found,) = Flow([spec]).graph

    assert code_of(found) == (task,)


@pytest.mark.parametrize("wrong", ["rerunn", True, 1, "WARN"])
def test_other_words_are_refused_where_they_stand(wrong):
    """In a spec by its name, in a call, before anything is looked at."""
    with pytest.raises(SpecError, match="task: on_code_change is one of 'warn', 'rerun'"):
        TaskSpec(task, on_code_change=wrong)
    with pytest.raises(ValueError, match="on_code_change is one of"):
        Flow([TaskSpec(task)]).plan(on_code_change=wrong)
    with pytest.raises(ValueError, match="on_code_change is one of"):
        CodeChanges(wrong)


def test_the_nearest_word_is_named():
    """A slip of the finger is told."""
    with pytest.raises(SpecError, match="Did you mean 'rerun'|Did you mean rerun"):
        TaskSpec(task, on_code_change="rerunn")
