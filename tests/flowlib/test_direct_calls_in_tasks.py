"""What does a running task compute by direct calls, and where is that told?"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from flowlib import Flow, InMemoryStore, RunError, sweep, task
from stores import LocalFileStore, ResultsStore
from tests.flowlib.direct_tasks import (
    aside,
    asks_a_failing_one,
    count,
    fails,
    fibonacci,
    itself,
    square,
    sum_of_squares,
)


def made(kind: str, folder: Path) -> ResultsStore:
    """A store of this kind."""
    return InMemoryStore() if kind == "memory" else LocalFileStore(folder / "runs")


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_they_use_the_store_of_the_run_and_are_its_inputs(
    kind: str, workers: int, tmp_path: Path, folder: str
) -> None:
    """In this process and in others; what was computed so is there for everybody."""
    store = made(kind, tmp_path)
    flow = Flow([sum_of_squares(sweep(3, 4), folder)])
    run = flow.run(num_workers=workers, results_store=store)
    assert [each["result"] for each in run["sum_of_squares"]] == [14, 30]
    record = sum_of_squares(3, folder).record(store)
    assert record is not None
    assert record.finished is not None
    read = {(each.role, each.address.key) for each in record.finished.inputs}
    assert read == {("square", square.key(x)) for x in range(4)}
    assert all(square.exists(x, store=store) for x in range(5))
    before = count(folder)
    assert [square.call(x, folder, store=store) for x in range(5)] == [0, 1, 4, 9, 16]
    assert count(folder) == before
    reading = [each.task for each in store.dependents("square", where={"x": 2})]
    assert reading == ["sum_of_squares", "sum_of_squares"]


def test_each_is_computed_once_and_the_result_stays_cached(tmp_path: Path, folder: str) -> None:
    """What a task has read so does not make it count as outdated."""
    store = LocalFileStore(tmp_path / "runs")
    assert sum_of_squares.call(3, folder, store=store) == 14
    assert count(folder) == 4
    assert sum_of_squares.call(3, folder, store=store) == 14
    assert Flow([sum_of_squares(3)]).run(results_store=store).counts == {"cached": 1}
    assert sum_of_squares.call(4, folder, store=store) == 30
    assert count(folder) == 5


def test_a_function_may_call_itself(tmp_path: Path) -> None:
    """With other arguments; every number is computed once."""
    store = LocalFileStore(tmp_path / "runs")
    assert fibonacci.call(12, store=store) == 144
    assert store.count("fibonacci") == 13


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_asks_for_its_own_result_is_told(workers: int, tmp_path: Path) -> None:
    """At once: it would wait for itself."""
    store = LocalFileStore(tmp_path / "runs")
    with pytest.raises(RunError, match="a task cannot wait for itself"):
        Flow([itself(1), itself(2)]).run(num_workers=workers, results_store=store)


def test_what_is_in_another_store_is_no_input(tmp_path: Path, folder: str) -> None:
    """A record can name only those beside it."""
    store = LocalFileStore(tmp_path / "runs")
    elsewhere = f"file:{tmp_path / 'elsewhere'}"
    assert aside.call(3, elsewhere, folder, store=store) == 9
    record = aside(3, elsewhere, folder).record(store)
    assert record is not None
    assert record.latest.inputs == ()
    assert (square.exists(3, store=store), square.exists(3, store=elsewhere)) == (False, True)


def test_what_fails_inside_is_the_tasks_own_affair(tmp_path: Path, folder: str) -> None:
    """It gets the exception; the failure has a record of its own."""
    store = LocalFileStore(tmp_path / "runs")
    assert asks_a_failing_one.call(1, folder, store=store) == "went on: no 1"
    record = fails(1, folder).record(store)
    assert record is not None
    assert record.state.value == "failed"
    assert count(folder) == 1


def test_a_task_that_is_interrupted_inside_of_a_call_is_killed(tmp_path: Path) -> None:
    """By Ctrl-C, say: both have records that tell it, and the caller is interrupted."""
    store = LocalFileStore(tmp_path / "runs")

    @task(name="inner")
    def inner() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    @task(name="outer")
    def outer() -> None:
        inner.call()

    with pytest.raises(KeyboardInterrupt):
        outer.call(store=store)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    states = {record.address.task: record.latest.state.value for record in store.records()}
    assert states == {"inner": "killed", "outer": "killed"}
