"""How do jobs get through allocations of SLURM, and what becomes of those that do not?"""

from __future__ import annotations

import contextlib
import logging
import pickle
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Final

from flowlib.errors import RunError
from flowlib.job import Job, Outcome
from flowlib.remote_job import RemoteJob
from flowlib.slurm_crew import SlurmCrew
from flowlib.slurm_endings import Ending, ending_of, judged
from flowlib.slurm_orphans import forget_driver
from flowlib.slurm_pilot import Pilot
from flowlib.slurm_queue import SlurmSilent
from flowlib.slurm_request import SlurmRequest
from flowlib.slurm_spool import Spool
from stores.lazy_dataclass import dataclass

_log = logging.getLogger("flowlib")

_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.5
_GROWTH: Final = 1.3
"""Of the pause between two looks for answers."""

_GATHERING_S: Final = 0.1
"""How long to gather jobs before allocations are asked for, so that these are one array."""

_PATIENCE_S: Final = 600.0
"""How long neither SLURM nor an allocation may answer."""

_LEAVE_S: Final = 90.0
"""How long a question to SLURM may still be on its way when a run ends."""


@dataclass(slots=True, eq=False)
class _Sent:
    """A job on its way.

    Attributes:
        held: The answer of a pilot that was ended, until SLURM says why.
        was_gone: Whether its pilot was gone at the last look: its answer may be on its way.
    """

    job: Job
    request: SlurmRequest
    answer: Future[Outcome]
    held: tuple[str, Outcome] | None = None
    was_gone: bool = False


class LeftAlone(Exception):
    """A job that nobody will answer for."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.words)
        self.ending = ending


class SlurmPost:
    """Sends jobs, takes answers, and sees to it that there are allocations for them.

    Args:
        spool: The way to the allocations and back.
        crew: Who they are.
        idle_s: How long they wait for further jobs.
        look_s: How often SLURM is asked for them.
        give_up: Told why, when nothing more is to be expected; called in another thread.
    """

    def __init__(
        self,
        spool: Spool,
        crew: SlurmCrew,
        *,
        idle_s: float,
        look_s: float,
        give_up: Callable[[str], object],
    ) -> None:
        self._spool = spool
        self._crew = crew
        self._idle_s = idle_s
        self._look_s = look_s
        self._give_up = give_up
        self._sent: dict[str, _Sent] = {}  # by the name of its file
        self._count = 0
        self._look_at = self._fill_at = 0.0
        self._heard_at = time.monotonic()
        self._wake = threading.Event()
        self._is_closed = False
        self._has_let_go = False
        self._thread = threading.Thread(target=self._tend, name="flowlib-slurm", daemon=True)
        self._thread.start()

    def send(self, job: Job, remote: RemoteJob, request: SlurmRequest) -> Future[Outcome]:
        """Lay a job down for the allocations with this request."""
        self._count += 1
        name = f"{self._count:012}"
        sent = self._sent[name] = _Sent(job, request, Future())
        self._spool.put(request.name, name, pickle.dumps(remote, protocol=5))
        self._wake.set()
        return sent.answer

    def withdraw(self, future: Future[Outcome]) -> bool:
        """Take a job back; whether nobody has taken it."""
        for name, sent in list(self._sent.items()):
            if sent.answer is future and self._spool.withdraw(sent.request.name, name):
                self._sent.pop(name, None)
                return future.cancel()
        return False

    def ask_to_stop(self) -> None:
        """Tell the tasks that run."""
        self._spool.say("stop")

    def end(self, job: Job) -> None:
        """Nobody waits for the answer of a job; `close` ends the allocation in which it runs."""
        self._has_let_go = True
        for name, sent in list(self._sent.items()):
            if sent.job is job:
                self._sent.pop(name, None)

    def close(self, *, now: bool) -> None:
        """Let all allocations end; harmless when called twice.

        Args:
            now: Also those in which something runs.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._wake.set()
        self._thread.join(_LEAVE_S)
        self._spool.say("closed")
        is_busy = now or self._has_let_go or bool(self._sent)
        self._crew.cancel(only_pending=not is_busy)
        forget_driver(self._spool)
        self._spool.leave()

    def _tend(self) -> None:
        """What the thread does; nobody waits in vain for one that has ended."""
        try:
            self._tend_on()
        except RunError as error:
            self._give_up(str(error))
        except Exception as error:  # noqa: BLE001  # it is told below, and logged
            _log.exception("what looks after SLURM has ended")
            self._give_up(f"what looks after SLURM has ended: {type(error).__name__}: {error}")

    def _tend_on(self) -> None:
        """Look after answers and allocations until the end."""
        pause_s = _FIRST_PAUSE_S
        while not self._is_closed:
            if self._wake.wait(pause_s):
                self._wake.clear()
                time.sleep(_GATHERING_S if self._lacks_pilots else 0.0)
                pause_s = _FIRST_PAUSE_S
            has_news = self._tend_once()
            pause_s = _FIRST_PAUSE_S if has_news else min(pause_s * _GROWTH, _LONGEST_PAUSE_S)

    def _tend_once(self) -> bool:
        """Take answers, look after allocations if it is time; whether there were answers."""
        has_news, now = False, time.monotonic()
        if not self._sent:
            self._heard_at = now  # nobody was asked anything
        try:
            if has_news := self._collect():
                self._heard_at = now
            if self._sent and now >= self._look_at:
                self._look_at = now + self._look_s
                self._look()
                self._heard_at = now
            if now >= self._fill_at:
                self._fill_at = now + self._look_s  # if SLURM takes no more for the moment
                self._crew.fill(self._wanted(), self._pilot)
                self._fill_at = now
        except (SlurmSilent, OSError) as error:  # the disk may be away for a while, too
            if now - self._heard_at > _PATIENCE_S:
                raise RunError(f"SLURM was away for {_PATIENCE_S:.0f} s: {error}") from error
        return has_news

    @property
    def _lacks_pilots(self) -> bool:
        return len(self._crew.jobs) < min(len(self._sent), self._crew.most)

    def _wanted(self) -> dict[SlurmRequest, int]:
        by_name = {sent.request.name: sent.request for sent in list(self._sent.values())}
        counts = Counter(sent.request.name for sent in list(self._sent.values()))
        return {by_name[name]: count for name, count in counts.items() if name in by_name}

    def _pilot(self, request: SlurmRequest) -> Pilot:
        return Pilot(self._spool.folder, request.name, self._idle_s, request.warn_after_s)

    def _collect(self) -> bool:
        """Take the answers that are there; whether there were some."""
        has_news = False
        for name, pilot, data in self._spool.answers():
            has_news = True
            if not name:
                self._crew.note_leave(pilot)
                continue
            self._crew.note_answer(pilot)
            outcome: Outcome = pickle.loads(data)  # noqa: S301  # from our own pilots
            sent = self._sent.get(name)
            if sent is not None and outcome.ended_by is not None:
                sent.held = (pilot, outcome)
            elif sent is not None:
                self._answer(name, outcome)
        return has_news

    def _look(self) -> None:
        """Ask for all allocations, and give up the jobs that nobody will answer for."""
        self._crew.look()
        self._collect()
        taken = self._spool.taken()
        self._crew.note_use(taken.values())
        for name, sent in list(self._sent.items()):
            pilot = sent.held[0] if sent.held else taken.get(name)
            if pilot is not None:
                self._judge(name, sent, pilot)

    def _judge(self, name: str, sent: _Sent, pilot: str) -> None:
        state = self._crew.states.get(pilot.rpartition(".")[0])
        was_first = self._crew.served[pilot] <= (1 if sent.held else 0)
        ending = ending_of(pilot, state, was_first=was_first)
        if ending is None:
            sent.was_gone = False
        elif sent.held is not None:
            self._answer(name, judged(sent.held[1], ending))
        elif not sent.was_gone:
            sent.was_gone = True
        else:
            self._spool.forget(name, pilot)
            self._sent.pop(name, None)
            with contextlib.suppress(InvalidStateError):
                sent.answer.set_exception(LeftAlone(ending))

    def _answer(self, name: str, outcome: Outcome) -> None:
        sent = self._sent.pop(name, None)
        if sent is not None:
            with contextlib.suppress(InvalidStateError):
                sent.answer.set_result(outcome)
