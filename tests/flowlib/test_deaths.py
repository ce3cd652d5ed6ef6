"""The end of a process is told from its exit code and the kernel's counter."""

from __future__ import annotations

import signal

import pytest

from flowlib.deaths import MemoryKills, death
from flowlib.policy import FailureKind


@pytest.mark.parametrize(
    ("exit_code", "is_memory_kill", "kind", "text"),
    [
        (-signal.SIGKILL, True, FailureKind.OOM, "out of memory"),
        (-signal.SIGKILL, False, FailureKind.KILLED, "killed by SIGKILL"),
        (-signal.SIGSEGV, True, FailureKind.KILLED, "killed by SIGSEGV"),
        (-40, False, FailureKind.KILLED, "killed by signal 40"),
        (4, True, FailureKind.LOST, "exit code 4"),
        (0, False, FailureKind.LOST, "exit code 0"),
    ],
)
def test_the_kind_follows_from_the_exit_code(exit_code, is_memory_kill, kind, text):
    """Only SIGKILL can be the kernel's answer to a lack of memory."""
    found, error = death(exit_code, is_memory_kill=is_memory_kill)
    assert found is kind
    assert text in error.message


def test_kills_for_memory_are_counted_from_the_start(tmp_path):
    """Those before are not told, and each growth is told once."""
    counter = tmp_path / "memory.events"
    counter.write_text("oom 9\noom_kill 2\noom_group_kill 7\n")
    kills = MemoryKills(counter)
    assert not kills.has_grown()
    counter.write_text("oom 9\noom_kill 4\noom_group_kill 7\n")
    assert [kills.has_grown(), kills.has_grown()] == [True, False]


def test_without_a_counter_nothing_is_a_kill_for_memory(tmp_path):
    """As on systems other than Linux."""
    assert not MemoryKills(tmp_path / "missing").has_grown()
