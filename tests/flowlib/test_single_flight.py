"""Is what is asked for several times at once computed once? In threads, processes, on two hosts."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowlib import InMemoryStore, WaitTimeout
from stores import Address, LocalFileStore, Owner, ResultsStore
from tests.flowlib.direct_callers import killed_call, slow_calls
from tests.flowlib.direct_tasks import count, fails, slow

ROUNDS = 10
THREADS = 8


def store_of(kind: str, folder: Path) -> ResultsStore:
    """A store of this kind."""
    return InMemoryStore() if kind == "memory" else LocalFileStore(folder / "runs", fsync=False)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_threads_that_ask_at_once_compute_once(kind: str, tmp_path: Path, folder: str) -> None:
    """Again and again, with the same and with other arguments, and all have the value."""
    store = store_of(kind, tmp_path)
    start = threading.Barrier(THREADS)

    def asked(x: int) -> list[int]:
        start.wait(60)
        return slow.call(x, folder, 0.02, store=store)

    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(ROUNDS):
            numbers = [2 * number + each % 2 for each in range(THREADS)]
            assert [*pool.map(asked, numbers)] == [[x, x * x] for x in numbers]
            assert count(folder) == 2 * (number + 1)


@pytest.mark.slow
def test_threads_with_stores_of_their_own_on_one_folder(tmp_path: Path, folder: str) -> None:
    """The lease decides, not the object."""
    start = threading.Barrier(THREADS)

    def asked(x: int) -> list[int]:
        store = LocalFileStore(tmp_path / "runs", fsync=False)
        start.wait(60)
        return slow.call(x, folder, 0.02, store=store)

    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(ROUNDS):
            assert [*pool.map(asked, [number] * THREADS)] == [[number, number**2]] * THREADS
    assert count(folder) == ROUNDS


def in_processes(method: str, jobs: list[tuple[Any, ...]], gate: Path) -> list[list[int]]:
    """What processes find that begin at the same time."""
    with ProcessPoolExecutor(len(jobs), multiprocessing.get_context(method)) as pool:
        futures: list[Future[list[int]]] = [pool.submit(slow_calls, *each) for each in jobs]
        time.sleep(1.0)  # let all of them stand before the gate
        gate.touch()
        return [each.result(120) for each in futures]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_that_ask_at_once_compute_once(method: str, tmp_path: Path, folder: str) -> None:
    """In the same order, and in others."""
    store, gate = LocalFileStore(tmp_path / "runs", fsync=False), tmp_path / "gate"
    numbers = list(range(ROUNDS))
    shuffled = random.Random(7).sample(numbers, ROUNDS)  # noqa: S311  # a fixed order
    jobs = [(store, folder, str(gate), order) for order in (numbers, numbers, shuffled, shuffled)]
    found = in_processes(method, jobs, gate)
    assert [sorted(each) for each in found] == [[x * x for x in numbers]] * 4
    assert count(folder) == ROUNDS


@pytest.mark.slow
def test_two_hosts_that_ask_at_once_compute_once(tmp_path: Path, folder: str) -> None:
    """Neither can tell whether the other's process lives: the lease counts, which is renewed."""
    store, gate = LocalFileStore(tmp_path / "runs", fsync=False), tmp_path / "gate"
    numbers = list(range(ROUNDS))
    jobs = [(store, folder, str(gate), numbers, host) for host in ("one", "other", "other")]
    found = in_processes("spawn", jobs, gate)
    assert found == [[x * x for x in numbers]] * 3
    assert count(folder) == ROUNDS


@pytest.mark.slow
def test_what_a_killed_process_of_another_host_computed_is_taken_over(
    tmp_path: Path, folder: str
) -> None:
    """When its lease has ended, and not before."""
    store = LocalFileStore(tmp_path / "runs", lease_s=3.0)
    process = multiprocessing.get_context("spawn").Process(
        target=killed_call, args=(store, folder, "elsewhere")
    )
    process.start()
    process.join(60)
    assert process.exitcode == -9
    lease = next(Path(store.base_dir, ".leases", "slow").glob(f"{slow.key(7, folder)}.*"))
    until = lease.stat().st_mtime + 3.0
    assert slow.call(7, folder, 0.0, store=store) == [7, 49]
    assert time.time() >= until
    assert count(folder) == 1


def held(store: ResultsStore, key: str, host: str = "elsewhere") -> None:
    """Let somebody compute a key for ever."""
    store.begin(Address("slow", key), Owner(host, "boot", 1, 1))


def test_a_wait_ends_with_the_wait_timeout(tmp_path: Path, folder: str) -> None:
    """The error says who computes it, and for how long one has waited; nothing was computed."""
    store = LocalFileStore(tmp_path / "runs")
    held(store, slow.key(1, folder))
    call = slow(1, folder, 0.0).options(wait_timeout=0.5)
    began = time.monotonic()
    with pytest.raises(
        WaitTimeout, match=r"slow/\w{8} is being computed by process 1 on elsewhere; given up"
    ) as raised:
        call.result(store)
    assert time.monotonic() - began >= 0.5
    assert isinstance(raised.value, TimeoutError)
    assert count(folder) == 0


def test_of_several_that_ask_at_once_each_tries_what_fails(tmp_path: Path, folder: str) -> None:
    """A failure is no result: whoever has waited for it tries, too, and gets the error."""
    store = LocalFileStore(tmp_path / "runs", fsync=False)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(fails.call, 1, folder, store=store) for _ in range(3)]
        errors = [repr(each.exception(60)) for each in futures]
    assert errors == ["ValueError('no 1')"] * 3
    assert count(folder) == 3
