"""Which tasks are in the store, in which state, with what config?"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click

from flowlib.bulk import paused_collection
from flowlib.cli.completing import task_names
from flowlib.cli.ids import selectors_from
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, only_one, store_option
from flowlib.cli.output import signs, write, write_json, write_lines
from flowlib.live_terminal import size_of
from flowlib.record_lines import (
    counts_by_word,
    counts_line,
    piped_lines,
    record_document,
    table_lines,
)
from flowlib.record_list import labels, list_records, sort_listed
from stores import Query
from stores.summary import Summary

_AROUND = 5
"""Lines of a terminal that are no records: the prompts, titles and totals."""

_FEWEST = 10


@click.command()
@click.argument("selectors", nargs=-1, shell_complete=task_names)
@click.option(
    "--sort", default="-when", metavar="[-]COLUMN", show_default=True,
    help="id, state, time, when, run, or a parameter; - for the largest first.",
)  # fmt: skip
@click.option(
    "--top", "--limit", "most", type=click.IntRange(min=1), metavar="N",
    help="Show the first N; 10000 are shown in a pipe as well as 10.",
)  # fmt: skip
@click.option("--all", "is_all", is_flag=True, help="Show all, also on a terminal.")
@click.option(
    "--since", metavar="WHEN", help="Only what ended since: 30m, 2h, 7d, 2026-01-31, …"
)  # fmt: skip
@click.option("--ids", "only_ids", is_flag=True, help="Write ids alone, for other commands.")
@json_option
@store_option
@common_options
def command(
    selectors: Sequence[str],
    sort: str,
    most: int | None,
    is_all: bool,
    since: str | None,
    only_ids: bool,
    as_json: bool = False,
    store_uri: str | None = None,
) -> None:
    """List the tasks in the store, the newest first.

    \b
    flowlib ls
    flowlib ls 'Train[lr=1e-3]' --sort -time --top 4
    flowlib ls @failed --since 2h
    flowlib ls @failed --ids | flowlib rm -

    SELECTORS say which: see flowlib help selectors. A terminal shows as many as it has lines,
    and how many there are in all; a pipe gets a line for each.
    """
    only_one({"--ids": only_ids, "--json": as_json})
    limit = None if since is None else Query.of(since=since).since
    store = opened_store(store_uri)
    with paused_collection():
        found = list_records(store, selectors_from(selectors), limit)
        ordered = found if sort == "-when" else sort_listed(found, sort)
        shown = ordered[:most]
        if as_json:
            write_json(_document(ordered, shown))
        elif only_ids:
            write("".join(f"{each.address.task}/{each.address.key}\n" for each in shown))
        elif sys.stdout.isatty():
            _show(ordered, shown if is_all or most else shown[: _room()])
        else:
            write_lines(piped_lines(shown, labels(ordered)[: len(shown)], signs()))


def _document(ordered: Sequence[Summary], shown: Sequence[Summary]) -> dict[str, object]:
    return {
        "total": len(ordered),
        "counts": counts_by_word(ordered),
        "records": [record_document(each) for each in shown],
    }


def _show(ordered: Sequence[Summary], shown: Sequence[Summary]) -> None:
    columns, _ = size_of(sys.stdout)
    texts = labels(ordered)[: len(shown)]
    lines = table_lines(shown, texts, width=columns, signs=signs(), now=time.time())
    write_lines(lines)
    write_lines([counts_line(counts_by_word(ordered), signs())])
    if len(shown) < len(ordered):
        write(f"{signs().more} {len(ordered) - len(shown):,} more: --all, or --top N\n")


def _room() -> int:
    return max(_FEWEST, size_of(sys.stdout)[1] - _AROUND)
