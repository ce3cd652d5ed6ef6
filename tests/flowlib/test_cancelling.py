"""What does a run do that is asked to do without tasks, where nobody can end them?"""

from __future__ import annotations

import threading
import time

import pytest

from flowlib import Flow, NothingSelected, TaskFailed, TaskSpec, configure, run_requests
from flowlib.run_requests import RequestBox, RequestNote, RunRequest
from flowlib.run_stop import Told, cancel_tasks
from flowlib.stored_runs import find_run
from stores import LocalFileStore, Status, TaskState

RELEASED = threading.Event()


def waits(n):
    assert RELEASED.wait(120)
    return n


@pytest.fixture
def run(tmp_path):
    """One task that runs in a thread, and two that wait for it to end; what the run has raised."""
    configure(heartbeat_secs=0.05)
    RELEASED.clear()
    store, raised = LocalFileStore(tmp_path / "store"), []

    def drive():
        try:
            flow = Flow([TaskSpec(waits, config={"n": [1, 2, 3]}, expand="product")])
            flow.run(num_workers=1, executor="threads", results_store=store, run_name="live")
        except TaskFailed as error:
            raised.append(error)

    driver = threading.Thread(target=drive)
    driver.start()
    while not any("started" in e.read_text() for e in tmp_path.rglob("events-*.jsonl")):
        time.sleep(0.01)
    yield store, driver, raised
    RELEASED.set()
    driver.join()


@pytest.mark.slow
def test_what_nobody_can_end_goes_on_and_the_answer_says_so(run):
    """The others go on as well, and the run raises at its end what has become of the wanted one."""
    store, driver, raised = run
    live = find_run(store, "live")
    told = cancel_tasks(live, store, ("waits-1", "waits-2"))
    alone = "1 task is left to itself, as nobody can end it here"
    assert told == Told(True, f"1 task is not started, {alone}", live.driver.host)
    with pytest.raises(NothingSelected, match="waits-7"):
        cancel_tasks(live, store, ("waits-7",))
    RELEASED.set()
    driver.join()
    states = {r.latest.run.unique_name: r.latest.state for r in store.records()}
    finished, killed = TaskState.FINISHED, TaskState.KILLED
    assert states == {"waits-1": finished, "waits-2": killed, "waits-3": finished}
    [error] = raised
    assert "waits-2" in str(error)
    assert "cancelled by " in str(error)


def test_a_run_that_ends_before_it_reads_the_note_is_told_to_be_over(tmp_path):
    """Nobody waits for its answer any more, and the note does not stay."""
    RELEASED.set()
    store = LocalFileStore(tmp_path)
    Flow([TaskSpec(waits, {"n": 1})]).run(results_store=store, run_name="live", num_workers=1)
    told = cancel_tasks(find_run(store, "live"), store, ("waits-1",))
    assert told.words == "it is over already"
    assert list(store.beside("requests").addresses()) == []


def test_a_note_is_a_request():
    request = RunRequest("r", "a", 1.5, ("Train-1",))
    assert run_requests._request_in(_noted(request.to_text())) == request


@pytest.mark.parametrize(
    "text",
    [
        '["r", "a", "noon", [], false, null]',
        '["r", "a", NaN, [], false, null]',
        '["r", "a", 1e999, [], false, null]',
        f'["r", "a", {10**400}, [], false, null]',
        '["r"]',
        '["r", "a", 1, 2, false, null]',
        "{}",
        pytest.param("[" * 100_000, id="endless"),
    ],
)
def test_a_note_of_another_form_is_no_request(text):
    """Who reads notes leaves them out, and the run goes on."""
    assert run_requests._request_in(_noted(text)) is None


def _noted(text):
    """What a store tells of a note with this text."""
    state = TaskState.RUNNING
    return Status(state, 1, state, 1, {"request": text})


def test_notes_that_cannot_be_read_are_none(tmp_path):
    """A folder that only another user may read, say: the run goes on without."""
    store = LocalFileStore(tmp_path)
    with RequestBox(store, "live") as box:
        RequestNote(store, RunRequest("live", "ada@gpu3", time.time()))
        assert [request.by for _, request in box.new()] == ["ada@gpu3"]
        (tmp_path / ".requests").rename(tmp_path / "away")
        (tmp_path / ".requests").symlink_to(".requests")  # also root cannot list it
        assert box.new() == []
