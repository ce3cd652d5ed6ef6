"""Retries are decided by pure functions of the failures so far."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.errors import SpecError
from flowlib.policy import FailureKind, Preemption, Retries, retries_of, seconds_of

KINDS = st.sampled_from([each for each in FailureKind if each is not FailureKind.PREEMPTED])
MIXED = st.lists(st.sampled_from(FailureKind), min_size=1)


@given(st.lists(KINDS, min_size=1), st.integers(0, 10))
def test_a_number_forgives_so_many_failures_of_any_kind(failures, total):
    """The kinds do not matter."""
    assert retries_of("T", total, 0).allow(failures) == (len(failures) <= total)


@given(st.lists(KINDS, min_size=1), st.dictionaries(KINDS, st.integers(0, 4)))
def test_a_mapping_counts_each_kind_on_its_own(failures, limits):
    """A kind that is not named is never forgiven."""
    named = {kind.value: count for kind, count in limits.items()}
    allowed = retries_of("T", named, 0).allow(failures)
    assert allowed == (failures.count(failures[-1]) <= limits.get(failures[-1], 0))


@given(st.dictionaries(KINDS, st.integers(0, 4)), st.data())
def test_a_task_that_always_fails_comes_to_its_end(limits, data):
    """After the sum of all limits and one more at the latest."""
    retries = Retries(None, tuple(limits.items()))
    failures = [data.draw(KINDS)]
    while retries.allow(failures):
        failures.append(data.draw(KINDS))
    assert len(failures) <= sum(limits.values()) + 1


@given(MIXED, st.integers(0, 3), st.integers(0, 3))
def test_preempted_tries_are_counted_apart(failures, total, most):
    """Neither do they use up retries, nor do other failures use up theirs."""
    preempted = [each for each in failures if each is FailureKind.PREEMPTED]
    others = [each for each in failures if each is not FailureKind.PREEMPTED]
    allowed = Retries(total).allow(failures, Preemption(preempt_max=most))
    is_preempted = failures[-1] is FailureKind.PREEMPTED
    assert allowed == (len(preempted) <= most if is_preempted else len(others) <= total)


def test_a_spec_may_say_how_often_it_is_preempted():
    """Its number replaces that of the run; other kinds named beside it change nothing."""
    preempted = [FailureKind.PREEMPTED]
    assert not retries_of("T", {"preempted": 0}, 0).allow(preempted)
    assert retries_of("T", {"oom": 1}, 0).allow(preempted)
    assert retries_of("T", {"preempted": 7}, 0).allow(preempted * 7)
    assert not retries_of("T", {"preempted": 7}, 0).allow(preempted * 8)


@pytest.mark.parametrize(
    ("number", "usual", "widened"),
    [
        (signal.SIGTERM, FailureKind.PREEMPTED, FailureKind.PREEMPTED),
        (signal.SIGKILL, FailureKind.KILLED, FailureKind.PREEMPTED),
        (signal.SIGINT, FailureKind.KILLED, FailureKind.PREEMPTED),
        (signal.SIGSEGV, FailureKind.KILLED, FailureKind.KILLED),
        (None, FailureKind.KILLED, FailureKind.KILLED),
    ],
)
def test_what_counts_as_preempted(number, usual, widened):
    """SIGTERM always, SIGKILL and SIGINT if one says so; nothing that the driver did itself."""
    killed = FailureKind.KILLED
    assert Preemption().kind_of(killed, number) is usual
    assert Preemption(cancelled_is_preempted=True).kind_of(killed, number) is widened
    assert Preemption(cancelled_is_preempted=True).kind_of(FailureKind.OOM, number) is (
        FailureKind.OOM
    )


def test_pauses_double_up_to_ten_minutes():
    """However many failures there are."""
    retries = Retries(100, pause_s=100.0)
    assert [retries.pause_after(n) for n in (1, 2, 3, 4, 100_000)] == [100, 200, 400, 600, 600]
    assert Retries(3).pause_after(3) == 0.0
    assert Retries(3, pause_s=3600.0).pause_after(3) == 3600.0


@pytest.mark.parametrize(
    ("value", "seconds"), [(3, 3.0), ("10", 10.0), ("1.5m", 90.0), ("2h", 7200.0), ("1d", 86400.0)]
)
def test_seconds_are_numbers_or_text_with_a_unit(value, seconds):
    """Fractions are allowed."""
    assert seconds_of("T", "timeout", value) == seconds


@pytest.mark.parametrize("value", ["", "h", "soon", 0, -1, True, None, float("nan"), [1]])
def test_what_is_no_time_is_refused(value):
    """With the spec, the option and what may be written."""
    with pytest.raises(SpecError, match="T: timeout is .*give seconds, or '10s'"):
        seconds_of("T", "timeout", value)


@pytest.mark.parametrize(
    ("retries", "pause", "message"),
    [
        (-1, 0, "retries must be 0 or more, not -1"),
        (True, 0, "retries must be 0 or more, not True"),
        ("often", 0, "retries must be 0 or more, not 'often'"),
        ({"oom": 1.5}, 0, r"retries\['oom'\] must be 0 or more"),
        ({"timeot": 1}, 0, "no kind of failure; the kinds are .*Did you mean timeout"),
        ({2: 1}, 0, "names 2, which is no kind of failure"),
        (1, "soon", "retry_pause is 'soon'"),
        (1, -1, "retry_pause is -1"),
    ],
)
def test_what_is_no_policy_is_refused(retries, pause, message):
    """When the spec is made."""
    with pytest.raises(SpecError, match=message):
        retries_of("T", retries, pause)
