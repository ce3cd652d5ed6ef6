"""How is a cluster of this machine started, looked at and ended, by commands that come and go?"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any, Final

from flowlib.cluster_programs import (
    LEAVE_S,
    end_program,
    held_pool,
    held_redis,
    refuse_missing_server,
    wait_for_redis,
)
from flowlib.cluster_state import (
    QUEUE,
    KnownCluster,
    forget_cluster,
    keep_cluster,
    known_cluster,
    only_one,
    state_file,
)
from flowlib.errors import MissingExtra, RunError
from flowlib.process_tree import end_session
from flowlib.redis_link import link, refuse_unreachable
from stores import Owner
from stores.lazy_dataclass import dataclass

_WORKER: Final = "flowlib.rq_worker.PreparedWorker"
_UP_S: Final = 60.0
_LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """How a cluster is.

    Attributes:
        cluster: What was started.
        is_running: Whether its processes are there, and Redis answers.
        listening: How many workers take jobs.
        waiting: How many jobs no worker has taken yet.
        running: How many are being run.
    """

    cluster: KnownCluster
    is_running: bool
    listening: int = 0
    waiting: int = 0
    running: int = 0


def start_cluster(workers: int) -> KnownCluster:
    """Start Redis and workers, which go on when this process ends.

    Args:
        workers: How many.

    Raises:
        RunError: one runs already, there is no `redis-server`, or they do not come up.
        MissingExtra: RQ is not installed.
    """
    refuse_missing_server()
    with only_one(), contextlib.ExitStack() as stack:
        known = known_cluster()
        if known is not None:
            if known.is_running and _answers(known):
                raise RunError(
                    f"a cluster of {known.workers} {_workers(known.workers)} runs already: "
                    f"`flowlib cluster stop` ends it"
                )
            _end(known)
        cluster = _started(stack, workers)
        stack.pop_all()
    return cluster


def stop_cluster() -> KnownCluster | None:
    """End the cluster of this host with all its processes; tasks that run have ten seconds.

    Returns:
        What was ended; None if there was none.
    """
    with only_one():
        known = known_cluster()
        if known is None:
            return None
        _end(known)
        forget_cluster()
    return known


def cluster_status() -> ClusterStatus | None:
    """How the cluster of this host is; None if none was started, or it was ended."""
    known = known_cluster()
    if known is None:
        return None
    if not known.is_running:
        return ClusterStatus(known, is_running=False)
    redis = link(known.url, is_patient=False)
    try:
        from rq import Queue, Worker

        queue = Queue(QUEUE, connection=redis)
        listening = Worker.count(queue=queue)
        return ClusterStatus(known, True, listening, queue.count, queue.started_job_registry.count)
    except Exception:  # noqa: BLE001  # of redis, which need not be imported here
        return ClusterStatus(known, is_running=False)
    finally:
        redis.close()


def _started(stack: contextlib.ExitStack, size: int) -> KnownCluster:
    """Both programs, which end with the stack unless it is emptied."""
    stack.callback(forget_cluster)
    said = {name: _log(stack, name) for name in ("redis", "workers")}
    server, url = held_redis(str(state_file("json").parent), said["redis"])
    stack.callback(end_program, server.process)
    pool = held_pool(url, QUEUE, size, _WORKER, said["workers"])
    stack.callback(end_program, pool.process)
    owners = (Owner.of_process(each.process.pid) for each in (server, pool))
    cluster = KnownCluster(url, size, time.time(), *owners)
    keep_cluster(cluster)  # first: if this process is killed, `stop` finds what it has started
    server.begin()
    wait_for_redis(server.process, url)
    pool.begin()
    _wait_for_workers(url, size, lambda: pool.process.poll() is not None)
    return cluster


def _log(stack: contextlib.ExitStack, name: str) -> Any:
    """A file that what is started writes to; this process closes it in any case."""
    return stack.enter_context(state_file(f"{name}.log").open("wb"))


def _wait_for_workers(url: str, size: int, is_over: Callable[[], bool]) -> None:
    from rq import Queue, Worker

    redis = link(url)
    queue = Queue(QUEUE, connection=redis)
    until = time.monotonic() + _UP_S
    while Worker.count(queue=queue) < size:
        if is_over() or time.monotonic() >= until:
            redis.close()
            raise RunError(f"the workers do not come up: see {state_file('workers.log')}")
        time.sleep(_LOOK_S)
    redis.close()


def _end(known: KnownCluster) -> None:
    """End its processes, and no others that have their numbers by now."""
    here = Owner.of_this_process().boot_id
    ours = [each for each in (known.pool, known.redis) if each.boot_id == here]
    if any(not here or each.is_alive() is None for each in ours) and not _answers(known):
        return  # nobody can tell whose numbers these are by now
    for each in ours:
        if each.is_alive() is not False:
            _ask(each)
        if _is_session_ours(each):
            end_session(each.pid)


def _answers(known: KnownCluster) -> bool:
    """Whether its Redis, which no other process has the password of, is there."""
    try:
        refuse_unreachable(known.url)
    except MissingExtra:
        raise
    except RunError:
        return False
    return True


def _ask(owner: Owner) -> None:
    """Ask a process to leave, and wait for a while."""
    until = time.monotonic() + LEAVE_S
    with contextlib.suppress(ProcessLookupError):
        os.kill(owner.pid, signal.SIGTERM)
    while owner.is_alive() is not False and time.monotonic() < until:
        time.sleep(_LOOK_S)


def _is_session_ours(owner: Owner) -> bool:
    """Whether the session of that number is still the one that this process has led.

    While something of a session is left, no other process gets the number of its leader.
    """
    return owner.is_alive() is not False or not _exists(owner.pid)


def _exists(pid: int) -> bool:
    if Owner.of_process(pid).started < 0:
        return False  # it has ended, but nobody has asked for its exit code yet
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _workers(count: int) -> str:
    return "worker" if count == 1 else "workers"
