"""Does `flowlib dashboard` serve a store at the address that it prints, and end on Ctrl-C?"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

pytest.importorskip("uvicorn")

from tests.cli.calls import LIMIT_S, environment, flowlib  # noqa: E402
from tests.cli.stored import filled  # noqa: E402


@contextlib.contextmanager
def served(*words, folder, **variables):
    """The address that the command prints; Ctrl-C ends it, with exit code 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words, "--port", "0"],
        cwd=folder, env=environment(**variables), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, told
        assert told.startswith("Ctrl-C ends it\n")
        assert "Traceback" not in told
    finally:
        process.kill()
        process.wait()


def asked(address):
    """The code and the text of an answer."""
    try:
        with urllib.request.urlopen(address, timeout=LIMIT_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("words", [("flowlib", "dashboard"), ("flowlib.dashboard", "serve"), ("flowlib.dashboard", "serve", "--reload")])  # fmt: skip
def test_it_serves_the_store_of_the_project(tmp_path, words):
    """At a free port of this host, by the command and by the module."""
    filled(tmp_path)
    with served(*words, folder=tmp_path) as address:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        if "--reload" in words:
            wait_for(address)
        assert json.loads(asked(f"{address}api/stats")[1])["total"] == 4
        status, page = asked(f"{address}tasks")
        assert status == 200
        assert "Train/9a7a08b2" in page


def wait_for(address):
    """A process of its own answers a moment after the address was printed."""
    import time

    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if asked(f"{address}api/stats")[0] == 200:
                return
        time.sleep(0.1)


def test_the_api_alone_and_another_host_with_a_token(tmp_path):
    """The token is part of the printed address, and needed."""
    filled(tmp_path)
    with served("flowlib.dashboard", "api", "--host", "0.0.0.0", folder=tmp_path) as address:
        where, _, token = address.partition("?token=")
        assert len(token) > 20
        assert asked(where)[0] == 401
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=LIMIT_S) as answer:
            assert json.load(answer)["openapi"] == "3.1.0"
        base = where.removesuffix("/api/openapi.json")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            opener.open(f"{base}/tasks", timeout=LIMIT_S)


def test_a_missing_extra_is_one_line_that_names_it(tmp_path):
    """Without it the command is there, and says what it needs."""
    filled(tmp_path)
    (tmp_path / "starlette.py").write_text("raise ImportError('not installed')")
    found = flowlib("dashboard", folder=tmp_path, PYTHONPATH=f"{tmp_path}:{sys.path[0]}:.")
    assert found.code != 0
    assert found.err == (
        "error: the dashboard needs Starlette and uvicorn: "
        "pip install 'flowlib-runner[dashboard]'\n"
    )


def test_a_port_that_is_taken_is_one_line(tmp_path):
    """That says how to get another one."""
    import socket

    filled(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = flowlib("dashboard", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert found.code != 0
    assert "--port 0 takes a free one" in found.err
    short = flowlib("dashboard", folder=tmp_path, FLOWLIB_DASHBOARD_TOKEN="short")
    assert "less than 16 characters" in short.err
