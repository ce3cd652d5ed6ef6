"""Does the browser of the tests see what it must see, and does nothing of it stay behind?"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from tests.services.chromium import DRIVER, PROGRAM, Chromium  # noqa: E402  # it needs playwright

pytestmark = pytest.mark.slow


def descendants() -> set[int]:
    """The processes that this one has started, and those that these have started."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(told[1])
    found, count = {os.getpid()}, 0
    while len(found) > count:
        count = len(found)
        found |= {each for each, parent in parents.items() if parent in found}
    return found - {os.getpid()}


def test_requests_and_errors_of_a_page_are_noted(chromium):
    """A page that fetches, fails or asks is found out; nothing of it leaves this host."""
    page = chromium.new_page()
    page.show('<img src="http://example.org/a.png"><script>alert(1); nonsense()</script>')
    page.close()
    assert page.requests == ["http://example.org/a.png"]
    assert page.complaints[0] == "a dialog: 1"
    assert "nonsense is not defined" in page.complaints[1]
    assert "ERR_NAME_NOT_RESOLVED" in page.complaints[2]


def test_the_mouse_is_a_mouse(page):
    """Clicks, drags and the wheel arrive where they are meant to."""
    page.show(
        "<body style='margin:0;height:4000px'><script>window.seen = [];"
        "for (const kind of ['click', 'dblclick', 'mousedown', 'mouseup', 'wheel'])"
        " addEventListener(kind, e => seen.push([kind, e.clientX, e.clientY]))</script>"
    )
    page.click(10, 20)
    page.drag((30, 40), (50, 60))
    page.turn_wheel(70, 80, -100)
    assert page.ask("() => seen.filter(each => each[0] != 'dblclick')") == [
        ["mousedown", 10, 20], ["mouseup", 10, 20], ["click", 10, 20],
        ["mousedown", 30, 40], ["mouseup", 50, 60], ["click", 50, 60],
        ["wheel", 70, 80],
    ]  # fmt: skip
    page.click(10, 20, is_double=True)
    assert page.ask("() => seen.filter(each => each[0] == 'dblclick')") == [["dblclick", 10, 20]]


def test_a_closed_browser_leaves_no_process():
    """Neither Chromium nor its driver."""
    assert shutil.which(PROGRAM) is not None, "chromium"
    assert DRIVER == "node"
    before = descendants()
    browser = Chromium()
    browser.start()
    browser.new_page().show("<p>still open</p>")
    started = descendants() - before
    assert len(started) >= 3
    browser.close()
    browser.close()
    assert descendants() & started == set()
