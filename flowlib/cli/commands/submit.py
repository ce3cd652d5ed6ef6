"""Record a graph in the store, to be run later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from flowlib.cli.documents import document_arguments, flow_of
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import note, write_json, write_line
from flowlib.cli.verbosity import QUIET, VERBOSE, verbosity
from flowlib.script_flows import flows_of_script, is_script

if TYPE_CHECKING:
    from flowlib import Flow
    from flowlib.submission import Submission


@click.command()
@document_arguments()
@click.option("--snapshot", is_flag=True, help="Keep the code of now, and run it with that.")
@json_option
@store_option
@common_options
def command(
    document: str,
    overrides: tuple[str, ...],
    snapshot: bool,
    as_json: bool,
    store_uri: str | None,
) -> None:
    """Record the tasks of a script or a document in the store, to be run later.

    \b
    flowlib submit hello.py
    flowlib submit hello.py:flow --store sqlite:///runs.db
    flowlib submit flow.yaml train.lr=1e-3,1e-4
    flowlib execute $(flowlib submit hello.py)

    Nothing is run. The ids of the tasks that nothing else reads are written, one to a line; -v
    writes all. Of a script its flows are taken, and if it has none, the specs among its globals.
    """
    flows = _flows(document, overrides, store_uri).values()
    found = [flow.submit(snapshot=snapshot) for flow in flows]
    if as_json:
        write_json({"submissions": [_document(each) for each in found]})
        return
    for each in found:
        shown = each.tasks if verbosity() >= VERBOSE else ()
        for address in [task.address for task in shown] or each.targets:
            write_line(str(address))
        if verbosity() > QUIET:
            word = "submitted" if each.is_new else "submitted before"
            note(f"{len(each):,} {'task' if len(each) == 1 else 'tasks'} {word}; nothing was run")


def _flows(document: str, overrides: tuple[str, ...], store_uri: str | None) -> Mapping[str, Flow]:
    if not is_script(document):
        return {document: flow_of(document, overrides, store_uri)}
    if overrides:
        raise click.UsageError("overrides are for documents: a script is as it is")
    flows = flows_of_script(document)
    for flow in flows.values():
        if store_uri is not None or flow.results_store is None:
            flow.results_store = opened_store(store_uri, must_exist=False)
    return flows


def _document(submission: Submission) -> dict[str, object]:
    targets = set(submission.targets)
    return {
        "id": submission.id,
        "is_new": submission.is_new,
        "project": submission.project,
        "tasks": [
            {
                "id": str(each.address),
                "task": each.address.task,
                "key": each.address.key,
                "unique_name": each.unique_name,
                "is_target": each.address in targets,
            }
            for each in submission.tasks
        ],
    }
