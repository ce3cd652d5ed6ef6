"""Answers to short tasks: kept in shared memory, told of now and then, never lost."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from flowlib import Flow, TaskSpec, answers, process_handle
from flowlib.answers import MOST_AT_WORKER, TOLD, Answers, NextLook, new_slots, taken
from flowlib.job import Outcome, OutcomeKind
from stores import Address, LocalFileStore
from tests.flowlib import process_tasks as tasks

WHERE = Address("Train", "ab12")


class Pipe:
    """Keeps what is sent."""

    def __init__(self):
        self.messages = []

    @property
    def sent(self):
        return len(self.messages)

    def send(self, data):
        self.messages.append(data)


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def pipe():
    return Pipe()


def finished(attempt=1, duration_s=0.0005):
    return Outcome.finished(WHERE, attempt, duration_s)


@pytest.mark.parametrize("number", [0, 1, 63, 64, 65_535, 2**24 - 2, 2**24 - 1, 2**24, 2**40])
def test_an_answer_comes_out_as_it_was_kept(pipe, number):
    """Its attempt and its duration, once, and for that job only."""
    slots = new_slots()
    Answers(pipe, slots).give(number, finished(attempt=7, duration_s=1.25))
    assert pipe.messages == []

    assert taken(slots, number + 64, WHERE) is None
    found = taken(slots, number, WHERE)
    assert (found.kind, found.address) == (OutcomeKind.FINISHED, WHERE)
    assert (found.attempt, found.duration_s) == (7, 1.25)
    assert taken(slots, number, WHERE) is None


def test_nothing_is_found_where_nothing_was_kept():
    """A fresh slot is no answer to any job."""
    assert [taken(new_slots(), n, WHERE) for n in (0, 1, 2**24 - 1)] == [None] * 3


@pytest.mark.parametrize(
    "outcome",
    [
        replace(finished(), kind=OutcomeKind.FAILED),
        replace(finished(), log="logs/Train-ab12.log"),
        replace(finished(), blobs={"a": b"1"}),
        finished(attempt=1 << 12),
        finished(duration_s=300.0),
    ],
)
def test_what_says_more_is_not_kept(pipe, outcome):
    """It goes through the pipe, whole."""
    slots = new_slots()
    Answers(pipe, slots).give(0, outcome)

    assert [pickle.loads(data).kind for data in pipe.messages] == [outcome.kind]
    assert taken(slots, 0, WHERE) is None


def test_a_task_that_has_sent_something_answers_after_it(pipe):
    """A driver reads what a task says before its answer; the next task may be silent again."""
    slots = new_slots()
    own = Answers(pipe, slots)
    pipe.send(b"a record")
    own.give(0, finished())
    own.give(1, finished())
    own.give(2, finished(), at_once=True)

    assert pipe.sent == 3
    assert [taken(slots, number, WHERE) is not None for number in range(3)] == [False, True, False]


def test_an_answer_is_never_overwritten(pipe):
    """Where the driver has not looked for long, the next one goes through the pipe."""
    own = Answers(pipe, new_slots())
    for number in range(64):
        own.give(number, finished())
    assert pipe.sent == 0
    own.give(64, finished())
    assert pipe.sent == 1


def test_one_message_tells_of_many(pipe):
    """At once for the first, then for half of what may be at a worker, and for the last."""
    clock = Clock()
    clock.now = 1.0
    own = Answers(pipe, new_slots(), clock)
    told_after = []
    for number in range(20):
        own.give(number, finished())
        own.tell(is_last=number == 19)
        if pipe.sent > len(told_after):
            told_after.append(number)
    half = MOST_AT_WORKER // 2
    assert told_after == [0, half, 2 * half, 19]
    assert set(pipe.messages) == {TOLD}


def test_nothing_is_kept_back_for_long(pipe):
    """The end of a task that took its time is told at once."""
    clock = Clock()
    own = Answers(pipe, new_slots(), clock)
    for number in range(3):
        clock.now += 0.011
        own.give(number, finished())
        own.tell(is_last=False)
    assert pipe.sent == 3


def test_a_driver_looks_once_more_and_then_waits():
    """After the last message it looks again a moment later, and not for ever."""
    clock = Clock()
    look = NextLook(clock)
    assert look.within(None) is None
    look.note(is_told=True)
    assert 0 < look.within(None) < 0.1
    assert look.within(0.001) == 0.001
    clock.now += 0.001
    look.note(is_told=False)  # woken by something else
    assert look.within(None) is not None
    clock.now += 1.0
    assert look.within(None) == 0.0
    look.note(is_told=False)
    assert look.within(None) is None


def test_short_tasks_that_end_well_send_no_answers(monkeypatch, tmp_path):
    """Of three hundred tasks none sends an outcome, and few messages tell of all of them."""
    seen = []
    monkeypatch.setattr(
        process_handle, "loads", lambda data: seen.append(data) or pickle.loads(data)
    )
    spec = TaskSpec(tasks.quick, {"n": list(range(300))}, expand="product")
    done = Flow([spec]).run(num_workers=2, results_store=LocalFileStore(tmp_path, fsync=False))

    assert done.counts["finished"] == 300
    assert {pickle.loads(data) for data in seen} == {"up"}


def test_a_death_neither_loses_nor_repeats_what_was_kept(tmp_path):
    """Tasks that ended before in the same process count, although it had told nobody."""
    (tmp_path / "marks").mkdir()
    config = {"n": list(range(60)), "folder": str(tmp_path / "marks"), "deadly": 40}
    store = LocalFileStore(tmp_path / "store", fsync=False)
    spec = TaskSpec(tasks.counted, config, expand="product")
    done = Flow([spec]).run(num_workers=2, results_store=store, exit_on_error=False)

    assert (done.counts["finished"], done.counts["killed"]) == (59, 1)
    runs = [(tmp_path / "marks" / f"{n}").read_text().count("ran") for n in range(60)]
    assert runs == [1] * 60


def test_what_was_kept_is_found_while_a_long_task_follows(tmp_path):
    """The long task waits for one that reads from short ones before it in the same worker."""
    short = TaskSpec(tasks.quick, {"n": list(range(40))}, expand="product")
    long = TaskSpec(tasks.lasts, {"folder": str(tmp_path), "seconds": 60.0})
    after = TaskSpec(tasks.says, {"folder": str(tmp_path)}, reduce=True)
    after.requires(short)
    store = LocalFileStore(tmp_path / "store", fsync=False)
    done = Flow([short, long, after]).run(num_workers=2, results_store=store)

    assert done["lasts"][0].results["was_said"]


def test_at_least_as_many_slots_as_jobs_at_a_worker():
    """Also those of a worker that has died."""
    assert len(new_slots()) >= 2 * answers.MOST_AT_WORKER
