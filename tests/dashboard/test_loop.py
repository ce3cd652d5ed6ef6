"""Does the event loop go on whatever a store does? What reads one is done in threads."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import time

import httpx
import pytest
from starlette.applications import Starlette

from flowlib.dashboard import app as module
from flowlib.dashboard import turns
from flowlib.dashboard.app import Dashboard
from stores import Address, InMemoryStore
from stores.testing import done, put
from tests.dashboard.asked import BASE, LIMIT_S

AT = Address("Train", "a" * 32)
FOLLOWED = "/events"


class Stuck(InMemoryStore):
    """Does not answer before a gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.is_asked = threading.Event(), threading.Event()
        self.is_stuck, self.waiting = False, 0

    def record(self, address):
        if self.is_stuck:
            self.is_asked.set()
            self.waiting += 1
            self.gate.wait(LIMIT_S)
        return super().record(address)


def test_whatever_reads_the_store_is_no_coroutine():
    """So Starlette calls it in a thread; only the events are told from the loop itself."""
    dashboard = Dashboard(InMemoryStore())
    routes = dashboard.api_routes() + dashboard.page_routes()
    in_loop = [each.path for each in routes if inspect.iscoroutinefunction(each.endpoint)]
    assert in_loop == [FOLLOWED]


def test_others_are_answered_while_a_store_is_stuck():
    """A page that waits for its store keeps nobody else from anything."""
    store = Stuck()
    put(store, AT, {}, done(), n=1)

    async def ask() -> tuple[int, int, int]:
        app = Dashboard(store).application()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=LIMIT_S) as client:
            assert (await client.get("/api/stats")).status_code == 200
            store.is_stuck = True
            slow = asyncio.create_task(client.get(f"/tasks/{AT.task}/{AT.key}"))
            while not store.is_asked.is_set() and not slow.done():
                await asyncio.sleep(0.01)
            quick = await client.get("/static/dashboard.css")
            listed = await client.get("/api/experiments")
            assert not slow.done()
            store.gate.set()
            return quick.status_code, listed.status_code, (await slow).status_code

    try:
        assert asyncio.run(ask()) == (200, 200, 200)
    finally:
        store.gate.set()


@pytest.fixture
def switch_interval():
    """As Python begins with, whatever a test before has left."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield sys.getswitchinterval()
    sys.setswitchinterval(before)


def test_only_so_many_requests_are_worked_at(monkeypatch, switch_interval):
    """The loop takes turns with all threads that want to run; what was altered is put back."""
    monkeypatch.setattr(module, "_MOST_THREADS", 3)
    store, usual_s = Stuck(), switch_interval
    addresses = [Address("Train", f"{number:032x}") for number in range(10)]
    for each in addresses:
        put(store, each, {}, done(), n=1)

    async def ask() -> tuple[set[int], int]:
        dashboard = Dashboard(store)
        transport = httpx.ASGITransport(app=dashboard.application())
        async with (
            dashboard.lifespan(Starlette()),
            httpx.AsyncClient(transport=transport, base_url=BASE, timeout=LIMIT_S) as client,
        ):
            assert (await client.get("/api/stats")).status_code == 200
            assert sys.getswitchinterval() < usual_s
            store.is_stuck = True
            paths = [f"/tasks/{each.task}/{each.key}" for each in addresses]
            asked = [asyncio.create_task(client.get(path)) for path in paths]
            end = time.monotonic() + LIMIT_S
            while store.waiting < 3 and time.monotonic() < end:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            at_work, store.is_stuck = store.waiting, False
            store.gate.set()
            return {(await each).status_code for each in asked}, at_work

    try:
        assert asyncio.run(ask()) == ({200}, 3)
    finally:
        store.gate.set()
    assert sys.getswitchinterval() == usual_s


def test_few_work_at_once_and_who_has_waited_long_goes_ahead(monkeypatch):
    """So that one slow store keeps nobody from anything."""
    monkeypatch.setattr(turns, "_PATIENCE_S", LIMIT_S)
    taken, inside = turns.Turns(), []

    def work() -> None:
        with taken.one():
            inside.append(1)

    with taken.one():
        with taken.one():
            third = threading.Thread(target=work)
            third.start()
            third.join(0.1)
            assert inside == []
        third.join(LIMIT_S)
        assert inside == [1]
        monkeypatch.setattr(turns, "_PATIENCE_S", 0.01)
        with taken.one(), taken.one(), taken.one():
            work()
    assert inside == [1, 1]
