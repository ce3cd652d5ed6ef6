"""Which runs are there, and how are they?"""

from __future__ import annotations

import sys
import time

import click

from flowlib.cli.completing import run_names
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import note, signs, write, write_json, write_lines
from flowlib.live_terminal import size_of
from flowlib.run_lines import run_document, run_lines, run_story, run_story_document
from flowlib.run_requests import OpenRequests
from flowlib.run_stop import with_requests
from flowlib.stored_runs import find_run, stored_runs
from flowlib.submitted_tasks import Submitted

_WIDTH = 100
_FEWEST = 10
_AROUND = 3


@click.command()
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--all", "is_all", is_flag=True, help="Show all runs, also on a terminal.")
@json_option
@store_option
@common_options
def command(run: str | None, is_all: bool, as_json: bool, store_uri: str | None) -> None:
    """Show the runs with a store, live ones on top; or all about one run.

    \b
    flowlib status
    flowlib status sunny-otter-12
    flowlib status --json

    RUN is the name of a run, or its beginning. A run is interrupted when a signal stopped it, or
    when its process is gone; one on another host, when it has shown no life for a while.
    """
    store = opened_store(store_uri)
    has_terminal = sys.stdout.isatty()
    columns, lines = size_of(sys.stdout) if has_terminal else (_WIDTH, 0)
    if run is not None:
        with OpenRequests(store) as requests:
            [found] = with_requests([find_run(store, run)], requests)
        if as_json:
            write_json({"run": run_story_document(found)})
        else:
            write_lines(run_story(found, signs(), time.time(), columns))
        return
    with OpenRequests(store) as requests:
        runs = with_requests(stored_runs(store), requests)
    pending = len(Submitted(store).pending)
    if as_json:
        documents = [run_document(each) for each in runs]
        write_json({"total": len(runs), "runs": documents, "pending": pending})
        return
    shown = runs if is_all or not has_terminal else runs[: max(_FEWEST, lines - _AROUND)]
    write_lines(run_lines(shown, signs(), time.time(), columns if has_terminal else None))
    if len(shown) < len(runs):
        write(f"{signs().more} {len(runs) - len(shown):,} more of {len(runs):,}: --all\n")
    if not runs:
        note("no run has used this store yet")
    if pending:
        were = "task was submitted and has" if pending == 1 else "tasks were submitted and have"
        note(f"{signs().icon('pending')} {pending:,} {were} not run: flowlib ls @pending")
