"""Stop a run that goes on elsewhere, or some of its tasks."""

from __future__ import annotations

from typing import Final

import click

from flowlib import wait
from flowlib.cli.completing import run_names
from flowlib.cli.exits import ExitCode
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, store_option
from flowlib.cli.output import note
from flowlib.computing_runs import computing_run, is_key, keys_in_work
from flowlib.errors import NothingSelected, RunError
from flowlib.run_stop import Told, ask_unknown_run, cancel_tasks, stop_run
from flowlib.stored_runs import find_run
from flowlib.vocabulary import shown_state
from stores import Address, ResultsStore

_NOW: Final = "--now is for a whole run: tasks that are named are ended at once"
_UNKNOWN_S: Final = 30.0
"""So long is waited for a run that may be on another host, or nowhere."""


@click.command()
@click.argument("run", metavar="RUN|KEY", shell_complete=run_names)
@click.option(
    "--only", multiple=True, metavar="SELECTOR", help="These tasks alone; the run goes on."
)
@click.option("--now", is_flag=True, help="End the tasks that run, too.")
@store_option
@common_options
def command(run: str, only: tuple[str, ...], now: bool, store_uri: str | None) -> ExitCode:
    """Stop a run that was started elsewhere, as Ctrl-C in its terminal does, or some of its tasks.

    \b
    flowlib cancel sunny-otter-12          nothing new starts, what runs may end
    flowlib cancel sunny-otter-12 --now    what runs is ended, after five seconds by force
    flowlib cancel sunny-otter-12 --only Train/9a7a08b2    this task is not started, or ended;
                                           those that read from it are skipped, all others go on
    flowlib cancel Train/9a7a08b2          the same, in the one run that goes on with it

    KEY is the beginning of a key, or the name of a task in a run. What has finished is kept, and
    the next run goes on from there. A run on another host reads in the store what it is asked for,
    within seconds; one whose only worker is its own process, when a task has ended. The exit code
    is 1 if there was no answer within a minute.
    """
    if only and now:
        raise RunError(_NOW)
    store = opened_store(store_uri)
    try:
        found = find_run(store, run)
    except NothingSelected as error:
        if not only and (code := _task(run, store, now=now)) is not None:
            return code
        return _elsewhere(run, store, only, now=now, error=error)
    if not found.is_live:
        note(f"run {found.name} does not go on: {found.state}")
        return ExitCode.OK
    told = cancel_tasks(found, store, only) if only else stop_run(found, store, now=now)
    return _say(found.name, told, now=now)


def _task(text: str, store: ResultsStore, *, now: bool) -> ExitCode | None:
    """Cancel a task in the run that computes it; None if nothing is called so."""
    found = computing_run(store, text)
    if found is None:
        return _told_state(text, store) if is_key(text) else None
    if now:
        raise RunError(_NOW)
    run, task = found
    told = cancel_tasks(run, store, (f"{task.task}/{task.key}",))
    return _say(run.name, told, now=False)


def _told_state(text: str, store: ResultsStore) -> ExitCode | None:
    """Tell how a task is that no run computes of those that are known here."""
    if at_work := keys_in_work(store, text):
        shown = ", ".join(map(str, at_work))
        note(f"{shown} is running, in no run that is known here: flowlib cancel RUN --only {shown}")
        return ExitCode.FAILED
    try:
        [(id_, state)] = wait(text, store, 0.0).items()
    except NothingSelected:
        return None
    task, _, key = id_.rpartition("/")
    note(f"no run computes {Address(task, key)}: it is {shown_state(state.value).word}")
    return ExitCode.OK


def _elsewhere(
    run: str, store: ResultsStore, only: tuple[str, ...], *, now: bool, error: NothingSelected
) -> ExitCode:
    """Runs with a database are known by the hosts alone on which they were begun."""
    if store.runs_dir is not None or not store.reachable_from_workers:
        raise error
    note(f"{error}\nasking the other hosts that use this store, for {_UNKNOWN_S:.0f} s")
    told = ask_unknown_run(run, store, only, now=now, patience_s=_UNKNOWN_S)
    if told is None:
        raise NothingSelected(f"no run {run!r} has answered: none goes on, here or elsewhere")
    return _say(run, told, now=now)


def _say(name: str, told: Told, *, now: bool) -> ExitCode:
    where = f" on {told.host}" if told.host else ""
    if not told.has_answered:
        note(f"run {name} was asked, waiting for {told.host}")
        return ExitCode.FAILED
    if told.words:
        note(f"run {name}{where}: {told.words}")
        return ExitCode.OK
    what = "its tasks are being ended" if now else "what runs may end; --now ends it"
    note(f"run {name} stops: {what}")
    return ExitCode.OK
