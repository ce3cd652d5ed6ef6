"""Which runs that go on compute a task, so that it can be cancelled there?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from flowlib.errors import SelectorError
from flowlib.event_log import read_events
from flowlib.events import Cached, Failed, Finished, Skipped, TaskEvent
from flowlib.run_manifest import states_of_run
from flowlib.stored_runs import StoredRun, stored_runs, tasks_of_run
from stores import Address, ResultsStore

_KEY: Final = re.compile(r"(?:(?P<task>.+)/(?=.)|(?=.{4}))(?P<key>[0-9a-f]+)")
"""The beginning of a key: of four letters at least, where no task is named."""

_TO_DO: Final = frozenset(("pending", "scheduled", "running"))
_OVER: Final = (Finished, Failed, Skipped, Cached)


def is_key(text: str) -> bool:
    """Whether a text may be the beginning of a key: `9a7a08`, `Train/9a7a08b2`."""
    return _KEY.fullmatch(text) is not None


def computing_run(store: ResultsStore, text: str) -> tuple[StoredRun, Address] | None:
    """The one run that goes on with a task, and the task; None if there is no such run.

    Args:
        store: Its store.
        text: The beginning of a key, or the unique name that the task has in the run.

    Raises:
        SelectorError: several tasks are called so, or several runs are to compute it.
    """
    live = [run for run in stored_runs(store) if run.is_live]
    found = [(run, task) for run in live for task in _meant(text, open_tasks(run.folder))]
    tasks = list(dict.fromkeys(str(task) for _, task in found))
    if len(tasks) > 1:
        raise SelectorError(f"{text!r} means {len(tasks)} tasks: {', '.join(tasks)}; name one")
    if len(found) > 1:
        names = ", ".join(sorted(run.name for run, _ in found))
        raise SelectorError(
            f"{len(found)} runs compute {tasks[0]}: {names}; name one of them: "
            f"flowlib cancel RUN --only {tasks[0]}"
        )
    return found[0] if found else None


def keys_in_work(store: ResultsStore, text: str) -> list[Address]:
    """The keys that begin so and that some process is computing, wherever it is.

    Args:
        store: Where it has the lease.
        text: The beginning of a key.
    """
    return list(_begun_so(text, store.keys_in_work()))


def open_tasks(folder: Path) -> dict[str, Address]:
    """The tasks that a run computes, or is still to compute, by unique name.

    Args:
        folder: That of the run.
    """
    known, to_do = tasks_of_run(folder), frozenset[str]()
    with suppress(SelectorError):
        to_do = frozenset(key for key, state in states_of_run(folder).items() if state in _TO_DO)
    found = {name: address for name, address in known.items() if address.key in to_do}
    for event in read_events(folder):
        if isinstance(event, _OVER):
            found.pop(event.task.unique_name, None)
        elif isinstance(event, TaskEvent):  # tasks that were grown are in no manifest
            found[event.task.unique_name] = Address(event.task.spec, event.task.key)
    return found


def _meant(text: str, tasks: Mapping[str, Address]) -> Iterator[Address]:
    if text in tasks:
        yield tasks[text]
    else:
        yield from _begun_so(text, dict.fromkeys(tasks.values()))


def _begun_so(text: str, addresses: Iterable[Address]) -> Iterator[Address]:
    if parts := _KEY.fullmatch(text):
        task, key = parts.group("task", "key")
        for each in addresses:
            if each.key.startswith(key) and task in (None, each.task):
                yield each
