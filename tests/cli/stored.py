"""A store with a few records of known keys, times and states, for commands that read it."""

from __future__ import annotations

from dataclasses import replace

from stores import Address, LocalFileStore, Owner, RunInfo, TaskState
from stores.parts import ErrorDetails
from stores.testing import done, put

FETCH = Address("Fetch", "f0" * 16)
SLOW = Address("Train", "9a7a08b2" + "0" * 24)
FAST = Address("Train", "9a11" + "0" * 28)
BEST = Address("Best", "b0" * 16)
ERROR = ErrorDetails(
    "ValueError", "loss is nan", 'Traceback\n  File "my.py", line 3\nValueError: loss is nan\n'
)

MACHINE = {
    "host": "h1", "user": "ada", "python": "3.11.7", "git_commit": "3f2a91c0" * 5,
    "git_dirty": True, "command": "flowlib run flow.yaml", "folder": "/work",
}  # fmt: skip


def outcome(state=TaskState.FINISHED, inputs=(), *, run="exp", name="", ended=100.0, **more):
    found = done(state, inputs)
    return replace(
        found,
        started=ended - 2.0,
        ended=ended,
        run=RunInfo("demo", run, name),
        owner=Owner("h1", "b", 12, 1),
        provenance={**MACHINE, **more.pop("provenance", {})},
        **more,
    )


def filled(folder):
    """A store in `.flowlib` with four records: two finished, one failed, one skipped."""
    (folder / "flowlib.toml").write_text("")
    store = LocalFileStore(folder / ".flowlib")
    put(store, FETCH, {"data": [1, 2]}, outcome(name="Fetch", ended=90.0), n=3)
    values = {"acc": 0.9312, "model": {1, 2}, "big": "x" * 20_000}
    put(store, SLOW, values, outcome(inputs=[FETCH], name="Train-1"), lr=0.001, batch=64)
    failed = outcome(TaskState.FAILED, [FETCH], name="Train-2", ended=110.0, error=ERROR)
    put(store, FAST, {}, failed, lr=10.0, batch=64)
    put(store, BEST, {}, outcome(TaskState.UPSTREAM_FAILED, [SLOW], name="Best", ended=111.0))
    return store
