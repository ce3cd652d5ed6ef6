"""What was tried again in a run, how often, and in which way had it failed?"""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import Final

from flowlib.events import Retried
from stores.lazy_dataclass import dataclass

_MOST_TASKS: Final = 100


@dataclass(slots=True)
class TriedAgain:
    """A task that failed and was tried again.

    Attributes:
        last: How it failed the last time that it was tried again after.
        kinds: How often in which way it had failed: `exception`, `lost`, `preempted`, …; empty for
            those of logs that do not tell.
    """

    last: Retried
    kinds: Counter[str] = field(default_factory=Counter)


class Retries:
    """Takes in one event after the other; what it keeps does not grow with their number.

    Attributes:
        kinds: How often a task had failed in which way.
        tasks: Those of which that was told last, by key, the last one last.
    """

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.tasks: dict[str, TriedAgain] = {}

    @property
    def total(self) -> int:
        """How often a task failed and was tried again."""
        return self.kinds.total()

    def note(self, event: Retried) -> None:
        """It happened once more."""
        self.kinds[event.kind] += 1
        known = self.tasks.pop(event.task.key, None) or TriedAgain(event)
        known.last = event
        known.kinds[event.kind] += 1
        self.tasks[event.task.key] = known
        if len(self.tasks) > _MOST_TASKS:
            del self.tasks[next(iter(self.tasks))]


def kinds_text(kinds: Counter[str]) -> str:
    """`2 preempted, 1 lost`; those that are not known are failures."""
    return ", ".join(f"{count:,} {kind or 'failed'}" for kind, count in kinds.most_common())
