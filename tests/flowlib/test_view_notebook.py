"""The view of a notebook, in a real kernel: what its frontend is sent."""

from __future__ import annotations

import os
import re
import textwrap
import time

import pytest

pytest.importorskip("ipykernel")

from jupyter_client import KernelManager  # noqa: E402

from tests.acceptance.scripts import ROOT  # noqa: E402

LIMIT_S = 60.0

FLOW = """
import time
from flowlib import Flow, TaskSpec

def slow(x, seconds):
    print("from the task", x)
    time.sleep(seconds)
    if "bad" in x:
        raise ValueError("<script>alert(1)</script> & more")
    return {"x": x}

def flow(xs, seconds=0.1):
    return Flow([TaskSpec(slow, {"x": xs, "seconds": seconds}, expand="product", name="<b>slow</b>")])
"""


class Notebook:
    """A kernel, and what it has told its frontend."""

    def __init__(self, folder):
        self._manager = KernelManager()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder)}
        self._manager.start_kernel(cwd=str(folder), env=environment)
        self.client = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LIMIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(self, cell, interrupt_after=None):
        """Run a cell; gives the messages to the frontend, with their times."""
        asked = self.client.execute(textwrap.dedent(cell))
        found = []
        while True:
            message = self.client.get_iopub_msg(timeout=LIMIT_S)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return found
            found.append((time.monotonic(), kind, content))
            if interrupt_after and interrupt_after in str(content):
                interrupt_after = None
                self._manager.interrupt_kernel()


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    with Notebook(tmp_path_factory.mktemp("notebook")) as kernel:
        kernel.run(FLOW)
        yield kernel


def pages(messages):
    kinds = ("display_data", "update_display_data")
    return [(at, kind, content) for at, kind, content in messages if kind in kinds]


def test_one_piece_of_html_is_kept_up_to_date(notebook):
    """Shown once, then replaced at most four times a second; its last state is the summary."""
    messages = notebook.run('run = flow([f"x{n}" for n in range(20)]).run(num_workers=1)')
    shown = pages(messages)

    assert [kind for _, kind, _ in shown] == ["display_data"] + ["update_display_data"] * (len(shown) - 1)  # fmt: skip
    assert len({content["transient"]["display_id"] for _, _, content in shown}) == 1
    assert 4 <= len(shown) <= 4 * (shown[-1][0] - shown[0][0]) + 3
    assert {frozenset(content["data"]) for _, _, content in shown} == {
        frozenset({"text/plain", "text/html"})
    }
    assert "running" in shown[2][2]["data"]["text/html"]
    assert "✔ 20 tasks finished" in shown[-1][2]["data"]["text/html"]
    streams = "".join(content["text"] for _, kind, content in messages if kind == "stream")
    assert streams.count("from the task") == 20
    assert "━" not in streams


def test_text_of_the_user_is_shown_and_not_run(notebook):
    """Names, values and messages are escaped, in the view and in what a cell gives."""
    messages = notebook.run(
        'run = flow(["<i>bad</i>"]).run(num_workers=1, exit_on_error=False)\nrun'
    )
    (value,) = [content["data"] for _, kind, content in messages if kind == "execute_result"]
    for page in (pages(messages)[-1][2]["data"]["text/html"], value["text/html"]):
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
        assert "&lt;b&gt;slow&lt;/b&gt;" in page
        assert "<script" not in page
        assert "<b>" not in page
        assert "<i>" not in page


def test_an_interrupted_cell_keeps_what_it_has_shown(notebook):
    """The button of the notebook ends the run; the last picture says what did not run."""
    messages = notebook.run(
        'flow([f"y{n}" for n in range(3)], 30).run(num_workers=1)', interrupt_after="running"
    )

    assert "did not run" in pages(messages)[-1][2]["data"]["text/html"]
    assert [kind for _, kind, _ in messages if kind == "error"] == ["error"]


def test_other_views_and_none_can_be_asked_for(notebook):
    """Lines go to the cell's stderr; "none" shows nothing."""
    lines = notebook.run('_ = flow(["z"]).run(num_workers=1, progress="lines")')
    nothing = notebook.run('_ = flow(["z"]).run(num_workers=1, progress="none")')

    assert pages(lines) == pages(nothing) == []
    told = "".join(content.get("text", "") for _, _, content in lines)
    assert "[1/1] done" in re.sub(r"\x1b\[[0-9;]*m", "", told)  # kernels ask for colours
    texts = [content["text"] for _, kind, content in nothing if kind == "stream"]
    assert "".join(texts) == "from the task z\n"
