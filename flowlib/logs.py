"""How does a program show the log of its runs? One call, which may be made again."""

from __future__ import annotations

import logging
import sys
from typing import Final

from flowlib.configuration import settings
from flowlib.setting_kinds import level_number

_MARK: Final = "_flowlib_configured"
"""Tells our own handler from those of the user's program."""


def configure_logging(
    level: str | int | None = None, rich_logging: bool = True, rich_traceback: bool | None = None
) -> None:
    """Show log records on stderr. A second call replaces what the first one set up.

    Args:
        level: A name such as "DEBUG" or a number from 10 to 50; None is the setting `log_level`,
            INFO unless changed.
        rich_logging: Whether lines are coloured and aligned by rich.
        rich_traceback: Whether uncaught exceptions are shown by rich; None is the setting
            `rich_uncaught_tracebacks`, true unless changed.

    Raises:
        ValueError: there is no such level.
        SettingsError: a setting is wrong.
    """
    known = settings()
    number = level_number(known.log_level if level is None else level)
    if known.rich_uncaught_tracebacks if rich_traceback is None else rich_traceback:
        from rich.traceback import install

        install(extra_lines=2)
    root = logging.getLogger()
    for handler in own_handlers():
        root.removeHandler(handler)
    handler = _rich_handler() if rich_logging else _plain_handler()
    setattr(handler, _MARK, True)
    root.addHandler(handler)
    root.setLevel(number)


def get_logger(name: str = "flowlib") -> logging.Logger:
    """The logger of flowlib, or any other; below it are `flowlib.run` and those of the tasks.

    Args:
        name: Name of the logger.
    """
    return logging.getLogger(name)


def own_handlers() -> list[logging.Handler]:
    """The handlers that `configure_logging` has added."""
    return [each for each in logging.getLogger().handlers if getattr(each, _MARK, False)]


def _rich_handler() -> logging.Handler:
    from rich.console import Console
    from rich.logging import RichHandler

    forced = {"always": True, "never": False}.get(settings().color)
    console = Console(
        file=sys.stderr, highlight=False, force_terminal=forced, no_color=forced is False or None
    )
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
