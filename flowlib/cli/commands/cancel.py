"""Stop a run that goes on elsewhere."""

from __future__ import annotations

import click

from flowlib.cli.completing import run_names
from flowlib.cli.exits import ExitCode
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, store_option
from flowlib.cli.output import note
from flowlib.run_stop import stop_run
from flowlib.stored_runs import find_run


@click.command()
@click.argument("run", shell_complete=run_names)
@click.option("--now", is_flag=True, help="End the tasks that run, too.")
@store_option
@common_options
def command(run: str, now: bool, store_uri: str | None) -> ExitCode:
    """Stop a run that was started elsewhere on this host, as Ctrl-C in its terminal does.

    \b
    flowlib cancel sunny-otter-12          nothing new starts, what runs may end
    flowlib cancel sunny-otter-12 --now    what runs is ended, after five seconds by force

    What has finished is kept, and the next run goes on from there. The exit code is 1 if the run
    has not begun to stop within a minute.
    """
    found = find_run(opened_store(store_uri), run)
    if not found.is_live:
        note(f"run {found.name} does not go on: {found.state}")
        return ExitCode.OK
    if not stop_run(found, now=now):
        note(f"run {found.name} was told to stop, and has not answered yet")
        return ExitCode.FAILED
    what = "its tasks are being ended" if now else "what runs may end; --now ends it"
    note(f"run {found.name} stops: {what}")
    return ExitCode.OK
