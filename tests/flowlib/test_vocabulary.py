"""Is every state shown by one word, icon and colour?"""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.style import Style

from flowlib.vocabulary import SHOWN_STATES, shown_state, worst
from stores import TaskState


@pytest.mark.parametrize("state", list(TaskState))
def test_every_state_of_a_task_has_a_word(state):
    """Whatever a record or a run says, there is one way to show it."""
    assert shown_state(state.value).word in SHOWN_STATES


def test_words_that_users_see_are_not_those_of_the_code():
    """`upstream_failed` is told as `skipped`."""
    assert shown_state("upstream_failed").word == "skipped"
    assert shown_state("scheduled").word == "pending"


def test_icons_are_one_cell_wide_and_told_apart():
    """A column of icons is straight, and the ASCII ones are as different as the others."""
    shown = [each for each in SHOWN_STATES.values() if each.word != "killed"]
    assert all(cell_len(each.icon) == 1 and each.ascii_icon.isascii() for each in shown)
    assert len({each.icon for each in shown}) == len({each.ascii_icon for each in shown}) == 6
    assert all(Style.parse(each.colour) for each in shown)


def test_the_worst_state_wins():
    """One failed task makes its spec red."""
    assert worst(["finished", "failed", "cached"]) == "failed"
    assert worst(["finished", "running", "pending"]) == "running"
    assert worst(["cached", "finished"]) == "finished"
    assert worst([]) is None
