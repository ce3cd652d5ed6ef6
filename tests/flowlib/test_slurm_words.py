"""What is asked of SLURM, and what its answers mean: without a SLURM."""

from __future__ import annotations

import signal

import pytest

from flowlib.errors import RunError
from flowlib.policy import FailureKind, Preemption
from flowlib.slurm_crew import SlurmCrew
from flowlib.slurm_endings import ending_of
from flowlib.slurm_queue import SlurmSilent, SlurmState
from flowlib.slurm_request import request_of
from flowlib.slurm_spool import Spool


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ({"time": "2h"}, "time", 120),
        ({"time": 61}, "time", 2),
        ({"time": "1-02:00:30"}, "time", 26 * 60 + 1),
        ({"memory": "16GiB"}, "mem", "16384M"),
        ({"gpus": "a100:2"}, "gpus_per_node", "a100:2"),
        ({"partition": None, "cpus": 4}, "cpus_per_task", 4),
        ({"setup": ["module load cuda"]}, "setup", ["trap '' USR2", "module load cuda"]),
    ],
)
def test_the_words_of_users_are_put_into_those_of_sbatch(options, name, value):
    """Times and sizes are rounded up."""
    assert request_of(options).parameters[name] == value


def test_equal_requests_have_equal_names():
    """So that their jobs wait in one folder."""
    assert request_of({"time": "1h"}).name == request_of({"time": 3600, "gpus": None}).name
    assert request_of({"time": "1h"}).name != request_of({"time": "2h"}).name


def test_tasks_are_warned_before_the_end_of_the_time():
    """Never before it has begun."""
    assert request_of({"time": "2h", "warn": "5m"}).warn_after_s == 115 * 60
    assert request_of({"time": "2h"}).warn_after_s == 120 * 60 - 90
    assert request_of({"time": "1m"}).warn_after_s == 45
    with pytest.raises(ValueError, match="warn is '5m', which is not less than time, 60 s"):
        request_of({"time": "1m", "warn": "5m"})


def test_a_spec_may_do_without_the_gpus_of_its_executor():
    """Others than none are handed on."""
    assert "gpus_per_node" not in request_of({"gpus": 0}).parameters


def test_free_options_reach_sbatch():
    """Beside those that make jobs end in time."""
    extra = request_of({"sbatch": {"reservation": "night"}, "warn": "2m"}).parameters
    assert extra["additional_parameters"] == {
        "signal": "B:USR2@120",
        "requeue": True,
        "reservation": "night",
    }


@pytest.mark.parametrize(
    ("state", "restarts", "was_first", "kind"),
    [
        ("RUNNING", 0, True, None),
        ("COMPLETING", 0, True, None),
        ("PENDING", 1, True, FailureKind.PREEMPTED),
        ("RUNNING", 1, True, FailureKind.PREEMPTED),
        ("PREEMPTED", 0, True, FailureKind.PREEMPTED),
        ("NODE_FAIL", 0, True, FailureKind.PREEMPTED),
        ("TIMEOUT", 0, True, FailureKind.TIMEOUT),
        ("TIMEOUT", 0, False, FailureKind.PREEMPTED),
        ("OUT_OF_MEMORY", 0, True, FailureKind.OOM),
        ("CANCELLED", 0, True, FailureKind.KILLED),
        ("FAILED", 0, True, FailureKind.LOST),
    ],
)
def test_why_a_pilot_has_left_its_job(state, restarts, was_first, kind):
    """What was taken away counts as pre-empted; the whole time used up by one task does not."""
    ending = ending_of("7_3.0", SlurmState(state, restarts, ""), was_first=was_first)
    assert (ending.kind if ending else None) is kind


def test_a_cancelled_job_is_pre_empted_if_the_setting_says_so():
    """As a process is that somebody has killed."""
    ending = ending_of("7.0", SlurmState("CANCELLED", 0, ""), was_first=True)
    assert ending.ended_by == signal.SIGKILL
    kind = Preemption(cancelled_is_preempted=True).kind_of(ending.kind, ending.ended_by)
    assert kind is FailureKind.PREEMPTED


def test_a_job_that_slurm_has_forgotten_is_lost():
    """Its name is in the words."""
    ending = ending_of("7_3.0", None, was_first=True)
    assert (ending.kind, "7_3" in ending.words) == (FailureKind.LOST, True)


class Queue:
    """SLURM, as far as a crew sees it."""

    def __init__(self):
        self.asked, self.known, self.is_full = [], {}, False

    def submit(self, request, call, count):
        if self.is_full:
            raise SlurmSilent("QOSMaxSubmitJobPerUserLimit")
        self.asked.append(count)
        return [f"{len(self.asked)}_{number}" for number in range(count)]

    def states(self):
        return self.known

    def last_words(self, job):
        return "no disk"


def test_a_crew_is_as_large_as_the_work_and_never_larger_than_allowed():
    """Arrays are split; a second look asks for nothing more."""
    queue, request = Queue(), request_of({})
    crew = SlurmCrew(queue, most=12, array=5)
    crew.fill({request: 3}, lambda _: None)
    crew.fill({request: 100}, lambda _: None)
    crew.fill({request: 100}, lambda _: None)

    assert queue.asked == [3, 5, 4]
    crew.note_leave("1_0.0")
    crew.fill({request: 100}, lambda _: None)
    assert queue.asked == [3, 5, 4, 1]


def test_a_limit_of_the_cluster_matters_only_to_the_first():
    """With some allocations the run goes on, and tries again later."""
    queue, request = Queue(), request_of({})
    crew = SlurmCrew(queue, most=12, array=5)
    queue.is_full = True
    with pytest.raises(RunError, match="does not take jobs: QOSMax"):
        crew.fill({request: 1}, lambda _: None)
    queue.is_full = False
    crew.fill({request: 1}, lambda _: None)
    queue.is_full = True
    with pytest.raises(SlurmSilent):
        crew.fill({request: 2}, lambda _: None)


def test_three_allocations_in_a_row_that_run_nothing_are_enough():
    """One that has run something forgives those before it."""
    queue, request = Queue(), request_of({})
    crew = SlurmCrew(queue, most=3, array=1)
    crew.fill({request: 3}, lambda _: None)
    queue.known = {f"{number}_0": SlurmState("FAILED", 0, "") for number in (1, 2)}
    queue.known["3_0"] = SlurmState("RUNNING", 0, "")
    crew.look()
    crew.note_answer("3_0.0")
    crew.fill({request: 3}, lambda _: None)
    for number in (4, 5):
        queue.known[f"{number}_0"] = SlurmState("FAILED", 0, "")
    crew.look()
    crew.fill({request: 2}, lambda _: None)
    queue.known["6_0"] = SlurmState("CANCELLED", 0, "")
    with pytest.raises(RunError, match="3 jobs of SLURM in a row.*6_0: CANCELLED(?s:.*)no disk"):
        crew.look()


def test_a_job_in_the_spool_is_taken_once(tmp_path):
    """In the order in which they were put; one that was withdrawn is not there."""
    spool = Spool(tmp_path / "spool")
    spool.make()
    for name in ("1", "2", "3"):
        spool.put("gpu", name, name.encode())
    assert spool.withdraw("gpu", "2")
    assert spool.take("gpu", "7.0") == ("1", b"1")
    assert not spool.withdraw("gpu", "1")
    assert spool.take("gpu", "8.0") == ("3", b"3")
    assert spool.take("gpu", "8.0") is None
    assert spool.take("cpu", "8.0") is None
    assert spool.taken() == {"1": "7.0", "3": "8.0"}
    spool.answer("3", "8.0", b"three")
    assert list(spool.answers()) == [("3", "8.0", b"three")]
    assert list(spool.answers()) == []
    assert spool.taken() == {"1": "7.0"}
