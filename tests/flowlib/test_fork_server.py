"""What the server that forks workers has loaded before the first of them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import flowlib
from flowlib import Flow, TaskSpec
from stores import LocalFileStore


@pytest.mark.parametrize(
    ("imports", "module", "has_loaded"),
    [
        ("from flowlib import Flow, TaskSpec", "flowlib.flow", True),
        ("from flowlib import Task", "flowlib.flow", False),
        ("from flowlib import Run", "flowlib.results", True),
        ("from stores import LocalFileStore", "stores.backends.file", True),
        ("import flowlib.results", "flowlib.results", False),
    ],
)
def test_workers_find_loaded_what_the_driver_uses(imports, module, has_loaded, tmp_path):
    """Whoever uses Flow has modules that import it: loading it again in each worker takes long."""
    (tmp_path / "teller.py").write_text(
        f"import sys\n\n\ndef tell(sender):\n    sender.send({module!r} in sys.modules)\n"
    )
    script = f"""
import multiprocessing, sys
{imports}
import teller
from flowlib.fork_server import start_fork_server
multiprocessing.set_forkserver_preload([])
start_fork_server()
context = multiprocessing.get_context("forkserver")
ours, theirs = context.Pipe()
child = context.Process(target=teller.tell, args=(theirs,))
child.start()
print(ours.recv())
child.join()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(flowlib.__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == str(has_loaded)


def test_what_seldom_is_needed_is_not_loaded_before_the_first_worker():
    """The driver waits for it: each module that workers can do without is not imported for them."""
    found = subprocess.run(
        [sys.executable, "-c", _LOADED],
        cwd=Path(flowlib.__file__).parents[1],
        env={name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout.split() == []


_LOADED = """
import sys
import flowlib.process_worker, stores.backends.file
from flowlib import Flow, Run, Task, TaskSpec
for name in ("decimal", "difflib", "fractions", "html", "platform", "sqlite3", "tarfile", "uuid",
             "flowlib.planning", "flowlib.runner", "stores.housekeeping.collection"):
    if name in sys.modules:
        print(name)
"""


class _Ahead:
    """In place of what starts the server: notes which folders of runs there were by then."""

    def __init__(self, runs):
        self.calls = []
        self._runs = runs

    def __call__(self):
        self.calls.append(sorted(each.name for each in self._runs.glob("*")))


def _double(x):
    return 2 * x


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"num_workers": 2}, [[]]),
        ({"num_workers": 1, "executor": "processes"}, [[]]),
        ({"num_workers": 1}, []),
        ({"num_workers": 2, "executor": "threads"}, []),
        ({"num_workers": 2, "start_method": "spawn"}, []),
    ],
)
def test_the_server_is_the_first_thing_that_a_run_starts(options, expected, tmp_path, monkeypatch):
    """Before the run has a folder; never where nothing is missing, or where nobody is forked."""
    ahead = _Ahead(tmp_path / ".runs")
    importlib.import_module("flowlib.executors.processes")  # which has the true one by its name
    monkeypatch.setattr("flowlib.fork_server.start_fork_server", ahead)
    store = LocalFileStore(tmp_path)
    spec = TaskSpec(_double, {"x": [1, 2]}, expand="product")
    for _ in range(2):
        Flow([spec]).run(results_store=store, run_name="exp", **options)
    assert ahead.calls == expected
