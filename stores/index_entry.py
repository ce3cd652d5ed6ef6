"""
What does one line of the index say?

The place of a record file, then what a `Status` says, then when the attempt that counts began and
ended.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final, NamedTuple, overload

from stores.part_kinds import is_time
from stores.part_texts import compact, moment_text
from stores.record import (
    Artifact,
    Record,
    RecordText,
    Status,
    TaskState,
    artifact_from_dict,
    artifact_to_dict,
)

_LONGEST_INLINE: Final = 2048
"""Characters of inline artifacts that an index line holds; larger ones are in the record only."""

IndexEntry = list[Any]
"""key, inode, size and time of its record, then what a `Status` says, then two times."""

FIELDS: Final = 14
"""How many an entry has."""

TOLD: Final = 8
"""How many of these are what a `Status` says."""

TIME: Final = 3
"""Where an entry has the time of its record file, in nanoseconds."""

_ARTIFACTS: Final = 9
HAS_FILES: Final = 11
"""Where an entry tells whether an artifact of the attempt that counts is a file of its own."""


def entry_of(record: Record, found: os.stat_result) -> IndexEntry:
    """The index entry of a record that lies in the file that was found."""
    place = found.st_ino, found.st_size, found.st_mtime_ns
    counts = record.finished or record.latest
    moments = _rounded(counts.started), _rounded(counts.ended)
    return [record.address.key, *place, *told_of(record), *moments]


def line_of(record: Record, text: RecordText, found: os.stat_result) -> str:
    """The same entry as text, made from that of the record, which was just written."""
    counts, latest = record.finished or record.latest, record.latest
    inline_chars, has_files = 0, False
    for each in counts.artifacts:
        if each.inline is None:
            has_files = True
        else:
            inline_chars += len(each.inline)
    if inline_chars > _LONGEST_INLINE:
        return compact(entry_of(record, found))
    return (
        f"[{quoted(record.address.key)},{found.st_ino},{found.st_size},{found.st_mtime_ns},"
        f'{counts.number},"{record.state._value_}",{latest.number},"{latest.state._value_}",'
        f"{text.facts},{text.artifacts},{moment_text(counts.duration_s)},"
        f"{'true' if has_files else 'false'},{text.started},{text.ended}]"
    )


def _rounded(moment: float | None) -> float | None:
    """A moment as records have it."""
    return None if moment is None else round(moment, 6)


def told_of(record: Record) -> list[Any]:
    """What a `Status` says of a record, for JSON; `status_told` reads it."""
    counts = record.finished or record.latest
    artifacts = [artifact_to_dict(artifact) for artifact in counts.artifacts]
    if sum([len(each.inline or "") for each in counts.artifacts]) > _LONGEST_INLINE:
        artifacts = [_without_value(each) for each in artifacts]
    duration_s = counts.duration_s
    return [
        counts.number,
        record.state.value,
        record.latest.number,
        record.latest.state.value,
        dict(counts.facts),
        artifacts,
        _rounded(duration_s),
        any("file" in each for each in artifacts),
    ]


def is_about(entry: IndexEntry | None, found: os.stat_result) -> bool:
    """Whether an entry tells about the record file that was found."""
    return (
        entry is not None
        and entry[TIME] == found.st_mtime_ns
        and entry[1] == found.st_ino
        and entry[2] == found.st_size
    )


def status_of(entry: IndexEntry) -> Status:
    """The status that an index entry tells."""
    return status_told(entry[TIME + 1 : TIME + 1 + TOLD])


def status_told(told: Sequence[Any]) -> Status:
    """The status that `told_of` has written.

    Raises:
        ValueError: a part is of another kind than any that was written.
        LookupError: it has another state; TypeError, where that is no text.
    """
    attempt, state, latest, latest_state, facts, artifacts, duration_s, _ = told
    if not (
        type(attempt) is type(latest) is int
        and type(facts) is dict
        and (duration_s is None or is_time(duration_s))
        and _are_artifacts(artifacts)
    ):
        raise ValueError("a part of an index line is of another kind")
    return Status(
        _STATES[state],
        attempt,
        _STATES[latest_state],
        latest,
        facts,
        _Artifacts(artifacts),
        (),
        (),
        duration_s,
    )


def _are_artifacts(parts: object) -> bool:
    """Whether `artifact_from_dict` reads them: now, as whoever does so later expects no damage."""
    if type(parts) is not list:
        return False
    for part in parts:
        if type(part) is not dict or not ("name" in part and "type" in part and "bytes" in part):
            return False
        for name, value in part.items():
            if type(value) is not _KINDS.get(name):
                return False
    return True


_KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys(("name", "type", "text", "base64", "digest", "encoding", "file"), str),
    **dict.fromkeys(("bytes", "codec_version"), int),
    "load_kwargs": dict,
}


class _Artifacts(Sequence[Artifact]):
    """Artifacts that are made from their JSON when they are looked at: most never are."""

    __slots__ = ("_parts",)

    def __init__(self, parts: list[dict[str, Any]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> Artifact: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Artifact]: ...
    def __getitem__(self, index: int | slice) -> Artifact | Sequence[Artifact]:
        return tuple(map(artifact_from_dict, self._parts))[index]

    def __iter__(self) -> Iterator[Artifact]:
        return map(artifact_from_dict, self._parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # equal to any sequence of the same artifacts

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __reduce__(self) -> tuple[object, ...]:
        return tuple, (tuple(self),)


def artifact_in(entry: IndexEntry, name: str) -> dict[str, Any] | None:
    """The JSON form of an artifact in force; None if the entry cannot tell."""
    if entry[7] == TaskState.SAVED.value:
        return None
    for artifact in entry[_ARTIFACTS]:
        if artifact["name"] == name:
            return artifact if artifact.keys() & {"file", "text", "base64"} else None
    return None


class Listed(NamedTuple):
    """What a list has to know of a record to put it on a page.

    Attributes:
        key: Its key.
        inode: Of its file, as `narrow` has it.
        stamp: Size and time of its file, as the index has them: `2197,1795323335050118840`.
        state: The value of its `TaskState`; None if it cannot be read.
        started: When the attempt began that counts, else the last one; Unix time.
        ended: When it ended.
    """

    key: str
    inode: int
    stamp: str
    state: str | None
    started: float | None
    ended: float | None


ListedParts = tuple[str, int, str, str | None, float | None, float | None]
"""The same without names, as there are a hundred thousand of them."""


def narrow(inode: int) -> int:
    """The number of a file as tables have it: some file systems give larger ones than SQLite."""
    return inode & _LARGEST


def stamp_of(size: int, time_ns: int) -> str:
    """Size and time of a file in one."""
    return f"{size},{time_ns}"


def time_of(stamp: str) -> int:
    """The time in a stamp, in nanoseconds."""
    return int(stamp.partition(",")[2])


def listed_in(text: str) -> list[ListedParts]:
    """What lines of the index say for a list; those that say nothing are left out.

    The lines are read as text, many times as fast as JSON, if their keys are digests; the others
    come last.
    """
    found = _LINE.findall(text)
    usual: list[ListedParts] = [
        (
            key, int(inode), stamp, state,
            float(started) if started else None, float(ended) if ended else None,
        )
        for key, inode, stamp, state, started, ended, _ in found
        if state in _STATES
    ]  # fmt: skip
    return usual + [each for *_, line in found if line and (each := _listed_by(line))]


def _listed_by(line: str) -> Listed | None:
    try:
        entry = json.loads(line)
        key, inode, size, time_ns = entry[: TIME + 1]
        times = [each if each is None else float(each) for each in entry[-2:]]
        listed = Listed(key, inode, stamp_of(size, time_ns), entry[5], *times)
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        return None
    is_sound = (
        len(entry) == FIELDS
        and type(key) is type(listed.state) is str
        and all(type(each) is int and each >= 0 for each in (inode, size, time_ns))
        and max(narrow(inode), size, time_ns) <= _LARGEST
        and listed.state in _STATES
        and all(each is None or type(each) in (int, float) for each in entry[-2:])
    )
    return listed._replace(inode=narrow(inode)) if is_sound else None


_LARGEST: Final = (1 << 63) - 1
_MOMENT: Final = r"(?:null|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))"
_LINE: Final = re.compile(
    r'^(?:\["([0-9a-z]{1,120})",(\d{1,18}),(\d{1,18},[1-8]?\d{1,18}),\d+,"([a-z_]+)",.*e,'
    rf"(?:(?<=true,)|(?<=false,)){_MOMENT},{_MOMENT}\]|(.+))$",
    re.MULTILINE | re.ASCII,
)
"""An `e` before the times is looked for, and then for the word: ten times as fast as for both."""

_STATES: Final[Mapping[str, TaskState]] = {state.value: state for state in TaskState}


def _without_value(artifact: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in artifact.items() if key not in ("text", "base64")}
