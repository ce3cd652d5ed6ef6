"""Wait until tasks have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from flowlib import wait
from flowlib.cli.completing import submitted_names
from flowlib.cli.exits import ExitCode
from flowlib.cli.ids import selectors_from
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import signs, write_json, write_line
from flowlib.cli.times import patience_of
from flowlib.cli.verbosity import QUIET, verbosity
from stores import TaskState

_OPEN = (TaskState.PENDING, TaskState.RUNNING)


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY…", shell_complete=submitted_names)
@click.option(
    "--timeout", metavar="TIME", callback=patience_of,
    help="Wait no longer than this: 90s, 10m, 2h.",
)  # fmt: skip
@json_option
@store_option
@common_options
def command(
    keys: Sequence[str], timeout: str | None, as_json: bool, store_uri: str | None
) -> ExitCode:
    """Wait until tasks have ended, whoever computes them, and tell how they did.

    \b
    flowlib wait 4138b 80aa3 && flowlib cat 80aa3
    flowlib wait Train --timeout 2h

    The exit code is 0 if all of them have finished, 1 if one has failed, and 124 if the time was
    over before. A task that has failed has ended, unless a process is computing it again.
    """
    states = wait(selectors_from(keys), opened_store(store_uri), timeout)
    if as_json:
        write_json({"tasks": {key: state.value for key, state in states.items()}})
    elif verbosity() > QUIET:
        for key, state in states.items():
            task, _, digest = key.rpartition("/")
            write_line(f"{signs().icon(state.value)} {state.value:<9} {task}/{digest[:8]}")
    return _code(states)


def _code(states: Mapping[str, TaskState]) -> ExitCode:
    if any(state not in (*_OPEN, TaskState.FINISHED) for state in states.values()):
        return ExitCode.FAILED
    return ExitCode.TIMED_OUT if any(s in _OPEN for s in states.values()) else ExitCode.OK
