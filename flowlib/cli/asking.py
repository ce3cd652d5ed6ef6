"""May it be done? Asked on a terminal only; elsewhere the command line has to say so."""

from __future__ import annotations

import sys

import click


def is_agreed(question: str, *, yes: bool) -> bool:
    """Whether the user wants it.

    Args:
        question: What is asked.
        yes: Whether the command line has said so.

    Raises:
        click.UsageError: nobody can be asked.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(
            "stdin is no terminal, so nobody can be asked: -y deletes, -n only shows what would go"
        )
    return click.confirm(question, err=True)
