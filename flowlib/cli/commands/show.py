"""What is known of one task in the store?"""

from __future__ import annotations

import time

import click

from flowlib.cli.completing import task_names
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import signs, write_json, write_lines
from flowlib.cli.verbosity import VERBOSE, verbosity
from flowlib.record_story import record_story, story_document
from flowlib.record_story_lines import story_lines
from flowlib.stored_selection import select_record


@click.command()
@click.argument("record", metavar="ID", shell_complete=task_names)
@json_option
@store_option
@common_options
def command(record: str, as_json: bool, store_uri: str | None) -> None:
    """Show all about one task: config, neighbours, results, errors, where it comes from.

    \b
    flowlib show Train/9a7a08b2
    flowlib show 'Train[lr=1e-3,seed=0]'
    flowlib show Train-12 --json

    ID is any selector that means one task: see flowlib help selectors. Results are told by type
    and size; numbers and words are shown, and nothing is unpickled. -v leaves nothing out.
    """
    store = opened_store(store_uri)
    story = record_story(store, select_record(store, record))
    if as_json:
        write_json(story_document(story))
    else:
        is_long = verbosity() >= VERBOSE
        write_lines(story_lines(story, signs(), time.time(), is_long=is_long))
