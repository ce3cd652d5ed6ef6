"""What becomes of a task that returns a Future?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from flowlib import Flow, InMemoryStore, Task, TaskSpec, task
from flowlib.job import Outcome, OutcomeKind
from flowlib.jobs import JobMaker
from flowlib.planning import make_plan
from flowlib.run_identity import RunIdentity
from flowlib.running import Surroundings
from flowlib.wishes import Wishes
from flowlib.worker import execute
from stores import Owner, ResultsStore, TaskState
from tests.flowlib.function_tasks import add

FUTURES: dict[str, Future[Any]] = {}


@task
def promised(name: str) -> Any:
    """A Future that the test completes."""
    return FUTURES[name]


@task
def squared(x: int) -> Any:
    """A Future of a pool."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(pow, x, 2)


@task
def refused(x: int) -> Any:
    """A Future that fails."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(divmod, x, 0)


class Parts(Task):
    """A class whose `run` gives a Future of a dict."""

    def run(self) -> Any:
        """Two artifacts, later."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(dict, first=1, second=2)


class LeftOpen:
    """Begins a task and does not wait for its Future."""

    def __init__(self, future: Future[Any], store: ResultsStore) -> None:
        FUTURES["x"] = future
        self.waiting: list[tuple[Future[Any], Callable[[], Outcome]]] = []
        self.store = store
        graph = Flow([promised("x")]).graph
        [self.node] = graph.by_spec["promised"]
        jobs = JobMaker(make_plan(graph, store, Wishes(), None), RunIdentity("project", "run"))
        self._job, self._assignment = jobs.job(self.node), jobs.assignment(self.node)

    def begin(self) -> Outcome:
        around = Surroundings(later=lambda future, commit: self.waiting.append((future, commit)))
        owner = Owner.of_this_process()
        return execute(self._job, self._assignment, self.store, owner, around)

    def complete(self) -> Outcome:
        """What is to be done when the Future is done."""
        [(future, commit)] = self.waiting
        assert future is FUTURES["x"]
        return commit()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_flow_waits_for_the_value_and_stores_it(workers: int) -> None:
    """Successors get it, and the next run finds it."""
    store = InMemoryStore()
    flow = Flow([add(squared(4), 1)])
    run = flow.run(num_workers=workers, results_store=store)
    assert (run["squared"][0]["result"], run["add"][0]["result"]) == (16, 17)
    assert flow.run(num_workers=workers, results_store=store).counts == {"cached": 2}


def test_the_value_of_a_future_is_saved_as_any_other() -> None:
    """The items of a dict are artifacts, also of a class."""
    run = Flow([TaskSpec(Parts)]).run(num_workers=1, results_store=InMemoryStore())
    assert dict(run["Parts"][0].results) == {"first": 1, "second": 2}


def test_what_a_future_raises_is_a_failure_of_the_task() -> None:
    """With its exception and the traceback of the pool."""
    run = Flow([refused(1)]).run(num_workers=1, results_store=InMemoryStore(), exit_on_error=False)
    assert run.counts == {"failed": 1}
    [failed] = run.failed
    assert isinstance(run.exception, ZeroDivisionError)
    assert failed.error is not None
    assert failed.error.type_ == "ZeroDivisionError"


def test_a_future_that_was_cancelled_is_a_failure() -> None:
    """Nobody waits for what never comes."""
    FUTURES["gone"] = Future()
    FUTURES["gone"].cancel()
    run = Flow([promised("gone")]).run(
        num_workers=1, results_store=InMemoryStore(), exit_on_error=False
    )
    assert run.failed[0].error.type_ == "CancelledError"


def test_a_task_may_be_left_open_until_its_future_is_done() -> None:
    """Nobody else can begin it meanwhile; then its value is committed."""
    store = InMemoryStore()
    open_ = LeftOpen(Future(), store)
    assert open_.begin().kind is OutcomeKind.OPEN
    assert open_.begin().kind is OutcomeKind.BUSY

    FUTURES["x"].set_result({"a": 1})
    assert open_.complete().kind is OutcomeKind.FINISHED
    record = store.record(open_.node.address)
    assert record is not None
    assert (record.state, [each.name for each in record.latest.artifacts]) == (
        TaskState.FINISHED,
        ["a"],
    )
    assert open_.begin().kind is OutcomeKind.FOUND


def test_an_open_task_whose_future_fails_may_be_begun_again() -> None:
    """The failure is in its record, the lease is free."""
    store = InMemoryStore()
    open_ = LeftOpen(Future(), store)
    open_.begin()
    FUTURES["x"].set_exception(OSError("no disk"))
    outcome = open_.complete()
    assert (outcome.kind, str(outcome.raised)) == (OutcomeKind.FAILED, "no disk")
    record = store.record(open_.node.address)
    assert record is not None
    assert record.latest.error.message == "no disk"

    FUTURES["x"] = Future()
    assert open_.begin().kind is OutcomeKind.OPEN


def test_a_future_that_is_done_already_is_not_left_open() -> None:
    """Its value is committed at once."""
    done: Future[int] = Future()
    done.set_result(7)
    open_ = LeftOpen(done, InMemoryStore())
    assert open_.begin().kind is OutcomeKind.FINISHED
    assert open_.waiting == []
