"""How does a program show the log of its runs? One call, which may be made again."""

from __future__ import annotations

import logging
import sys
from typing import Final

_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "WARN", "ERROR", "FATAL", "CRITICAL")
_MARK: Final = "_flowlib_configured"
"""Tells our own handler from those of the user's program."""


def configure_logging(
    level: str | int = "INFO", rich_logging: bool = True, rich_traceback: bool = True
) -> None:
    """Show log records on stderr. A second call replaces what the first one set up.

    Args:
        level: A name such as "DEBUG" or a number from 10 to 50.
        rich_logging: Whether lines are coloured and aligned by rich.
        rich_traceback: Whether uncaught exceptions are shown by rich.

    Raises:
        ValueError: there is no such level.
    """
    number = _level_number(level)
    if rich_traceback:
        from rich.traceback import install

        install(extra_lines=2)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if getattr(each, _MARK, False)]:
        root.removeHandler(handler)
    handler = _rich_handler() if rich_logging else _plain_handler()
    setattr(handler, _MARK, True)
    root.addHandler(handler)
    root.setLevel(number)


def _level_number(level: str | int) -> int:
    if isinstance(level, int) and not isinstance(level, bool) and 10 <= level <= 50:
        return level
    if isinstance(level, str) and level.upper() in _LEVELS:
        return int(logging.getLevelName(level.upper()))
    raise ValueError(
        f"level is one of {', '.join(_LEVELS)} or a number from 10 to 50, not {level!r}"
    )


def _rich_handler() -> logging.Handler:
    from rich.console import Console
    from rich.logging import RichHandler

    console = Console(file=sys.stderr, highlight=False)
    handler = RichHandler(console=console, show_path=False, markup=False, omit_repeated_times=False)
    handler.setFormatter(logging.Formatter("%(processName)-13s %(message)s"))
    return handler


def _plain_handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter(
            "%(asctime)s %(levelname)-8s %(processName)-13s %(message)s", "%Y-%m-%d %H:%M:%S"
        )
    )
    return handler
