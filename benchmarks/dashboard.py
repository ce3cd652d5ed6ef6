"""How quick is the dashboard with many records, how large, and is its event loop ever blocked?"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from statistics import median

from benchmarks.dashboard_records import LOAD, address_of, fill, fill_database
from benchmarks.places import place, server_of
from stores import ResultsStore, open_store

KINDS = ("file", "sqlite", "mongodb")
PAGES = {
    "list": "/tasks",
    "list of one task": "/tasks?task=Train/",
    "filter": "/tasks?state=failed&config_filter=depth=3",
    "words": "/tasks?text=adam%20seed=777",
    "sort": "/tasks?task=Train/&sort=-lr",
    "last page": "/tasks?offset={last}",
    "overview": "/",
    "API": "/api/experiments?config_filter=lr=0.5",
    "statistics": "/api/stats",
    "task": "/tasks/Train/{key}",
    "graph of all": "/graph",
    "API, graph": "/api/dag",
    "API, what all have read": "/api/experiments/Load/{load}",
    "sweep": "/sweep?task=Train",
}
COLD = ("list", "overview")
"""Asked for before all records were read; the first of them at once."""

_LIMIT_S = 600.0
_IDLE_S = 3.0
_GLANCE_S = 0.05


def main(arguments: list[str]) -> None:
    """Measure what is asked for, and print a table."""
    parser = argparse.ArgumentParser("python -m benchmarks dashboard")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--clients", type=int, default=50, help="that follow at the same time")
    parser.add_argument("--keep", type=Path, help="a folder whose stores are used again")
    asked = parser.parse_args(arguments)
    for kind in asked.kinds.split(","):
        for size in map(int, asked.sizes.split(",")):
            with ExitStack() as stack:
                where = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
                store = _filled(stack, kind, where / f"{kind}-{size}", size)
                print(f"\n{kind}, {size:,} records", flush=True)
                _measure(store, size, asked.repeats, asked.clients)


def _filled(stack: ExitStack, kind: str, folder: Path, size: int) -> dict[str, object]:
    """A store with so many records; one that was kept is not filled again."""
    folder.mkdir(parents=True, exist_ok=True)
    server = stack.enter_context(server_of(kind))
    where = place(kind, folder, server, **({} if kind == "mongodb" else {"fsync": False}))
    store = open_store(where)
    try:
        if next(iter(store.addresses()), None) is None:
            _fill(kind, where, store, size)
    finally:
        store.close()
    return where


def _fill(kind: str, where: dict[str, object], store: ResultsStore, size: int) -> None:
    began = time.perf_counter()
    if kind == "file":
        fill(store, size)
    else:
        fill_database(where, store, size)
    print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)


def _measure(where: dict[str, object], size: int, repeats: int, clients: int) -> None:
    with _served(where) as (address, ask):
        began = time.perf_counter()
        for name in COLD:
            seconds = [_first(f"{address}{PAGES[name]}")]
            _tell(f"{name}, cold", seconds, ask())
        _first(f"{address}/api/stats")  # told to come again until all was read
        total = json.loads(_get(f"{address}/api/stats"))["total"]
        if total != size:
            raise RuntimeError(f"{total} records instead of {size}")
        _tell("until all was read", [time.perf_counter() - began], ask())
        time.sleep(_IDLE_S)
        _tell("nothing, for noise", [0.0], ask())
        last, key = max(0, size - 50), address_of(7).key
        for name, path in PAGES.items():
            path = path.format(last=last, key=key, load=LOAD.key)
            seconds = [_timed(f"{address}{path}") for _ in range(repeats)]
            _tell(name, seconds, ask())
        with _following(address, clients):
            seconds = [_timed(f"{address}/tasks?task=Train/") for _ in range(repeats)]
            _tell(f"list, {clients} followers", seconds, ask())
            seconds = _at_once(f"{address}/tasks?task=Train/", clients)
            _tell(f"list, {clients} at once", seconds, ask())
        store = open_store(where)
        try:
            fill(store, 30)  # written anew, as by a run that goes on
            seconds = []
            for _ in range(repeats):
                time.sleep(0.5)
                seconds.append(_timed(f"{address}/tasks?task=Train/"))
            _tell("list after changes", seconds, ask())
        finally:
            store.close()


@contextmanager
def _served(where: dict[str, object]) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
    """The address of a dashboard in a process of its own, and what asks it for its figures."""
    command = [sys.executable, "-m", "benchmarks.dashboard_child", json.dumps(where)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        address = json.loads(stdout.readline())["address"]

        def ask() -> dict[str, float]:
            stdin.write("\n")
            stdin.flush()
            found: dict[str, float] = json.loads(stdout.readline())
            return found

        yield address, ask
        stdin.close()


@contextmanager
def _following(address: str, count: int) -> Iterator[None]:
    """So many clients that are told of each change."""
    host, _, port = address.removeprefix("http://").partition(":")
    opened = [socket.create_connection((host, int(port))) for _ in range(count)]
    for each in opened:
        each.sendall(f"GET /events HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        threading.Thread(target=_drain, args=(each,), daemon=True).start()
    try:
        yield
    finally:
        for each in opened:
            each.shutdown(socket.SHUT_RDWR)
            each.close()


def _drain(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(1 << 16):
            pass


def _get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=_LIMIT_S) as answer:
        found: bytes = answer.read()
        return found


def _first(address: str) -> float:
    """How long until there is a page, and not only word that the store is being read."""
    began = time.perf_counter()
    while True:
        try:
            _get(address)
            return time.perf_counter() - began
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            time.sleep(_GLANCE_S)


def _timed(address: str) -> float:
    began = time.perf_counter()
    _get(address)
    return time.perf_counter() - began


def _at_once(address: str, count: int) -> list[float]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(_timed, [address] * count))


def _tell(name: str, seconds: Sequence[float], figures: dict[str, float]) -> None:
    first, rest = seconds[0], median(seconds[1:] or seconds)
    print(
        f"  {name:<24} first {first * 1000:7.0f} ms  then {rest * 1000:6.0f} ms  loop blocked "
        f"{figures['blocked_s'] * 1000:5.0f} ms, by us {figures['busy_s'] * 1000:4.0f} ms  "
        f"CPU {figures['cpu_s']:5.1f} s  RSS {figures['rss_mb']:4.0f} MB  "
        f"peak {figures['peak_mb']:4.0f} MB",
        flush=True,
    )
