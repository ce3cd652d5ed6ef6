"""How does a command end that went wrong? What the user is told, and the exit code."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Final

import click

from flowlib.cli.exits import ExitCode, code_of
from flowlib.cli.output import note
from flowlib.cli.verbosity import DEBUG, Wish

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why an output that is a file cannot be written to its end."""


def told_wrong_call(error: click.ClickException) -> int:
    """The exit code of a wrong call; the user is told how to call, and what was wrong."""
    said = error.format_message()
    if said.startswith("Usage:"):  # the whole help, for a call without arguments
        note(said)
        return error.exit_code
    if isinstance(error, click.UsageError) and error.ctx is not None:
        note(error.ctx.get_usage())
    note(f"error: {said}")
    return error.exit_code


def told_error(error: BaseException, wish: Wish) -> int:
    """The exit code for an error, of which the user is told.

    Args:
        error: What went wrong.
        wish: How much the user wants to be told.
    """
    if isinstance(error, OSError) and error.filename is None and error.errno in _NO_ROOM:
        _leave_unwritten()
        note(f"error: the output cannot be written: {error.strerror}")
        return ExitCode.FAILED
    code = code_of(error)
    if code is ExitCode.BROKEN_PIPE:
        _leave_unwritten()
    elif code is not ExitCode.INTERRUPTED:
        with contextlib.suppress(BrokenPipeError):
            if wish.level >= DEBUG:
                import traceback

                note("".join(traceback.format_exception(error)))
            note(f"error: {error}")
    return code


def _leave_unwritten() -> None:
    """What is still in the buffer must not be written when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
