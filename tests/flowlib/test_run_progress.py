"""The state of a run is a fold over its events."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given, settings

from flowlib.events import (
    Cached,
    Failed,
    Finished,
    Retried,
    Skipped,
    SpecTotal,
    Started,
    Waiting,
)
from flowlib.retries_so_far import kinds_text
from flowlib.run_progress import RunProgress
from tests.flowlib.run_events import BEGAN, begun, error, example, ref, runs


def told(events):
    progress = RunProgress()
    for event in events:
        progress.note(event)
    return progress


@settings(deadline=None)
@given(runs(is_whole=False))
def test_every_node_is_in_one_state_at_every_moment(events):
    """Whatever happens, in whatever order: the counts of a spec add up to its total."""
    progress = RunProgress()
    before = 0
    for event in events:
        progress.note(event)
        for spec in progress.specs.values():
            assert all(count >= 0 for count in spec.counts.values())
            assert sum(spec.counts.values()) + spec.pending == spec.total
        assert len(progress.running) == progress.count("running")
        assert progress.ended >= before
        before = progress.ended


@settings(deadline=None)
@given(runs())
def test_at_the_end_of_a_run_nothing_is_left(events):
    """The counts are those of the events, and nothing runs or waits."""
    progress = told(events)
    kinds = Counter(type(event) for event in events)
    cached = sum(spec.cached for spec in events[0].specs)

    assert progress.ended == progress.total
    assert not progress.running
    assert not progress.waiting
    assert progress.count("finished") == kinds[Finished]
    assert progress.count("cached") == kinds[Cached] + cached
    assert progress.count("failed", "killed") == kinds[Failed]
    assert progress.count("skipped") == kinds[Skipped]
    assert progress.retries.total == kinds[Retried]
    assert sum(same.count for same in progress.failures) == kinds[Failed]
    assert sum(same.skipped for same in progress.failures) == kinds[Skipped]


@settings(deadline=None)
@given(runs(is_whole=False))
def test_an_estimate_is_never_negative_and_never_more_than_the_work(events):
    """Before three tasks have finished there is one only where all durations are known."""
    progress = told(events)
    left = [spec for spec in progress.specs.values() if spec.left]
    eta_s = progress.eta_s(events[-1].at)

    if not left or (
        progress.count("finished") < 3 and any(spec.known_mean_s is None for spec in left)
    ):
        assert eta_s is None
    else:
        longest = max(100.0, *(spec.mean_s or 0.0 for spec in left))
        assert 0.0 <= eta_s <= longest * sum(spec.left for spec in left)


def test_the_estimate_is_the_work_that_is_left_by_the_workers():
    """Sum of (what is left × mean duration of the spec) / workers, less what runs has done."""
    progress = told([begun([SpecTotal("A", 12, 0)], workers=2)])
    for number in range(3):
        assert progress.eta_s(BEGAN) is None
        progress.note(Started(BEGAN, ref("A", number), 0))
        progress.note(Finished(BEGAN + 10, ref("A", number), 10.0))

    assert progress.eta_s(BEGAN + 30) == pytest.approx(9 * 10.0 / 2)
    progress.note(Started(BEGAN + 30, ref("A", 3), 0))
    assert progress.eta_s(BEGAN + 34) == pytest.approx((9 * 10.0 - 4) / 2)
    assert progress.eta_s(BEGAN + 90) == pytest.approx(8 * 10.0 / 2)  # it takes longer than usual


def test_durations_of_earlier_runs_give_an_estimate_at_once():
    """And those of this run replace them."""
    progress = told([begun([SpecTotal("A", 4, 0, mean_s=60.0)], workers=2)])
    assert progress.eta_s(BEGAN) == pytest.approx(120.0)

    progress.note(Finished(BEGAN + 1, ref("A", 1), 1.0))
    assert progress.eta_s(BEGAN + 1) == pytest.approx(3 * 1.0 / 2)


def test_the_last_task_is_not_shared_out_among_the_workers():
    """One task of a minute takes a minute, with any number of workers."""
    progress = told([begun([SpecTotal("A", 1, 0, mean_s=60.0)], workers=64)])

    assert progress.eta_s(BEGAN) == pytest.approx(60.0)


def test_a_spec_without_any_duration_counts_as_the_others():
    """As long as none of it has finished, it is taken to be like the average task."""
    specs = [SpecTotal("A", 3, 0), SpecTotal("B", 5, 0)]
    progress = told([begun(specs, workers=1)])
    for number in range(3):
        progress.note(Finished(BEGAN, ref("A", number), 4.0))

    assert progress.eta_s(BEGAN) == pytest.approx(5 * 4.0)


def test_running_tasks_are_told_the_oldest_first():
    """With worker, resource and start, also when one starts again."""
    events = [begun([SpecTotal("A", 3, 0)])]
    events += [Started(BEGAN + n, ref("A", n), n, f"cuda:{n}") for n in (2, 0, 1)]
    progress = told([*events, Retried(BEGAN + 5, ref("A", 2), error())])
    progress.note(Started(BEGAN + 6, ref("A", 2), 7))

    assert [(e.task.unique_name, e.worker, e.resource) for e in progress.running.values()] == [
        ("A-0", 0, "cuda:0"),
        ("A-1", 1, "cuda:1"),
        ("A-2", 7, ""),
    ]


def test_equal_failures_are_one_and_name_what_was_skipped_because_of_them():
    """By type and line; the first is kept whole, the others are counted."""
    progress = told([begun([SpecTotal("A", 60, 0), SpecTotal("B", 60, 0)])])
    for number in range(40):
        progress.note(Started(BEGAN, ref("A", number), 3, "cuda:1"))
        progress.note(Failed(BEGAN, ref("A", number), error(f"loss {number}"), False, 1.0))
        progress.note(Skipped(BEGAN, ref("B", number), ref("A", number)))
    progress.note(Failed(BEGAN, ref("A", 50), error(line=59), False, 1.0))

    first, second = progress.failures
    assert (first.count, first.first.error.message, first.started.worker) == (40, "loss 0", 3)
    assert (first.skipped, len(first.tasks), len(first.skipped_tasks)) == (40, 3, 3)
    assert (second.count, second.started, second.skipped) == (1, None, 0)
    assert [frame.place for frame in first.frames] == ["/home/u/my/tasks.py:58"]


def test_what_others_compute_is_waited_for_and_then_cached():
    """It is neither running nor pending work of ours."""
    progress = told([begun([SpecTotal("A", 1, 0)]), Started(BEGAN, ref("A", 1), 0)])
    progress.note(Waiting(BEGAN, ref("A", 1), "host-7, process 12"))
    assert (progress.waiting, progress.running) == ({ref("A", 1).key: "host-7, process 12"}, {})

    progress.note(Cached(BEGAN, ref("A", 1)))
    assert (progress.waiting, progress.count("cached")) == ({}, 1)


def test_a_log_that_has_lost_its_beginning_is_no_error():
    """Specs are learned from their tasks."""
    progress = told(list(example())[1:])

    assert progress.specs["Train"].counts == {"running": 2, "finished": 7, "failed": 1}
    assert progress.eta_s(BEGAN) is None


def test_the_same_events_give_the_same_picture_in_another_process():
    """Written as lines and read again, they fold to the same state."""
    from flowlib.event_log import event_of, line_of

    there = told(event_of(line_of(event)) for event in example())
    here = told(example())

    assert there.specs == here.specs
    assert there.running == here.running
    assert there.failures == here.failures
    assert there.eta_s(BEGAN + 80) == here.eta_s(BEGAN + 80)


def test_a_fold_costs_microseconds():
    """A hundred thousand events take well under the time of the tasks they tell of."""
    specs = [SpecTotal("A", 50_000, 0)]
    tasks = [ref("A", number) for number in range(50_000)]
    progress = told([begun(specs)])
    began = time.thread_time()
    for task in tasks:
        progress.note(Started(BEGAN, task, 0))
        progress.note(Finished(BEGAN, task, 1.0))

    assert time.thread_time() - began < 5.0
    assert progress.ended == 50_000


def test_retries_are_told_by_task_and_by_kind():
    """Those of which something was told last are kept, and how it failed the last time."""
    names = [ref("Train", number) for number in range(150)]
    events = [begun([SpecTotal("Train", 150, 0)])]
    events += [Retried(BEGAN + 1, each, error("lost it"), kind="lost") for each in names]
    events.append(Retried(BEGAN + 2, names[140], error("taken"), kind="preempted"))
    retries = told(events).retries
    assert retries.total == 151
    assert kinds_text(retries.kinds) == "150 lost, 1 preempted"
    assert len(retries.tasks) == 100
    key, last = [*retries.tasks.items()][-1]
    assert (key, last.last.error.message) == (names[140].key, "taken")
    assert kinds_text(last.kinds) == "1 lost, 1 preempted"
    assert kinds_text(Counter({"": 2})) == "2 failed"
