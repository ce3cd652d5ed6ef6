"""One task for each word of furu, in a store of any kind, and what is known of each."""

from __future__ import annotations

from dataclasses import replace

from stores import Address, RunInfo, TaskState
from stores.parts import ErrorDetails
from stores.testing import done, put

S = TaskState
CASES = {
    # key: state of the attempt, type of its error, result_status, attempt_status
    "a": (S.FINISHED, "", "success", "success"),
    "b": (S.FAILED, "ValueError", "failed", "failed"),
    "c": (S.FAILED, "WorkerDied", "failed", "crashed"),
    "d": (S.KILLED, "WorkerDied", "incomplete", "crashed"),
    "e": (S.KILLED, "OutOfMemory", "incomplete", "crashed"),
    "f": (S.KILLED, "Preempted", "incomplete", "preempted"),
    "0": (S.KILLED, "KeyboardInterrupt", "incomplete", "cancelled"),
    "1": (S.KILLED, "Stopped", "incomplete", "cancelled"),
    "2": (S.UPSTREAM_FAILED, "UpstreamFailed", "incomplete", "cancelled"),
    "3": (S.SAVED, "", "incomplete", "success"),
}


def address(key):
    return Address("Train", key * 32)


def fill(store):
    """A record for each case; lr is its place."""
    for place, (key, (state, error, _, _)) in enumerate(CASES.items()):
        told = ErrorDetails(error, "it went wrong", "") if error else None
        made = replace(
            done(state),
            error=told,
            started=1000.0 + 10 * place,
            ended=1005.0 + 10 * place,
            run=RunInfo("demo", "exp", f"Train-{place}"),
            provenance={
                "user": "ada" if place % 2 else "bob",
                "executor": "slurm" if place < 3 else "inline",
            },
        )
        put(
            store,
            address(key),
            {"acc": place} if state is S.FINISHED else {},
            made,
            lr=place / 10,
            model={"depth": place},
        )
    return store


def ids(*keys):
    return [f"Train/{key * 8}" for key in keys]


def in_order(keys):
    """Their ids, the newest first."""
    return ids(*sorted(keys, key=list(CASES).index, reverse=True))
