"""Write a small project that runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import click

from flowlib.cli.options import common_options
from flowlib.cli.output import note, write
from flowlib.errors import ConfigError
from flowlib.setting_sources import PROJECT_MARKS

_TEMPLATES: Final = Path(__file__).parent.parent / "templates"
_FILES: Final = {"flow.yaml": "flow.yaml.txt", "tasks.py": "tasks.py.txt"}
_OF_PROJECT: Final = {"flowlib.toml": "flowlib.toml.txt", ".gitignore": "gitignore.txt"}


@click.command()
@click.argument("folder", default=".", metavar="[FOLDER]")
@common_options
def command(folder: str) -> None:
    """Write a small project that runs: tasks in Python, a document that sweeps over them.

    \b
    flowlib init
    flowlib init experiments/first

    Nothing that is there is changed.
    """
    target = Path(folder)
    files = dict(_FILES)
    if not any((each / mark).exists() for each in _upwards(target) for mark in PROJECT_MARKS):
        files |= _OF_PROJECT
    there = [name for name in files if (target / name).exists() and name != ".gitignore"]
    if there:
        raise ConfigError(f"{target / there[0]} is there already: nothing was written")
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, template in files.items():
            _write(target / name, (_TEMPLATES / template).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{target} cannot be written to: {error.strerror}") from None
    write("".join(f"{target / name}\n" for name in files))
    enter = "" if folder == "." else f"cd {shlex.quote(folder)} && "
    note(f"next: {enter}flowlib run flow.yaml --dry-run")


def _upwards(folder: Path) -> list[Path]:
    absolute = folder.absolute()
    return [absolute, *absolute.parents]


def _write(path: Path, text: str) -> None:
    """Write a file that is not there; a .gitignore that is keeps what it says."""
    if not path.exists():
        path.write_text(text, encoding="utf-8")
