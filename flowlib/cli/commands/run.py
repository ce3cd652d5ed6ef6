"""Run what a document describes; what is stored already is found again."""

from __future__ import annotations

import bdb
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from flowlib.cli.completing import run_names, spec_names
from flowlib.cli.documents import document_arguments, flow_of, flow_of_run
from flowlib.cli.exits import ExitCode
from flowlib.cli.options import common_options, events_option, store_option, writable_file
from flowlib.cli.output import note, signs, write_json, write_lines
from flowlib.cli.running import (
    conduct_options,
    means_options,
    run_arguments,
    with_options,
    words_of_means,
)
from flowlib.cli.times import limit_of
from flowlib.cli.verbosity import QUIET, VERBOSE, verbosity
from flowlib.terminal import terminal_width
from stores import StoreUnwritable

if TYPE_CHECKING:
    from flowlib import Flow, Run

_HINT: Final = (
    "nothing was run or written; -v lists tasks, flowlib why {id} explains one, "
    "without --dry-run it runs"
)


def _selectors(name: str, text: str) -> Any:
    return click.option(
        name, multiple=True, metavar="SELECTOR", help=text, shell_complete=spec_names
    )


_CHOICE = (
    _selectors("--force", "Run these again; Train+ also what is downstream."),
    _selectors("--only", "Run these alone, and what they need."),
    _selectors("--skip", "Do not run these, nor what needs them."),
    _selectors("--keep", "Let stored results of these count as they are."),
    click.option(
        "--resume", metavar="RUN", help="Run what an earlier run has left.",
        shell_complete=run_names,
    ),
    click.option(
        "--on-code-change", type=click.Choice(["warn", "rerun", "ignore", "error"]),
        help="What to do about results of other code; warn uses them and says so.",
    ),
)  # fmt: skip

_LIMITS = (
    click.option("--pdb", "has_pdb", is_flag=True, help="Stop in the debugger where a task fails."),
    click.option(
        "--timeout",
        metavar="TIME",
        callback=limit_of,
        help="How long a task may take: 90, 10m, 2h.",
    ),
    click.option("--retries", type=click.IntRange(0), help="How often a failed task is retried."),
    click.option("-n", "--dry-run", is_flag=True, help="Tell what would run and why; run nothing."),
    click.option("--exit-code", is_flag=True, help="With -n: exit with 10 if something would run."),
)

_ABOUT = (
    click.option("--project", "project_name", metavar="NAME", help="The project of the run."),
    click.option(
        "--report", metavar="FILE", callback=writable_file,
        help="Write a page about the run at its end.",
    ),
    click.option("--snapshot", is_flag=True, help="Keep the code, and let workers import that."),
)  # fmt: skip


def _with_options(function: Any) -> Any:
    function = conduct_options(with_options(function, _ABOUT))
    return with_options(means_options(with_options(function, _LIMITS)), _CHOICE)


@click.command()
@document_arguments(required=False)
@_with_options
@store_option
@events_option
@common_options
def command(
    document: str | None,
    overrides: tuple[str, ...],
    store_uri: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Run what a document describes; what is stored already is found again.

    \b
    flowlib run flow.yaml
    flowlib run flow.yaml train.lr=1e-3,1e-4 --workers 4 --gpus 0,1
    flowlib run flow.yaml --force Train+ --dry-run
    flowlib run flow.yaml --only Train/9a7a08b2 --pdb
    flowlib run --resume calm-finch-7

    `flowlib help overrides`, `selectors` and `exit-codes` tell more.
    """
    chosen = _chosen(options)
    limits = {name: options.pop(name) for name in ("timeout", "retries")}
    is_dry, is_asked = options.pop("dry_run"), options.pop("exit_code")
    report, has_pdb = options.pop("report"), options.pop("has_pdb")
    means = run_arguments(options, as_json=as_json and not is_dry, is_inline=has_pdb)
    flow = _flow(document, overrides, store_uri, limits, chosen.get("resume"))
    flow.command = replace(flow.command, means=words_of_means())
    if is_dry:
        return _told(flow, chosen, means, as_json=as_json, exit_code=is_asked)
    run = flow.run(exit_on_error=False, return_results=None, **means, **chosen)
    if report is not None:
        run.report(report)
    if has_pdb and run.exception is not None:
        _debug(run)
    return _code(run)


def _code(run: Run) -> ExitCode:
    """How the run went: it is the store that failed if it could not be written from the first."""
    if run.ok:
        return ExitCode.OK
    is_unwritten = isinstance(run.exception, StoreUnwritable)
    return ExitCode.STORE if is_unwritten else ExitCode.FAILED


def _flow(
    document: str | None,
    overrides: tuple[str, ...],
    store_uri: str | None,
    limits: Mapping[str, Any],
    resumed: str | None,
) -> Flow:
    """The flow of the document, or of the run that is resumed."""
    if document is not None:
        return flow_of(document, overrides, store_uri, limits)
    if resumed is None:
        raise click.UsageError("Missing argument 'DOCUMENT'.")
    return flow_of_run(resumed, store_uri, limits)


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Which tasks run: taken out of the options; what is not given is left out."""
    names = ("force", "only", "skip", "keep", "resume", "on_code_change")
    given = {name: options.pop(name) for name in names}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value
    }


def _told(
    flow: Flow,
    chosen: Mapping[str, Any],
    means: Mapping[str, Any],
    *,
    as_json: bool,
    exit_code: bool,
) -> int:
    """Tell what would run, and why."""
    plan = flow.plan(num_workers=means.get("num_workers"), **chosen)
    if as_json:
        write_json(plan.to_dict())
    elif verbosity() > QUIET:
        width = terminal_width() if sys.stdout.isatty() else None
        write_lines(plan.lines(signs(), hint=_HINT, width=width))
        if verbosity() >= VERBOSE:
            write_lines(plan.task_lines(signs()))
    return ExitCode.WOULD_RUN if exit_code and plan.to_run else ExitCode.OK


def _debug(run: Run) -> None:
    """Stop where the first task failed."""
    import pdb

    error = run.exception
    if error is None or error.__traceback__ is None:
        note("the failure was not in this process: there is nothing to look at")
        return
    if not sys.stdin.isatty():
        note("--pdb reads from a terminal, and stdin is none")
        return
    try:
        pdb.post_mortem(error.__traceback__)
    except bdb.BdbQuit:
        return
