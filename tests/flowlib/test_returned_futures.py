"""What becomes of a task that returns a Future?"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, InMemoryStore, Task, TaskSpec, task
from flowlib.input_values import value_of
from flowlib.job import OutcomeKind
from flowlib.jobs import JobMaker
from flowlib.left_open import LeftOpen, open_call
from flowlib.planning import make_plan
from flowlib.run_identity import RunIdentity
from flowlib.running import Surroundings
from flowlib.wishes import Wishes
from flowlib.worker import execute
from stores import Address, LocalFileStore, Owner, ResultsStore, TaskState
from tests.flowlib.function_tasks import add

FUTURES: dict[str, Future[Any]] = {}


@pytest.fixture(params=["memory", "file"])
def any_files(request: pytest.FixtureRequest, tmp_path: Path) -> ResultsStore:
    """A store of this process, and one that others see."""
    return InMemoryStore() if request.param == "memory" else LocalFileStore(tmp_path / "store")


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


def kept(store: ResultsStore, address: Address) -> Any:
    """The artifact `a`."""
    return value_of(store, address, store.statuses([address])[address.key], ["a"])


class Begun:
    """Begins a task that is not waited for."""

    def __init__(self, future: Future[Any], store: ResultsStore) -> None:
        FUTURES["x"] = future
        self.store = store
        graph = Flow([promised("x")]).graph
        [self.node] = graph.by_spec["promised"]
        jobs = JobMaker(make_plan(graph, store, Wishes(), None), RunIdentity("project", "run"))
        self._job, self._assignment = jobs.job(self.node), jobs.assignment(self.node)

    def begin(self) -> tuple[OutcomeKind, Future[Any] | None]:
        address = self.node.address
        left = LeftOpen(self.store, address, lambda: kept(self.store, address))
        outcome = execute(
            self._job,
            self._assignment,
            self.store,
            Owner.of_this_process(),
            Surroundings(left_open=left),
        )
        return outcome.kind, left.future


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


def test_a_task_may_be_left_open_until_its_future_is_done(any_files: ResultsStore) -> None:
    """Nobody else can begin it meanwhile; then its value is committed, and only then given."""
    begun = Begun(Future(), any_files)
    kind, given = begun.begin()
    assert (kind, begun.begin()[0]) == (OutcomeKind.OPEN, OutcomeKind.BUSY)
    assert given is open_call(any_files, begun.node.address)
    assert not given.done()

    FUTURES["x"].set_result({"a": 1})
    assert given.result(60) == 1
    assert open_call(any_files, begun.node.address) is None
    record = any_files.record(begun.node.address)
    assert record is not None
    assert record.state is TaskState.FINISHED
    assert begun.begin()[0] is OutcomeKind.FOUND


def test_the_lease_is_renewed_as_long_as_the_future_takes(tmp_path: Path) -> None:
    """Although nothing of ours runs meanwhile."""
    store = LocalFileStore(tmp_path)
    store.lease_times.prefer(30.0, 0.2)
    begun = Begun(Future(), store)
    begun.begin()
    folder = store.lease_folder(begun.node.address)
    assert folder is not None

    def renewed() -> list[int]:
        return [each.stat().st_mtime_ns for each in Path(folder).glob(f"{begun.node.key}.*")]

    before, end = renewed(), time.monotonic() + 60
    while renewed() == before and time.monotonic() < end:
        time.sleep(0.1)
    assert len(before) == 1
    assert renewed() > before
    FUTURES["x"].set_result({"a": 1})
    assert begun.begin()[0] is OutcomeKind.FOUND


def test_an_open_task_whose_future_fails_may_be_begun_again(any_files: ResultsStore) -> None:
    """The failure is in its record and the caller's, the lease is free."""
    begun = Begun(Future(), any_files)
    _, given = begun.begin()
    assert given is not None
    FUTURES["x"].set_exception(OSError("no disk"))
    with pytest.raises(OSError, match="no disk"):
        given.result(60)
    record = any_files.record(begun.node.address)
    assert record is not None
    assert record.latest.error is not None
    assert record.latest.error.message == "no disk"

    FUTURES["x"] = Future()
    assert begun.begin()[0] is OutcomeKind.OPEN
    FUTURES["x"].cancel()


def test_a_value_that_cannot_be_stored_is_a_failure(any_files: ResultsStore) -> None:
    """Told to the caller, who would otherwise think that it is there."""
    begun = Begun(Future(), any_files)
    _, given = begun.begin()
    assert given is not None
    FUTURES["x"].set_result({"a": threading.Lock()})
    with pytest.raises(Exception, match="lock"):
        given.result(60)
    FUTURES["x"] = Future()
    FUTURES["x"].set_result({"a": 8})
    assert begun.begin()[0] is OutcomeKind.OPEN
    assert kept(any_files, begun.node.address) == 8


def test_to_cancel_the_callers_future_cancels_the_work() -> None:
    """If that has not begun; otherwise its value is stored all the same."""
    waiting, running = Begun(Future(), InMemoryStore()), Begun(Future(), InMemoryStore())
    FUTURES["x"] = Future()
    _, given = waiting.begin()
    assert given is not None
    assert given.cancel()
    assert FUTURES["x"].cancelled()

    FUTURES["x"] = Future()
    FUTURES["x"].set_running_or_notify_cancel()
    _, given = running.begin()
    assert given is not None
    assert given.cancel()
    FUTURES["x"].set_result({"a": 2})
    assert kept(running.store, running.node.address) == 2


def test_a_future_that_is_done_already_is_given_all_the_same() -> None:
    """What a call gives does not depend on who was faster; its value is committed at once."""
    done: Future[dict[str, int]] = Future()
    done.set_result({"a": 7})
    begun = Begun(done, InMemoryStore())
    kind, given = begun.begin()
    assert kind is OutcomeKind.OPEN
    assert given is not None
    assert (given.done(), given.result(60)) == (True, 7)
    assert begun.begin() == (OutcomeKind.FOUND, None)
