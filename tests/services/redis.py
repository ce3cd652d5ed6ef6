"""A Redis server and workers of RQ on this machine, for tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class RedisServer:
    """A server that can be stopped and started again, with its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, with its password."""
        return f"redis://:secret@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        import redis

        config = (
            f'bind 127.0.0.1\nport {self.port}\ndir {self.folder}\nsave ""\n'
            "appendonly yes\nrequirepass secret\n"
        )
        self.process = subprocess.Popen(
            ["redis-server", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(config.encode())
        self.process.stdin.close()
        until = time.monotonic() + 30.0
        while True:
            try:
                redis.Redis.from_url(self.url).ping()
            except redis.exceptions.ConnectionError:
                assert time.monotonic() < until, "redis-server does not answer"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it; its data stay."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def forget(self) -> None:
        """Lose all its data, while it is stopped."""
        for each in self.folder.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A server with a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="flowlib-redis-"))
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def start_worker(url: str, queue: str) -> subprocess.Popen[bytes]:
    """An ordinary `rq worker`, which forks for every job."""
    return _started(url, "worker", queue)


def start_pool(url: str, queue: str, size: int) -> subprocess.Popen[bytes]:
    """Workers that run jobs themselves, each replaced when it dies."""
    return _started(url, "worker-pool", "-n", str(size), "-w", "rq.SimpleWorker", queue)


def _started(url: str, *words: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "RQ_REDIS_URL": url, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "rq.cli", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end_worker(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and its work-horse, or a whole pool."""
    if worker.poll() is None:
        horses = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
        os.killpg(worker.pid, signal.SIGKILL)
        for horse in horses:  # each leads a group of its own
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(horse), signal.SIGKILL)
    worker.wait()
