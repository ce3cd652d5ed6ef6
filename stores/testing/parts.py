"""What do tests of stores need again and again? Identities, outcomes, owners, a quick commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from stores.canonical import encode
from stores.lease import Owner
from stores.record import Address, Attempt, Identity, Input, Record, TaskState
from stores.store import ResultsStore


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
