"""
Which runs has a store seen, and how are they now? Their folders tell, whatever ended them.

    running       its process lives, or one on another host has shown life not long ago
    finished      every task has its result
    failed        some task failed, and those behind it were skipped
    refused       it could not begin: no server for its queue, say
    interrupted   a signal stopped it, or its process is gone without a word
    unknown       nothing in the folder can be read, or nothing was written yet
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from flowlib.configuration import settings
from flowlib.errors import NothingSelected, SelectorError, nearest
from flowlib.event_log import EventReader, event_files, event_of, is_gone, read_events
from flowlib.events import Event, RunEnded, RunStarted, TaskEvent
from flowlib.next_commands import store_text
from flowlib.run_folders import MANIFEST, run_folders
from flowlib.run_manifest import states_in
from flowlib.run_requests import RunRequest
from flowlib.run_so_far import LATEST, RunSoFar
from stores import Address, ResultsStore
from stores.lazy_dataclass import dataclass

RUNNING: Final = "running"
FINISHED: Final = "finished"
FAILED: Final = "failed"
REFUSED: Final = "refused"
INTERRUPTED: Final = "interrupted"
UNKNOWN: Final = "unknown"

Told = TypeVar("Told", bound=Event)

_NAMED: Final = 5
"""So many runs are named where one is asked for that there is not."""

_TAIL_BYTES: Final = 1 << 16
"""So much of the end of an event log is looked at for the last event."""

_BAD: Final = frozenset({"failed", "killed", "upstream_failed"})
_WORDS: Final = {"upstream_failed": "skipped", "scheduled": "pending"}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run, as its folder tells.

    Attributes:
        folder: Where its events and logs are.
        name: Of the run; the second of a name ends in `#2`.
        project: Name of the project.
        state: One of the words above.
        started: When it began, in seconds since 1970; None if nobody knows.
        duration_s: For how long it went on, or has been going on.
        total: Its tasks.
        counts: How many of them are in each state, by the words of the vocabulary.
        eta_s: How long it may still take; None if nobody can tell, or it is over.
        stopped_by: The signal that stopped it, if it could be written down.
        driver: What the process that ran it said when it began.
        broken_by: The error for which it was refused or ended, if it is none of a task.
        asked: What it was asked for and has not answered yet, if somebody has looked.
    """

    folder: Path
    name: str
    project: str
    state: str
    started: float | None = None
    duration_s: float | None = None
    total: int = 0
    counts: Mapping[str, int] | None = None
    eta_s: float | None = None
    stopped_by: int | None = None
    driver: RunStarted | None = None
    broken_by: str = ""
    asked: tuple[RunRequest, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it goes on."""
        return self.state == RUNNING


def stored_runs(
    store: ResultsStore, now: float | None = None, known: dict[Path, RunSoFar] | None = None
) -> list[StoredRun]:
    """The runs with a store, those that go on first, then the newest first.

    Folders that cannot be read are told as such; they never keep the others from being listed.

    Args:
        store: The store.
        now: The time, in seconds since 1970.
        known: The caller keeps it from one call to the next, so that logs are not read again.
    """
    moment = time.time() if now is None else now
    before, so_far = known or {}, dict[Path, RunSoFar]()

    def told(folder: Path) -> RunSoFar:
        so_far[folder] = before.get(folder) or RunSoFar(folder)
        return so_far[folder].read()

    found = [_read(folder, moment, told) for folder in _folders(store)]
    if known is not None:
        known.clear()
        known.update(so_far)
    return sorted(found, key=lambda run: (not run.is_live, -(run.started or 0.0), run.name))


def find_run(store: ResultsStore, name: str | None = None) -> StoredRun:
    """The run of a name, or of one that only one run begins with; without a name the newest.

    Raises:
        NothingSelected: there is no run, or none of this name.
        SelectorError: several begin so.
    """
    runs = stored_runs(store)
    if not runs:
        raise NothingSelected(f"{store!r} knows of no run")
    if name is None:
        return runs[0]
    exact = [run for run in runs if name == run.name] or [run for run in runs if _called(run, name)]
    if exact:
        return exact[0]
    begun = [run for run in runs if run.name.startswith(name)]
    if not begun:
        known = [run.name for run in runs]
        hint = nearest(name, known) or f" The last ones are: {', '.join(known[:_NAMED])}"
        raise NothingSelected(f"there is no run {name!r}.{hint}")
    if len(begun) > 1:
        listed = ", ".join(run.name for run in begun[:5])
        raise SelectorError(f"{name!r} means {len(begun)} runs: {listed}")
    return begun[0]


def last_run(store: ResultsStore) -> Path | None:
    """The folder of the run that began last; None if there is none."""
    begun = ((_began(folder), folder) for folder in _folders(store))
    return max(begun, default=(0.0, None), key=lambda each: each[0])[1]


def tasks_of_run(folder: Path) -> dict[str, Address]:
    """The tasks that a run was asked for, by unique name; those that ran, if that is damaged."""
    try:
        nodes: Mapping[str, Any] = json.loads((folder / MANIFEST).read_bytes())["nodes"]
        asked = dict(states_in(nodes))
        return {
            name: Address(spec, key)
            for spec, each in nodes.items()
            for name, key in _names(spec, each["keys"])
            if key in asked
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        tasks = (event.task for event in read_events(folder) if isinstance(event, TaskEvent))
        return {task.unique_name: Address(task.spec, task.key) for task in tasks}


def _names(spec: str, keys: list[str]) -> Iterator[tuple[str, str]]:
    for number, key in enumerate(keys, 1):
        yield (spec if len(keys) == 1 else f"{spec}-{number}"), key


def _folders(store: ResultsStore) -> Iterator[Path]:
    """The folders of the runs with a store; beside many others for a store that is no folder."""
    if store.runs_dir is not None:
        yield from run_folders(store.runs_dir)
        return
    shown = store_text(store)
    for folder in run_folders(None):
        start = _start(folder)
        if start is not None and start.store == shown:
            yield folder


def _read(folder: Path, now: float, so_far: Callable[[Path], RunSoFar]) -> StoredRun:
    start, end = _start(folder), _end(folder)
    project = folder.parent.name
    if start is None:
        return StoredRun(folder, folder.name, project, UNKNOWN, _touched(folder))
    state = INTERRUPTED
    if end is None:
        silent_s = EventReader(folder).silent_s()
        state = state if is_gone(start, silent_s, settings().stale_after_secs) else RUNNING
    elif not end.is_interrupted and end.broken_by:
        state = REFUSED
    elif not end.is_interrupted:
        state = FAILED if _BAD & end.counts.keys() else FINISHED
    if end is not None and end.counts:
        total, counts, last, eta_s = _total(start, end)
    else:
        total, counts, last, eta_s = _told(so_far(folder), start, now if state == RUNNING else None)
    return StoredRun(
        folder,
        _name(folder, start),
        start.project_name,
        state,
        start.at,
        _duration_s(start, end, last),
        total,
        counts,
        eta_s,
        end.stopped_by if end else None,
        start,
        end.broken_by if end else "",
    )


def _duration_s(start: RunStarted, end: RunEnded | None, last: float) -> float:
    is_told = end is not None and 0 <= end.duration_s < LATEST
    return end.duration_s if end is not None and is_told else max(0.0, last - start.at)


_Told = tuple[int, dict[str, int], float, float | None]
"""How many tasks, counts, when the run was heard of last, and how long it may still take."""


def _total(start: RunStarted, end: RunEnded) -> _Told:
    counts = {_WORDS.get(word, word): count for word, count in end.counts.items() if count}
    return max(sum(counts.values()), _known_at_first(start)), counts, end.at, None


def _told(so_far: RunSoFar, start: RunStarted, now: float | None) -> _Told:
    progress, last = so_far.progress, max(start.at, so_far.last)
    words = {word for spec in progress.specs.values() for word in spec.counts}
    counts = {word: count for word in sorted(words) if (count := progress.count(word))}
    total = max(progress.total, _known_at_first(start))
    return total, counts, now or last, None if now is None else progress.eta_s(now)


def _known_at_first(start: RunStarted) -> int:
    """How many tasks were known when a run began; what they return may be more."""
    return sum(each.total for each in start.specs)


def _name(folder: Path, start: RunStarted) -> str:
    """The name of a run, with the number of its folder if it has one."""
    _, mark, number = folder.name.rpartition("#")
    is_numbered = mark and number.isdecimal() and not start.run_name.endswith(f"#{number}")
    return f"{start.run_name}#{number}" if is_numbered else start.run_name


def _called(run: StoredRun, name: str) -> bool:
    return name == run.folder.name or (run.driver is not None and run.driver.run_name == name)


def _began(folder: Path) -> float:
    start = _start(folder)
    return _touched(folder) or 0.0 if start is None else start.at


def _touched(folder: Path) -> float | None:
    try:
        return folder.stat().st_mtime
    except OSError:
        return None


def _start(folder: Path) -> RunStarted | None:
    """What a run said when it began; it is the first line of its driver's file."""
    return _latest(each for each in _events(folder, _first_line) if isinstance(each, RunStarted))


def _end(folder: Path) -> RunEnded | None:
    """What a run said when it was over; it is the last line of its driver's file."""
    return _latest(each for each in _events(folder, _last_line) if isinstance(each, RunEnded))


def _latest(found: Iterable[Told]) -> Told | None:
    return max(found, default=None, key=lambda event: event.at)


def _events(folder: Path, line: Callable[[BinaryIO], bytes]) -> Iterator[Event]:
    for name in event_files(folder):
        with contextlib.suppress(OSError), (folder / name).open("rb") as file:
            event = event_of(line(file))
            if event is not None and 0 <= event.at < LATEST:
                yield event


def _first_line(file: BinaryIO) -> bytes:
    return file.readline()


def _last_line(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    return file.read().rpartition(b"\n")[0].rpartition(b"\n")[2]
