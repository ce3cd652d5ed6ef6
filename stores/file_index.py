"""
What is known of thousands of keys without opening a record? The index: lines of JSON.

Each writing process appends to a file of its own, so no line is ever torn by another. The index
can be lost at any time: a record that it does not know is opened and indexed again. A process
that replaces an older attempt says so before the commit (`[key, attempt]`), so that a kill between
commit and index line makes the key unknown to the index rather than wrong.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from stores.file_layout import Layout, encoded, make_folder
from stores.record import Record, Status, TaskState, artifact_from_dict, artifact_to_dict

_LONGEST_INLINE: Final = 2048
"""Characters of inline artifacts that an index line holds; larger ones are in the record only."""

_MANY_FILES: Final = 16
"""From this number on the files of dead writers are folded into one."""

IndexEntry = list[Any]
"""key, attempt, state, latest attempt, latest state, facts, artifacts, duration, size of record."""


class FileIndex:
    """The index of one store.

    Args:
        layout: Where it lies.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._writers: dict[str, int] = {}
        self._writer_pid = 0

    def read(self, task: str) -> dict[str, IndexEntry]:
        """The newest entry of every key of a task; keys in doubt are absent."""
        folder = self._layout.index(task)
        try:
            names = os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        entries: dict[str, IndexEntry] = {}
        doubts: dict[str, int] = {}
        for name in names:
            if name.endswith(".jsonl"):
                _merge(_lines(f"{folder}/{name}"), entries, doubts)
        for key, attempt in doubts.items():
            if key in entries and entries[key][3] < attempt:
                del entries[key]
        if len(names) > _MANY_FILES:
            self._fold(folder, names)
        return entries

    def doubt(self, task: str, key: str, attempt: int) -> None:
        """Say that entries of a key before `attempt` are about to be out of date."""
        self._append(task, f"[{json.dumps(key)},{attempt}]\n")

    def add(self, record: Record, size_bytes: int) -> None:
        """Note a record that is in force, and the size of its file."""
        entry = json.dumps(entry_of(record, size_bytes), separators=(",", ":"))
        self._append(record.address.task, f"{entry}\n")

    def close(self) -> None:
        """Close the files that are open for appending."""
        if self._writer_pid == os.getpid():
            for descriptor in self._writers.values():
                os.close(descriptor)
        self._writers.clear()

    def _append(self, task: str, line: str) -> None:
        """One write; an index that cannot be written is no reason to fail."""
        with contextlib.suppress(OSError):
            os.write(self._writer(task), line.encode())

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
            self._writers[task] = descriptor
        return descriptor

    def _fold(self, folder: str, names: list[str]) -> None:
        """Replace the files of dead writers of this host by one."""
        dead = [name for name in names if _is_dead(name)]
        if len(dead) <= _MANY_FILES:
            return
        entries: dict[str, IndexEntry] = {}
        doubts: dict[str, int] = {}
        for name in dead:
            _merge(_lines(f"{folder}/{name}"), entries, doubts)
        lines: list[Any] = [*entries.values(), *([key, n] for key, n in doubts.items())]
        temporary = f"{folder}/.{os.urandom(16).hex()}"
        with contextlib.suppress(OSError):
            with open(temporary, "w", encoding="utf-8") as file:
                for line in lines:
                    file.write(json.dumps(line, separators=(",", ":")) + "\n")
            os.replace(temporary, f"{folder}/folded-{os.urandom(16).hex()}.jsonl")
            for name in dead:
                os.unlink(f"{folder}/{name}")


def entry_of(record: Record, size_bytes: int) -> IndexEntry:
    """The index entry of a record."""
    counts = record.finished or record.latest
    artifacts = [artifact_to_dict(artifact) for artifact in counts.artifacts]
    if sum(len(a.get("text") or a.get("base64") or "") for a in artifacts) > _LONGEST_INLINE:
        artifacts = [_without_value(each) for each in artifacts]
    duration_s = counts.duration_s
    return [
        record.address.key,
        counts.number,
        record.state.value,
        record.latest.number,
        record.latest.state.value,
        dict(counts.facts),
        artifacts,
        None if duration_s is None else round(duration_s, 6),
        size_bytes,
    ]


def status_of(entry: IndexEntry) -> Status:
    """The status that an index entry tells."""
    _, attempt, state, latest, latest_state, facts, artifacts, duration_s, _ = entry
    return Status(
        state=_STATES[state],
        attempt=attempt,
        latest_state=_STATES[latest_state],
        latest_attempt=latest,
        facts=facts,
        artifacts=tuple([artifact_from_dict(each) for each in artifacts]),
        duration_s=duration_s,
    )


_STATES: Final[Mapping[str, TaskState]] = {state.value: state for state in TaskState}


def _without_value(artifact: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in artifact.items() if k not in ("text", "base64")}
    return {**kept, "file": artifact.get("file")}


def _lines(path: str) -> list[Any]:
    """The lines of an index file; a torn or damaged line is left out."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return []
    complete = text[: text.rfind("\n") + 1].rstrip("\n").replace("\n", ",")
    try:
        found: list[Any] = json.loads(f"[{complete}]")
        return found
    except ValueError:
        return [line for each in text.split("\n") if (line := _line(each)) is not None]


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _merge(lines: list[Any], entries: dict[str, IndexEntry], doubts: dict[str, int]) -> None:
    """Keep the entry of the latest attempt of each key, and the latest doubt."""
    for line in lines:
        if not isinstance(line, list) or not line or not isinstance(line[0], str):
            continue
        key = line[0]
        if len(line) == 2:
            doubts[key] = max(doubts.get(key, 0), line[1])
        elif len(line) == 9:
            known = entries.get(key)
            if known is None or known[3] <= line[3]:
                entries[key] = line


def _is_dead(name: str) -> bool:
    host, _, pid = name.removesuffix(".jsonl").rpartition("-")
    if host == "folded":
        return True
    if host != encoded(os.uname().nodename) or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
