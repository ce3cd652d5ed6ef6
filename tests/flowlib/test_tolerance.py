"""How many predecessors may fail: words and numbers of the user's, checked before anything runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib import Flow, GraphError, SpecError, TaskSpec
from flowlib.tolerance import OnFailure, Tolerance, tolerance_of


def of(on_failure=None, min_ok=None, is_reduce=True) -> Tolerance:
    return tolerance_of("Mean", on_failure, min_ok, is_reduce=is_reduce)


def member(x=1):
    return {"x": x}


def gather(x):
    return {"n": len(x)}


@pytest.mark.parametrize(
    ("tolerance", "needed"),
    [
        (of(), 10),
        (of("skip"), 1),
        (of("pass"), 0),
        (of("skip", 3), 3),
        (of("skip", 0), 0),
        (of("pass", 0.8), 8),
        (of("skip", 0.81), 9),
        (of("skip", 0.1 + 0.2), 3),  # a little more than 0.3
        (of(min_ok=0.5), 5),
        (of(min_ok=1.0), 10),
        (of(min_ok=1), 1),
    ],
)
def test_how_many_of_ten_must_have_succeeded(tolerance, needed):
    """Whole numbers count, floats are fractions; `min_ok` alone means skip."""
    assert tolerance.needed(10) == needed
    assert tolerance.allowed(10) == 10 - needed


def test_min_ok_alone_skips():
    """A reduce with `min_ok` tolerates failures without a second word."""
    assert of(min_ok=2).on_failure is OnFailure.SKIP
    assert of().on_failure is OnFailure.FAIL


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"on_failure": "skp"},
            "Mean: on_failure is one of 'fail', 'skip', 'pass', not 'skp'.*skip",
        ),
        ({"on_failure": True}, "on_failure is one of"),
        ({"min_ok": True}, "Mean: min_ok is True"),
        ({"min_ok": -1}, "min_ok is -1"),
        ({"min_ok": 1.5}, "or which fraction of them"),
        ({"min_ok": float("nan")}, "min_ok is nan"),
        ({"min_ok": "2"}, "min_ok is '2'"),
        ({"on_failure": "fail", "min_ok": 2}, 'on_failure="fail" does not'),
        ({"on_failure": "skip", "is_reduce": False}, 'no reduce: write on_failure="pass"'),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_spec(options, message):
    """Before a graph exists."""
    with pytest.raises(SpecError, match=message):
        of(**options)


def test_more_members_than_there_are_cannot_succeed():
    """Refused when the graph is built."""
    spec = TaskSpec(gather, reduce=True, min_ok=4)
    spec.requires(TaskSpec(member, {"x": [1, 2, 3]}, expand="product"))

    with pytest.raises(GraphError, match="gather needs 4 members.* gathers 3"):
        Flow([spec])


@given(st.sampled_from(["skip", "pass"]), st.floats(0, 1) | st.integers(0, 20), st.integers(0, 20))
def test_what_is_allowed_never_exceeds_what_there_is(word, min_ok, total):
    """A fraction of n is at most n, and all but the needed may fail."""
    tolerance = of(word, min_ok)

    assert 0 <= tolerance.allowed(total) <= total
    assert tolerance.allowed(total) + min(tolerance.needed(total), total) == total
