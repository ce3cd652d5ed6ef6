"""A terminal for tests: runs a script in a pseudo terminal and says what a person would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte

ROOT = Path(__file__).parent.parent
DONE_S = 60.0
"""After how long a script that does not end is a failure."""


class Terminal:
    """A script that runs in a terminal of its own.

    Args:
        script: The source.
        folder: Where it runs.
        size: Columns and lines.
        stdout: Whether stdout is the terminal, too; else it goes to the file `stdout`.
        environment: Variables besides those of this process; None takes one away.
    """

    def __init__(self, script, folder, *, size=(110, 30), stdout=True, environment=None):
        self.columns, self.lines = size
        self.screen = pyte.HistoryScreen(*size, history=10_000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.code = None
        path = folder / "script.py"
        path.write_text(script)
        self._end, child_end = pty.openpty()
        self.resize(*size)
        given = {**CALM, "PYTHONPATH": str(ROOT), **(environment or {})}
        merged = {k: v for k, v in {**os.environ, **given}.items() if v is not None}
        with contextlib.ExitStack() as stack:
            out = child_end if stdout else stack.enter_context((folder / "stdout").open("w"))
            self._process = subprocess.Popen(
                [sys.executable, str(path)],
                stdin=child_end,
                stdout=out,
                stderr=child_end,
                cwd=folder,
                env=merged,
                start_new_session=True,
                preexec_fn=take_terminal,
            )
        os.close(child_end)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._end)

    @property
    def shown(self):
        """The lines of the screen, without spaces at their ends and empty lines below."""
        rows = [row.rstrip() for row in self.screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def all_shown(self):
        """What has left the screen at the top, and the screen."""
        above = [
            "".join(row[column].data for column in range(self.columns)).rstrip()
            for row in self.screen.history.top
        ]
        return [*above, *self.shown]

    def wait_for(self, text, limit_s=DONE_S):
        """Read until `text` is on the screen."""
        self._read_until(lambda: any(text in row for row in self.shown), limit_s, text)

    def wait_for_end(self, limit_s=DONE_S):
        """Read until the script has ended; gives its exit code."""
        self._read_until(lambda: self._process.poll() is not None, limit_s, "the end")
        while self._read(0.05):
            pass
        self.code = self._process.returncode
        return self.code

    def look_for(self, seconds):
        """Read for so long, whatever comes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._read(0.05)

    def hang_up(self, limit_s=DONE_S):
        """Close the window, and wait for the script to end all the same."""
        os.close(self._end)
        self._end = os.open(os.devnull, os.O_RDONLY)
        self._process.wait(limit_s)

    def type(self, text):
        """Press keys; "\x03" is Ctrl-C."""
        os.write(self._end, text.encode())

    def resize(self, columns, lines):
        """Change the size of the window."""
        self.columns, self.lines = columns, lines
        self.screen.resize(lines, columns)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read_until(self, is_there, limit_s, what):
        until = time.monotonic() + limit_s
        while not is_there():
            if time.monotonic() > until:
                raise AssertionError(f"no {what!r} within {limit_s} s:\n" + "\n".join(self.shown))
            if not self._read(0.05) and self._process.poll() is not None and not is_there():
                raise AssertionError(f"ended before {what!r}:\n" + "\n".join(self.all_shown))

    def _read(self, wait_s):
        if not select.select([self._end], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self._end, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


CALM = {
    "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "CI": None, "NO_COLOR": None,
    "FORCE_COLOR": None, "COLUMNS": None, "LINES": None, "FLOWLIB_PROGRESS": None,
    "FLOWLIB_COLOR": None, "FLOWLIB_ASCII": None, "HYPOTHESIS": None,
}  # fmt: skip
"""The environment of a person at a terminal."""


def take_terminal():
    """In the child: the terminal is its own, so that Ctrl-C reaches it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
