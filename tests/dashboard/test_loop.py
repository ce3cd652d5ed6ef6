"""Does the event loop go on whatever a store does? What reads one is done in threads."""

from __future__ import annotations

import asyncio
import inspect
import threading

import httpx

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
        self.is_stuck = False

    def record(self, address):
        if self.is_stuck:
            self.is_asked.set()
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
