"""Calls of the real command as a process of its own, in a small project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.sources import ROOT
from tests.cli.forked import call_forked, can_fork

LIMIT_S = 60

TASKS = """
from flowlib import Task


class Load(Task):
    def __init__(self, size: int = 3):
        self.size = size

    def run(self):
        return {"numbers": list(range(self.size))}


class Train(Task):
    def __init__(self, lr: float, depth: int = 1):
        self.lr, self.depth = lr, depth

    def run(self, numbers):
        print(f"training with {self.lr}")
        if self.lr > 0.5:
            raise ValueError("loss is nan")
        return {"accuracy": 1 - self.lr * self.depth}


class Best(Task):
    def run(self, accuracy: list):
        return {"best": max(each.value for each in accuracy)}
"""

DOCUMENT = """\
project: demo
import: tasks.py
specs:
  Load: {}
  Train: {requires: Load, config: {lr: [1e-2, 1e-3]}, expand: product}
  Best: {requires: Train, reduce: true}
"""


@dataclass(frozen=True)
class Called:
    """What a call of the command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The document on stdout, which must be all that is there."""
        found = json.loads(self.out)
        assert found["schema"] == 1
        return found


def project(folder: Path) -> Path:
    """A folder with three tasks and a document of four nodes."""
    folder.mkdir(exist_ok=True)
    (folder / "tasks.py").write_text(TASKS)
    (folder / "flow.yaml").write_text(DOCUMENT)
    (folder / "flowlib.toml").write_text("")
    return folder


def environment(**variables: str) -> dict[str, str]:
    """The variables of a call: those of the tests without what would change the output."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLOWLIB_", "CI", "FORCE_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def flowlib(*arguments: str, folder: Path, stdin: str = "", **variables: str) -> Called:
    """Call the command and wait for its end."""
    merged = environment(**variables)
    python = ["-m", "flowlib", *arguments]
    if can_fork(variables):
        return _called(*call_forked(python, folder, merged, stdin.encode(), LIMIT_S))
    done = subprocess.run(
        [sys.executable, *python],
        cwd=folder,
        env=merged,
        input=stdin.encode(),
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    return _called(done.returncode, done.stdout, done.stderr)


def _called(code: int, out: bytes, err: bytes) -> Called:
    return Called(code, out.decode(), err.decode())
