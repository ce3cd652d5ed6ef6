"""
On a Dask cluster: one of this machine, one at an address, or whatever `dask-jobqueue` has started.

Dask places the jobs and keeps its workers; the results go through the store, as everywhere.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from flowlib.bundle import LARGEST, Answers, Work
from flowlib.errors import RunError, refuse_missing
from flowlib.executor import Executor, ExecutorSetup, Workers, refuse_unknown
from flowlib.future_workers import FutureWorkers
from flowlib.job import Job
from flowlib.kept_values import KeptValues, limit_of
from flowlib.remote_job import RemoteJobs, run_packed, values_of
from stores import Address
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from distributed import Client

_DEEPEST: Final = 16
"""How many jobs Dask holds for each thread of its workers, at the most, if they travel alone."""

_PATIENCE_S: Final = 10.0
"""How long answers that nobody waits for any more may take."""

_Answer = tuple[Any, "Future[Answers]"]
"""A future of Dask that is done, and ours that waits for it."""

_LOADS: Final = 3
"""How often a value that cannot be loaded there is tried again."""

_LOOK_S: Final = 1.0
"""How often to ask how many threads there are: workers come and go."""

_OURS: Final = frozenset({"self", "func", "args", "kwargs", "key", "pure", "actor", "actors"})
"""Arguments of `Client.submit` that are no affair of a spec."""


@dataclass(frozen=True, slots=True)
class DaskExecutor(Executor):
    """Submits jobs to Dask.

    `executor_options={"dask": {...}}` of a spec are given to `Client.submit`: `resources`,
    `workers`, `priority`, `retries`.

    Attributes:
        cluster: The address of a scheduler, a cluster or a client of Dask, which stay the
            user's; None starts a cluster on this machine for the run.
        cluster_options: For the cluster that is started, as `dask.distributed.LocalCluster`
            takes them.
        keep_values: So much of what tasks read stays in the memory of Dask's workers, in bytes or
            as `"4GB"`: a large value is loaded from the results store once, and sent once to each
            worker whose tasks read it. With 0 every task loads what it reads.
    """

    cluster: Any = None
    cluster_options: dict[str, Any] = field(default_factory=dict)
    keep_values: int | str = 0

    def __post_init__(self) -> None:
        limit_of(self.keep_values)

    def check_installed(self) -> None:
        refuse_missing("dask", "Dask", "distributed")

    def check(self, options: Mapping[str, object]) -> None:
        self.check_installed()
        from distributed import Client

        known = inspect.signature(Client.submit).parameters
        refuse_unknown(options, known.keys() - _OURS)  # Dask would give it to the task

    def start(self, setup: ExecutorSetup) -> Workers:
        self.check_installed()
        from distributed import Client

        if not setup.store.reachable_from_workers:
            raise RunError(
                f"workers of Dask cannot write to {setup.store!r}: give a store that they reach, "
                f"such as LocalFileStore on a shared disk, or a database"
            )
        with contextlib.ExitStack() as stack:
            if isinstance(self.cluster, Client):
                client = self.cluster
            elif self.cluster is None:
                client = stack.enter_context(self._own_client(setup, stack))
            else:
                client = stack.enter_context(Client(self.cluster, set_as_default=False))
            return _DaskWorkers(setup, client, limit_of(self.keep_values), stack)

    def _own_client(self, setup: ExecutorSetup, stack: contextlib.ExitStack) -> Client:
        import dask
        from distributed import Client, LocalCluster

        usual: dict[str, Any] = {
            "n_workers": setup.num_workers,
            "threads_per_worker": 1,
            "processes": True,
            "host": "127.0.0.1",
            "dashboard_address": "127.0.0.1:0",
        }
        # retries are the run's affair: a job whose worker has died is told at once
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0}))
        cluster = stack.enter_context(LocalCluster(**(usual | self.cluster_options)))
        return Client(cluster, set_as_default=False)


class _DaskWorkers(FutureWorkers):
    """The workers of a cluster.

    Args:
        setup: What the run gives.
        client: Of the cluster.
        kept_bytes: So much of what tasks read stays in memory.
        ours: Closes what the run has started; taken over when all is well.
    """

    def __init__(
        self, setup: ExecutorSetup, client: Client, kept_bytes: int, ours: contextlib.ExitStack
    ) -> None:
        largest = 1 if kept_bytes else LARGEST  # each with what it reads, and no more
        super().__init__(setup, setup.num_workers, deepest=_DEEPEST, largest=largest)
        self._client = client
        self._jobs = RemoteJobs(setup)
        self._kept = KeptValues(setup.store, kept_bytes, self._load)
        self._answers: SimpleQueue[_Answer | None] = SimpleQueue()
        self._reader = threading.Thread(target=_read, args=(client, self._answers), daemon=True)
        self._reader.start()
        self._sent: dict[Future[Answers], Any] = {}  # Dask forgets what nobody holds a future of
        self._threads = 0
        self._look_at = 0.0
        self._ours = ours.pop_all()

    def slots_now(self) -> int:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_S
            self._threads = sum(self._client.nthreads().values())
        return max(1, self._threads)  # one that waits makes an adaptive cluster grow

    def start_bundle(self, work: Sequence[Work]) -> Future[Answers]:
        job, assignment = work[0]
        options: dict[str, Any] = {"retries": 0, **assignment.executor_options.get("dask", {})}
        name = f"{job.spec}-{job.address.key[:8]}-{uuid4().hex[:8]}"  # as Dask groups tasks
        sending, kept = self._jobs.packed(work), self._kept.of(job)
        more = (kept,) if kept else ()
        try:
            sent = self._client.submit(run_packed, sending, *more, key=name, pure=False, **options)
        except (TypeError, ValueError) as error:
            raise RunError(f"executor_options of {assignment.name} for dask: {error}") from error
        answer: Future[Answers] = Future()
        self._sent[answer] = sent
        answer.add_done_callback(lambda done: self._sent.pop(done, None))

        def hand_on(done: Any) -> None:
            if any(each.status != "finished" for each in kept) and done.status == "error":
                again = self._client.submit(run_packed, sending, key=f"{name}-2", **options)
                self._sent[answer] = again  # with what the store gives
                again.add_done_callback(lambda done: self._answers.put((done, answer)))
            else:
                self._answers.put((done, answer))

        sent.add_done_callback(hand_on)
        return answer

    def _load(self, address: Address) -> Any:
        """The large values of a record, in the memory of a worker."""
        name = f"values-{address.key[:8]}-{uuid4().hex[:8]}"
        return self._client.submit(
            values_of, self._jobs.told, address, key=name, pure=False, retries=_LOADS
        )

    def withdraw(self, job: Job, future: Future[Any]) -> bool:
        return False  # Dask does not tell whether a job has begun

    def let_go(self, job: Job, future: Future[Any]) -> None:
        if (sent := self._sent.pop(future, None)) is not None:
            sent.cancel()

    def close(self, *, now: bool = False) -> None:
        for sent in list(self._sent.values()):
            sent.cancel()
        self._sent.clear()
        self._kept.clear()
        self._answers.put(None)
        self._reader.join(_PATIENCE_S)
        self._ours.close()


def _read(client: Client, answers: SimpleQueue[_Answer | None]) -> None:
    """Get the outcomes from the workers: with one question all that there are by then."""
    is_over = False
    while not is_over:
        told = [answers.get()]
        while not answers.empty():
            told.append(answers.get())
        is_over = None in told
        batch = [each for each in told if each is not None]
        finished = [done for done, _ in batch if done.status == "finished"]
        found: dict[str, Answers] = {}
        with contextlib.suppress(Exception):  # some worker is lost: each is asked for by itself
            found = {
                done.key: answers
                for done, answers in zip(finished, client.gather(finished), strict=True)
            }
        for done, answer in batch:
            _hand_on(done, answer, found)


def _hand_on(done: Any, answer: Future[Answers], found: Mapping[str, Answers]) -> None:
    with contextlib.suppress(InvalidStateError):
        try:
            answer.set_result(found[done.key] if done.key in found else done.result())
        except BaseException as error:  # noqa: BLE001  # KilledWorker, CancelledError, and others
            answer.set_exception(error)
