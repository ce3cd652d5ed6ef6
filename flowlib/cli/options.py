"""The options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from flowlib import configure
from flowlib.cli.verbosity import note_quiet, note_verbose

Function = TypeVar("Function", bound=Callable[..., Any])


def _set_colour(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value is not None:
        configure(color=value)


def _set_ascii(_: click.Context, __: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        configure(ascii=True)


def writable_file(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A file that the command may write at its end, looked at before it begins.

    Raises:
        click.BadParameter: it is a folder, or there is none in which it could be.
    """
    if value is None:
        return None
    path = Path(value)
    if path.is_dir():
        raise click.BadParameter(f"{value} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent} for {path.name}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.BadParameter(f"{value} cannot be written: permission denied")
    return value


def only_one(options: Mapping[str, object]) -> str | None:
    """Which of some options that exclude each other was given; None if none was.

    Args:
        options: What was given, by the word of the command line: `{"--csv": True, "--md": False}`.

    Raises:
        click.UsageError: several were.
    """
    given = [word for word, value in options.items() if value]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)}: give one of them")
    return given[0] if given else None


_COMMON = (
    click.option(
        "-v", "--verbose", count=True, expose_value=False, callback=note_verbose,
        help="Tell more; -vv everything, with whole tracebacks.",
    ),
    click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=note_quiet,
        help="Tell errors and the last line only.",
    ),
    click.option(
        "--color", type=click.Choice(["auto", "always", "never"]), expose_value=False,
        callback=_set_colour, help="Whether there are colours; auto is on a terminal.",
    ),
    click.option(
        "--ascii", is_flag=True, expose_value=False, callback=_set_ascii,
        help="Draw with ASCII only.",
    ),
    click.help_option("-h", "--help"),
)  # fmt: skip


def common_options(function: Function) -> Function:
    """-v, -q, --color, --ascii and -h, which every command takes."""
    for option in reversed(_COMMON):
        function = option(function)
    return function


store_option = click.option(
    "--store", "store_uri", metavar="URI",
    help="Where results are: file:FOLDER, sqlite:///FILE, mongodb://HOST/DATABASE, …",
)  # fmt: skip

project_option = click.option(
    "--project", metavar="NAME", help="The project whose runs are meant, in a shared store."
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Write one JSON document to stdout."
)

events_option = click.option(
    "--json", "as_json", is_flag=True,
    help="Write the events to stdout, a line of JSON each; with -n one document.",
)  # fmt: skip

yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
