"""How are Redis and workers of RQ started on one machine, for as long as a block runs?"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from types import TracebackType

from flowlib.cluster_programs import (
    HeldProgram,
    end_program,
    held_pool,
    held_redis,
    refuse_missing_server,
    wait_for_redis,
)
from flowlib.executors.rq import RQExecutor
from flowlib.program_guard import ProgramGuard


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
        refuse_missing_server()
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="flowlib-redis-"))
            nowhere, kind = subprocess.DEVNULL, "rq.SimpleWorker"
            server, url = held_redis(folder, nowhere)
            _begin(stack, server)
            wait_for_redis(server.process, url)
            _begin(stack, held_pool(url, self._queue, self._workers, kind, nowhere))
            self._ours = stack.pop_all()
        return RQExecutor(url, self._queue)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ours.close()


def _begin(stack: contextlib.ExitStack, program: HeldProgram) -> None:
    """Let a program begin, which ends with the block, or with this process."""
    guard = stack.enter_context(ProgramGuard())
    guard.watch(program.process.pid)
    stack.callback(end_program, program.process)
    program.begin()
