"""
On Ray: one of this machine, the cluster that the program is connected to, or one at an address.

Ray places the jobs and keeps its workers; the results go through the store, as everywhere.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any, Final

from flowlib.bundle import LARGEST, Answers, Work
from flowlib.errors import RunError, nearest, refuse_missing
from flowlib.executor import Executor, ExecutorSetup, Workers
from flowlib.future_workers import FutureWorkers
from flowlib.job import Assignment, Job
from flowlib.kept_values import KeptValues, limit_of
from flowlib.lent_values import Lent
from flowlib.ray_store import PinnedStore
from flowlib.remote_job import RemoteJobs, run_packed, run_remote, values_of
from stores import ResultsStore
from stores.lazy_dataclass import dataclass

_DEEPEST: Final = 16
"""How many jobs Ray holds for each processor, at the most, if they travel alone."""

_LOOK_S: Final = 1.0
"""How often to ask how many processors there are: nodes come and go."""

_LOADS: Final = 3
"""How often a value that Ray has lost is loaded again before it is given up."""

_LOOPBACK: Final = MappingProxyType(
    {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
)
"""What keeps a Ray of this machine to itself; the first of them makes it listen on loopback."""


@dataclass(frozen=True, slots=True)
class RayExecutor(Executor):
    """Submits jobs to Ray.

    `executor_options={"ray": {...}}` of a spec are given to `options` of the remote function:
    `num_cpus`, `num_gpus` (also fractions), `resources`, `scheduling_strategy`.

    Attributes:
        init_args: For `ray.init`, where the program has not called it: `{"address": "auto"}`
            connects to a cluster. Without an address Ray is started on this machine for the run.
        max_pending: How many jobs Ray has at the most; None is up to 64 for each processor,
            where tasks are very short, and one where they are not.
        keep_values: So much of what tasks read stays in Ray's object store, in bytes or as
            `"4GB"`: a large value is loaded from the results store once, by the first task that
            reads it. With 0 every task loads what it reads.
        store_resources: Where the results store can be reached from one node only: resources of
            that node, and how much of them to take, such as `{"disk": 0.001}`. Tasks run on any
            node; what they read and write goes through that one, and there are no `run_dir` and
            `open`. The run itself has to be started there.
    """

    init_args: Mapping[str, Any] = field(default_factory=dict)
    max_pending: int | None = None
    keep_values: int | str = 0
    store_resources: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limit_of(self.keep_values)

    def check_installed(self) -> None:
        _check_installed()

    def check(self, options: Mapping[str, object]) -> None:
        with _on_loopback("address" not in self.init_args):
            ray = _module()
        try:
            ray.remote(run_remote).options(**options)
        except (TypeError, ValueError) as error:
            valid = re.findall(r"'(\w+)'", str(error).partition("Valid ones")[2])
            hint = next((nearest(each, valid) for each in options if each not in valid), "")
            raise ValueError(f"{error}{hint}") from None

    def start(self, setup: ExecutorSetup) -> Workers:
        if not setup.store.reachable_from_workers:
            raise RunError(
                f"workers of Ray cannot write to {setup.store!r}: give a store that they reach, "
                f"such as LocalFileStore on a shared disk, or a database"
            )
        with ExitStack() as stack:
            ray = stack.enter_context(connected(self.init_args, setup.num_workers))
            store = setup.store
            if self.store_resources:
                pinned = PinnedStore(ray, setup, self.store_resources)
                stack.callback(pinned.close)
                store = pinned.store
            return _RayWorkers(setup, self, ray, store, stack)


class _RayWorkers(FutureWorkers):
    """The workers of a cluster.

    Args:
        setup: What the run gives.
        asked: What the user wants.
        ray: The module, connected.
        store: What tasks use.
        ours: Leaves the cluster, if the run has entered it; taken over when all is well.
    """

    def __init__(
        self,
        setup: ExecutorSetup,
        asked: RayExecutor,
        ray: Any,
        store: ResultsStore,
        ours: ExitStack,
    ) -> None:
        largest = 1 if limit_of(asked.keep_values) else LARGEST  # each with what it reads
        super().__init__(setup, setup.num_workers, deepest=_DEEPEST, largest=largest)
        self._ray = ray
        self._max_pending = asked.max_pending
        self._is_pinned = store is not setup.store
        self._jobs = RemoteJobs(replace(setup, store=store))
        self._calls: dict[str, Any] = {}  # by spec: what Ray is told takes time
        load = ray.remote(values_of).options(num_cpus=0, max_retries=_LOADS, name="values")
        told = ray.put(self._jobs.told) if asked.keep_values else None
        self._kept = KeptValues(
            setup.store, limit_of(asked.keep_values), lambda each: load.remote(told, each)
        )
        self._sent: dict[Future[Answers], Any] = {}
        self._processors = 1
        self._look_at = 0.0
        self._ours = ours.pop_all()

    @property
    def free_slots(self) -> int:
        free = super().free_slots
        if self._max_pending is None:
            return free
        return min(free, self._max_pending - len(self.open_jobs))

    def slots_now(self) -> int:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_S
            self._processors = int(self._ray.cluster_resources().get("CPU", 0.0))
        return max(1, self._processors)

    def start_bundle(self, work: Sequence[Work]) -> Future[Answers]:
        job, assignment = work[0]
        call = self._calls.get(assignment.id)
        if call is None:
            call = self._calls[assignment.id] = self._call_of(assignment)
        sent = call.remote(self._jobs.packed(work), self._kept.of(job))
        answer: Future[Answers] = sent.future()
        self._sent[answer] = sent
        answer.add_done_callback(lambda done: self._sent.pop(done, None))
        return answer

    def _call_of(self, assignment: Assignment) -> Any:
        usual = {"num_cpus": 1, "max_retries": 0, "name": assignment.name}
        options = usual | dict(assignment.executor_options.get("ray", {}))
        try:
            return self._ray.remote(_run).options(**options)
        except (TypeError, ValueError) as error:
            raise RunError(f"executor_options of {assignment.name} for ray: {error}") from error

    @property
    def leases_to_renew(self) -> Collection[Job]:
        return self.open_jobs if self._is_pinned else ()  # their processes do not reach it

    def withdraw(self, job: Job, future: Future[Any]) -> bool:
        return False  # Ray does not tell whether a job has begun

    def let_go(self, job: Job, future: Future[Any]) -> None:
        if (sent := self._sent.pop(future, None)) is not None:
            self._ray.cancel(sent, force=True)

    def close(self, *, now: bool = False) -> None:
        try:
            for sent in list(self._sent.values()):
                self._ray.cancel(sent, force=True)
        finally:  # the cluster may have gone
            self._sent.clear()
            self._kept.clear()
            self._ours.close()


def _run(jobs: bytes, kept: list[Any]) -> Answers:
    """Run jobs in a worker of Ray; a value that is lost is read from the store instead."""
    if not kept:
        return run_packed(jobs)
    import ray

    lent: list[Lent] = []
    for each in kept:
        with suppress(ray.exceptions.RayError):
            lent.append(ray.get(each))
    return run_packed(jobs, lent)


@contextmanager
def connected(init_args: Mapping[str, Any], num_workers: int) -> Iterator[Any]:
    """Ray's module, connected to the cluster that is wanted; left again if it was entered here.

    Args:
        init_args: For `ray.init`, if the program has not called it.
        num_workers: How many processors a Ray of this machine is to have.

    Raises:
        MissingExtra: Ray is not installed.
    """
    is_own = "address" not in init_args
    with _on_loopback(is_own):
        ray = _module()
        is_new = not ray.is_initialized()
        if is_new:
            local: dict[str, Any] = {"num_cpus": num_workers, "include_dashboard": False}
            usual: dict[str, Any] = {"log_to_driver": False, **(local if is_own else {})}
            ray.init(**(usual | dict(init_args)))
    try:
        yield ray
    finally:
        if is_new:
            ray.shutdown()


@contextmanager
def _on_loopback(is_wanted: bool) -> Iterator[None]:
    """Say so where it is read: when Ray is imported, and by the processes that it starts."""
    before = {name: os.environ.get(name) for name in _LOOPBACK}
    if is_wanted:
        os.environ.update(_LOOPBACK)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _check_installed() -> None:
    refuse_missing("ray", "Ray", "ray")


def _module() -> Any:
    _check_installed()
    import ray

    return ray
