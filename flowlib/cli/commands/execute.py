"""Run what was submitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from flowlib import RunCommand, execute
from flowlib.cli.completing import submitted_names
from flowlib.cli.exits import ExitCode
from flowlib.cli.ids import selectors_from
from flowlib.cli.opening import opened_store
from flowlib.cli.opening import store_uri as uri_of
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.running import conduct_options, means_options, run_arguments, words_of_means
from flowlib.credentials import without_secret_words


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY…", shell_complete=submitted_names)
@click.option("--force", multiple=True, metavar="SELECTOR", help="Run these again.")
@click.option("--once", is_flag=True, help="Try each task once: who calls this tries again.")
@means_options
@conduct_options
@store_option
@json_option
@common_options
def command(
    keys: Sequence[str],
    force: Sequence[str],
    once: bool,
    store_uri: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Run tasks that were submitted, and what is missing of all that they read.

    \b
    flowlib execute 4138b 80aa3
    flowlib execute Train/9a7a08b2 --store mongodb://host/runs --workers 4
    flowlib execute 'Train*'
    flowlib ls @pending --ids | flowlib execute -

    KEY is the beginning of a key, or another selector of submitted tasks. Any process that reaches
    the store may do this, and several at once: they share the work. What is stored is found again.
    """
    arguments = run_arguments(options, as_json=as_json, is_inline=False)
    if force:
        arguments["force"] = list(force)
    run = execute(
        selectors_from(keys),
        opened_store(store_uri),
        exit_on_error=False,
        return_results=None,
        command=_command(store_uri),
        once=once,
        **arguments,
    )
    return ExitCode.OK if run.ok else ExitCode.FAILED


def _command(given: str | None) -> RunCommand:
    """The words that run a task of these again, when its id follows."""
    named = () if given is None else tuple(without_secret_words(["--store", uri_of(given)]))
    words = ("flowlib", "execute", *named)
    return RunCommand(words, names_store=True, store=named, means=words_of_means())
