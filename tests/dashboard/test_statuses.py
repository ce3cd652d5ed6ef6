"""Does the one table know every state that there is?"""

from __future__ import annotations

import pytest

from flowlib.dashboard.statuses import ATTEMPT, RESULT, words_of
from stores import TaskState


@pytest.mark.parametrize("last", TaskState)
@pytest.mark.parametrize("state", TaskState)
def test_every_state_has_both_words(state, last):
    """Whatever the type of its error."""
    for error in ("", "ValueError", "Preempted"):
        words = words_of(state.value, last.value, error, None)
        assert words.result in RESULT
        assert words.attempt in ATTEMPT


@pytest.mark.parametrize(
    ("live", "words"), [("running", ("incomplete", "running")), ("pending", ("absent", "queued")), (None, ("absent", None))]
)  # fmt: skip
def test_a_task_without_a_record(live, words):
    """It is absent until it runs."""
    assert words_of(None, None, "", live) == words


def test_what_runs_again_keeps_its_result(live="running"):
    """A success counts while it is computed anew."""
    assert words_of("finished", "finished", "", live) == ("success", "running")
    assert words_of("finished", "failed", "ValueError", None) == ("success", "failed")
