"""How far may numbers differ that are compared? `--rtol 1e-6`, `--rtol numpy=1e-6`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

tolerance_option = click.option(
    "--rtol", multiple=True, metavar="[TYPE=]NUMBER",
    help="How far numbers may differ, relatively; 0 unless it is given. TYPE is that of a result.",
)  # fmt: skip


def tolerances_of(texts: Iterable[str]) -> Mapping[str, float]:
    """The relative tolerance for each type of results; "" is all others.

    Raises:
        click.BadParameter: a text is none.
    """
    found: dict[str, float] = {}
    for text in texts:
        type_, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise click.BadParameter(f"{text!r}: give a number from 0 on, or TYPE=NUMBER")
        found[type_] = value
    return found
