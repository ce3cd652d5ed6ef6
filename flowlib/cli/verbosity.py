"""How much does the user want to be told? The options -q, -v and -vv of all commands."""

from __future__ import annotations

from typing import Final

import click

from stores.lazy_dataclass import dataclass

QUIET: Final = -1
NORMAL: Final = 0
VERBOSE: Final = 1
DEBUG: Final = 2


@dataclass(slots=True)
class Wish:
    """What the options of one call say.

    Attributes:
        level: -1 errors and the last line, 0, 1 tasks and reasons, 2 all, with tracebacks.
    """

    level: int = NORMAL


def verbosity() -> int:
    """The level of the command that runs."""
    context = click.get_current_context(silent=True)
    wish = None if context is None else context.find_object(Wish)
    return NORMAL if wish is None else wish.level


def note_verbose(context: click.Context, _: click.Parameter, count: int) -> None:
    """Keep how often -v was given."""
    if count:
        context.ensure_object(Wish).level = min(count, DEBUG)


def note_quiet(context: click.Context, _: click.Parameter, is_quiet: bool) -> None:
    """Keep that -q was given."""
    if is_quiet:
        context.ensure_object(Wish).level = QUIET
