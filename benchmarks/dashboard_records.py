"""Fills a store with records as runs leave them, for the dashboard to list."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from stores import Address, ResultsStore, RunInfo, TaskState
from stores.parts import ErrorDetails
from stores.testing import done, put

_ORIGIN = {
    "user": "ada", "host": "node1", "executor": "processes", "python": "3.11.7", "pid": 4711,
    "platform": "Linux-6.1-x86_64", "command": "flowlib run flow.yaml", "folder": "/work/project",
    "git_commit": "3f2a91c0" * 5, "git_branch": "main", "git_dirty": True, "git_diff": "+x\n" * 300,
}  # fmt: skip
_LOAD = Address("Load", "f" * 32)
_FAILED_EACH = 50


def address_of(number: int) -> Address:
    """One of any number of addresses."""
    return Address("Train", hashlib.blake2b(b"%d" % number, digest_size=16).hexdigest())


def fill(store: ResultsStore, count: int) -> None:
    """One task that all others have read, of which each fiftieth has failed."""
    put(store, _LOAD, {"rows": 3}, replace(done(), provenance=_ORIGIN), n=3)
    error = ErrorDetails("ValueError", "loss is nan", "Traceback …")
    for number in range(count - 1):
        is_failed = number % _FAILED_EACH == 0
        made = replace(
            done(TaskState.FAILED if is_failed else TaskState.FINISHED, [_LOAD]),
            started=1.7e9 + number,
            ended=1.7e9 + number + 2,
            error=error if is_failed else None,
            run=RunInfo("demo", f"run-{number % 20}", f"Train-{number}"),
            provenance=_ORIGIN,
        )
        values = {} if is_failed else {"acc": number / count, "loss": 1.0 - number / count}
        put(
            store, address_of(number), values, made, lr=number % 1000 / 1000, seed=number,
            depth=number % 7, optimizer={"name": ("adam", "sgd")[number % 2], "beta": 0.9},
        )  # fmt: skip
