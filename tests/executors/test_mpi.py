"""Tasks in the pool of mpi4py, whose processes a real mpirun has started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from stores import LocalFileStore

SCRIPT = """
import json, os, time
from pathlib import Path
from mpi4py.futures import MPIPoolExecutor
from flowlib import Flow, TaskSpec
from stores import LocalFileStore

FACTOR = 3

def work(number: int) -> dict:
    place = Path(os.environ["FOLDER"])
    (place / f"begun-{number}").touch()
    if number < 2:  # the first two meet, so each has a process of its own
        until = time.monotonic() + 60
        while len(list(place.glob("begun-[01]"))) < 2 and time.monotonic() < until:
            time.sleep(0.01)
    if number == 7 and (place / "deadly").exists():
        os._exit(9)
    if number % 10 == 5:
        raise ValueError(f"no {number}")
    return {"value": FACTOR * number, "pid": os.getpid()}

if __name__ == "__main__":
    folder = os.environ["FOLDER"]
    flow = Flow([TaskSpec(work, {"number": list(range(20))}, expand="product")])
    with MPIPoolExecutor() as pool:
        run = flow.run(executor=pool, progress=None, exit_on_error=False,
                       results_store=LocalFileStore(Path(folder) / "store"))
    told = {"counts": run.counts, "driver": os.getpid(), "values": [], "pids": []}
    for each in run["work"]:
        if each.failure is None:
            told["values"].append(each.results["value"])
            told["pids"].append(each.results["pid"])
    (Path(folder) / "told.json").write_text(json.dumps(told))
"""


@pytest.fixture
def run(tmp_path):
    """Runs the script in three processes of MPI; what it told, or None if it was ended."""
    script = tmp_path / "experiment.py"
    script.write_text(textwrap.dedent(SCRIPT))
    loopback = ["--mca", "btl_tcp_if_include", "lo", "--mca", "oob_tcp_if_include", "lo"]
    program = [sys.executable, "-m", "mpi4py.futures", str(script)]
    package = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": package, "FOLDER": str(tmp_path)}

    def start():
        told = tmp_path / "told.json"
        told.unlink(missing_ok=True)
        process = subprocess.Popen(
            ["mpirun", "--allow-run-as-root", "--oversubscribe", *loopback, "-n", "3", *program],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:  # seen after an abort: mpirun itself did not leave
            process.send_signal(signal.SIGTERM)  # it ends its processes
            output, _ = process.communicate(timeout=60)
        assert told.exists() == (process.returncode == 0), output
        return json.loads(told.read_text()) if told.exists() else None

    return start


@pytest.mark.slow
def test_tasks_run_in_the_processes_of_mpi_and_are_found_again(run, tmp_path):
    told = run()
    assert told["counts"] == {"finished": 18, "failed": 2}
    assert told["values"] == [3 * number for number in range(20) if number % 10 != 5]
    assert len(set(told["pids"])) == 2
    assert told["driver"] not in told["pids"]
    for each in tmp_path.glob("begun-*"):
        each.unlink()
    again = run()
    assert sorted(each.name for each in tmp_path.glob("begun-*")) == ["begun-15", "begun-5"]
    assert (again["values"], again["pids"]) == (told["values"], told["pids"])


@pytest.mark.slow
def test_what_was_finished_outlives_the_end_of_all_processes(run, tmp_path):
    """MPI ends all of them when one dies, the driver as well; the next run does the rest."""
    (tmp_path / "deadly").touch()
    assert run() is None
    store = LocalFileStore(tmp_path / "store")
    kept = {json.loads(each.identity.config)["number"] for each in store.records(state="finished")}
    assert 7 not in kept
    assert kept >= {0, 1}
    (tmp_path / "deadly").unlink()
    for each in tmp_path.glob("begun-*"):
        each.unlink()
    assert run()["counts"]["failed"] == 2
    begun = {int(each.name.removeprefix("begun-")) for each in tmp_path.glob("begun-*")}
    assert begun == set(range(20)) - kept
