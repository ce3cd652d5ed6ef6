"""Write all that is needed to run one task by hand into a folder."""

from __future__ import annotations

import click

from flowlib import debug_task
from flowlib.cli.completing import submitted_names
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import write_json, write_line


@click.command()
@click.argument("key", metavar="KEY", shell_complete=submitted_names)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@json_option
@store_option
@common_options
def command(key: str, folder: str, as_json: bool, store_uri: str | None) -> None:
    """Write all that is needed to run one submitted task by hand into a folder.

    \b
    flowlib debug Train/9a7a08b2 broken
    python -m pdb broken/run.py
    sh broken/run.sh                 the commands of a program, among its input files

    DIR gets what the task reads, as files, its config, a script that runs it, and the log and the
    traceback of its last attempt. DIR/README.txt tells more. The store is left as it is.
    """
    place = debug_task(key, opened_store(store_uri), folder)
    names = sorted(each.name for each in place.iterdir())
    if as_json:
        write_json({"folder": str(place), "files": names})
        return
    for name in names:
        write_line(str(place / name))
