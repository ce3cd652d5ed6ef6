"""
What is known of thousands of keys without opening a record? The index: lines of JSON.

Each writing process appends to a file of its own, so no line is ever torn by another. A line holds
the inode, the size and the time of the record file it tells about, and counts only as long as the
file has them: an index that was lost, is old or is wrong costs time, never truth. What it does not
know is opened and indexed again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, overload

from stores.errors import StoreError
from stores.file_layout import Layout, encoded, make_folder
from stores.record import (
    Artifact,
    Record,
    Status,
    TaskState,
    artifact_from_dict,
    artifact_to_dict,
)

_LONGEST_INLINE: Final = 2048
"""Characters of inline artifacts that an index line holds; larger ones are in the record only."""

_MANY_FILES: Final = 16
"""From this number on the files of dead writers are folded into one."""

IndexEntry = list[Any]
"""key, inode, size and time of its record, then what a `Status` says."""

_FIELDS: Final = 12
_TIME: Final = 3
_ARTIFACTS: Final = 9
HAS_FILES: Final = 11
"""Where an entry tells whether an artifact of the attempt that counts is a file of its own."""


class FileIndex:
    """The index of one store, and what this process has read of it.

    Args:
        layout: Where it lies.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._entries: dict[str, dict[str, IndexEntry]] = {}
        self._offsets: dict[str, int] = {}
        self._writers: dict[str, int] = {}
        self._writer_pid = 0

    def known(self, task: str) -> dict[str, IndexEntry]:
        """The newest entry of every key of a task, as far as they were read before."""
        return self._entries.setdefault(task, {})

    def refreshed(self, task: str) -> dict[str, IndexEntry]:
        """The newest entry of every key of a task; reads only what was written since."""
        entries = self.known(task)
        folder = self._layout.index(task)
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return entries
        for name in names:
            if name.endswith(".jsonl"):
                self._merge(self._new_lines(f"{folder}/{name}"), entries)
        dead = [name for name in names if _is_of_dead(name)] if len(names) > _MANY_FILES else []
        if len(dead) > _MANY_FILES:
            self._fold(folder, dead)
        return entries

    def add(self, record: Record, found: os.stat_result) -> None:
        """Note a record that lies in the file that was found; without raising: it can be lost."""
        entry = entry_of(record, found)
        line = json.dumps(entry, separators=(",", ":")) + "\n"
        with contextlib.suppress(OSError, StoreError):
            os.write(self._writer(record.address.task), line.encode())

    def close(self) -> None:
        """Close the files that are open for appending."""
        if self._writer_pid == os.getpid():
            for descriptor in self._writers.values():
                os.close(descriptor)
        self._writers.clear()

    def _writer(self, task: str) -> int:
        if self._writer_pid != os.getpid():  # a fork must not append to its parent's file
            self._writers.clear()
            self._writer_pid = os.getpid()
        descriptor = self._writers.get(task)
        if descriptor is None:
            folder = self._layout.index(task)
            make_folder(folder)
            path = f"{folder}/{encoded(os.uname().nodename)}-{os.getpid()}.jsonl"
            descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
            if os.fstat(descriptor).st_size:  # of a process that had this number before
                os.write(descriptor, b"\n")
            self._writers[task] = descriptor
        return descriptor

    def _new_lines(self, path: str) -> list[Any]:
        """The lines after those read before; a torn or damaged one is left out."""
        offset = self._offsets.get(path, 0)
        try:
            if os.stat(path).st_size == offset:
                return []
            with open(path, "rb") as file:
                file.seek(offset)
                data = file.read()
        except OSError:
            return []
        data = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = offset + len(data)
        return _parsed(data.decode("utf-8", "replace"))

    def _merge(self, lines: list[Any], entries: dict[str, IndexEntry]) -> None:
        """Keep the entry of the newest record of each key."""
        for line in lines:
            if type(line) is not list or len(line) != _FIELDS:
                continue  # of another version, or damaged
            known = entries.get(line[0])
            if known is None or known[_TIME] <= line[_TIME]:
                entries[line[0]] = line

    def _fold(self, folder: str, dead: list[str]) -> None:
        """Replace the files of dead writers of this host by one.

        Somebody else may do the same at the same time: then some lines are there twice.
        """
        entries: dict[str, IndexEntry] = {}
        for name in dead:
            path = f"{folder}/{name}"
            self._offsets.pop(path, None)
            self._merge(self._new_lines(path), entries)
        lines = [json.dumps(entry, separators=(",", ":")) for entry in entries.values()]
        temporary = f"{folder}/.{os.urandom(16).hex()}"
        with contextlib.suppress(OSError):
            with open(temporary, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
            os.replace(temporary, f"{folder}/folded-{os.urandom(16).hex()}.jsonl")
            for name in dead:
                os.unlink(f"{folder}/{name}")
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def entry_of(record: Record, found: os.stat_result) -> IndexEntry:
    """The index entry of a record that lies in the file that was found."""
    counts = record.finished or record.latest
    artifacts = [artifact_to_dict(artifact) for artifact in counts.artifacts]
    if sum(len(a.get("text") or a.get("base64") or "") for a in artifacts) > _LONGEST_INLINE:
        artifacts = [_without_value(each) for each in artifacts]
    duration_s = counts.duration_s
    return [
        record.address.key,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        counts.number,
        record.state.value,
        record.latest.number,
        record.latest.state.value,
        dict(counts.facts),
        artifacts,
        None if duration_s is None else round(duration_s, 6),
        any("file" in each for each in artifacts),
    ]


def is_about(entry: IndexEntry | None, found: os.stat_result) -> bool:
    """Whether an entry tells about the record file that was found."""
    return (
        entry is not None
        and entry[_TIME] == found.st_mtime_ns
        and entry[1] == found.st_ino
        and entry[2] == found.st_size
    )


def status_of(entry: IndexEntry) -> Status:
    """The status that an index entry tells."""
    _, _, _, _, attempt, state, latest, latest_state, facts, artifacts, duration_s, _ = entry
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


_STATES: Final[Mapping[str, TaskState]] = {state.value: state for state in TaskState}


def _without_value(artifact: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in artifact.items() if key not in ("text", "base64")}


def _parsed(text: str) -> list[Any]:
    """The lines of JSON in a text that can be read."""
    joined = text.strip("\n").replace("\n\n", "\n").replace("\n", ",")
    try:
        found: list[Any] = json.loads(f"[{joined}]")
        return found
    except ValueError:
        return [line for each in text.split("\n") if (line := _line(each)) is not None]


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_of_dead(name: str) -> bool:
    host, _, pid = name.removesuffix(".jsonl").rpartition("-")
    if host == "folded":
        return True
    if host != encoded(os.uname().nodename) or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
