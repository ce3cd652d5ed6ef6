"""What do the exit codes of the command mean, and which error leads to which?"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from flowlib import FlowError, NothingSelected
from stores import QueryError, RecordMissing, UnknownPlugin


class ExitCode(IntEnum):
    """What the command tells the shell."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOTHING = 3
    STORE = 4
    WOULD_RUN = 10
    TIMED_OUT = 124
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


MEANINGS: Final = {
    ExitCode.OK: "all is well; results that were found count as well",
    ExitCode.FAILED: "a task failed, or something that was looked at is not in order",
    ExitCode.USAGE: "the command, a document or a setting is not as it should be; nothing was done",
    ExitCode.NOTHING: "a selector or an id selects nothing",
    ExitCode.STORE: "the store cannot be reached, read or written",
    ExitCode.WOULD_RUN: "run --dry-run --exit-code: something would run",
    ExitCode.TIMED_OUT: "wait --timeout: the time was over",
    ExitCode.INTERRUPTED: "Ctrl-C",
    ExitCode.BROKEN_PIPE: "nobody reads the output any more",
    ExitCode.TERMINATED: "SIGTERM; SIGHUP gives 129",
}


def code_of(error: BaseException) -> ExitCode:
    """The exit code of an error that was foreseen."""
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return ExitCode.BROKEN_PIPE
    if isinstance(error, (NothingSelected, RecordMissing)):
        return ExitCode.NOTHING
    if isinstance(error, (FlowError, QueryError, UnknownPlugin)):
        return ExitCode.USAGE
    return ExitCode.STORE
