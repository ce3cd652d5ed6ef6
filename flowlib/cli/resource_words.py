"""What do `--gpus` and `--resource` mean to `Flow.run`?"""

from __future__ import annotations

from collections.abc import Iterable

import click

from flowlib.devices import DEVICE_NAMES
from flowlib.scalars import read_scalar


def resources_of(gpus: str | None, amounts: Iterable[str]) -> dict[str, object] | None:
    """The resources of a run.

    Args:
        gpus: `0,1`, long names such as `GPU-…`, `auto` for all that there are, or `none`.
        amounts: `cpu=8`, `mem=64GB`, `seat=a,b`.

    Raises:
        click.UsageError: a text is none of this.
    """
    found: dict[str, object] = {}
    if gpus is not None and gpus != "none":
        found["gpu"] = gpus if gpus == "auto" else _devices(gpus)
    for text in amounts:
        kind, equals, amount = text.partition("=")
        if not (kind and equals and amount):
            raise click.UsageError(f"--resource {text}: write a kind and an amount, cpu=8")
        if kind in found:
            raise click.UsageError(f"--resource {text}: {kind} is given twice")
        found[kind] = _several(amount) if "," in amount else read_scalar(amount)
    return found or None


def _devices(text: str) -> list[object]:
    """Numbers of devices and their long names.

    Raises:
        click.UsageError: one is neither.
    """
    found = _several(text)
    for each in found:
        is_index = type(each) is int and each >= 0
        if not (is_index or (isinstance(each, str) and each.startswith(DEVICE_NAMES))):
            raise click.UsageError(
                f"--gpus {text}: {each!r} is no GPU; write their numbers (0,1), their long names "
                f"(GPU-…, MIG-…), auto for all that there are, or none"
            )
    return found


def _several(text: str) -> list[object]:
    return [read_scalar(each.strip()) for each in text.split(",")]
