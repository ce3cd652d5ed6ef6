"""What does a listing tell of a record? Little, so that ten thousand are read in a moment."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from stores.canonical import decode
from stores.opaque import untag
from stores.part_kinds import NUMBER, PARTS, TEXT, check_kinds, is_time
from stores.parts import STATES
from stores.record import SCHEMA, Address, Attempt, Record

_PROVENANCE: Final = ',"provenance":{'
_COUNTS: Final = '"counts":true}'
_TAG: Final = '{"$'


class More(NamedTuple):
    """What a list may be searched by, or drawn from, at some cost for each record.

    Attributes:
        attempt: Number of the last attempt.
        last_ended: When it ended, or at least began; Unix time.
        error: Type of its error; empty if it has none.
        host: Where the attempt was made that counts, else the last one; empty if nobody knows.
        user: Whose run made it.
        executor: What executed it.
        inputs: What it has read, and what it has its results from, which it has returned as specs.
    """

    attempt: int
    last_ended: float | None
    error: str
    host: str
    user: str
    executor: str
    inputs: tuple[Address, ...]


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
        more: What only long lists tell.
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
    more: More | None = None

    @property
    def duration_s(self) -> float | None:
        """How long the attempt took."""
        return None if self.started is None or self.ended is None else self.ended - self.started

    @property
    def ended_at(self) -> float | None:
        """When it ended, or at least began."""
        return self.started if self.ended is None else self.ended


def summary_of(record: Record) -> Summary:
    """What a list shows of a record, a long one too."""
    attempt: Attempt = record.finished or record.latest
    run, latest, told = attempt.run, record.latest, attempt.provenance
    more = More(
        latest.number,
        latest.started if latest.ended is None else latest.ended,
        "" if latest.error is None else latest.error.type_,
        _host("" if attempt.owner is None else attempt.owner.host, told),
        _word(told.get("user")),
        _word(told.get("executor")),
        tuple(each.address for each in (*attempt.inputs, *attempt.grown)),
    )
    return Summary(
        record.address,
        record.state.value,
        _read(record.identity.config),
        tuple(_read(record.identity.user_config)),
        attempt.started,
        attempt.ended,
        "" if run is None else run.run_name,
        "" if run is None else run.unique_name,
        latest.state.value,
        more,
    )


def summary_in(text: str, *, is_long: bool = False) -> Summary | None:
    """What a list shows of a record in the form of `Record.to_json`; None if it cannot tell.

    Where a result comes from is the longest part of most records and is not read. What is no
    record of this schema must be read as a whole to know why.

    Args:
        text: The record.
        is_long: Whether it is for a long list.
    """
    try:
        found, origin = _shortened(text)
        summary = _summary(found)
        if summary is None or not is_long:
            return summary
        return summary._replace(more=_more(found, origin))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def _shortened(text: str) -> tuple[dict[str, Any], str]:
    """A record without the provenance of its last attempt, and that as text.

    Text that only looks like one, in a config for instance, leaves no JSON when it is cut, or
    none with all parts of a record.
    """
    counts = text.rstrip().endswith(_COUNTS)
    at = text.rfind(_PROVENANCE)
    head = text if at < 0 else f"{text[:at]}}}}}"
    found: dict[str, Any] = json.loads(head, object_hook=untag if _TAG in head else None)
    if at < 0:
        return found, ""
    return {**found, "counts": counts}, text[at + len(_PROVENANCE) - 1 :]


def _summary(found: dict[str, Any]) -> Summary | None:
    latest = found["latest"]
    if found["schema"] != SCHEMA:
        return None
    attempt = latest if found["counts"] else found["finished"] or latest
    run = attempt.get("run") or ("", "", "")
    started, ended = attempt.get("started"), attempt.get("ended")
    check_kinds((found["config"], found["user_config"]), PARTS)
    check_kinds((found["task"], found["key"], run[1], run[2]), TEXT)
    if latest["state"] not in STATES or not (is_time(started) and is_time(ended)):
        return None
    is_success = found["counts"] or found["finished"]
    return Summary(
        Address(found["task"], found["key"]),
        "finished" if is_success else latest["state"],
        found["config"],
        tuple(found["user_config"]),
        started,
        ended,
        run[1],
        run[2],
        latest["state"],
    )


def _more(found: dict[str, Any], origin: str) -> More:
    latest = found["latest"]
    attempt = latest if found["counts"] else found["finished"] or latest
    told = _Origin(origin) if attempt is latest else attempt.get("provenance", {})
    owner, error = attempt.get("owner"), latest.get("error")
    name = error["type_"] if error else ""
    inputs = (*attempt.get("inputs", ()), *attempt.get("grown", ()))
    last_ended = latest.get("ended", latest.get("started"))
    check_kinds((latest["number"],), NUMBER)
    check_kinds([name, *[part for each in inputs for part in each[1:3]]], TEXT)
    if not is_time(last_ended):
        raise ValueError("no time")
    return More(
        latest["number"],
        last_ended,
        name,
        _host(owner[0] if owner else "", told),
        _word(told.get("user")),
        _word(told.get("executor")),
        tuple([Address(each[1], each[2]) for each in inputs]),
    )


class _Origin:
    """The provenance at the end of a record, of which a few words are looked up as text.

    In JSON a quote within a text has a backslash before it, so that `"user":"` can only be a key;
    where it stands twice, one of them is deeper, and all is read.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def get(self, name: str) -> object:
        """The text of a name; None if there is none."""
        text, mark = self._text, f'"{name}":"'
        at = text.find(mark)
        if at < 0:
            return None
        start = at + len(mark)
        end = text.find('"', start)
        value = text[start:end]
        if end < 0 or "\\" in value or text.find(mark, end) >= 0:
            return json.JSONDecoder().raw_decode(text)[0].get(name)
        return value


class _Told(Protocol):
    """Something that tells words by name."""

    def get(self, name: str, /) -> object: ...


def _host(of_owner: object, told: _Told) -> str:
    """Where an attempt was made; of one whose worker died, where its driver was."""
    return _word(of_owner) or _word(told.get("host"))


def _word(value: object) -> str:
    return sys.intern(value) if type(value) is str else ""


def _read(text: str) -> Mapping[str, Any]:
    found = decode(text) if _TAG in text else json.loads(text)
    return found if isinstance(found, dict) else {}
