"""How far is a run? A fold over its events: no clock, no process, no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from flowlib.events import (
    Cached,
    Event,
    Failed,
    Finished,
    Grown,
    Retried,
    RunEnded,
    RunStarted,
    Skipped,
    SpecTotal,
    Started,
    Stopping,
    TaskEvent,
    TaskRef,
    Waiting,
)
from flowlib.failure_groups import Frame, sameness, user_frames
from flowlib.retries_so_far import Retries
from stores.lazy_dataclass import dataclass

_TASKS_FOR_ESTIMATE: Final = 3
"""How many tasks must have finished before a run without a history says how long it may take."""

_MOST_NAMES: Final = 3
"""How many tasks of a group of failures are named."""

_WORDS: Final = {Finished: "finished", Cached: "cached", Skipped: "skipped"}
_ENDED: Final = ("finished", "cached", "failed", "killed", "skipped")


@dataclass(slots=True)
class SpecProgress:
    """What has become of the nodes of a spec.

    Attributes:
        name: Name of the spec.
        total: Its nodes.
        counts: How many there are in each state, by the words of the vocabulary; none is pending.
        known_mean_s: How long a task took in earlier runs; None if not known.
        spent_s: How long those took that finished in this run.
    """

    name: str
    total: int
    counts: dict[str, int] = field(default_factory=dict)
    known_mean_s: float | None = None
    spent_s: float = 0.0

    @property
    def ended(self) -> int:
        """The nodes that need nothing more."""
        return sum(self.counts.get(word, 0) for word in _ENDED)

    @property
    def pending(self) -> int:
        """The nodes that have not been started."""
        return max(0, self.total - sum(self.counts.values()))

    @property
    def left(self) -> int:
        """The nodes that have not come to their end."""
        return max(0, self.total - self.ended)

    @property
    def mean_s(self) -> float | None:
        """How long a task takes, by this run or else by earlier ones; None if nobody knows."""
        finished = self.counts.get("finished", 0)
        return self.spent_s / finished if finished else self.known_mean_s

    def add(self, word: str, count: int) -> None:
        """So many more nodes are in a state, or fewer."""
        self.counts[word] = self.counts.get(word, 0) + count


@dataclass(slots=True)
class SameFailures:
    """Tasks that failed in the same way, at the same line.

    Attributes:
        first: The first of them.
        started: How the first was started; None if that is not known.
        start: How the run began; None if that is not known.
        frames: The frames of the first that are the user's, outermost first.
        count: How many there are.
        tasks: The first few.
        skipped: How many tasks were skipped because of any of them.
        skipped_tasks: The first few of those.
    """

    first: Failed
    started: Started | None
    frames: tuple[Frame, ...]
    start: RunStarted | None = None
    count: int = 0
    tasks: list[TaskRef] = field(default_factory=list)
    skipped: int = 0
    skipped_tasks: list[TaskRef] = field(default_factory=list)


class RunProgress:
    """The state of a run, as far as its events tell.

    Attributes:
        start: The first event; None before it was told.
        end: The last event; None before it was told.
        stopping: The signal that stops it, as it was told last; None if there was none.
        specs: The specs, in the order of the flow.
        running: How tasks that run were started, by key, the oldest first.
        waiting: Who computes tasks that other drivers compute, by key.
        failures: What went wrong, each kind once, in the order in which it came.
        retries: What failed and was tried again.
        saved_s: How long the cached tasks took when they were computed.
    """

    def __init__(self) -> None:
        self.start: RunStarted | None = None
        self.end: RunEnded | None = None
        self.stopping: Stopping | None = None
        self.specs: dict[str, SpecProgress] = {}
        self.running: dict[str, Started] = {}
        self.waiting: dict[str, str] = {}
        self.retries = Retries()
        self.saved_s = 0.0
        self._announced: frozenset[str] = frozenset()
        self._groups: dict[tuple[str, str], SameFailures] = {}
        self._group_of: dict[str, SameFailures] = {}

    @property
    def failures(self) -> Sequence[SameFailures]:
        """What went wrong, each kind once."""
        return tuple(self._groups.values())

    @property
    def failure_count(self) -> int:
        """How many kinds of failures there are."""
        return len(self._groups)

    @property
    def has_outcome(self) -> bool:
        """Whether the run has ended or has at least begun with a task."""
        return self.end is not None or any(
            spec.counts.keys() - {"cached"} for spec in self.specs.values()
        )

    @property
    def duration_s(self) -> float:
        """How long the run took; 0 as long as it goes on."""
        return self.end.duration_s if self.end else 0.0

    @property
    def total(self) -> int:
        """All nodes of the run."""
        return sum(spec.total for spec in self.specs.values())

    @property
    def ended(self) -> int:
        """The nodes that need nothing more."""
        return sum(spec.ended for spec in self.specs.values())

    def count(self, *words: str) -> int:
        """How many nodes are in one of these states."""
        return sum(spec.counts.get(word, 0) for spec in self.specs.values() for word in words)

    def note(self, event: Event) -> None:
        """Something happened."""
        if isinstance(event, TaskEvent):
            spec = self.specs.get(event.task.spec)
            if spec is None:  # a log that lost its beginning
                spec = self.specs[event.task.spec] = SpecProgress(event.task.spec, 0)
            self._note_task(event, spec)
            if isinstance(event, Retried):
                self.retries.note(event)
            if event.task.spec not in self._announced:
                spec.total = sum(spec.counts.values())
        elif isinstance(event, RunStarted):
            self.start = event
            self.specs = {each.name: _begun(each) for each in event.specs}
            self._announced = frozenset(self.specs)
            self.saved_s = sum(each.cached_s for each in event.specs)
        elif isinstance(event, Stopping):
            self.stopping = event
        elif isinstance(event, RunEnded):
            self.end = event

    def eta_s(self, now: float) -> float | None:
        """How long the run may still take; None if nobody can tell yet.

        The sum, over the specs, of what is left times the mean duration, divided by the workers.

        Args:
            now: The time, in seconds since 1970.
        """
        left = [spec for spec in self.specs.values() if spec.left]
        means = {spec.name: spec.mean_s for spec in left}
        finished = self.count("finished")
        is_known = all(spec.known_mean_s is not None for spec in left)
        if self.start is None or not left or (finished < _TASKS_FOR_ESTIMATE and not is_known):
            return None
        spent = sum(spec.spent_s for spec in self.specs.values())
        usual = spent / finished if finished else 0.0
        mean_s = {name: usual if mean is None else mean for name, mean in means.items()}
        work_s = sum(spec.left * mean_s[spec.name] for spec in left)
        for each in self.running.values():
            work_s -= min(max(0.0, now - each.at), mean_s.get(each.task.spec, 0.0))
        hands = min(max(1, self.start.workers), sum(spec.left for spec in left))
        return max(0.0, work_s) / hands

    def _note_task(self, event: TaskEvent, spec: SpecProgress) -> None:
        key = event.task.key
        started = self._leave(key, spec)
        if (word := _WORDS.get(type(event))) is not None:
            spec.add(word, 1)
        match event:
            case Started():
                self.running[key] = event
                spec.add("running", 1)
            case Finished():
                spec.spent_s += event.duration_s
            case Failed():
                spec.add("killed" if event.is_kill else "failed", 1)
                self._note_failure(event, started)
            case Skipped():
                self._note_skip(event)
            case Grown():
                self._note_growth(event)
            case Waiting():
                self.waiting[key] = event.owner

    def _note_growth(self, event: Grown) -> None:
        """More tasks belong to the run now."""
        for each in event.specs:
            spec = self.specs.setdefault(each.name, SpecProgress(each.name, 0, {}, each.mean_s))
            spec.total += each.total
            if each.cached:
                spec.add("cached", each.cached)
            self.saved_s += each.cached_s
        self._announced |= {each.name for each in event.specs}

    def _leave(self, key: str, spec: SpecProgress) -> Started | None:
        if self.waiting:
            self.waiting.pop(key, None)
        started = self.running.pop(key, None)
        if started is not None:
            spec.add("running", -1)
        return started

    def _note_failure(self, event: Failed, started: Started | None) -> None:
        frames = tuple(user_frames(event.error.traceback))
        group = self._groups.setdefault(
            sameness(event.error, frames), SameFailures(event, started, frames, self.start)
        )
        group.count += 1
        self._group_of[event.task.key] = group
        if len(group.tasks) < _MOST_NAMES:
            group.tasks.append(event.task)

    def _note_skip(self, event: Skipped) -> None:
        group = self._group_of.get(event.cause.key)
        if group is not None:
            group.skipped += 1
            if len(group.skipped_tasks) < _MOST_NAMES:
                group.skipped_tasks.append(event.task)


def _begun(total: SpecTotal) -> SpecProgress:
    counts = {"cached": total.cached} if total.cached else {}
    return SpecProgress(total.name, total.total, counts, total.mean_s)
