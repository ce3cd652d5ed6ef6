"""How does a test run a user's script, in a fork, as a file, from stdin or with -c?"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.cli.forked import call_forked, can_fork

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended."""

    code: int
    out: str
    err: str


def run_script(
    text: str, folder: Path, *, how: str = "fork", name: str = "script.py", **variables: str
) -> Outcome:
    """Run `text` in `folder` in a Python of its own that finds flowlib.

    Args:
        text: The script; common indentation is removed.
        folder: Where it runs, and where the file is written.
        how: "file", "stdin" or "-c" start a Python; "fork" is a file and waits for none (`run_forked`).
        name: Name of the file.
        **variables: More environment variables.
    """
    text = textwrap.dedent(text)
    (folder / name).write_text(text)
    if how == "fork":
        return run_forked([name], folder, **variables)
    arguments = {"file": [name], "stdin": ["-"], "-c": ["-c", text]}[how]
    return run_python(arguments, folder, text if how == "stdin" else "", **variables)


def run_forked(arguments: list[str], folder: Path, **variables: str) -> Outcome:
    """Run a script or `-m flowlib` in a fork of a Python that has imported flowlib, where that is the same.

    It is not for tests of what is imported when, of how processes are started, or of variables
    that Python reads when it starts.
    """
    if not can_fork(variables):
        return run_python(arguments, folder, **variables)
    code, out, err = call_forked(arguments, folder, _environment(variables), b"", LIMIT_S)
    return Outcome(code, out.decode(), err.decode())


def _environment(variables: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}


def run_python(arguments: list[str], folder: Path, stdin: str = "", **variables: str) -> Outcome:
    """Run Python with `arguments` in `folder`; it fails after `LIMIT_S` seconds."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=stdin,
        env=_environment(variables),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
