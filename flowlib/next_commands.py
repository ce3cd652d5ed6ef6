"""What may the user type next? The commands that lead on from a run, quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flowlib.configuration import settings
from flowlib.setting_sources import project_folder
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:  # whoever looks into a store needs none of these
    from flowlib.events import RunStarted, TaskRef
    from stores import ResultsStore

DEFAULT_FOLDER: Final = ".flowlib"
"""The store of the command, in the folder of the project."""

_PROGRAM: Final = "flowlib"
_ELSEWHERE: Final = ("--executor", "--slurm", "--workers")
"""Options, each with a value, that a task in the process of the command goes without."""

EXECUTE: Final = "execute"
"""The command whose words are the tasks that it runs."""


@dataclass(frozen=True, slots=True)
class RunCommand:
    """The words of the command by which a flow is run.

    Attributes:
        words: `("flowlib", "run", "x.yaml", "train.lr=0.1")`; empty if there is no such command.
        names_store: Whether the document or a word names the store.
        store: Words that name the store to other commands; None where they are not known.
        means: Words that tell with what it is run, `("--executor", "rq")`; None where it was
            no command that ran it.
    """

    words: tuple[str, ...] = ()
    names_store: bool = False
    store: tuple[str, ...] | None = None
    means: tuple[str, ...] | None = None

    def again(self, store: ResultsStore) -> tuple[str, ...]:
        """The words that run the flow again with this store; empty if there are none."""
        means = self.means or ()
        if self.names_store or not self.words:
            return (*self.words, *means) if self.words else ()
        named = self.seen_by(store)
        return (*self.words, *named[1:], *means) if named else ()

    def run_by(self, executor: object, num_workers: int | None) -> RunCommand:
        """The command, where no words tell the means: with what `Flow.run` was called with."""
        if self.means is not None or not self.words:
            return self
        means = [] if num_workers is None else ["--workers", str(num_workers)]
        means += ["--executor", executor] if isinstance(executor, str) else []
        return replace(self, means=tuple(means))

    def seen_by(self, store: ResultsStore) -> tuple[str, ...]:
        """The words that look into this store; empty if there are none."""
        named = _named(store) if self.store is None else self.store
        return () if named is None else (_PROGRAM, *named)


NO_COMMAND: Final = RunCommand()
"""For flows that no command runs."""


def store_text(store: ResultsStore) -> str:
    """A store as people read it: its URI without any password, if it has one."""
    return store.shown_uri if store.runs_dir is None else _uri(store.runs_dir)


def default_store_uri() -> str:
    """Where the command keeps results if nothing is said, wherever in the project the user is."""
    return settings().store or f"file:{project_folder(Path.cwd()) / DEFAULT_FOLDER}"


def _named(store: ResultsStore) -> tuple[str, ...] | None:
    """The words that name a store; None if it is no folder, and may hold a password."""
    if store.runs_dir is None:
        return None
    uri = _uri(store.runs_dir)
    return () if uri == default_store_uri() else ("--store", uri)


def rest_of(start: RunStarted) -> str:
    """Runs what is left of a run; empty if no command is known that does."""
    if tuple(start.again[1:2]) == (EXECUTE,):
        return ""  # the tasks that were wanted are named, one by one
    if start.again and start.is_part:
        return shlex.join([*start.again, "--resume", _own_name(start)])
    return shlex.join(start.again)


def again(start: RunStarted, task: TaskRef) -> str:
    """Runs one task again; empty if no command is known that does."""
    return shlex.join(words_for(start.again, task.id)) if start.again else ""


def debugged(start: RunStarted, task: TaskRef) -> str:
    """Runs one task again in the process of the command, and stops where it fails."""
    words = [*words_for(start.again, task.id), "--pdb"] if start.again else []
    for option in _ELSEWHERE:
        while option in words:
            at = words.index(option)
            del words[at : at + 2]
    return shlex.join(words)


def words_for(again: Sequence[str], task_id: str) -> tuple[str, ...]:
    """The words that run one task of a run again.

    Args:
        again: Those that run all of it again.
        task_id: `Train/9a7a08b2`.
    """
    is_submitted = tuple(again[1:2]) == (EXECUTE,)
    return (*again, task_id) if is_submitted else (*again, "--only", task_id)


def logs_of(start: RunStarted, task: TaskRef) -> str:
    """Shows what a task printed; empty if no command can look into the store."""
    return _look(start, ["logs", task.id])


def results_of(start: RunStarted) -> str:
    """Shows the results of the store as a table; empty if no command can look into it."""
    return _look(start, ["results"])


def _own_name(start: RunStarted) -> str:
    """The name that no other run has: the second `exp` is kept as `exp#2`."""
    _, mark, number = (start.folder or "").rpartition("#")
    is_repeated = mark and number.isdecimal() and not start.run_name.endswith(f"#{number}")
    return f"{start.run_name}#{number}" if is_repeated else start.run_name


def _look(start: RunStarted, words: Sequence[str]) -> str:
    program, *store = start.seen_by or ("",)
    return shlex.join([program, *words, *store]) if program else ""


def _uri(runs_dir: Path) -> str:
    return f"file:{runs_dir.parent}"
