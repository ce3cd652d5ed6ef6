"""Who follows is told when something has changed: one look a second, however many follow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Final

from starlette.concurrency import run_in_threadpool

from flowlib.dashboard.answers import Answers

_log = logging.getLogger("flowlib")

_PAUSE_S: Final = 1.0
_SIGN_OF_LIFE_S: Final = 15.0


class Stream:
    """The versions of what is known, as server-sent events.

    Args:
        answers: Knows the present one.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._followers = 0
        self._version = (0, 0)
        self._is_over = False
        self._changed = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def events(self) -> AsyncIterator[bytes]:
        """An event for each version, the present one first; comments as signs of life."""
        self._followers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        told = None
        try:
            while not self._is_over:
                changed = self._changed
                if told != self._version:
                    told = self._version
                    data = json.dumps({"version": "-".join(map(str, told))})
                    yield f"retry: 2000\nevent: version\ndata: {data}\n\n".encode()
                try:
                    async with asyncio.timeout(_SIGN_OF_LIFE_S):
                        await changed.wait()
                except TimeoutError:
                    yield b": here\n\n"
        finally:
            self._followers -= 1

    def end(self) -> None:
        """Let all who follow go: the server ends."""
        self._is_over = True
        self._tell()

    async def close(self) -> None:
        """End the looks."""
        self.end()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _look(self) -> None:
        """Look for changes as long as anybody follows."""
        while self._followers:
            try:
                stock = await run_in_threadpool(self._answers.stock)
            except Exception as error:  # noqa: BLE001  # whatever it is, the next look may succeed
                _log.debug("no look for changes: %s", error)
            else:
                if stock.version != self._version:
                    self._version = stock.version
                    self._tell()
            await asyncio.sleep(_PAUSE_S)
