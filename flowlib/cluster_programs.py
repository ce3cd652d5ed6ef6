"""
Which programs make a cluster of one machine, and how do they come up and end?

Each is held back at first: a shell that has its number already waits for leave to become it, and
ends if that never comes. So it can be written down, or watched, before anything has begun, and
nothing is left when the process that starts it dies in between.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import IO, Final

from flowlib.errors import RunError
from flowlib.redis_link import refuse_unreachable
from stores.lazy_dataclass import dataclass

LEAVE_S: Final = 10.0
"""How long workers may take to leave before they are killed."""

_START_S: Final = 30.0
"""How long Redis may take to answer."""

_LOOK_S: Final = 0.02

_HELD: Final = 'read -r leave && exec "$@"'

Output = IO[bytes] | int
"""Where a program writes to."""


@dataclass(frozen=True, slots=True)
class HeldProgram:
    """A program that waits for leave to begin.

    Attributes:
        process: It; its number stays the same.
        told: What it reads then.
    """

    process: subprocess.Popen[bytes]
    told: bytes = b""

    def begin(self) -> None:
        """Let it go; without this it ends with the present process."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError), self.process.stdin as stream:  # it has ended
                stream.write(b"\n" + self.told)


def refuse_missing_server() -> None:
    """See to it that there is a Redis to start.

    Raises:
        RunError: there is none here.
    """
    if shutil.which("redis-server") is None:
        raise RunError(
            "there is no redis-server here: install it (Debian and Ubuntu: apt-get install "
            "redis-server; macOS: brew install redis)"
        )


def held_redis(folder: str, output: Output) -> tuple[HeldProgram, str]:
    """A Redis on loopback with a password of its own, and its URL; it keeps nothing on disk.

    Args:
        folder: Where it works.
        output: Where it writes to.
    """
    secret, port = secrets.token_urlsafe(24), _free_port()
    config = (
        f'bind 127.0.0.1\nport {port}\ndir "{folder}"\nsave ""\nappendonly no\n'
        f"requirepass {secret}\n"
    )
    # from its input: everybody can see a command line
    server = _held(["redis-server", "-"], {}, output)
    return HeldProgram(server, config.encode()), f"redis://:{secret}@127.0.0.1:{port}"


def wait_for_redis(server: subprocess.Popen[bytes], url: str) -> None:
    """Return when it answers.

    Raises:
        RunError: it has ended, or takes too long.
        MissingExtra: RQ is not installed.
    """
    until = time.monotonic() + _START_S
    while True:
        try:
            refuse_unreachable(url)
        except RunError:
            if time.monotonic() >= until:
                raise
        else:
            if server.poll() is None:
                return
        if server.poll() is not None:  # and who answers now, if anybody does, is somebody else
            raise RunError(f"redis-server ended with exit code {server.returncode}")
        time.sleep(_LOOK_S)


def held_pool(url: str, queue: str, size: int, kind: str, output: Output) -> HeldProgram:
    """Workers of RQ that find modules where this process finds them.

    Args:
        url: Of Redis.
        queue: What they listen to.
        size: How many there are; one that dies is replaced.
        kind: Module and name of their class.
        output: Where they write to.
    """
    words = ["worker-pool", "--quiet", "-n", str(size), "-w", kind]
    path = os.pathsep.join(each or os.curdir for each in sys.path)
    environment = {"RQ_REDIS_URL": url, "PYTHONPATH": path}
    return HeldProgram(_held([sys.executable, "-m", "rq.cli", *words, queue], environment, output))


def end_program(program: subprocess.Popen[bytes]) -> None:
    """Ask a program to leave, and kill it with its group if it does not."""
    program.terminate()
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(LEAVE_S)
    finally:  # also if somebody presses Ctrl-C meanwhile
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()


def _held(
    words: list[str], environment: Mapping[str, str], output: Output
) -> subprocess.Popen[bytes]:
    """A program that leads a session of its own, when it has leave."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _HELD, "flowlib", *words],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env={**os.environ, **environment},
        start_new_session=True,
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
