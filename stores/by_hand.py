"""How is something saved, opened, deleted or told outside a run? In an attempt, never a success."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stores import ancestry, matching
from stores.attempt import OpenAttempt
from stores.errors import RecordMissing
from stores.files import File
from stores.primitives import StorePrimitives
from stores.record import Address, Record
from stores.values import StoreContext


def save(
    attempt: OpenAttempt,
    value: object,
    name: str,
    type_: str | None,
    config: Mapping[str, Any],
    **options: Any,
) -> None:
    """Save a value beside those saved by hand before, and commit."""
    try:
        attempt.carry_over(matching.saved_artifacts(attempt.previous))
        attempt.save(value, name, type_, **options)
        _commit(attempt, config)
    except BaseException:
        attempt.abandon()
        raise


def delete(attempt: OpenAttempt, name: str) -> None:
    """Commit all artifacts in force but one; a success is none any more."""
    record = attempt.previous
    if record is None:
        attempt.abandon()
        return
    kept = matching.without(record, name)
    attempt.carry_over({each.name: each for each in kept})
    attempt.commit(record.identity, matching.saved_outcome(record), keeps_finished=False)


def amend(attempt: OpenAttempt, facts: Mapping[str, str], provenance: Mapping[str, Any]) -> Record:
    """Give the success in force other facts, and commit; all else about it stays as it is.

    Args:
        attempt: A new one, which is not counted as a success.
        facts: All that are told from now on.
        provenance: Of the new attempt: why it was made.

    Raises:
        RecordMissing: there is no success.
    """
    record = attempt.previous
    if record is None or record.finished is None:
        attempt.abandon()
        raise RecordMissing(f"{attempt.address} has no success")
    try:
        attempt.carry_over(matching.saved_artifacts(record))
        outcome = replace(matching.saved_outcome(record), provenance=provenance)
        return attempt.commit(record.identity, outcome, finished_facts=facts)
    except BaseException:
        attempt.abandon()
        raise


def opened(
    attempt: OpenAttempt,
    name: str | None,
    mode: str | None,
    type_: str | None,
    sub_dir: str | None,
    config: Mapping[str, Any],
    **open_kwargs: Any,
) -> File:
    """Open a file that becomes an artifact when it is closed."""
    try:
        if attempt.previous is not None:
            attempt.carry_over(matching.saved_artifacts(attempt.previous))
            in_force = matching.artifacts_in_force(attempt.previous)
            if name in in_force and mode is not None and "w" not in mode:
                attempt.carry_over({name: in_force[name][1]})
        file = attempt.open(name, mode or "r", type_, sub_dir=sub_dir, **open_kwargs)
    except BaseException:
        attempt.abandon()
        raise
    file.on_close(lambda: _commit(attempt, config))
    return file


def context(store: StorePrimitives, address: Address | None) -> StoreContext:
    """The folder and the counter of a task, as far as the store has them."""
    record = None if address is None else store.record(address)
    if record is None:
        return StoreContext()
    folder = store.record_folder(record.address)
    run = ancestry.counting(record).run
    return StoreContext(
        run_dir=None if folder is None else str(folder),
        sweep_counter=None if run is None else run.sweep_counter,
    )


def values(store: StorePrimitives, address: Address | None) -> dict[str, Any] | None:
    """All values of a task by name; None if it has none."""
    record = None if address is None else store.record(address)
    if address is None or record is None:
        return None
    found = matching.artifacts_in_force(record).items()
    loaded = {n: store.load_artifact(address, at.number, each) for n, (at, each) in found}
    return loaded or None


def _commit(attempt: OpenAttempt, config: Mapping[str, Any]) -> None:
    if attempt.previous is not None:
        identity = attempt.previous.identity
    else:
        identity = matching.saved_identity(attempt.address, config)
    attempt.commit(identity, matching.saved_outcome(attempt.previous))
