"""
Where are the events and logs of a run kept?

    <store>/.runs/<run name>/                a store that is a folder keeps them beside its records
    $XDG_STATE_HOME/flowlib/runs/<project>/<run name>/    for any other store

    <store>/.code/<fact>.json                what the code said that has made results
    $XDG_STATE_HOME/flowlib/code/<project>/<fact>.json

    …/manifest.json                          the nodes that were asked for, and how they ended
    …/graph.json                             what each of its nodes reads from
    …/provenance.json                        code, machine and command of the run, as in its records
    …/events-<host>-<pid>.jsonl              what happened, one file for each process that writes
    …/logs/<Task>-<key>.log                  what a task printed and logged; `.2.log` for a retry
    …/workers/w1.log                         what a worker printed, where somebody follows it
    …/results/<Task>-<number>                links to the files of what has run
    …/slurm/                                 jobs on their way to SLURM, and what those wrote

A run never writes into the folder of an earlier one: the second that is called `exp` gets `exp#2`.
Nobody deletes run folders but the user.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flowlib.state_home import state_home as _state_home  # a parameter is called so
from stores import ResultsStore
from stores.file_layout import encoded

LOGS: Final = "logs"
WORKERS: Final = "workers"
MANIFEST: Final = "manifest.json"
PROVENANCE: Final = "provenance.json"
SPOOL: Final = "slurm"
CODE: Final = ".code"


def runs_folder(store: ResultsStore, project: str, state_home: Path | None = None) -> Path:
    """The folder that holds the folders of runs with this store.

    Args:
        store: The store of the run.
        project: Name of the project.
        state_home: In place of `$XDG_STATE_HOME`, for stores that are no folders.
    """
    if (beside := store.runs_dir) is not None:
        return beside
    return (state_home or _state_home()) / "flowlib" / "runs" / encoded(project)


def code_folder(store: ResultsStore, project: str) -> Path:
    """The folder that keeps what the code said that has made the results of this store.

    Args:
        store: The store.
        project: Name of the project.
    """
    if (beside := store.runs_dir) is not None:
        return beside.with_name(CODE)
    return _state_home() / "flowlib" / "code" / encoded(project)


def make_run_folder(runs: Path, run_name: str) -> Path:
    """Make the folder of a new run, which nothing was written to before.

    Raises:
        OSError: it cannot be made.
    """
    name = encoded(run_name)
    runs.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = runs / (name if number == 1 else f"{name}#{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number = max(_last_number(runs, name), number) + 1
        else:
            return folder


def spool_folder(store: ResultsStore, run: Path | None, given: str | Path | None) -> Path:
    """A folder for jobs on their way to other hosts, which nobody else uses.

    Args:
        store: The store of the run.
        run: The folder of the run; None if it has none.
        given: The folder that the user wants it to be in.
    """
    if given is None and run is not None:
        return run.absolute() / SPOOL
    beside = store.runs_dir
    usual = _state_home() / "flowlib" / SPOOL if beside is None else beside.with_name(f".{SPOOL}")
    return Path(given or usual).expanduser().absolute() / os.urandom(16).hex()


def run_folders(runs: Path | None = None) -> list[Path]:
    """The folders of runs.

    Args:
        runs: The folder that holds them; None for those of all stores that are no folders.
    """
    parents = [runs] if runs else _folders_in(_state_home() / "flowlib" / "runs")
    return [folder for parent in parents for folder in _folders_in(parent)]


def recorded_log(store: ResultsStore, provenance: Mapping[str, object]) -> str | None:
    """The log that a record names, if it is still there.

    Args:
        store: The store of the record.
        provenance: Of the attempt: its `log` is relative to the runs of a store that has some.
    """
    name = provenance.get("log")
    if not isinstance(name, str) or not name:
        return None
    path = (store.runs_dir or Path()) / name
    return str(path) if path.is_absolute() and path.is_file() else None


def _folders_in(parent: Path) -> list[Path]:
    try:
        return sorted(each for each in parent.iterdir() if each.is_dir())
    except OSError:
        return []


def _last_number(runs: Path, name: str) -> int:
    """The highest number among the runs of this name."""
    start = f"{name}#"
    found = [each.removeprefix(start) for each in os.listdir(runs) if each.startswith(start)]  # noqa: PTH208  # names are all that is needed
    return max((int(each) for each in found if each.isdecimal()), default=1)
