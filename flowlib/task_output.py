"""What is done with the output of one task? The contract, and the one that leaves it as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from flowlib.log_files import LOG_LIMIT_BYTES
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where the logs of tasks go.

    Attributes:
        folder: The folder of the run.
        recorded: How records name it: relative to the runs of the store, or its whole path.
        limit: How many bytes a log keeps.
        is_followed: Whether what a worker prints also goes to `workers/w1.log`, task after task.
    """

    folder: Path
    recorded: str
    limit: int = LOG_LIMIT_BYTES
    is_followed: bool = False


class TaskOutput:
    """What one task prints and logs; here nobody keeps it."""

    place: str = ""
    """How the record names the log when the task has ended; empty if there is nothing in it."""

    def write(self, text: str) -> None:
        """Add text to the log. Never fails."""


Outputs = Callable[[str], AbstractContextManager[TaskOutput]]
"""Takes the output while it is entered; the argument is the name of the log."""


@contextmanager
def no_outputs(name: str) -> Iterator[TaskOutput]:
    """Leave all output as it is."""
    yield TaskOutput()
