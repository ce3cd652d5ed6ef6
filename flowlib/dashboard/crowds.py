"""What if many ask in one moment? A page is made once, and few are answered per round of the loop.

What the event loop does for one client takes half a millisecond; for fifty in one round it takes
longer than anybody else should wait, and so does making fifty times the same page beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_AT_ONCE: Final = 2


class Rounds:
    """So many go on in each round of the event loop, in the order in which they came."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def turn(self) -> None:
        """Wait for the own round; what is done up to the next wait is done in it."""
        async with self._places:
            await asyncio.sleep(0)


class Together:
    """Answers requests as `make` does in a thread; those for the same at once, by one answer.

    Args:
        make: Makes an answer that follows from the address alone.
    """

    def __init__(self, make: Callable[[Request], Response]) -> None:
        self._make = make
        self._going: dict[Hashable, asyncio.Task[Response]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = await self._answer(scope, receive, send)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response:
        """What one who came before is being made, or else an own one."""
        what = asyncio.get_running_loop(), scope["path"], scope["query_string"]
        going = self._going.get(what)
        if going is None:
            request = Request(scope, receive, send)
            going = asyncio.create_task(run_in_threadpool(self._make, request))
            self._going[what] = going
            going.add_done_callback(lambda _: self._going.pop(what, None))
        return await asyncio.shield(going)  # who leaves takes the page from nobody else
