"""An executor of another package: found by its entry point, from Python and from the command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.calls import environment, flowlib, project

EXECUTOR = '''
"""One thread, behind a future for each job."""
from concurrent.futures import ThreadPoolExecutor
from flowlib.executor import Executor, refuse_unknown
from flowlib.future_workers import FutureWorkers
from flowlib.thread_jobs import ThreadJobs

class Courier(Executor):
    """Carries every job by hand."""
    options_name = "courier"
    def check(self, options): refuse_unknown(options, {"speed"})
    def start(self, setup): return Couriers(setup, 1)

class Couriers(FutureWorkers):
    """One of them."""
    def __init__(self, setup, slots):
        super().__init__(setup, slots)
        self.pool, self.jobs = ThreadPoolExecutor(1), ThreadJobs.of(setup)
    def start_job(self, job, assignment):
        print("carried", assignment.executor_options.get("courier", {}).get("speed"))
        return self.pool.submit(self.jobs.run, job, assignment)
    def close(self, *, now=False): self.pool.shutdown()
'''

SCRIPT = """
import json
from flowlib import Flow, TaskSpec, RunError
from stores import InMemoryStore

def square(n):
    return {"square": n * n}

def flow(**options):
    config = {"n": [1, 2, 3]}
    spec = TaskSpec(square, config, expand="product", executor_options={"courier": options})
    return Flow([spec])

if __name__ == "__main__":
    run = flow(speed=9).run(executor="courier", results_store=InMemoryStore(), progress=None)
    print(json.dumps([each.results["square"] for each in run["square"]]))
    try:
        flow(sped=9).run(executor="courier", progress=None)
    except RunError as error:
        print(error)
"""


@pytest.fixture
def installed(tmp_path):
    """The folder of a package that announces an executor, as pip leaves it."""
    folder = tmp_path / "site"
    info = folder / "flowlib_courier-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flowlib-courier\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[flowlib.executors]\ncourier = courier_engine:Courier\n"
    )
    (folder / "courier_engine.py").write_text(EXECUTOR)
    return folder


def test_it_is_found_by_its_name_in_python(installed, tmp_path):
    """It runs a flow, is told what specs say for it, and refuses what it does not know."""
    (tmp_path / "script.py").write_text(SCRIPT)
    path = f"{environment()['PYTHONPATH']}:{installed}"
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    *carried, values, refused = done.stdout.splitlines()

    assert carried == ["carried 9"] * 3
    assert json.loads(values) == [1, 4, 9]
    assert refused.startswith("executor_options of square for courier: there is no option 'sped'.")
    assert "Did you mean speed?" in refused


def test_it_is_found_by_its_name_on_the_command_line(installed, tmp_path):
    """With the choices if the name is wrong."""
    folder = project(tmp_path / "project")
    path = f"{environment()['PYTHONPATH']}:{installed}"
    call = ("run", "flow.yaml", "--executor")
    done = flowlib(*call, "courier", folder=folder, PYTHONPATH=path)
    wrong = flowlib(*call, "couriers", folder=folder, PYTHONPATH=path)

    assert done.code == 0, done.err
    assert done.out.splitlines().count("carried None") == 4
    assert wrong.code == 2
    assert "courier" in wrong.err
    assert "processes" in wrong.err
