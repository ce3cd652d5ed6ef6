"""How are values saved, opened and deleted outside a run? In an attempt that is never a success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stores import matching
from stores.attempt import OpenAttempt
from stores.files import File


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


def _commit(attempt: OpenAttempt, config: Mapping[str, Any]) -> None:
    if attempt.previous is not None:
        identity = attempt.previous.identity
    else:
        identity = matching.saved_identity(attempt.address, config)
    attempt.commit(identity, matching.saved_outcome(attempt.previous))
