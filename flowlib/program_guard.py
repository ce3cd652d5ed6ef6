"""
What ends a program when the process that started it is killed?

A shell that waits for the end of its input: the pipe closes with the process at its other end,
however that ends, and then the shell kills the group of the program that it was told of.
"""

from __future__ import annotations

import contextlib
import subprocess
from types import TracebackType
from typing import Final, Self

_SCRIPT: Final = 'while read -r group; do last=$group; done; [ -z "$last" ] || kill -9 "-$last"'


class ProgramGuard:
    """Kills the group of a program when this process is gone; entered around its start."""

    def __init__(self) -> None:
        # in a session of its own: what ends the group or session of this process spares it
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()

    def watch(self, group: int) -> None:
        """From now on this group is killed; those before it have ended."""
        self._tell(str(group))

    def forget(self) -> None:
        """The group has ended, and its number may soon be that of another."""
        self._tell("")

    def _tell(self, text: str) -> None:
        if self._shell.stdin is not None:
            with contextlib.suppress(OSError):  # somebody has killed it
                self._shell.stdin.write(f"{text}\n".encode())
