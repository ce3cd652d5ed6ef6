"""SLURM when something is in the way: hidden partitions, refusals, signals. Without a SLURM."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import stat
import threading
import time
from pathlib import Path

import click
import pytest

from flowlib import RunError, SlurmExecutor, TaskSpec, slurm_pilot
from flowlib.batch_values import Batch
from flowlib.cli.slurm_words import slurm_of
from flowlib.slurm_crew import SlurmCrew
from flowlib.slurm_pilot import Pilot, PilotSignals
from flowlib.slurm_post import SlurmPost
from flowlib.slurm_queue import SlurmQueue, SlurmSilent, SlurmState, outside_of_jobs
from flowlib.slurm_request import request_of
from flowlib.slurm_spool import Spool
from stores import LocalFileStore

PATIENCE_S = 60.0


@pytest.fixture
def spool(tmp_path):
    made = Spool(tmp_path / "spool")
    made.make()
    return made


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Commands of SLURM that write down how they were called; gives what they have written."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("squeue", "scancel"):
        script = folder / name
        script.write_text(f'#!/bin/sh\n{{ echo {name} "$@"; env; }} >> {folder}/called\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "called"


def test_nobody_else_sees_the_jobs(spool):
    """The passwords of stores are in them."""
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700


def test_a_disk_that_is_away_says_nothing(spool, monkeypatch):
    """Its pilots neither stop nor end for that."""

    def away(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "exists", away)
    assert not spool.is_said("stop")


def test_jobs_in_hidden_partitions_are_seen_whatever_the_user_is_used_to(commands, monkeypatch):
    """Options from the environment would hide some."""
    monkeypatch.setenv("SQUEUE_PARTITION", "other")
    monkeypatch.setenv("SCANCEL_STATE", "RUNNING")
    queue = SlurmQueue(commands.parent, "flowlib-x")
    assert queue.states() == {}
    queue.cancel(only_pending=True)
    called = commands.read_text()

    assert "squeue --noheader --all " in called
    assert "scancel --state=PENDING --name=flowlib-x\n" in called
    assert "SQUEUE_PARTITION" not in called
    assert "SCANCEL_STATE" not in called


def test_jobs_do_not_inherit_the_array_that_a_driver_runs_in(monkeypatch):
    """They would take its numbers for their own."""
    told = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3", "SLURM_RESTART_COUNT": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with outside_of_jobs():
        assert not told.keys() & os.environ.keys()
    assert {name: os.environ[name] for name in told} == told


@pytest.mark.parametrize("name", ["job_name", "job-name", "array", "output", "error"])
def test_what_jobs_are_found_by_is_not_free(name):
    """It is said, and not ignored."""
    with pytest.raises(ValueError, match=f"sbatch has '{name}'"):
        request_of({"sbatch": {name: "mine"}})


@pytest.mark.parametrize("jobs", [0, -1, "abc", True])
def test_no_allocations_are_refused(jobs):
    """A run would wait for ever."""
    with pytest.raises(ValueError, match=f"jobs is {jobs!r}; give a whole number"):
        SlurmExecutor(jobs=jobs)


def test_the_command_refuses_no_allocations():
    """In the words of the executor."""
    with pytest.raises(click.UsageError, match="--slurm: jobs is 0; give a whole number"):
        slurm_of(["partition=gpu,jobs=0"], None)


def pilot_that_takes(spool, monkeypatch, happens):
    """A pilot whose only job is that something happens; what it leaves behind."""
    left = [happens]

    def run_one(*_):
        if not left:
            return False
        left.pop()()
        return True

    monkeypatch.setattr(slurm_pilot, "_run_one", run_one)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert Pilot(spool.folder, "gpu", idle_s=0.05, warn_after_s=PATIENCE_S)() == 1
    return [(name, pilot) for name, pilot, _ in spool.answers()]


@pytest.mark.parametrize(
    ("number", "left"), [(signal.SIGTERM, []), (signal.SIGUSR2, [("", "7.0")])]
)
def test_a_pilot_that_slurm_may_start_again_has_not_left(spool, monkeypatch, number, left):
    """Its allocation is counted until SLURM says that it has ended."""
    assert pilot_that_takes(spool, monkeypatch, lambda: signal.raise_signal(number)) == left


def test_a_pilot_ends_quietly_when_the_run_has_gone(spool, monkeypatch):
    """There is no folder for its word."""
    assert pilot_that_takes(spool, monkeypatch, lambda: shutil.rmtree(spool.folder)) == []


def test_a_warning_while_a_pilot_looks_at_the_disk_counts():
    """The answer from there does not undo it."""

    class Warned:
        def is_said(self, word):
            signal.raise_signal(signal.SIGUSR2)
            return False

    signals = PilotSignals(Warned(), time.monotonic() + PATIENCE_S)
    with signals.heard():
        assert signals.surroundings.is_stopping()
    assert signals.is_over


class Queue:
    """SLURM, as far as a crew sees it."""

    def __init__(self):
        self.known, self.is_full, self.trouble = {}, False, None
        self.asked, self.cancelled = 0, []
        self.calls = threading.Semaphore(0)

    def submit(self, request, call, count):
        self.calls.release()
        if self.trouble is not None:
            raise self.trouble
        self.asked += 1
        return [f"{self.asked}_{number}" for number in range(count)]

    def states(self):
        return self.known

    def cancel(self, *, only_pending):
        self.cancelled.append(only_pending)

    def last_words(self, job):
        return ""


def test_allocations_that_end_well_without_a_word_are_useless():
    """The word may come a little later than SLURM's."""
    queue, request = Queue(), request_of({})
    crew = SlurmCrew(queue, most=4, array=9)
    crew.fill({request: 4}, lambda _: None)
    queue.known = {f"1_{number}": SlurmState("COMPLETED", 0, "") for number in range(4)}
    crew.look()
    assert len(crew.jobs) == 4
    crew.note_leave("1_0.0")
    with pytest.raises(RunError, match="3 jobs of SLURM in a row.*COMPLETED"):
        crew.look()


def test_slurm_may_refuse_for_a_while_when_it_has_taken_some():
    """Not for ever, though."""
    queue, request = Queue(), request_of({})
    crew = SlurmCrew(queue, most=1, array=1)
    crew.fill({request: 1}, lambda _: None)
    crew.note_leave("1_0.0")
    queue.trouble = SlurmSilent("QOSMaxSubmitJobPerUserLimit")
    for _ in range(59):
        with pytest.raises(SlurmSilent):
            crew.fill({request: 1}, lambda _: None)
    with pytest.raises(RunError, match="does not take jobs: QOSMax"):
        crew.fill({request: 1}, lambda _: None)


@contextlib.contextmanager
def post_over(spool, queue, *, look_s=0.01):
    """A post; gives it, and what it gives up for."""
    told, is_told = [], threading.Event()

    def give_up(why):
        told.append(why)
        is_told.set()

    crew = SlurmCrew(queue, most=2, array=2)
    post = SlurmPost(spool, crew, idle_s=1.0, look_s=look_s, give_up=give_up)
    try:
        yield post, told, is_told
    finally:
        post.close(now=True)


def test_a_run_ends_when_nobody_looks_after_slurm(spool):
    """Whatever was the trouble, its words come along."""
    queue = Queue()
    queue.states = lambda: 1 / 0
    with post_over(spool, queue) as (post, told, is_told):
        post.send(object(), 1, request_of({}))
        assert is_told.wait(PATIENCE_S)
    assert told == ["what looks after SLURM has ended: ZeroDivisionError: division by zero"]


def test_what_is_let_go_is_cancelled_in_one_call(spool):
    """Also what runs, though nobody waits for it any more."""
    queue, jobs, request = Queue(), [object(), object()], request_of({})
    with post_over(spool, queue, look_s=PATIENCE_S) as (post, told, _):
        for job in jobs:
            post.send(job, pickle.dumps(1), request)
        assert queue.calls.acquire(timeout=PATIENCE_S)
        for job in jobs:
            post.end(job)
        assert queue.cancelled == []
        post.close(now=False)
    assert queue.cancelled == [False]
    assert told == []


class Engine:
    """Takes nothing that a test does not expect."""

    def submit(self, call):
        raise AssertionError("no job is needed")


Engine.__module__ = "submitit.engine"


def locked():
    """A task that nobody can pickle."""
    lock = threading.Lock()

    def task(n: int) -> dict[str, object]:
        return {"n": n, "is_free": not lock.locked()}

    return task


def test_a_spec_that_cannot_be_pickled_is_told_at_once(tmp_path):
    """Nobody waits for the id of its job."""
    spec = TaskSpec(locked(), {"n": 1}, name="locked")
    with pytest.raises(RunError, match="pickle"):
        Batch(Engine(), LocalFileStore(tmp_path)).submit("job", spec, [], force=False)


def known(n: int) -> dict[str, int]:
    """Something that is there already."""
    return {"n": n}


def test_a_value_that_is_there_needs_no_job(tmp_path):
    """Its Future is of the same kind, and says so."""
    store = LocalFileStore(tmp_path)
    spec = TaskSpec(known, {"n": 4})
    assert spec.result(store) == {"n": 4}
    future = spec.submit(store, executor=Engine())

    assert future.result(PATIENCE_S) == {"n": 4}
    with pytest.raises(RunError, match="no job was needed"):
        _ = future.job_id
