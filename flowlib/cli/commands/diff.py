"""How do two tasks in the store differ?"""

from __future__ import annotations

import click

from flowlib.cli.completing import task_names
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import signs, write_json, write_lines
from flowlib.cli.verbosity import VERBOSE, verbosity
from flowlib.record_difference import difference, difference_document, difference_lines
from flowlib.record_story import record_story
from flowlib.stored_selection import select_record


@click.command()
@click.argument("first", metavar="A", shell_complete=task_names)
@click.argument("second", metavar="B", shell_complete=task_names)
@json_option
@store_option
@common_options
def command(first: str, second: str, as_json: bool, store_uri: str | None) -> None:
    """Compare two tasks: config, code, upstream, results, environment.

    \b
    flowlib diff Train/83b60200 Train/62ad42ff
    flowlib diff 'Train[lr=1e-3]' 'Train[lr=1e-2]' --json

    A and B are selectors that mean one task each. Of two numbers among the results the difference
    is told; what is the same in one line. -v tells of hosts and packages, too.
    """
    store = opened_store(store_uri)
    one, other = (record_story(store, select_record(store, each)) for each in (first, second))
    found = difference(one, other)
    if as_json:
        write_json(difference_document(found))
    else:
        write_lines(difference_lines(found, signs(), is_long=verbosity() >= VERBOSE))
