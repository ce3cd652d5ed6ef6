"""Delete what is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from flowlib.cli.asking import is_agreed
from flowlib.cli.completing import task_names
from flowlib.cli.exits import ExitCode
from flowlib.cli.ids import selectors_from
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, only_one, store_option, yes_option
from flowlib.cli.output import note, write_json, write_line
from flowlib.removal import plan_removal, removal_document, removal_text
from flowlib.stored_selection import select_records

_WITH: Final = "--with-dependents"
_KEEP: Final = "--keep-dependents"


@click.command()
@click.argument(
    "selectors", nargs=-1, required=True, metavar="SELECTOR…", shell_complete=task_names
)
@click.option(_WITH, is_flag=True, help="Delete what was computed from them, too.")
@click.option(
    _KEEP, is_flag=True,
    help="Keep that, although it cannot be computed again from the same.",
)  # fmt: skip
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be deleted.")
@yes_option
@json_option
@store_option
@common_options
def command(
    selectors: Sequence[str],
    with_dependents: bool,
    keep_dependents: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool = False,
    store_uri: str | None = None,
) -> ExitCode:
    """Delete results, with all that belongs to them.

    \b
    flowlib rm @failed
    flowlib rm 'Train[lr=1]' --with-dependents -n
    flowlib ls @failed --since 2h --ids | flowlib rm -y -

    What is deleted is gone: there is no trash. Records that are being computed are left as they
    are, and the exit code is then 1. Without a terminal nobody is asked, so -y has to be given.
    """
    dependents = only_one({_WITH: with_dependents, _KEEP: keep_dependents})
    store = opened_store(store_uri)
    plan = plan_removal(store, select_records(store, selectors_from(selectors)))
    if dry_run:
        if as_json:
            write_json({"dry_run": True, **plan.to_dict()})
        else:
            write_line(str(plan))
        return ExitCode.OK
    if plan.dependents and dependents is None:
        raise click.UsageError(
            f"{len(plan.dependents)} records were computed from what would be deleted: "
            f"{_WITH} deletes them, too, {_KEEP} keeps them, -n shows them"
        )
    if not yes:
        note(str(plan))
    if not is_agreed(_question(dependents), yes=yes):
        note("nothing was deleted")
        return ExitCode.OK
    done = plan.apply(with_dependents=with_dependents)
    if as_json:
        write_json({"dry_run": False, **plan.to_dict(), **removal_document(done)})
    else:
        note(removal_text(done))
    return ExitCode.FAILED if done.busy else ExitCode.OK


def _question(dependents: str | None) -> str:
    also = {_WITH: " with what was computed from them", _KEEP: " and keep what was computed"}
    return f"Delete them{also.get(dependents or '', '')}?"
