"""Do users find in `flowlib.testing` what their tests need?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flowlib import Flow, LocalFileStore, SpecError, Task, TaskSpec, sweep, task
from flowlib.testing import flowlib_store, put_result, stub
from stores import TaskState
from tests.architecture.sources import ROOT

__all__ = ["flowlib_store", "stub"]


@task
def load(n):
    raise AssertionError("it is stubbed")


@task
def fit(data, lr=0.1):
    raise AssertionError("it is stubbed")


@task
def report(score):
    return f"score {score}"


class Train(Task):
    """A task of the other kind."""

    lr: float = 0.1

    def run(self, data):
        raise AssertionError("it is stubbed")


def evaluate(score):
    return {"double": 2 * score}


def test_a_stubbed_result_is_taken_and_nothing_upstream_is_looked_at(stub, flowlib_store):
    """In direct use, in which the store of the test holds, and in flows."""
    stub(fit(load(3)), {"score": 0.9})
    answer = report(fit(load(3))["score"])
    assert answer.result() == "score 0.9"
    assert fit(load(3)).record().state is TaskState.FINISHED
    run = Flow([answer]).run(num_workers=1, results_store=flowlib_store, only="report")
    assert run.counts == {"cached": 1}


def test_a_whole_flow_of_stubs_is_cached(stub, flowlib_store):
    """What is upstream may be stubbed as well, before or afterwards."""
    stub(load(3), [1, 2])
    stub(fit(load(3)), {"score": 0.5})
    run = Flow([report(fit(load(3))["score"])]).run(num_workers=1, results_store=flowlib_store)
    assert run.counts == {"cached": 2, "finished": 1}
    assert run["load"][0].unwrap() == [1, 2]


def test_specs_of_classes_and_grids_are_stubbed(stub, flowlib_store):
    """Each task of a grid gets the value; another config is not stubbed."""
    data, train = TaskSpec(load.fn, {"n": 1}), TaskSpec(Train, {"lr": sweep(0.1, 0.2)})
    train.requires(data)
    best = TaskSpec(evaluate).requires(train)
    stub(data, {"data": [1]})
    stub(train, {"score": 3})
    run = Flow([best]).run(num_workers=1, results_store=flowlib_store)
    assert [each["double"] for each in run["evaluate"]] == [6, 6]
    with pytest.raises(AssertionError, match="it is stubbed"):
        fit([2]).result()


@pytest.mark.parametrize("value", [None, 0, [], {}, {"result": 1}, {1: 2}, {"a": None}, "text"])
def test_values_are_what_the_function_would_have_returned(value, stub):
    """Whatever it is; the last one counts."""
    stub(fit(1), "before")
    stub(fit(1), value)
    assert fit(1).result() == value


def test_any_store_may_be_told(tmp_path):
    """Then no fixture is needed."""
    store = LocalFileStore(tmp_path, fsync=False)
    put_result(fit(2), 5, store)
    assert fit(2).result(store) == 5


def test_specs_are_no_results():
    """A stub is there to compute nothing."""
    with pytest.raises(SpecError, match="holds no specs"):
        put_result(fit(1), [load(2)])


@pytest.mark.slow  # a process
def test_fixtures_are_there_for_who_asks_for_them(tmp_path):
    """With one line, in any project."""
    (tmp_path / "test_it.py").write_text(_OF_A_USER)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1].startswith("2 passed"), done.stdout


_OF_A_USER = """
from flowlib import task

pytest_plugins = ["flowlib.testing"]

@task(name="slow")
def slow(n):
    raise AssertionError

def test_it(stub):
    stub(slow(1), 7)
    assert slow(1).result() == 7

def test_another(flowlib_store):
    assert not slow(1).exists()
"""
