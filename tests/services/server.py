"""One server process: started, killed as by a power cut, started again, and gone in the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

START_S = 60.0


class Server:
    """Derive from it and say what to run.

    Args:
        folder_owner: The system's user who runs it; the one who asks if None.
    """

    def __init__(self, folder_owner: str | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowlib-server-"))
        self.owner = folder_owner
        if folder_owner is not None:
            shutil.chown(self.folder, folder_owner)
            self.folder.parent.stat()
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What to run."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it takes connections."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                user=self.owner,
                cwd=self.folder,
            )
        limit = time.monotonic() + START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"it did not start:\n{self.last_words()}")
            time.sleep(0.05)

    def last_words(self) -> str:
        """The end of what it has said."""
        return (self.folder / "output").read_text()[-2000:]

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        """End it and remove its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A port of the loopback that nobody uses at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(ask: Callable[[], object], errors: tuple[type[Exception], ...]) -> bool:
    """Whether a question is answered without one of these errors."""
    try:
        ask()
    except errors:
        return False
    return True
