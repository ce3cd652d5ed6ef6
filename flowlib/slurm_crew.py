"""How many allocations does a run have and need, and which of them have gone? No clock in it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Final

from flowlib.errors import RunError
from flowlib.slurm_endings import is_over
from flowlib.slurm_queue import SlurmQueue, SlurmSilent, SlurmState
from flowlib.slurm_request import SlurmRequest
from stores.lazy_dataclass import dataclass

_log = logging.getLogger("flowlib")

_MOST_USELESS: Final = 3
"""So many allocations in a row may end without having run anything."""

_USUAL_REASONS: Final = frozenset(
    ["", "None", "Priority", "Resources", "BeginTime", "Cleaning", "NonZeroExitCode"]
)
_GOOD_END: Final = "PREEMPTED"
_LEFT: Final = "COMPLETED"
"""The state of one that has left; without a word of its own it has not run what it was to run."""

_MOST_REFUSED: Final = 60
"""So often SLURM may refuse allocations, one after the other, while a run has none."""


@dataclass(slots=True)
class _Pilot:
    """One allocation that was asked for."""

    request: str
    is_new: bool = True  # it has taken nothing so far
    is_missed: bool = False  # at the last look: SLURM did not know it, or it had left silently


@dataclass(slots=True)
class SlurmCrew:
    """The allocations of a run.

    Attributes:
        queue: Where they are asked for.
        most: How many there may be at once.
        array: How many one array may hold.
        states: What SLURM has said at the last look.
        served: How many jobs each pilot has answered for, by its name with its restarts.
    """

    queue: SlurmQueue
    most: int
    array: int
    states: Mapping[str, SlurmState] = field(default_factory=dict)
    served: Counter[str] = field(default_factory=Counter)
    _pilots: dict[str, _Pilot] = field(default_factory=dict)
    _useless: int = 0
    _refused: int = 0
    _was_taken: bool = False
    _told: set[str] = field(default_factory=set)

    @property
    def jobs(self) -> list[str]:
        """Those that have not ended, as squeue names them."""
        return list(self._pilots)

    def note_use(self, pilots: Iterable[str]) -> None:
        """These have taken jobs."""
        for name in pilots:
            self._useless = 0
            known = self._pilots.get(name.rpartition(".")[0])
            if known is not None:
                known.is_new = False

    def note_answer(self, pilot: str) -> None:
        """One has answered for a job."""
        self.served[pilot] += 1
        self.note_use([pilot])

    def note_leave(self, pilot: str) -> None:
        """One has left by itself."""
        self._pilots.pop(pilot.rpartition(".")[0], None)

    def look(self) -> None:
        """Ask SLURM for all of them.

        Raises:
            SlurmSilent: it does not answer.
            RunError: they end again and again without having run anything.
        """
        self.states = self.queue.states()
        for job, pilot in list(self._pilots.items()):
            state = self.states.get(job)
            if _is_unclear(state) and not pilot.is_missed:
                pilot.is_missed = True  # it may be too new to be shown, its word on its way
            elif is_over(state):
                del self._pilots[job]
                self._note_end(job, pilot, state)
            elif state is not None and state.state == "PENDING":
                self._tell(job, state.reason)

    def fill(
        self,
        wanted: Mapping[SlurmRequest, int],
        call_of: Callable[[SlurmRequest], Callable[[], object]],
    ) -> None:
        """Ask for as many as there are jobs for, up to the most.

        Args:
            wanted: How many jobs have no answer, by what they ask for.
            call_of: What runs in an allocation.

        Raises:
            SlurmSilent: SLURM does not take them, but has taken others.
            RunError: it does not take them, and has taken none, or there are none for long.
        """
        there = Counter(pilot.request for pilot in self._pilots.values())
        for request, count in wanted.items():
            lacking = min(count - there[request.name], self.most - len(self._pilots))
            while lacking > 0:
                part = min(lacking, self.array)
                self._submit(request, call_of(request), part)
                lacking -= part

    def cancel(self, *, only_pending: bool) -> None:
        """End all of them."""
        if self._was_taken:
            self.queue.cancel(only_pending=only_pending)

    def _submit(self, request: SlurmRequest, call: Callable[[], object], count: int) -> None:
        try:
            jobs = self.queue.submit(request, call, count)
        except SlurmSilent as error:
            if self._pilots:
                raise
            self._refused += 1
            if self._was_taken and self._refused < _MOST_REFUSED:
                raise  # a limit of the cluster, perhaps, that counts those which are just leaving
            raise RunError(f"SLURM does not take jobs: {error}") from error
        self._was_taken, self._refused = True, 0
        self._pilots |= {job: _Pilot(request.name) for job in jobs}
        _log.info("asked SLURM for %d allocations: %s", count, jobs[0].partition("_")[0])

    def _note_end(self, job: str, pilot: _Pilot, state: SlurmState | None) -> None:
        if not pilot.is_new or (state is not None and state.state == _GOOD_END):
            return
        self._useless += 1
        if self._useless >= _MOST_USELESS:
            word = state.state if state is not None else "forgotten"
            last = self.queue.last_words(job)
            said = f"; it has written:\n{last}" if last else ", and has written nothing"
            raise RunError(
                f"{self._useless} jobs of SLURM in a row have ended before they ran a task; the "
                f"last is {job}: {word}{said}"
            )

    def _tell(self, job: str, reason: str) -> None:
        if reason not in _USUAL_REASONS and reason not in self._told:
            self._told.add(reason)
            _log.warning("the job %s of SLURM waits: %s", job, reason)


def _is_unclear(state: SlurmState | None) -> bool:
    return state is None or state.state == _LEFT
