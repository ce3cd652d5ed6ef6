"""What does a listing tell of a record? Little, so that ten thousand are read in a moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from stores.canonical import decode
from stores.opaque import untag
from stores.record import SCHEMA, Address, Attempt, Record

_PROVENANCE: Final = ',"provenance":{'
_COUNTS: Final = '"counts":true}'
_TAG: Final = '{"$'


class Summary(NamedTuple):
    """One record, as a list shows it.

    Attributes:
        address: Where it lies.
        state: The value of its `TaskState`: finished if some attempt counts.
        config: What the task was given, defaults included.
        given: The names in it that the user gave.
        started: When the attempt began that counts, else the last one; Unix time.
        ended: When it ended.
        run: Name of the run that made it; empty if none did.
        unique_name: What it was called there.
        last_state: The value of the state of the last attempt; one that failed leaves what counts.
    """

    address: Address
    state: str
    config: Mapping[str, Any]
    given: tuple[str, ...]
    started: float | None
    ended: float | None
    run: str
    unique_name: str
    last_state: str

    @property
    def duration_s(self) -> float | None:
        """How long the attempt took."""
        return None if self.started is None or self.ended is None else self.ended - self.started

    @property
    def ended_at(self) -> float | None:
        """When it ended, or at least began."""
        return self.started if self.ended is None else self.ended


def summary_of(record: Record) -> Summary:
    """What a list shows of a record."""
    attempt: Attempt = record.finished or record.latest
    run = attempt.run
    return Summary(
        record.address,
        record.state.value,
        _read(record.identity.config),
        tuple(_read(record.identity.user_config)),
        attempt.started,
        attempt.ended,
        "" if run is None else run.run_name,
        "" if run is None else run.unique_name,
        record.latest.state.value,
    )


def summary_in(text: str) -> Summary | None:
    """What a list shows of a record in the form of `Record.to_json`; None if it cannot tell.

    Where a result comes from is the longest part of most records and is not read. What is no
    record of this schema must be read as a whole to know why.
    """
    try:
        return _summary(_shortened(text))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def _shortened(text: str) -> dict[str, Any]:
    """A record without the provenance of its last attempt.

    Text that only looks like one, in a config for instance, leaves no JSON when it is cut, or
    none with all parts of a record.
    """
    counts = text.rstrip().endswith(_COUNTS)
    at = text.rfind(_PROVENANCE)
    head = text if at < 0 else f"{text[:at]}}}}}"
    found: dict[str, Any] = json.loads(head, object_hook=untag if _TAG in head else None)
    return found if at < 0 else {**found, "counts": counts}


def _summary(found: dict[str, Any]) -> Summary | None:
    latest = found["latest"]
    if found["schema"] != SCHEMA:
        return None
    attempt = latest if found["counts"] else found["finished"] or latest
    run = attempt.get("run") or ("", "", "")
    is_success = found["counts"] or found["finished"]
    return Summary(
        Address(found["task"], found["key"]),
        "finished" if is_success else latest["state"],
        found["config"],
        tuple(found["user_config"]),
        attempt.get("started"),
        attempt.get("ended"),
        run[1],
        run[2],
        latest["state"],
    )


def _read(text: str) -> Mapping[str, Any]:
    found = decode(text) if _TAG in text else json.loads(text)
    return found if isinstance(found, dict) else {}
