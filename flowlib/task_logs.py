"""What did tasks print and log? The logs of a run or of one task, also while they grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from pathlib import Path
from typing import Final

from flowlib.errors import NothingSelected, SelectorError, nearest
from flowlib.event_log import follow_events, read_events
from flowlib.events import Event, Failed, Finished, Retried, RunEnded, Started, TaskRef
from flowlib.log_names import LogNames
from flowlib.run_folders import recorded_log
from flowlib.stored_runs import StoredRun, find_run, stored_runs, tasks_of_run
from flowlib.stored_selection import select_record
from stores import Address, ResultsStore
from stores.lazy_dataclass import dataclass

_LONGEST_LINE: Final = 1 << 20
"""Bytes after which a line that has no end yet is shown as it is."""


@dataclass(frozen=True, slots=True)
class TaskLog:
    """The log of one try of one task.

    Attributes:
        path: The file; it is there when something was printed.
        task: Whose it is.
        worker: Who ran it, `w0 cuda:1`; empty if not known.
    """

    path: Path
    task: TaskRef
    worker: str = ""


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where the logs are that a user means.

    Attributes:
        folder: The folder of the run.
        address: The one task; None for all of the run.
        is_live: Whether the run goes on.
        run: Name of the run, where all of it is meant.
    """

    folder: Path
    address: Address | None = None
    is_live: bool = False
    run: str = ""

    def logs(self) -> list[TaskLog]:
        """The logs so far, in the order in which the tasks began; each try has its own."""
        return [*_LogStory(self).told(read_events(self.folder))]


@dataclass(slots=True)
class _LogStory:
    """Which logs are there, as far as the events tell?"""

    place: LogPlace
    names: LogNames = field(init=False)
    is_over: bool = False

    def __post_init__(self) -> None:
        self.names = LogNames(self.place.folder)

    def told(self, events: Iterable[Event]) -> Iterator[TaskLog]:
        """The logs that events tell of."""
        wanted = self.place.address
        for event in events:
            if isinstance(event, Started):
                task = event.task
                name = self.names.name(task.spec, task.key)
                if wanted is None or wanted == Address(task.spec, task.key):
                    worker = f"w{event.worker} {event.resource}".rstrip()
                    yield TaskLog(self.place.folder / name, task, worker)
            elif isinstance(event, Retried):
                self.names.next_try(event.task.key)
            elif isinstance(event, RunEnded):
                self.is_over = True
            elif isinstance(event, (Finished, Failed)):
                self.is_over |= wanted == Address(event.task.spec, event.task.key)


def find_logs(store: ResultsStore, text: str | None = None) -> LogPlace:
    """Where the logs are that a text means: a run, a task in the store or in a run that goes on.

    Args:
        store: The store.
        text: Name of a run, or a selector of one task; None is the newest run.

    Raises:
        NothingSelected: it is neither, or its logs are not there any more.
        SelectorError: it means several.
    """
    if text is None:
        return _of_run(find_run(store))
    runs = stored_runs(store)
    named = next((run for run in runs if text in (run.name, run.folder.name)), None)
    if named is not None:
        return _of_run(named)
    live = _in_runs([run for run in runs if run.is_live], text)
    if live is not None:
        return live
    try:
        return _of_record(store, select_record(store, text))
    except NothingSelected as error:
        return _begun_or_planned(store, runs, text, error)


def follow_logs(place: LogPlace) -> Iterator[tuple[TaskLog, str]]:
    """The lines of logs as they come, with those that are there already, until the task is over.

    Lines of one log are in order; those of several come as they are found.
    """
    story, tails = _LogStory(place), list[_Tail]()
    for events in follow_events(place.folder):
        tails += [_Tail(log) for log in story.told(events)]
        for tail in tails:
            yield from tail.new()
        if story.is_over:
            break
    for tail in tails:
        yield from tail.new()
        yield from tail.rest()


def lines_of(log: TaskLog) -> Iterator[str]:
    """The lines of a log; none if it is not there."""
    try:
        with log.path.open("rb") as file:
            for line in file:
                yield _text(line)
    except OSError:
        return


class _Tail:
    """A log that grows, read line by line."""

    def __init__(self, log: TaskLog) -> None:
        self._log = log
        self._offset = 0
        self._begun = b""

    def new(self) -> Iterator[tuple[TaskLog, str]]:
        """The lines that have come to their end since."""
        try:
            with self._log.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        self._offset += len(data)
        whole, end, begun = (self._begun + data).rpartition(b"\n")
        self._begun = begun
        for line in whole.split(b"\n") if end else []:
            yield self._log, _text(line)
        if len(begun) > _LONGEST_LINE:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[TaskLog, str]]:
        """What stands behind the last end of a line."""
        if self._begun:
            yield self._log, _text(self._begun)
            self._begun = b""


def _of_run(run: StoredRun) -> LogPlace:
    return LogPlace(run.folder, is_live=run.is_live, run=run.name)


def _begun_or_planned(
    store: ResultsStore, runs: list[StoredRun], text: str, error: NothingSelected
) -> LogPlace:
    """What is not in the store: a task that was never committed, or the beginning of a run's name.

    Raises:
        NothingSelected: nothing is called so.
    """
    if (place := _in_runs(runs, text)) is not None:
        return place
    if any(run.name.startswith(text) for run in runs):
        return _of_run(find_run(store, text))
    hint = nearest(text, [run.name for run in runs])
    raise NothingSelected(f"{error}, and no run is called so.{hint}") from None


def _in_runs(runs: Iterable[StoredRun], text: str) -> LogPlace | None:
    for run in runs:
        if (address := _task_of(run, text)) is not None:
            return LogPlace(run.folder, address, run.is_live)
    return None


def _of_record(store: ResultsStore, address: Address) -> LogPlace:
    record = store.record(address)
    attempts = [] if record is None else [record.latest, record.finished]
    for attempt in attempts:
        path = attempt and recorded_log(store, attempt.provenance)
        if path:
            return LogPlace(Path(path).parent.parent, address)
        if attempt and attempt.run:
            for run in stored_runs(store):
                if run.driver is not None and run.driver.run_name == attempt.run.run_name:
                    return LogPlace(run.folder, address)
    raise NothingSelected(f"{address} has left no log, or the folder of its run was removed")


def _task_of(run: StoredRun, text: str) -> Address | None:
    """The task of a run that is called so.

    Raises:
        SelectorError: several keys begin so.
    """
    tasks = tasks_of_run(run.folder)
    if text in tasks:
        return tasks[text]
    spec, slash, key = text.rpartition("/")
    if not key:
        return None
    found = [a for a in tasks.values() if a.key.startswith(key) and (not slash or a.task == spec)]
    if len(found) > 1 and slash:
        raise SelectorError(f"{text!r} means {len(found)} tasks of run {run.name}")
    return found[0] if len(found) == 1 else None


def _text(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "replace")
