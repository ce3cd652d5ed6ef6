"""The runs of a store and, of those that go on, how far each of their tasks is."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final

from flowlib.dashboard.rows import Row, planned_row
from flowlib.errors import SelectorError
from flowlib.event_log import EventReader
from flowlib.events import Cached, Event, Failed, Finished, Skipped, Started, TaskEvent
from flowlib.run_manifest import states_of_run
from flowlib.run_requests import OpenRequests
from flowlib.run_so_far import RunSoFar
from flowlib.run_stop import with_requests
from flowlib.stored_runs import StoredRun, stored_runs, tasks_of_run
from stores import ResultsStore
from stores.lazy_dataclass import dataclass

_TO_DO: Final = frozenset(("pending", "scheduled", "running"))
_LEAST_PAUSE_S: Final = 1.0
_COST_FACTOR: Final = 10.0


@dataclass(frozen=True, slots=True)
class Live:
    """What the runs say that go on.

    Attributes:
        runs: All runs, those that go on first.
        states: `running` or `pending`, by the key of a task that some run is not done with.
        planned: Rows of tasks of these runs; most have records, too.
        version: Counts up with every change.
    """

    runs: Sequence[StoredRun] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    planned: Mapping[str, Row] = field(default_factory=dict)
    version: int = 0


class LiveRuns:
    """The runs with a store. Any number of threads may ask.

    Args:
        store: The store.
    """

    def __init__(self, store: ResultsStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._due = 0.0
        self._watched: dict[Path, _Watched] = {}
        self._so_far: dict[Path, RunSoFar] = {}
        self._requests = OpenRequests(store)
        self._told: object = None
        self.now = Live()

    def refresh(self) -> None:
        """See that what is known is not much older than a second."""
        if time.monotonic() < self._due or not self._lock.acquire(blocking=False):
            return
        try:
            began = time.monotonic()
            self._look()
            pause_s = max(_LEAST_PAUSE_S, _COST_FACTOR * (time.monotonic() - began))
            self._due = time.monotonic() + pause_s
        finally:
            self._lock.release()

    def close(self) -> None:
        """Free what was opened to look."""
        with self._lock:
            self._requests.close()

    def _look(self) -> None:
        runs = with_requests(stored_runs(self._store, known=self._so_far), self._requests)
        live = {run.folder for run in runs if run.is_live}
        self._watched = {
            folder: self._watched.get(folder) or _Watched(folder) for folder in sorted(live)
        }
        states: dict[str, str] = {}
        planned: dict[str, Row] = {}
        for watched in self._watched.values():
            watched.read()
            at_work = {key for key, word in states.items() if word == "running"}
            states |= {k: word for k, word in watched.states.items() if k not in at_work}
            planned |= watched.planned
        told = ([(run.folder, run.state, run.counts, run.asked) for run in runs], states)
        if told != self._told:
            self._told = told
            self.now = Live(runs, states, planned, self.now.version + 1)
        else:
            self.now = Live(runs, states, planned, self.now.version)


class _Watched:
    """A run that goes on, read event by event."""

    def __init__(self, folder: Path) -> None:
        self._reader = EventReader(folder)
        tasks, to_do = tasks_of_run(folder), _not_begun(folder)
        self.planned = {
            each.key: planned_row(each, folder.name, name) for name, each in tasks.items()
        }
        self.states = {key: "pending" for key in self.planned if key in to_do}

    def read(self) -> None:
        """Take in what has happened since."""
        for event in self._reader.each():
            self._note(event)

    def _note(self, event: Event) -> None:
        if not isinstance(event, TaskEvent):
            return
        key = event.task.key
        if isinstance(event, Started):
            self.states[key] = "running"
        elif isinstance(event, (Finished, Failed, Skipped, Cached)):
            self.states.pop(key, None)
        else:  # it is tried again, waits for another run or for what it has returned
            self.states[key] = "pending"


def _not_begun(folder: Path) -> frozenset[str]:
    """The keys that a run had to compute when its manifest was written last."""
    try:
        return frozenset(k for k, word in states_of_run(folder).items() if word in _TO_DO)
    except SelectorError:
        return frozenset()
