"""Delete what nobody needs any more."""

from __future__ import annotations

import click

from flowlib.cli.asking import is_agreed
from flowlib.cli.exits import ExitCode
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option, yes_option
from flowlib.cli.output import note, write_json, write_line
from flowlib.cli.times import age_of
from flowlib.known_jobs import ended_jobs, forget_jobs
from flowlib.record_story_lines import size_text
from flowlib.removal import collection_document, collection_text, removal_text
from flowlib.run_requests import forget_requests, old_requests
from flowlib.submission_collection import (
    forget,
    forget_code,
    forgettable,
    unneeded_code,
)
from stores.housekeeping.collection import GcPolicy


@click.command()
@click.option(
    "--keep-last", type=click.IntRange(min=0), metavar="N",
    help="Keep what the last N runs have computed, with all it was computed from.",
)  # fmt: skip
@click.option(
    "--older", metavar="AGE", callback=age_of, help="Only what ended longer ago: 12h, 30d, 4w."
)
@click.option(
    "--unreferenced", is_flag=True,
    help="Only what killed processes left and no record names; also without any option.",
)  # fmt: skip
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be deleted.")
@yes_option
@json_option
@store_option
@common_options
def command(
    keep_last: int | None,
    older: str | None,
    unreferenced: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool = False,
    store_uri: str | None = None,
) -> ExitCode:
    """Delete what nobody needs any more.

    \b
    flowlib gc -n
    flowlib gc --keep-last 3
    flowlib gc --older 30d --keep-last 1 -y

    With both options only what is old and of no such run goes. What was saved by hand stays, and
    so does all of the last hour. Leftovers of killed processes go in any case, but checkpoints from
    which tasks may go on only with --older, when nobody has changed them for so long. What is
    deleted is gone: there is no trash. Folders of runs, with events and logs, are not touched.
    What was submitted goes when it is as old, or when nothing of it waits to be run; with both, if
    both. Snapshots of code go that nothing names any more, and so does what is known of jobs of
    SLURM that are over, and what runs were asked for an hour ago or earlier.
    """
    store, policy = opened_store(store_uri), _policy(keep_last, older, unreferenced=unreferenced)
    plan = store.gc(**policy)
    old = forgettable(store, older_than=older, keep_runs=keep_last)
    code, jobs = unneeded_code(store), ended_jobs(store, older_than=older)
    told = {"submissions": [each.id for each in old], "snapshots": list(code)}
    notes = old_requests(store, older_than=older)
    told |= {"jobs": [each.id for each in jobs], "requests": [each.key for each in notes]}
    counts = {"submissions": len(old), "snapshots of code": len(code), "ended jobs": len(jobs)}
    counts["old requests to runs"] = len(notes)
    more = (f"; {count:,} {name}" for name, count in counts.items() if count)
    text = collection_text(plan) + "".join(more)
    if dry_run or not (plan.victims or plan.leftovers or old or code or jobs or notes):
        if as_json:
            write_json({"dry_run": dry_run, **collection_document(plan), **told})
        else:
            write_line(text)
        return ExitCode.OK
    if not yes:
        note(text)
    if not is_agreed("Delete them?", yes=yes):
        note("nothing was deleted")
        return ExitCode.OK
    done = plan.apply()
    forget(store, old)
    forget_code(store, unneeded_code(store))
    forget_jobs(store, jobs)
    forget_requests(store, notes)
    if as_json:
        write_json({"dry_run": False, **collection_document(plan, done), **told})
    else:
        note(f"{removal_text(done.removal)}; {size_text(done.freed_bytes)} are free")
    return ExitCode.FAILED if done.removal.busy else ExitCode.OK


def _policy(keep_last: int | None, older: str | None, *, unreferenced: bool) -> GcPolicy:
    policy: GcPolicy = {}
    if keep_last is not None:
        policy["keep_runs"] = keep_last
    if older is not None:
        policy["older_than"] = older
    if unreferenced and policy:
        raise click.UsageError("--unreferenced leaves all records: give it alone")
    return policy
