"""Is it told rightly which worker did what, and when?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given

from flowlib.events import Failed, Finished, Grown, Retried, RunEnded, SpecTotal, Started, Waiting
from flowlib.timeline import MOST_SPANS, timeline_of
from tests.flowlib.run_events import BEGAN, begun, error, example, ref, runs

SPECS = [SpecTotal("A", 4, 0)]


def told(events):
    line = timeline_of(events)
    return [(s.task.unique_name, s.worker, s.start, s.end, s.word) for s in line.spans]


def test_tries_are_rows_of_spans_with_gaps_between():
    """From when a task was handed out to when its end was heard of; every try by itself."""
    a, b = ref("A", 1), ref("A", 2)
    events = [
        begun(SPECS, workers=2),
        Started(BEGAN + 1, a, 0),
        Started(BEGAN + 1, b, 1, "cuda:1"),
        Retried(BEGAN + 3, a, error("no luck")),
        Finished(BEGAN + 4, b, 2.5),
        Started(BEGAN + 6, a, 1),
        Failed(BEGAN + 8, a, error(), False, 1.5),
        RunEnded(BEGAN + 10, {}, 10.0),
    ]
    assert told(events) == [
        ("A-1", 0, 1.0, 3.0, "failed"),
        ("A-2", 1, 1.0, 4.0, "finished"),
        ("A-1", 1, 6.0, 8.0, "failed"),
    ]
    line = timeline_of(events)
    assert line.duration_s == 10.0
    assert (line.busy(0), line.busy(1)) == pytest.approx((0.2, 0.5))
    assert [span.told for span in line.spans] == [
        "tried again after ValueError: no luck", "", "ValueError: loss is nan",
    ]  # fmt: skip
    assert line.spans[1].resource == "cuda:1"


def test_tries_tell_why_they_ended():
    """Whether a worker was lost or taken away, and that specs are no failure."""
    names = [ref("A", number) for number in range(4)]
    events = [begun(SPECS, workers=4)]
    events += [Started(BEGAN + 1, each, at) for at, each in enumerate(names)]
    kinds = ("lost", "preempted", "exception")
    for kind, each in zip(kinds, names, strict=False):
        events.append(Retried(BEGAN + 2, each, error("gone"), kind=kind))
    events.append(Grown(BEGAN + 2, names[3], ()))
    spans = timeline_of(events).spans
    assert [each.word for each in spans] == ["killed", "killed", "failed", "finished"]
    assert [each.told for each in spans] == [
        *(f"tried again ({kind}) after ValueError: gone" for kind in kinds), "returned specs",
    ]  # fmt: skip


def test_what_runs_ends_now_and_what_waits_is_no_work():
    """A task that another driver computes leaves its worker free; idle workers have rows."""
    a, b = ref("A", 1), ref("A", 2)
    events = [begun(SPECS, workers=3), Started(BEGAN + 1, a, 0), Started(BEGAN + 2, b, 1)]
    assert told([*events, Waiting(BEGAN + 5, b, "somebody")]) == [("A-1", 0, 1.0, 5.0, "running")]
    assert timeline_of(events).workers == (0, 1, 2)
    (lost,) = told([*events[:2], RunEnded(BEGAN + 9, {}, 9.0)])
    assert lost[3:] == (9.0, "killed")


def test_what_waits_in_a_worker_begins_when_its_turn_comes():
    """It was handed out while another one ran there."""
    a, b = ref("A", 1), ref("A", 2)
    events = [
        begun(SPECS, workers=1),
        Started(BEGAN + 1, a, 0),
        Started(BEGAN + 1, b, 0),
        Finished(BEGAN + 3, a, 2.0),
        Finished(BEGAN + 6, b, 3.0),
        RunEnded(BEGAN + 10, {}, 10.0),
    ]
    assert told(events) == [("A-1", 0, 1.0, 3.0, "finished"), ("A-2", 0, 3.0, 6.0, "finished")]
    assert timeline_of(events).busy(0) == pytest.approx(0.5)


def test_an_empty_log_is_an_empty_picture():
    """Also one that lost its beginning."""
    assert timeline_of([]).spans == ()
    assert timeline_of([]).busy(0) == 0.0
    assert len(timeline_of([*example()][1:]).spans) == len(timeline_of(example()).spans)


def test_of_too_many_tries_the_longest_are_kept():
    """And it is said how many are not there."""
    events = [begun(SPECS, workers=1)]
    for number in range(MOST_SPANS + 5):
        task = ref("A", number)
        events.append(Started(BEGAN + 10 * number, task, 0))
        events.append(Finished(BEGAN + 10 * number + (1 if number < 5 else 2), task, 1.0))
    line = timeline_of(events)
    assert (len(line.spans), line.hidden) == (MOST_SPANS, 5)
    assert line.spans[0].task.unique_name == "A-5"


@given(runs())
def test_no_worker_does_two_things_and_nothing_is_lost(events):
    """Each start is one span at most, and each end of a task that was started closes it."""
    line = timeline_of(events)
    started = sum(isinstance(each, Started) for each in events)
    waiting = sum(isinstance(each, Waiting) for each in events)
    assert len(line.spans) == started - waiting
    assert all(0 <= s.start <= s.end <= line.duration_s + 1e-6 for s in line.spans)
    for worker in line.workers:
        mine = sorted((s.start, s.end) for s in line.spans if s.worker == worker)
        assert all(end <= start for (_, end), (start, _) in pairwise(mine))
        assert 0 <= line.busy(worker) <= 1
