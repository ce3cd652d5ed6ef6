"""
Which words of furu fit what is known of a task? The one table that maps ours to theirs.

    result_status    absent      nothing was ever committed for it
                     incomplete  its last attempt was cut off, skipped or is not over
                     success     some attempt counts
                     failed      its last attempt failed, and none counts
    attempt_status   queued running                  in a run that goes on
                     success failed                  ended by itself
                     cancelled preempted crashed     ended by a user, by a cluster, by an accident
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from stores import TaskState

RESULT: Final = ("absent", "incomplete", "success", "failed")
ATTEMPT: Final = ("queued", "running", "success", "failed", "cancelled", "preempted", "crashed")


class Words(NamedTuple):
    """What furu calls it; the status of an attempt is None where there was none."""

    result: str
    attempt: str | None


ABSENT: Final = Words("absent", None)
"""Of what nothing is known."""

_S: Final = TaskState
_RESULTS: Final[Mapping[TaskState, str]] = {
    _S.FINISHED: "success",
    _S.FAILED: "failed",
    _S.KILLED: "incomplete",
    _S.UPSTREAM_FAILED: "incomplete",
    _S.SAVED: "incomplete",  # saved by hand: never a success
    _S.RUNNING: "incomplete",
    _S.SCHEDULED: "incomplete",
    _S.PENDING: "incomplete",
}
_ATTEMPTS: Final[Mapping[tuple[TaskState, str | None], str]] = {
    # state of the last attempt, type of its error; None: any other, or none
    (_S.FINISHED, None): "success",
    (_S.SAVED, None): "success",
    (_S.FAILED, None): "failed",
    (_S.FAILED, "WorkerDied"): "crashed",
    (_S.FAILED, "OutOfMemory"): "crashed",
    (_S.KILLED, None): "crashed",
    (_S.KILLED, "Preempted"): "preempted",
    (_S.KILLED, "KeyboardInterrupt"): "cancelled",
    (_S.KILLED, "Stopped"): "cancelled",
    (_S.UPSTREAM_FAILED, None): "cancelled",
    (_S.RUNNING, None): "running",
    (_S.SCHEDULED, None): "queued",
    (_S.PENDING, None): "queued",
}
_LIVE: Final[Mapping[str, str]] = {"running": "running", "pending": "queued"}
"""By the words of a run that goes on."""


def words_of(state: str | None, last_state: str | None, error: str, live: str | None) -> Words:
    """Both words for a task.

    Args:
        state: The value of its `TaskState`; None if nothing was committed for it.
        last_state: That of its last attempt.
        error: Type of the error of that; empty if it has none.
        live: How it is in a run that goes on: `running` or `pending`; None if it is in none.
    """
    at_work = None if live is None else _LIVE.get(live)
    if state is None or last_state is None:
        return Words("incomplete" if at_work == "running" else "absent", at_work)
    last = TaskState(last_state)
    ended = _ATTEMPTS.get((last, error)) or _ATTEMPTS[last, None]
    return Words(_RESULTS[TaskState(state)], at_work or ended)
