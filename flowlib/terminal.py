"""What can the terminal show, and how is more text shown than it has lines?"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from typing import Final, TextIO

from flowlib.configuration import settings

_SIZE_OF_NONE: Final = (80, 24)
"""Columns and lines where there is no terminal, and COLUMNS and LINES are not set."""


def terminal_width() -> int:
    """How many cells a line has."""
    return shutil.get_terminal_size(_SIZE_OF_NONE).columns


def shows_unicode(stream: TextIO) -> bool:
    """Whether drawings on `stream` may leave ASCII: as it is set, and as the stream can."""
    if settings().ascii:
        return False
    try:
        "✔≡▶✖⊘◌─│╭╮╰╯├┤┬┴┼…×←".encode(encoding_of(stream))
    except UnicodeEncodeError:
        return False
    return True


def encoding_of(stream: TextIO) -> str:
    """The encoding of a stream; in memory any text, and ASCII for a stream that does not say."""
    return getattr(stream, "encoding", "ascii") or "utf-8"


def shows_colour(stream: TextIO) -> bool:
    """Whether `stream` gets colours: as it is set, NO_COLOR, FORCE_COLOR, else on terminals."""
    wanted = settings().color
    if wanted != "auto":
        return wanted == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def show(text: str, *, use_pager: bool) -> None:
    """Write text to stdout, or where that is a terminal let $PAGER show it.

    Args:
        text: With a line break at its end.
        use_pager: Whether a pager is wanted; an empty $PAGER says no.
    """
    pager = shlex.split(os.environ.get("PAGER", "less"))
    is_paged = use_pager and pager and sys.stdin.isatty() and sys.stdout.isatty()
    if not (is_paged and _paged(text, pager)):
        sys.stdout.write(text)


def _paged(text: str, pager: list[str]) -> bool:
    """Whether the pager could be started."""
    # less: as long as it fits stay in the terminal, show colours, leave the text there at the end.
    environment = {"LESS": "FRX", **os.environ}
    sys.stdout.flush()
    try:
        process = subprocess.Popen(pager, stdin=subprocess.PIPE, env=environment)
    except OSError:
        return False
    stdin = process.stdin
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the reader has seen enough
        if stdin is not None:
            stdin.write(text.encode(encoding_of(sys.stdout), "backslashreplace"))
            stdin.close()
    while process.poll() is None:
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is a command of the pager
            process.wait()
    return True


def is_in_notebook() -> bool:
    """Whether a kernel runs this: it displays what others can only print."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None
