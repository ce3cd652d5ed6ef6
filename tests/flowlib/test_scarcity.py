"""One line says what may be a mistake in the resources of a run."""

from __future__ import annotations

import logging

import pytest

from flowlib import Flow, TaskSpec
from flowlib.resources import pool_of
from flowlib.scarcity import notes_on

SHARE = "4 workers share 3 gpu: at most {} of the tasks that need one run at once, the others wait"


def notes(resources, workers, *wanted) -> list[str]:
    pool = pool_of(resources)
    demands = [pool.demand("T", each) for each in wanted]
    return list(notes_on(pool, demands, workers))


@pytest.mark.parametrize(
    ("wanted", "at_once"), [([None], 3), ([{"gpu": 2}], 1), ([{"gpu": 2}, {"gpu": 1}], 3)]
)
def test_fewer_objects_than_workers_are_told(wanted, at_once):
    """With how many tasks run at once."""
    assert notes(["a", "b", "c"], 4, *wanted) == [SHARE.format(at_once)]


def test_enough_objects_and_workers_that_nobody_asked_for_are_not_told():
    """Fractions count; without a number of workers there is no wish to compare with."""
    assert notes(["a", "b", "c"], 3, None) == []
    assert notes(["a", "b", "c"], None, None) == []
    assert notes(["a", "b", "c"], 4, {"gpu": 0.5}) == []
    assert notes(None, 4, None) == []


def test_resources_that_nobody_asks_for_are_told():
    """A mapping is for those who ask."""
    assert notes({"gpu": 2, "cpu": 4}, 2, None, {"cpu": 1}) == [
        "the run has gpu, but no task asks for it: say so in its spec, "
        "TaskSpec(..., resources={'gpu': 1})"
    ]


def task(n):
    return {"n": n}


def test_a_run_says_it_in_one_line(caplog):
    """As a warning, once."""
    flow = Flow([TaskSpec(task, {"n": [1, 2]}, expand="product")])
    with caplog.at_level(logging.WARNING, logger="flowlib"):
        run = flow.run(num_workers=2, resources=["one"])

    assert run.counts == {"finished": 2}
    assert [each.message for each in caplog.records] == [
        "2 workers share 1 gpu: at most 1 of the tasks that need one run at once, the others wait"
    ]
