"""Does a folder hold all that is needed to run one submitted task by hand?"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from flowlib import Flow, InputFile, NothingSelected, RunError, debug_task, execute, sh
from stores import LocalFileStore
from tests.architecture.sources import ROOT
from tests.flowlib.deferred_scripts import PROJECT, started, told

SUBMIT = (
    PROJECT
    + """
if __name__ == "__main__":
    import sys
    from stores import open_store
    flow().submit(open_store(sys.argv[1]))
"""
)


def run_by_hand(*words, folder):
    """What a script of the folder prints; it runs in a process that has never seen the project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOWLIB_")}
    kept |= {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        words, cwd=folder, env=kept, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_a_task_that_failed_is_run_by_hand(tmp_path):
    """With its inputs as files, its config, its traceback; the store stays as it is."""
    uri = f"file:{tmp_path}/store"
    told(started(SUBMIT, uri, folder=tmp_path))
    store = LocalFileStore(tmp_path / "store")
    execute("add", store, num_workers=1, exit_on_error=False)
    execute("Total", store, num_workers=1)
    records = {each.address: each.latest.number for each in store.records()}
    place = debug_task("add-2", store, tmp_path / "add")
    assert "ValueError: -1 is negative" in (place / "traceback.txt").read_text()
    description = json.loads((place / "task.json").read_text())
    assert description["config"]["x"] == 1
    assert description["code"].endswith(":add")
    assert description["last_attempt"]["error"]["message"] == "-1 is negative"
    failed = run_by_hand(sys.executable, "run.py", folder=place)
    assert failed.returncode == 1
    assert "ValueError: -1 is negative" in failed.stderr
    place = debug_task("Total", store, tmp_path / "total")
    found = {p.relative_to(place / "inputs").name: p for p in (place / "inputs").rglob("*.json")}
    assert list(found) == ["numbers.json"]
    numbers = [json.loads(p.read_text()) for p in (place / "inputs").rglob("numbers.json")]
    assert sorted(numbers) == [[0, 2], [0, 2, 4]]
    for _ in range(2):
        done = run_by_hand(sys.executable, "run.py", folder=place)
        assert done.stdout.splitlines()[-1] == "total = 8", done.stderr
    assert {each.address: each.latest.number for each in store.records()} == records
    assert "python run.py" in (place / "README.txt").read_text()
    with pytest.raises(RunError, match="is not empty"):
        debug_task("Total", store, place)
    with pytest.raises(RunError, match="means 2 tasks"):
        debug_task("Load", store, tmp_path / "both")
    with pytest.raises(NothingSelected):
        debug_task("nobody", store, tmp_path / "none")


def test_a_program_stands_among_its_files(tmp_path):
    """What it reads lies in its folder, and the commands in a script."""
    (tmp_path / "points.txt").write_text("3\n1\n2\n")
    ordered = sh("sort -n p.txt", shell=True, inp={"p.txt": InputFile(tmp_path / "points.txt")})
    first = sh(
        [["sh", "-c", 'head -n "$COUNT" in.txt > out.txt'], ["sh", "-c", "cat out.txt"]],
        inp={"in.txt": ordered["stdout"]},
        out=["out.txt"],
        env={"COUNT": 2},
        stdin="it's the end\n",
        name="First",
    )
    store = LocalFileStore(tmp_path / "store")
    Flow([first]).submit(store)
    place = debug_task("First", store, tmp_path / "early")
    assert not (place / "run.sh").exists()
    assert "not all there" in (place / "README.txt").read_text()
    execute("First", store, num_workers=1)
    place = debug_task("First", store, tmp_path / "first")
    assert (place / "work" / "in.txt").read_text() == "1\n2\n3\n"
    assert [each.name for each in (place / "work").iterdir()] == ["in.txt"]
    [sorted_file] = (place / "inputs").rglob("stdout*")
    assert sorted_file.read_bytes() == b"1\n2\n3\n"
    done = run_by_hand("sh", "run.sh", folder=place)
    assert done.returncode == 0, done.stderr
    assert (place / "work" / "out.txt").read_text() == "1\n2\n"
