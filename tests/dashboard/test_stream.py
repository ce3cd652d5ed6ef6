"""Are all who follow told of a change, and let go when the server ends?"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time

from flowlib.dashboard import stream as module
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.live_runs import LiveRuns
from flowlib.dashboard.stream import Stream
from stores import Address, InMemoryStore, LocalFileStore, StoreError
from stores.testing import done, put
from tests.pages.served import LIMIT_S, served

FOLLOWERS = 50


class Follower:
    """One open connection."""

    def __init__(self, base):
        host, _, port = base.removeprefix("http://").partition(":")
        self.told = b""
        self.socket = socket.create_connection((host, int(port)), timeout=LIMIT_S)
        self.socket.sendall(f"GET /events HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())

    @property
    def version(self):
        """The last version of the records that was told; -1 before the first."""
        found = re.findall(rb'"version": "(\d+)-\d+"', self.told)
        return int(found[-1]) if found else -1

    def read_beyond(self, version):
        """Read until a later version was told."""
        end = time.monotonic() + LIMIT_S
        while self.version <= version and time.monotonic() < end:
            self.told += self.socket.recv(1 << 16)
        assert self.version > version


def test_fifty_followers_are_told_of_each_change_and_let_go(tmp_path):
    """While pages are answered; an answer of the stream is never kept by a browser."""
    store = LocalFileStore(tmp_path, fsync=False)
    put(store, Address("T", "0" * 32), {}, done())
    with contextlib.ExitStack() as stack:
        base = stack.enter_context(served(store))
        followers = [Follower(base) for _ in range(FOLLOWERS)]
        for each in followers:
            stack.callback(each.socket.close)
            each.read_beyond(0)
            assert b"text/event-stream" in each.told
            assert b"no-store" in each.told
        before = max(each.version for each in followers)
        for number in range(1, 4):
            put(store, Address("T", f"{number}" * 32), {}, done())
            time.sleep(0.1)
        for each in followers:
            each.read_beyond(before)
        stack.pop_all().close()  # the server ends while they follow


def test_who_follows_is_told_of_changes_after_a_store_was_away(monkeypatch):
    """A look that fails ends nothing."""
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    store = InMemoryStore()
    put(store, Address("T", "0" * 32), {}, done())
    answers, asked = Answers(Catalogue(store), LiveRuns(store)), []
    known = answers.stock

    def stock():
        asked.append(1)
        if len(asked) < 4:
            raise StoreError("away")
        return known()

    monkeypatch.setattr(answers, "stock", stock)

    async def follow():
        stream = Stream(answers)
        told = stream.events()
        async with asyncio.timeout(LIMIT_S):
            found = [await anext(told), await anext(told)]
        await told.aclose()
        await stream.close()
        return found

    first, second = asyncio.run(follow())
    assert b'"version": "0-0"' in first
    assert b'"version": "1-' in second
