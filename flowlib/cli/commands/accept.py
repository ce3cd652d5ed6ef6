"""Let stored results count although the code has changed."""

from __future__ import annotations

import click

from flowlib.cli.completing import run_names, task_names
from flowlib.cli.documents import flow_of, flow_of_run
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import note, write, write_json


@click.command()
@click.argument(
    "selectors", nargs=-1, required=True, metavar="SELECTOR…", shell_complete=task_names
)
@click.option("--document", metavar="FILE", help="The document; without it that of the last run.")
@click.option(
    "--run",
    "run_name",
    metavar="RUN",
    help="The run whose document is meant.",
    shell_complete=run_names,
)
@store_option
@json_option
@common_options
def command(
    selectors: tuple[str, ...],
    document: str | None,
    run_name: str | None,
    store_uri: str | None,
    as_json: bool,
) -> None:
    """Let stored results count although the code, or a default, has changed.

    \b
    flowlib accept Train/9a7a08b2
    flowlib accept Train+ --document flow.yaml

    Nothing is computed, and nothing that was stored is changed but this one mark.
    """
    flow = (
        flow_of_run(run_name, store_uri) if document is None else flow_of(document, (), store_uri)
    )
    accepted = flow.accept(list(selectors))
    if as_json:
        write_json(accepted.to_dict())
        return
    write("".join(f"{each}\n" for each in accepted))
    for id_, why in accepted.left:
        note(f"{id_} left as it is: {why}")
    note(f"accepted: {len(accepted)}; as valid as before: {accepted.valid}")
