"""What does it cost at least if each task has a folder with two small files?

The same as `floor`; besides, the workers write the files and rename them into place.
"""

# Importing pathlib would be a good part of what is measured.
# ruff: noqa: PTH102, PTH103, PTH104
from __future__ import annotations

import json
import os

from benchmarks.adapters import floor
from benchmarks.adapters.floor import Keep
from benchmarks.workloads import Case, Config, Facts


def _keep_in(case: Case) -> Keep:
    base = f"{case.folder}/tasks"
    os.makedirs(base, exist_ok=True)

    def keep(key: str, config: Config, value: object) -> None:
        folder = f"{base}/{key}"
        os.mkdir(folder)
        _write(folder, "config.json", json.dumps(config), case.fsync)
        _write(folder, "result.json", json.dumps(value), case.fsync)

    return keep


def _write(folder: str, name: str, text: str, fsync: bool) -> None:
    path = f"{folder}/{name}"
    fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, text.encode())
    if fsync:
        os.fsync(fd)
    os.close(fd)
    os.rename(path + ".new", path)


def cold(case: Case) -> Facts:
    """W2: run tasks into an empty store."""
    return floor.cold(case, _keep_in(case))


busy = cold
warm = floor.warm
gather = floor.gather


def one_more(case: Case) -> Facts:
    """W4: cached tasks and one new one."""
    return floor.one_more(case, _keep_in(case))


def shape(case: Case) -> Facts:
    """W8: tasks that read from other tasks."""
    return floor.shape(case, _keep_in(case))
