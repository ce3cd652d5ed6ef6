"""
How is a run stopped by another process, or told to do without some tasks?

By the signals that its terminal would send, where it is on this host and of this user; else by a
note beside the results, which it reads within seconds.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from flowlib.errors import NothingSelected, RunError
from flowlib.event_log import EventReader
from flowlib.events import RunEnded, RunStarted, Stopping
from flowlib.run_requests import OpenRequests, RequestNote, RunAnswer, RunRequest, asker
from flowlib.stored_runs import StoredRun
from stores import Owner, ResultsStore, StoreError
from stores.file_layout import encoded
from stores.lazy_dataclass import dataclass

PATIENCE_S: Final = 60.0
"""So long an answer is waited for: drivers look for requests every ten seconds."""

_PAUSE_S: Final = 0.1
_OVER: Final = RunAnswer("it is over already")


@dataclass(frozen=True, slots=True)
class Told:
    """What came of asking a run.

    Attributes:
        has_answered: Whether it does what it was asked for, or is over; else it has been asked.
        words: What it says about its tasks; empty for one that stops.
        host: Where it goes on.
    """

    has_answered: bool
    words: str = ""
    host: str = ""


def stop_run(
    run: StoredRun, store: ResultsStore, *, now: bool = False, patience_s: float = PATIENCE_S
) -> Told:
    """Ask a run to stop, and wait until it has begun to: nothing new starts then.

    Args:
        run: One that goes on.
        store: Its store.
        now: Whether the tasks that run are ended as well, rather than left to end by themselves.
        patience_s: So long an answer is waited for.

    Raises:
        RunError: nothing can be read of it, or neither signals nor notes reach it.
    """
    driver = _driver_of(run)
    if not (_owner(driver).is_alive() and _may_signal(driver.pid)):
        return _asked(run, store, (), now=now, patience_s=patience_s)
    reader = EventReader(run.folder)
    if not _stops(driver, reader, 0.0):
        _send(driver)
        if not _stops(driver, reader, patience_s):
            return Told(has_answered=False, host=driver.host)
    if now:
        _send(driver)
    return Told(has_answered=True, host=driver.host)


def cancel_tasks(
    run: StoredRun, store: ResultsStore, only: tuple[str, ...], *, patience_s: float = PATIENCE_S
) -> Told:
    """Ask a run to do without some of its tasks: they end as killed, and the others go on.

    Args:
        run: One that goes on.
        store: Its store.
        only: Selectors of the tasks.
        patience_s: So long an answer is waited for.

    Raises:
        NothingSelected: the run has no such task.
        RunError: nothing can be read of it, or notes do not reach it.
    """
    _driver_of(run)
    return _asked(run, store, only, now=False, patience_s=patience_s)


def with_requests(runs: Iterable[StoredRun], requests: OpenRequests) -> list[StoredRun]:
    """The runs, each with what it was asked for and has not answered yet.

    Args:
        runs: They.
        requests: Those in their store, which is only looked into if one of the runs goes on.
    """
    known = list(runs)
    if not any(run.is_live for run in known):
        return known
    asked = [request for _, request in requests.all()]
    return [replace(run, asked=tuple(_of(run, asked))) if asked else run for run in known]


def ask_unknown_run(
    name: str, store: ResultsStore, only: tuple[str, ...] = (), *, now: bool, patience_s: float
) -> Told | None:
    """Ask a run that was begun on another host, whose folder is not seen from here.

    Args:
        name: Its whole name.
        store: Its store.
        only: Selectors of the tasks that it is to do without; empty: it is to stop.
        now: Whether what runs is ended, too.
        patience_s: So long an answer is waited for.

    Returns:
        None if no run of this name has answered: the request was taken back.

    Raises:
        NothingSelected: the run has no such task.
        RunError: the store keeps no notes.
    """
    note = _note(store, RunRequest(encoded(name), asker(), time.time(), only, now))
    try:
        answer = _waited(note.answer, patience_s)
        note.take_away()
        return None if answer is None else _told(answer)
    finally:
        note.close()


def _of(run: StoredRun, asked: Iterable[RunRequest]) -> Iterator[RunRequest]:
    if run.driver is not None and run.is_live:
        mine = (run.folder.name, _owner(run.driver), run.driver.at)
        yield from (request for request in asked if request.is_for(*mine))


def _driver_of(run: StoredRun) -> RunStarted:
    if run.driver is None:
        raise RunError(f"nothing can be read of run {run.name} in {run.folder}")
    return run.driver


def _owner(driver: RunStarted) -> Owner:
    return Owner(driver.host, driver.boot_id, driver.pid, driver.process_start)


def _asked(
    run: StoredRun, store: ResultsStore, only: tuple[str, ...], *, now: bool, patience_s: float
) -> Told:
    """Leave a note for a run that is known, and wait for the answer; else the note stays."""
    driver = _driver_of(run)
    request = RunRequest(run.folder.name, asker(), time.time(), only, now, _owner(driver))
    note = _note(store, request)
    try:
        reader = EventReader(run.folder)
        answer = _waited(lambda: _answer_or_end(note, reader, driver), patience_s)
        if answer is None:
            return Told(has_answered=False, host=driver.host)
        note.take_away()
        return _told(answer, driver.host)
    finally:
        note.close()


def _answer_or_end(note: RequestNote, reader: EventReader, driver: RunStarted) -> RunAnswer | None:
    """What a run has said, or that it is over: then it reads no notes any more."""
    ended = any(isinstance(each, RunEnded) and each.at >= driver.at for each in reader.new())
    is_over = ended or _owner(driver).is_alive() is False
    return note.answer() or (_OVER if is_over else None)  # the note last: it may have answered


def _note(store: ResultsStore, request: RunRequest) -> RequestNote:
    try:
        return RequestNote(store, request)
    except StoreError as error:
        raise RunError(f"run {request.run} cannot be asked: {error}") from error


def _told(answer: RunAnswer, host: str = "") -> Told:
    if answer.is_refused:
        raise NothingSelected(answer.words)
    return Told(has_answered=True, words=answer.words, host=host or answer.host)


def _waited(answer: Callable[[], RunAnswer | None], patience_s: float) -> RunAnswer | None:
    until = time.monotonic() + patience_s
    while (found := answer()) is None and time.monotonic() < until:
        time.sleep(_PAUSE_S)
    return found


def _stops(driver: RunStarted, reader: EventReader, patience_s: float) -> bool:
    """Whether a run tells in time that it stops, or is over: it may have been killed."""
    until = time.monotonic() + patience_s
    while True:
        if any(isinstance(event, (Stopping, RunEnded)) for event in reader.new()):
            return True
        if _owner(driver).is_alive() is False:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE_S)


def _may_signal(pid: int) -> bool:
    """Whether a process is of this user, so that signals reach it."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True  # it has just ended
    return True


def _send(driver: RunStarted) -> None:
    try:
        os.kill(driver.pid, signal.SIGINT)
    except ProcessLookupError:
        return  # it has just ended
