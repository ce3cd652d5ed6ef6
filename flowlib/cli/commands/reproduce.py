"""Does a stored result come out again from the code of that time?"""

from __future__ import annotations

from typing import Any

import click

from flowlib.cli.completing import task_names
from flowlib.cli.exits import ExitCode
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import note, signs, write_json, write_lines
from flowlib.cli.tolerances import tolerance_option, tolerances_of
from flowlib.cli.verbosity import QUIET, VERBOSE, verbosity
from flowlib.recipe import Recipe, recipe_of
from flowlib.reproduction import Verdict, recipe_document, reproduce
from flowlib.reproduction_lines import recipe_lines, reproduction_lines
from flowlib.stored_selection import select_record


@click.command()
@click.argument("record", metavar="ID", shell_complete=task_names)
@click.argument("run_options", nargs=-1, metavar="[-- OPTIONS OF THE RUN…]")
@click.option("-n", "--dry-run", is_flag=True, help="Tell what would be run; run nothing.")
@click.option("--repository", metavar="FOLDER", help="Where the commit is; else the one here.")
@click.option("--into", metavar="FOLDER", help="Do it in this new folder, and keep it.")
@click.option("--upstream", is_flag=True, help="Compute what the task reads again, too.")
@click.option("--unpickle", is_flag=True, help="Compare pickles by value: code of the store runs.")
@tolerance_option
@json_option
@store_option
@common_options
def command(record: str, *, as_json: bool, store_uri: str | None, **options: Any) -> int:
    """Compute a result again from the commit and the patch of that time, and compare.

    \b
    flowlib reproduce Train/9a7a08b2
    flowlib reproduce Train/9a7a08b2 --rtol numpy=1e-6 --into /tmp/again
    flowlib reproduce Train/9a7a08b2 -- --gpus 0

    The record and its store are only read. First it is told what differs here and what stands in
    the way: then nothing is run, and the exit code is 2. It is 0 if the result came out equal, and
    1 if not. The command that the store names is run: trust it as you would trust the code.
    """
    tolerance = tolerances_of(options["rtol"])
    store = opened_store(store_uri)
    address = select_record(store, record)
    recipe = recipe_of(store, address, options["repository"])
    if not as_json and verbosity() > QUIET:
        write_lines(recipe_lines(recipe, signs(), is_long=verbosity() >= VERBOSE))
    if recipe.obstacles or options["dry_run"]:
        return _told(recipe, as_json=as_json)
    found = reproduce(
        store,
        address,
        recipe=recipe,
        folder=options["into"],
        rtol=tolerance,
        may_unpickle=options["unpickle"],
        upstream=options["upstream"],
        run_options=options["run_options"],
    )
    if as_json:
        write_json(found.to_dict())
    else:
        write_lines(reproduction_lines(found, signs()))
    return ExitCode.OK if found.verdict is Verdict.EQUAL else ExitCode.FAILED


def _told(recipe: Recipe, *, as_json: bool) -> int:
    """Nothing is run: because something is in the way, or because that was asked for."""
    if as_json:
        write_json(recipe_document(recipe))
    if recipe.obstacles:
        note(f"error: {recipe.address} cannot be reproduced: {'; '.join(recipe.obstacles)}")
    return ExitCode.USAGE if recipe.obstacles else ExitCode.OK
