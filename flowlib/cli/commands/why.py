"""Explain why a task would run, or would not."""

from __future__ import annotations

from typing import Any

import click

from flowlib.cli.completing import run_names, task_names
from flowlib.cli.documents import flow_of, flow_of_run
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import signs, write_json, write_lines


@click.command()
@click.argument("task", shell_complete=task_names)
@click.argument("document", required=False)
@click.argument("overrides", nargs=-1)
@click.option(
    "--run",
    "run_name",
    metavar="RUN",
    help="The run whose document is meant.",
    shell_complete=run_names,
)
@click.option("--force", multiple=True, metavar="SELECTOR", help="As in flowlib run.")
@store_option
@json_option
@common_options
def command(
    task: str,
    document: str | None,
    overrides: tuple[str, ...],
    store_uri: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Explain why a task would run, or would not.

    \b
    flowlib why Train/9a7a08b2
    flowlib why Train-12 flow.yaml train.lr=1e-4

    Without a document that of the last run is meant, with its overrides.
    """
    if document is None:
        flow = flow_of_run(options["run_name"], store_uri)
    else:
        flow = flow_of(document, overrides, store_uri)
    explanation = flow.plan(force=list(options["force"]) or None).why(task)
    if as_json:
        write_json(explanation.to_dict())
    else:
        write_lines(explanation.lines(signs()))
