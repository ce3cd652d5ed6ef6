"""What has a task printed? The end of its log; only files among the logs of runs are opened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from flowlib.run_folders import recorded_log
from flowlib.stored_runs import StoredRun
from flowlib.task_logs import LogPlace
from stores import Address, Record, ResultsStore
from stores.lazy_dataclass import dataclass

_TAIL_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class LogTail:
    """The end of a log.

    Attributes:
        path: The file.
        text: Its last lines.
        left_out: How many bytes stand before.
    """

    path: Path
    text: str
    left_out: int


def log_tail(
    store: ResultsStore, record: Record | None, address: Address, runs: Sequence[StoredRun]
) -> LogTail | None:
    """The end of the log of the last try of a task; None if there is none.

    Whoever can write records cannot make us show another file: a log lies in the folder of a run.

    Args:
        store: The store.
        record: Of the task; None if it has none.
        address: Of the task.
        runs: The runs of the store.
    """
    for path in _places(store, record, address, runs):
        real = os.path.realpath(path)
        if any(_is_within(real, run.folder) for run in runs):
            tail = _tail(Path(real))
            if tail is not None:
                return tail
    return None


def _places(
    store: ResultsStore, record: Record | None, address: Address, runs: Sequence[StoredRun]
) -> Iterator[str]:
    """Where the log may be: in a run that goes on, else where the record says."""
    for run in runs:
        if run.is_live:
            logs = LogPlace(run.folder, address).logs()
            yield from (str(each.path) for each in reversed(logs))
    if record is not None:
        found = recorded_log(store, record.latest.provenance)
        if found is not None:
            yield found


def _is_within(real: str, folder: Path) -> bool:
    return real.startswith(f"{os.path.realpath(folder)}{os.sep}")


def _tail(path: Path) -> LogTail | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - _TAIL_BYTES)
            file.seek(start)
            data = file.read(_TAIL_BYTES)
    except OSError:
        return None
    if start:
        cut = data.find(b"\n") + 1
        data, start = data[cut:], start + cut
    return LogTail(path, data.decode("utf-8", "replace"), start)
