"""A real headless Chromium without a network, driven by its mouse and keyboard."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from playwright.async_api import Error, async_playwright
from playwright.async_api import Page as Tab

PROGRAM = "chromium"
DRIVER = "node"
"""What playwright starts to speak with Chromium; its wheel brings it."""

SIZE = {"width": 1200, "height": 900}
LIMIT_MS = 20_000
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
LOCAL = ("file:", "data:", "blob:", "about:")

IDLE = """async () => {
  const frame = () => new Promise(done => requestAnimationFrame(done));
  await frame(); await frame();
  await new Promise(done => setTimeout(done, 60));
  await frame();
}"""
"""Bokeh paints in the next frame, and some of it a moment later."""


class Page:
    """One tab: opened at a file or an address, then looked at and touched.

    Attributes:
        requests: The addresses that it asked a network for.
        complaints: What its console told as errors, and exceptions that nobody caught.
    """

    def __init__(self, tab: Tab, loop: asyncio.AbstractEventLoop) -> None:
        self._tab, self._loop = tab, loop
        self.requests: list[str] = []
        self.complaints: list[str] = []
        tab.set_default_timeout(LIMIT_MS)
        tab.on("request", lambda request: self._note(request.url))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        tab.on("dialog", self._refuse)

    def open(self, where: str | Path) -> None:
        """Go to a file or to an address of the loopback."""
        address = where.resolve().as_uri() if isinstance(where, Path) else where
        self._do(self._tab.goto(address))
        self.settle()

    def show(self, html: str) -> None:
        """Show a text as a page."""
        self._do(self._tab.set_content(html))
        self.settle()

    def settle(self) -> None:
        """Return when what was done can be seen."""
        self._do(self._tab.evaluate(IDLE))

    def ask(self, script: str, value: object = None) -> Any:
        """What a function of JavaScript gives, which is called with `value`."""
        return self._do(self._tab.evaluate(script, value))

    def wait_for(self, script: str, value: object = None) -> None:
        """Return when a function of JavaScript gives something true."""
        self._do(self._tab.wait_for_function(script, arg=value))

    def move(self, x: float, y: float) -> None:
        """Let the mouse come to a place, over some others."""
        self._do(self._tab.mouse.move(x, y, steps=4))
        self.settle()

    def click(self, x: float, y: float, *, is_double: bool = False) -> None:
        """Click a place, once or twice."""
        self._do(self._tab.mouse.click(x, y, click_count=2 if is_double else 1))
        self.settle()
        self._do(asyncio.sleep(0.35))  # what Bokeh waits for a second click
        self.settle()

    def follow(self, x: float, y: float) -> None:
        """Click a place that leads to another page."""
        self._do(self._tab.mouse.click(x, y))

    def drag(
        self, start: tuple[float, float], end: tuple[float, float], *, hold_s: float = 0.0
    ) -> None:
        """Press the button at one place, hold it for a while, let it go at another."""
        self._do(self._tab.mouse.move(*start))
        self._do(self._tab.mouse.down())
        self._do(asyncio.sleep(hold_s))
        self._do(self._tab.mouse.move(*end, steps=8))
        self._do(self._tab.mouse.up())
        self.settle()

    def turn_wheel(self, x: float, y: float, pixels: float) -> None:
        """Turn the wheel at a place; up is less than 0."""
        self._do(self._tab.mouse.move(x, y))
        self._do(self._tab.mouse.wheel(0, pixels))
        self.settle()

    def press(self, text: str) -> None:
        """Click what bears exactly this text."""
        self._do(self._tab.get_by_text(text, exact=True).first.click())
        self.settle()

    def write(self, placeholder: str, text: str) -> None:
        """Put a text into the field that has this placeholder."""
        self._do(self._tab.get_by_placeholder(placeholder).fill(text))
        self.settle()

    def shoot(self, path: Path) -> None:
        """Keep a picture of it."""
        self._do(self._tab.screenshot(path=str(path)))

    def close(self) -> None:
        """Close the tab and what belongs to it."""
        self._do(self._tab.context.close())

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(what)

    def _note(self, address: str) -> None:
        if not address.startswith(LOCAL):
            self.requests.append(address)

    async def _refuse(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()


class Chromium:
    """One browser, in which each page is a stranger to the others.

    It is driven from a loop of its own, which stands still between two calls: the code of tests
    runs outside of any loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._playwright: Any = None
        self._browser: Any = None

    def start(self) -> None:
        """Start it, and return when it can be used."""
        self._loop.run_until_complete(self._start())

    def new_page(self, *, dark: bool = False) -> Page:
        """An empty page."""
        return Page(self._loop.run_until_complete(self._new_tab(dark)), self._loop)

    def close(self) -> None:
        """End it, and all its processes."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._end())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _start(self) -> None:
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(
            executable_path=shutil.which(PROGRAM), args=[*FLAGS]
        )

    async def _new_tab(self, dark: bool) -> Tab:
        scheme = "dark" if dark else "light"
        context = await self._browser.new_context(viewport=SIZE, color_scheme=scheme)
        return await context.new_page()

    async def _end(self) -> None:
        if self._browser is not None:
            with contextlib.suppress(Error):  # it may have died
                await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()  # and its driver ends a browser that is left
