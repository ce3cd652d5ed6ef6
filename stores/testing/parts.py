"""What do tests of stores need again and again? Identities, outcomes, owners, a quick commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stores.canonical import encode
from stores.lease import Owner
from stores.record import Address, Attempt, Identity, Input, Record, TaskState
from stores.store import ResultsStore

A = Address("Train", "a" * 32)
B = Address("Train", "b" * 32)
C = Address("Eval", "c" * 32)

NAMES = ["Train", "train", "TRAIN", "a/b", ".x", "..", "x", " ", "ü" * 300, "n" * 500, "n" * 501]
"""Names of tasks and of artifacts that a file system would mix up, hide or refuse."""

VALUES: list[Any] = [
    {"a": [1, 2.5, None, True]},
    [],
    "text\r\nwith\nlines\x00",
    "lone \ud800",
    b"\x00\xff",
    (1, (2, 3)),
    {1: {2}},
    None,
    "",
    b"",
    {},
    float("inf"),
    "x" * 100_000,
    b"y" * 100_000,
    Path("not/a/file"),
]


def identity(address: Address, **config: object) -> Identity:
    """The identity of a task with this config."""
    return Identity(address, None, encode(config), encode(config))


def done(
    state: TaskState = TaskState.FINISHED,
    inputs: Iterable[Address] = (),
    facts: Mapping[str, str] | None = None,
) -> Attempt:
    """What a worker says about an attempt that took two seconds."""
    read = tuple(Input(each.task, each, 1) for each in inputs)
    return Attempt(0, state, started=1.0, ended=3.0, inputs=read, facts=dict(facts or {}))


def put(
    store: ResultsStore,
    address: Address,
    values: Mapping[str, object] | None = None,
    outcome: Attempt | None = None,
    **config: object,
) -> Record:
    """Commit an attempt that saves `values`."""
    attempt = store.begin(address)
    for name, value in (values or {}).items():
        attempt.save(value, name)
    return attempt.commit(identity(address, **config), outcome or done())


def dead_owner() -> Owner:
    """A process of this host that ended when the host was started anew."""
    return replace(Owner.of_this_process(), boot_id="an earlier boot")


def far_owner() -> Owner:
    """A process of another host, of which nobody here can say whether it lives."""
    return Owner("a-host-elsewhere", "its boot", 1, 1)
