"""How did the attempts at a task end that its run tried again? A record has the last one only."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from flowlib.event_log import event_files, event_of
from flowlib.events import Retried
from flowlib.run_folders import run_folders
from stores import Record, ResultsStore
from stores.file_layout import encoded

_FIRST: Final = 1


def earlier_tries(store: ResultsStore, record: Record) -> tuple[Retried, ...]:
    """What the logs of its runs tell, in order; none where these are not here any more.

    Those runs are looked at that have made the attempts of which the record tells: the one that
    counts, and the last. Of a first attempt no log is read.

    Args:
        store: Where the record is.
        record: It.
    """
    attempts = [each for each in (record.finished, record.latest) if each is not None]
    runs = {each.run.run_name for each in attempts if each.run and each.number > _FIRST}
    key = record.address.key
    found = [each for folder in _called(store, runs) for each in _retried(folder, key)]
    return tuple(sorted(found, key=lambda each: each.at))


def _called(store: ResultsStore, runs: Collection[str]) -> Iterator[Path]:
    """The folders of runs of these names: the second one of a name has `#2` behind it."""
    names = {encoded(run) for run in runs}
    for folder in run_folders(store.runs_dir) if names else ():
        if folder.name in names or folder.name.rpartition("#")[0] in names:
            yield folder


def _retried(folder: Path, key: str) -> Iterator[Retried]:
    for name in event_files(folder):
        with contextlib.suppress(OSError), (folder / name).open("rb") as file:
            for line in file:
                if key.encode() in line and b"retried" in line:  # most lines need no parsing
                    event = event_of(line)
                    if isinstance(event, Retried) and event.task.key == key:
                        yield event
