"""How far is a run that goes on elsewhere? Its live view, or the panes of its workers."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from flowlib.cli.completing import run_names
from flowlib.cli.exits import ExitCode
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, store_option
from flowlib.errors import NothingSelected
from flowlib.event_log import follow_events
from flowlib.events import Event, RunStarted
from flowlib.run_progress import RunProgress
from flowlib.showing import watch
from flowlib.stored_runs import find_run


@click.command()
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--tmux", is_flag=True, help="Go to the panes of a run that has log_to_tmux.")
@click.option(
    "--progress", type=click.Choice(["auto", "live", "lines", "none"]), default="auto",
    help="How it is shown; auto is live on a terminal, else lines.",
)  # fmt: skip
@store_option
@common_options
def command(run: str | None, tmux: bool, progress: str, store_uri: str | None) -> ExitCode:
    """Watch a run that was started elsewhere; Ctrl-C stops watching, the run goes on.

    \b
    flowlib attach
    flowlib attach sunny-otter-12
    flowlib attach --tmux

    RUN is the name of a run, or its beginning; without it the newest that goes on is meant. Of a
    run that is over the end is shown. The exit code is that of the run: 1 if a task failed, or if
    it was interrupted.
    """
    found = find_run(opened_store(store_uri), run)
    if found.driver is None:
        raise NothingSelected(f"nothing can be read of run {found.name} in {found.folder}")
    if tmux:
        _go_to_panes(found.driver)
    story = RunProgress()
    view = "lines" if progress == "auto" and not sys.stderr.isatty() else progress
    events = _noted(found.folder, story)
    if view == "none":
        deque(events, maxlen=0)  # to the end
    else:
        watch(events, view)
    is_whole = story.total == story.count("finished", "cached")
    return ExitCode.OK if is_whole else ExitCode.FAILED


def _noted(folder: Path, story: RunProgress) -> Iterator[Event]:
    for found in follow_events(folder):
        for event in found:
            story.note(event)
            yield event


def _go_to_panes(driver: RunStarted) -> None:
    """Become tmux; also inside of tmux, whose server is another one."""
    from flowlib.tmux_session import words_to_attach  # wanted seldom

    words = words_to_attach(driver.project_name, driver.run_name)
    environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
    os.execvpe(words[0], words, environment)
