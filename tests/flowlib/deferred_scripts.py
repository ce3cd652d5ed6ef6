"""A project of which tests submit the tasks: here, in scripts, and for other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT

PROJECT = """
import os, time
from pathlib import Path
from flowlib import Flow, Task, TaskSpec, sh, task

COUNTS = Path(__file__).with_name("counts")

def count(name):
    COUNTS.mkdir(exist_ok=True)
    (COUNTS / f"{name}-{os.getpid()}-{time.time_ns()}").touch()

class Box:
    def __init__(self, value):
        self.value = value
    def __flowlib_identity__(self):
        return self.value

class Load(Task):
    def __init__(self, size: int, scale: int = 2):
        self.size, self.scale = size, scale
    def run(self):
        count("Load")
        time.sleep(float(os.environ.get("PAUSE", "0")))
        return {"numbers": [self.scale * each for each in range(self.size)]}

class Total(Task):
    def run(self, numbers: list):
        count("Total")
        return {"total": sum(sum(each.value) for each in numbers)}

@task
def add(x, box):
    count("add")
    if box.value < 0:
        raise ValueError(f"{box.value} is negative")
    return x + box.value

@task
def twice(x):
    count("twice")
    return 2 * x

def flow():
    load = TaskSpec(Load, config={"size": [2, 3]}, expand="product", tags=["data"])
    total = TaskSpec(Total, reduce=True)
    total.requires(load)
    return Flow([total, twice(add(1, Box(3))), twice(add(1, Box(-1)))])
"""

RUN = """
import json, sys
from flowlib import execute, wait
from stores import open_store
if __name__ == "__main__":
    store = open_store(sys.argv[1])
    run = execute(sys.argv[2:], store, num_workers=2, exit_on_error=False)
    print(json.dumps([run.counts, sorted(wait(sys.argv[2:], store).items())]))
"""


def started(code: str, *arguments: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """A script in a folder, as another process that finds flowlib and no project."""
    path = folder / f"script_{abs(hash(code))}.py"
    path.write_text(code)
    known = {name: value for name, value in os.environ.items() if not name.startswith("FLOWLIB_")}
    return subprocess.Popen(
        [sys.executable, str(path), *arguments],
        cwd=folder,
        env={**known, "PYTHONPATH": str(ROOT), "FLOWLIB_PROGRESS": "none", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> str:
    """What it writes; it has to end well."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def counted(folder: Path) -> dict[str, int]:
    """How often which task was run."""
    found: dict[str, int] = {}
    for each in (folder / "counts").iterdir() if (folder / "counts").exists() else ():
        name = each.name.partition("-")[0]
        found[name] = found.get(name, 0) + 1
    return found
