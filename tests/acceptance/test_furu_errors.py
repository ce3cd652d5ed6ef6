"""Are errors of one family, and do failures leave what one needs? (F20, F21 of the parity page)"""

from __future__ import annotations

from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec, TaskState
from flowlib.errors import FlowError, RunError, TaskFailed, WaitTimeout
from stores import LocalFileStore, Owner, StoreError
from stores.errors import LeaseHeld
from tests.acceptance import tasks


@pytest.fixture
def store(tmp_path: Path) -> LocalFileStore:
    """A file store."""
    return LocalFileStore(str(tmp_path / "store"))


def failing(how: str, **more: str) -> Flow:
    """A flow of one task that fails, and one before it that does not."""
    good, bad = TaskSpec(tasks.Number, {"x": 3}), TaskSpec(tasks.Failing, {"how": how}, more)
    bad.requires(good)
    return Flow([good, bad])


@pytest.mark.parametrize(("how", "workers"), [("error", 1), ("error", 2), ("two_arguments", 2)])
def test_a_failed_computation_tells_what_failed_where_and_why(
    how: str, workers: int, store: LocalFileStore
) -> None:
    """Message, record and original error; all else that the run has done is there as well."""
    flow = failing(how)
    assert flow.last_run is None
    with pytest.raises(Exception, match="failed on purpose|this and that") as caught:
        flow.run(num_workers=workers, results_store=store)
    run = flow.last_run
    assert run is not None
    [failed] = run.failed
    assert isinstance(caught.value, ValueError if how == "error" else TaskFailed)
    assert f"in Failing ({failed.address}) of run {run.name}" in caught.value.__notes__
    if workers > 1:
        assert "in fail\n" in caught.value.__notes__[-1]
    assert run["Number"][0].results == {"value": 3}
    assert failed.log is not None
    assert str(caught.value).rpartition(": ")[2] in Path(failed.log).read_text()
    assert failed.error is not None
    assert failed.error.type_ == ("ValueError" if how == "error" else "TwoArguments")


def test_errors_have_two_bases_and_names_of_pythons_own() -> None:
    """Those of runs and those of stores; who waits too long has a TimeoutError."""
    for kind, bases in {
        TaskFailed: {FlowError, RunError},
        WaitTimeout: {FlowError, RunError, TaskFailed, TimeoutError},
        LeaseHeld: {StoreError},
    }.items():
        assert bases <= set(kind.__mro__)


def test_a_lease_that_another_has_is_told_with_its_owner(store: LocalFileStore) -> None:
    """Who, where, and since when."""
    node = next(iter(failing("error").graph))
    attempt = store.begin(node.address, Owner.of_this_process())
    with pytest.raises(LeaseHeld) as caught:
        store.begin(node.address, Owner.of_this_process())
    assert str(node.address) in str(caught.value)
    assert str(Owner.of_this_process().pid) in str(caught.value)
    attempt.abandon()
    store.begin(node.address, Owner.of_this_process()).abandon()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_is_recorded_and_the_next_run_tries_again(
    workers: int, store: LocalFileStore, tmp_path: Path
) -> None:
    """With type, message and traceback; then the success is what counts."""
    stop = tmp_path / "stop"
    stop.touch()
    flow = failing("error", while_exists=str(stop))
    flow.run(num_workers=workers, results_store=store, exit_on_error=False)
    [record] = store.records("Failing")
    assert (record.state, record.latest.number) == (TaskState.FAILED, 1)
    error = record.latest.error
    assert error is not None
    assert (error.type_, error.message) == ("ValueError", "failed on purpose")
    assert error.traceback.rstrip().endswith("ValueError: failed on purpose")
    assert 'tasks.py", line' in error.traceback
    stop.unlink()
    run = flow.run(num_workers=workers, results_store=store)
    assert run.counts == {"cached": 1, "finished": 1}
    [record] = store.records("Failing")
    assert (record.state, record.latest.number) == (TaskState.FINISHED, 2)
    assert record.latest.error is None
