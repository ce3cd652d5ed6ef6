"""How does a worker of RQ answer a job, and which jobs will nobody answer?"""

from __future__ import annotations

import os
import pickle
import socket
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from flowlib.job import Outcome
from flowlib.policy import FailureKind
from flowlib.redis_link import PATIENCE_S, PAUSE_S
from flowlib.remote_job import RemoteJob, run_remote
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from redis import Redis
    from rq import Queue

KEPT_S: Final = 86_400
"""How long answers are kept that no run reads any more, and what RQ knows of failed jobs."""


FOLDER: Final = "folder"
"""The name in RQ of the folder that the run was started in."""


@dataclass(slots=True, eq=False)
class Sent:
    """A job on its way; only what is in Redis can be missed there.

    Attributes:
        key: Of its node.
        answer: Takes its outcome.
        is_there: Whether it is in Redis.
    """

    key: str
    answer: Future[Outcome]
    is_there: bool = False


class LeftAlone(Exception):
    """A job that nobody will answer for.

    Args:
        words: Why.
        kind: In which way it failed.
    """

    def __init__(self, words: str, kind: FailureKind) -> None:
        super().__init__(words)
        self.kind = kind


def answered(remote: RemoteJob, name: str, answers: str) -> None:
    """Run a job in a worker of RQ, and push its outcome.

    Args:
        remote: The job.
        name: Its id in RQ.
        answers: The list that the run reads.
    """
    from rq import get_current_job

    entry: Any = get_current_job()
    data = pickle.dumps((name, run_remote(remote)), protocol=5)
    redis = entry.connection
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            redis.rpush(answers, data)
            redis.expire(answers, KEPT_S)
        except Exception:  # Redis is away for a while
            if time.monotonic() >= until:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def taken_back(queue: Queue, name: str) -> bool:
    """Take a job back that waits; whether no worker was faster. RQ knows nothing of it then.

    Args:
        queue: Where it waits.
        name: Its id in RQ.
    """
    from rq.job import Job

    redis = queue.connection
    if not redis.lrem(queue.key, 1, name):
        return False
    redis.delete(Job.key_for(name))
    return True


def why_alone(redis: Redis, entry: Any) -> LeftAlone | None:
    """Why nobody will answer a job; None if somebody may.

    Args:
        redis: Where it is.
        entry: What RQ knows of it; None if that is nothing.
    """
    if entry is None:
        return LeftAlone("Redis has lost the job", FailureKind.PREEMPTED)
    status = str(entry.get_status(refresh=False).value)
    if status in ("stopped", "canceled"):
        return LeftAlone(f"the job was {status} in RQ", FailureKind.KILLED)
    if status == "failed":
        return LeftAlone("its work-horse ended before the task did", FailureKind.LOST)
    if status == "started" and entry.worker_name and _is_gone(redis, entry.worker_name):
        words = f"the worker {entry.worker_name} of RQ is not there any more"
        return LeftAlone(words, FailureKind.PREEMPTED)
    return None


def _is_gone(redis: Redis, worker: str) -> bool:
    """Whether a worker has ended: RQ forgets it, or its process was here and is not."""
    known: Any = redis.hmget(f"rq:worker:{worker}", "hostname", "pid")
    host, pid = (each.decode() if each else "" for each in known)
    if not host and not pid:
        return True
    return host == socket.gethostname() and pid.isdigit() and not _runs(int(pid))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
