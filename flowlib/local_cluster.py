"""How are Redis and workers of RQ started on one machine, for as long as a block runs?"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from flowlib.errors import RunError
from flowlib.executors.rq import RQExecutor
from flowlib.program_guard import ProgramGuard
from flowlib.redis_link import refuse_unreachable

_START_S: Final = 30.0
"""How long Redis may take to answer."""

_LEAVE_S: Final = 10.0
"""How long workers may take to leave before they are killed."""


class LocalCluster:
    """A Redis on loopback, with a password of its own, and workers that are replaced when they die.

    `with LocalCluster(workers=2) as executor:` gives what `Flow.run(executor=…)` takes. All of it
    ends with the block, or with this process, however that ends.

    Args:
        workers: How many there are.
        queue: The name of the queue.
    """

    def __init__(self, workers: int = 2, queue: str = "flowlib") -> None:
        if workers < 1:
            raise ValueError(f"workers must be 1 or more, not {workers}")
        self._workers = workers
        self._queue = queue
        self._ours = contextlib.ExitStack()

    def __enter__(self) -> RQExecutor:
        """Start everything.

        Raises:
            RunError: there is no `redis-server` here, or it does not answer.
            MissingExtra: RQ is not installed.
        """
        if shutil.which("redis-server") is None:
            raise RunError("there is no redis-server here: Debian's package is called redis-server")
        with contextlib.ExitStack() as stack:
            executor = RQExecutor(self._redis(stack), self._queue)
            _wait_for(executor)
            self._pool(stack, executor.url)
            self._ours = stack.pop_all()
        return executor

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ours.close()

    def _redis(self, stack: contextlib.ExitStack) -> str:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="flowlib-redis-"))
        secret, port = secrets.token_urlsafe(24), _free_port()
        config = (
            f'bind 127.0.0.1\nport {port}\ndir "{folder}"\nsave ""\nappendonly no\n'
            f"requirepass {secret}\n"
        )
        # from its input: everybody can see a command line
        server = _started(stack, ["redis-server", "-"], {}, stdin=subprocess.PIPE)
        if server.stdin is not None:
            with server.stdin as stream:
                stream.write(config.encode())
        return f"redis://:{secret}@127.0.0.1:{port}"

    def _pool(self, stack: contextlib.ExitStack, url: str) -> None:
        words = ["worker-pool", "--quiet", "-n", str(self._workers), "-w", "rq.SimpleWorker"]
        path = os.pathsep.join(each or os.curdir for each in sys.path)
        environment = {"RQ_REDIS_URL": url, "PYTHONPATH": path}
        _started(stack, [sys.executable, "-m", "rq.cli", *words, self._queue], environment)


def _started(
    stack: contextlib.ExitStack,
    words: list[str],
    environment: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """A program in a group of its own, which ends with the block, or with this process."""
    guard = stack.enter_context(ProgramGuard())
    program = subprocess.Popen(
        words,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    guard.watch(program.pid)
    stack.callback(_end, program)
    return program


def _end(program: subprocess.Popen[bytes]) -> None:
    """Ask a program to leave, and kill it with its group if it does not."""
    program.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(_LEAVE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


def _wait_for(executor: RQExecutor) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            refuse_unreachable(executor.url)
        except RunError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
