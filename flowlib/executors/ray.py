"""
On Ray: one of this machine, the cluster that the program is connected to, or one at an address.

Ray places the jobs and keeps its workers; the results go through the store, as everywhere.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from flowlib.errors import MissingExtra, RunError, nearest
from flowlib.executor import Executor, ExecutorSetup, Workers
from flowlib.future_workers import FutureWorkers
from flowlib.job import Assignment, Job, Outcome
from flowlib.remote_job import RemoteJobs, run_remote

_DEEPEST: Final = 16
"""How many jobs Ray holds for each processor, at the most."""

_LOOK_S: Final = 1.0
"""How often to ask how many processors there are: nodes come and go."""

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
        max_pending: How many jobs Ray has at the most; None is up to sixteen for each processor,
            where tasks are very short, and one where they are not.
    """

    init_args: Mapping[str, Any] = field(default_factory=dict)
    max_pending: int | None = None

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
            return _RayWorkers(setup, ray, self.max_pending, stack.pop_all())


class _RayWorkers(FutureWorkers):
    """The workers of a cluster.

    Args:
        setup: What the run gives.
        ray: The module, connected.
        max_pending: How many jobs it has at the most.
        ours: Leaves the cluster, if the run has entered it.
    """

    def __init__(
        self, setup: ExecutorSetup, ray: Any, max_pending: int | None, ours: ExitStack
    ) -> None:
        super().__init__(setup, setup.num_workers, deepest=_DEEPEST)
        self._ray = ray
        self._max_pending = max_pending
        self._ours = ours
        self._jobs = RemoteJobs(setup)
        self._call = ray.remote(run_remote)
        self._sent: dict[str, Any] = {}
        self._processors = 1
        self._look_at = 0.0

    @property
    def free_slots(self) -> int:
        free = super().free_slots
        if self._max_pending is None:
            return free
        return min(free, self._max_pending - len(self._sent))

    def slots_now(self) -> int:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_S
            self._processors = int(self._ray.cluster_resources().get("CPU", 0.0))
        return max(1, self._processors)

    def start_job(self, job: Job, assignment: Assignment) -> Future[Outcome]:
        usual = {"num_cpus": 1, "max_retries": 0, "name": job.run.unique_name}
        options = usual | dict(assignment.executor_options.get("ray", {}))
        remote = self._jobs.of(job, assignment)
        try:
            sent = self._call.options(**options).remote(remote)
        except (TypeError, ValueError) as error:
            raise RunError(f"executor_options of {assignment.name} for ray: {error}") from error
        self._sent[job.address.key] = sent
        answer: Future[Outcome] = sent.future()
        return answer

    def withdraw(self, job: Job, future: Future[Outcome]) -> bool:
        return False  # Ray does not tell whether a job has begun

    def let_go(self, job: Job) -> None:
        self._ray.cancel(self._sent.pop(job.address.key), force=True)

    def wait(self, timeout_s: float | None) -> list[Outcome]:
        outcomes = super().wait(timeout_s)
        for outcome in outcomes:
            self._sent.pop(outcome.address.key, None)
        return outcomes

    def close(self, *, now: bool = False) -> None:
        for sent in self._sent.values():
            self._ray.cancel(sent, force=True)
        self._sent.clear()
        self._ours.close()


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


def _module() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingExtra(
            "executor=\"ray\" needs Ray: pip install 'flowlib-runner[ray]'"
        ) from None
    return ray
