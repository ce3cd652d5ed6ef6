"""What does `--slurm partition=gpu,time=2h` mean to `Flow.run`?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

import click

from flowlib.errors import nearest
from flowlib.scalars import read_scalar

_FREE: Final = "sbatch."


def slurm_of(texts: Iterable[str], executor: str | None) -> object:
    """The executor that is meant: the one that was named, unless something is said of SLURM.

    Args:
        texts: Each with options: `partition=gpu,time=2h`, `sbatch.reservation=night`.
        executor: The name that was given.

    Raises:
        click.UsageError: there is no such option, or another executor is named.
    """
    options = _options(texts)
    if not options:
        return executor
    if executor not in (None, "slurm"):
        raise click.UsageError(f"--slurm is for --executor slurm, not for {executor}")
    from flowlib import SlurmExecutor  # commands that do not run anything need none of it

    known = [each.name for each in fields(SlurmExecutor) if each.name not in ("setup", "sbatch")]
    for name in options.keys() - {*known, "sbatch"}:
        raise click.UsageError(
            f"--slurm: there is no option {name!r}.{nearest(name, known)} There are: "
            f"{', '.join(known)}; {_FREE}{name}=… is handed to sbatch as it is"
        )
    try:
        chosen = SlurmExecutor(**options)
        chosen.request({})
    except ValueError as error:
        raise click.UsageError(f"--slurm: {error}") from error
    return chosen


def _options(texts: Iterable[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for text in texts:
        for name, value in _pairs(text):
            if name.startswith(_FREE):
                options.setdefault("sbatch", {})[name.removeprefix(_FREE)] = read_scalar(value)
            else:
                options[name] = read_scalar(value)
    return options


def _pairs(text: str) -> list[tuple[str, str]]:
    """Names and values; a comma may also stand in a value: `partition=a,b`."""
    found: list[tuple[str, str]] = []
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals and name.strip():
            found.append((name.strip(), value))
        elif found and not equals:
            found[-1] = (found[-1][0], f"{found[-1][1]},{part}")
        else:
            raise click.UsageError(f"--slurm {text}: write options and values, partition=gpu")
    return found
