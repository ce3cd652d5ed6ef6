"""
Is a script run again to compare its results? Then its runs write into another store.

`flowlib reproduce` sets a variable of the environment for the script that it starts: the store,
and the one task that is wanted. A flow that has this task runs nothing else, and ends the script.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Final, NoReturn

from flowlib.graph import TaskGraph
from flowlib.run_options import RunOptions
from stores import open_store

VARIABLE: Final = "_FLOWLIB_REPRODUCE"


def redirection(store: str, task: str, key: str) -> dict[str, str]:
    """The variable that redirects the runs of a process.

    Args:
        store: URI of the store.
        task: Name of the task that is wanted.
        key: Its key.
    """
    return {VARIABLE: json.dumps({"store": store, "task": task, "key": key})}


def redirected(graph: TaskGraph, options: RunOptions) -> tuple[RunOptions, bool]:
    """The options as they hold here, and whether the run is the one that is wanted."""
    text = os.environ.get(VARIABLE)
    if text is None:
        return options, False
    wanted = json.loads(text)
    is_it = wanted["key"] in graph.nodes
    only = f"{wanted['task']}/{wanted['key']}" if is_it else None
    chosen = replace(
        options, results_store=open_store(wanted["store"]), only=only, force=None, skip=None,
        keep=None, resume=None, on_code_change="ignore", progress=None,
    )  # fmt: skip
    return chosen, is_it


def last_of_script(run: object) -> NoReturn:
    """End the script: the run that was wanted is over.

    Raises:
        SystemExit: always.
    """
    raise SystemExit(f"{run!r} was all that is wanted of this script")
