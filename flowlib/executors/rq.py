"""
On RQ, whose workers take jobs from Redis: ordinary `rq worker` processes that come and go.

An answer is pushed onto a list of the run. What no worker answers for is looked after once a
second: a job that RQ calls failed or stopped, and one whose worker is not there any more.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from flowlib.cluster_state import QUEUE, known_cluster, usable_cluster
from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup, Workers, refuse_unknown
from flowlib.future_workers import FutureWorkers, lost_worker
from flowlib.job import Assignment, Job, Outcome
from flowlib.policy import FailureKind
from flowlib.redis_link import PATIENCE_S, PAUSE_S, check_rq, link, refuse_unreachable
from flowlib.remote_job import RemoteJobs
from flowlib.rq_queue import FOLDER, KEPT_S, LeftAlone, Sent, answered, taken_back, why_alone
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from redis import Redis

_DEEPEST: Final = 16
"""How many jobs wait in Redis for each worker, at the most."""

_USUAL: Final = "redis://127.0.0.1:6379"

_LOOK_S: Final = 1.0
"""How often to look for workers, and for jobs that nobody will answer for."""


@dataclass(frozen=True, slots=True)
class RQExecutor(Executor):
    """Submits jobs to a queue of RQ: `rq worker --url redis://… flowlib` takes them.

    Whoever can write to that Redis can run code in the workers and here: keep it to yourself.

    Attributes:
        url: Of Redis; may hold a password, which is never shown. None is the cluster that
            `flowlib cluster start` has started here, else the usual port of this machine.
        queue: The name of the queue.
    """

    url: str | None = None
    queue: str = QUEUE

    def __repr__(self) -> str:
        return f"RQExecutor(queue={self.queue!r})"

    @property
    def own_workers(self) -> int | None:
        known = known_cluster() if self.url is None else None
        return None if known is None else known.workers

    def check_installed(self) -> None:
        check_rq()

    def check(self, options: Mapping[str, object]) -> None:
        refuse_unknown(options, ())

    def start(self, setup: ExecutorSetup) -> Workers:
        if not setup.store.reachable_from_workers:
            raise RunError(
                f"workers of RQ cannot write to {setup.store!r}: give a store that they reach, "
                f"such as LocalFileStore on a shared disk, or a database"
            )
        known = usable_cluster() if self.url is None else None
        url = self.url or (known.url if known is not None else _USUAL)
        refuse_unreachable(url, "" if self.url else "; `flowlib cluster start` starts one")
        return _RQWorkers(setup, link(url), self.queue)


class _RQWorkers(FutureWorkers):
    """The workers that listen to a queue.

    Args:
        setup: What the run gives.
        redis: Where the queue is.
        queue: Its name.
    """

    def __init__(self, setup: ExecutorSetup, redis: Redis, queue: str) -> None:
        from rq import Queue

        super().__init__(setup, setup.num_workers, deepest=_DEEPEST)
        self._redis = redis
        self._queue = Queue(queue, connection=redis)
        self._jobs = RemoteJobs(setup)
        self._answers = f"flowlib:answers:{uuid4().hex}"
        self._sent: dict[str, Sent] = {}  # by id in RQ
        self._workers = 0
        self._trouble = ""
        self._is_closed = threading.Event()
        self._look_after()
        threading.Thread(target=self._listen, name="flowlib-rq", daemon=True).start()

    def slots_now(self) -> int:
        return max(1, self._workers)

    def start_job(self, job: Job, assignment: Assignment) -> Future[Outcome]:
        name = uuid4().hex
        sent = self._sent[name] = Sent(job.address.key, Future())
        self._queue.enqueue_call(
            answered,
            (self._jobs.of(job, assignment), name, self._answers),
            timeout=-1,
            result_ttl=0,
            failure_ttl=KEPT_S,
            description=job.run.unique_name,
            job_id=name,
            meta={FOLDER: str(Path.cwd())},
        )
        sent.is_there = True
        return sent.answer

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        outcomes = super().wait(timeout_s)
        if self._trouble and not outcomes:
            raise RunError(self._trouble)
        return outcomes

    def withdraw(self, job: Job, future: Future[Outcome]) -> bool:
        for name, sent in list(self._sent.items()):
            if sent.answer is future and taken_back(self._queue, name):
                self._sent.pop(name, None)
                return future.cancel()
        return False

    def let_go(self, job: Job, future: Future[Outcome]) -> None:
        from rq.command import send_stop_job_command

        for name, sent in list(self._sent.items()):
            if sent.key == job.address.key:
                self._sent.pop(name, None)
                with contextlib.suppress(Exception):  # it has ended, or waits for a worker
                    send_stop_job_command(self._redis, name)

    def lost(self, job: Job, error: BaseException) -> Outcome:
        kind = error.kind if isinstance(error, LeftAlone) else FailureKind.LOST
        return lost_worker(job, str(error), kind)

    def close(self, *, now: bool = False) -> None:
        self._is_closed.set()
        for name in list(self._sent):
            with contextlib.suppress(Exception):  # Redis is away: nothing is ours there
                taken_back(self._queue, name)
        with contextlib.suppress(Exception):
            self._redis.delete(self._answers)

    def _listen(self) -> None:
        """What the thread does that reads answers."""
        look_at, away_since = 0.0, float("inf")
        while not self._is_closed.is_set():
            try:
                found: Any = self._redis.blpop([self._answers], timeout=_LOOK_S)
                if found:
                    self._take(found[1])
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + _LOOK_S
                    self._look_after()
                away_since = float("inf")
            except Exception as error:  # noqa: BLE001  # of redis, which need not be imported here
                away_since = min(away_since, time.monotonic())
                if time.monotonic() - away_since > PATIENCE_S:
                    self._trouble = f"Redis was away for {PATIENCE_S:.0f} s: {error}"
                    self._bell.set()
                    return
                self._is_closed.wait(PAUSE_S)

    def _take(self, data: bytes) -> None:
        name, outcome = pickle.loads(data)  # noqa: S301  # from our own workers
        sent = self._sent.pop(name, None)
        if sent is not None:
            with contextlib.suppress(InvalidStateError):
                sent.answer.set_result(outcome)

    def _look_after(self) -> None:
        """Count workers, and give up jobs that nobody will answer for."""
        from rq import Worker
        from rq.job import Job as Entry

        self._workers = Worker.count(queue=self._queue)
        names = [name for name, sent in list(self._sent.items()) if sent.is_there]
        entries = Entry.fetch_many(names, connection=self._redis) if names else []
        for name, entry in zip(names, entries, strict=True):
            why = why_alone(self._redis, entry)
            if why is not None and name in self._sent and not self._redis.exists(self._answers):
                sent = self._sent.pop(name)
                with contextlib.suppress(InvalidStateError):
                    sent.answer.set_exception(why)
