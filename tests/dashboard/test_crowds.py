"""Is a page made once for all who ask at once, and does the loop go on between them?"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import httpx

from flowlib.dashboard import app as module
from flowlib.dashboard import crowds
from stores import Address, InMemoryStore
from stores.testing import done, put
from tests.dashboard.asked import BASE, LIMIT_S

CLIENTS = 50


class Kitchen:
    """Makes lists of tasks one after the other, once its gate is open."""

    def __init__(self, make):
        self._make = make
        self.gate = threading.Event()
        self.made = 0

    def __call__(self, *given):
        self.made += 1
        self.gate.wait(LIMIT_S)
        return self._make(*given)


def together(store, ask):
    """What a coroutine gives that asks a dashboard."""

    async def act():
        app = module.Dashboard(store).application()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=LIMIT_S) as client:
            while (await client.get("/api/stats")).status_code == 503:
                pass
            return await ask(client)

    return asyncio.run(act())


def kitchen_of(monkeypatch):
    """Where the lists of tasks are made from now on."""
    from flowlib.dashboard import pages

    kitchen = Kitchen(pages.task_list)
    monkeypatch.setattr(pages, "task_list", kitchen)
    return kitchen


async def until(holds):
    """Wait for something."""
    end = asyncio.get_running_loop().time() + LIMIT_S
    while not holds() and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.01)


def filled():
    """A store with a task."""
    store = InMemoryStore()
    put(store, Address("Train", "a" * 32), {}, done(), n=1)
    return store


def test_fifty_who_ask_for_a_page_at_once_have_it_made_once(monkeypatch):
    """Another page is another one, and who comes later has it made anew."""
    kitchen = kitchen_of(monkeypatch)

    async def ask(client):
        asked = [asyncio.create_task(client.get("/tasks")) for _ in range(CLIENTS)]
        other = asyncio.create_task(client.get("/tasks?limit=7"))
        await until(lambda: kitchen.made == 2)
        for _ in range(2 * CLIENTS):  # all have had their round
            await asyncio.sleep(0)
        kitchen.gate.set()
        texts = {(await each).text for each in asked}
        assert kitchen.made == 2
        assert (await other).text not in texts
        assert (await client.get("/tasks")).status_code == 200
        return texts, kitchen.made

    texts, made = together(filled(), ask)
    assert len(texts) == 1
    assert made == 3


def test_who_leaves_takes_the_page_from_nobody_else(monkeypatch):
    """Not even the first, for whom it was begun."""
    kitchen = kitchen_of(monkeypatch)

    async def ask(client):
        first = asyncio.create_task(client.get("/tasks"))
        await until(lambda: kitchen.made == 1)
        second = asyncio.create_task(client.get("/tasks"))
        for _ in range(CLIENTS):
            await asyncio.sleep(0)
        first.cancel()
        kitchen.gate.set()
        return (await second).status_code

    assert together(filled(), ask) == 200
    assert kitchen.made == 1


def test_a_page_that_fails_fails_for_all_and_not_for_the_next(monkeypatch):
    """What went wrong is kept by nobody."""
    kitchen = kitchen_of(monkeypatch)
    usual, kitchen._make = kitchen._make, lambda *_: 1 / 0

    async def ask(client):
        asked = [asyncio.create_task(client.get("/tasks")) for _ in range(3)]
        await until(lambda: kitchen.made == 1)
        kitchen.gate.set()
        codes = [(await each).status_code for each in asked]
        kitchen._make = usual
        return [*codes, (await client.get("/tasks")).status_code]

    assert together(filled(), ask) == [500, 500, 500, 200]


def test_few_go_on_in_each_round_of_the_loop_and_in_order():
    """So whoever else waits for the loop has a turn between them."""

    async def count():
        rounds, at, order, turns = crowds.Rounds(), 0, [], Counter()
        is_over = False

        async def tick():
            nonlocal at
            while not is_over:
                at += 1
                await asyncio.sleep(0)

        async def client(number):
            await rounds.turn()
            order.append(number)
            turns[at] += 1

        ticking = asyncio.create_task(tick())
        await asyncio.gather(*(client(number) for number in range(CLIENTS)))
        is_over = True
        await ticking
        return order, max(turns.values())

    order, most = asyncio.run(count())
    assert order == [*range(CLIENTS)]
    assert most == crowds._AT_ONCE


def test_requests_and_answers_take_turns(monkeypatch):
    """Fifty ask, and each of them waits for a round twice: before, and before it is answered."""
    taken = []
    turn = crowds.Rounds.turn

    async def noted(rounds):
        taken.append(1)
        await turn(rounds)

    async def ask(client):
        monkeypatch.setattr(crowds.Rounds, "turn", noted)
        await asyncio.gather(*(client.get("/static/dashboard.css") for _ in range(CLIENTS)))

    together(filled(), ask)
    assert len(taken) == 2 * CLIENTS
