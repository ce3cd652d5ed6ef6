"""How does a test run a user's script, as a file, from stdin or with -c?"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended."""

    code: int
    out: str
    err: str


def run_script(
    text: str, folder: Path, *, how: str = "file", name: str = "script.py", **variables: str
) -> Outcome:
    """Run `text` in `folder` in a fresh Python that finds flowlib.

    Args:
        text: The script; common indentation is removed.
        folder: Where it runs, and where the file is written.
        how: "file", "stdin" or "-c".
        name: Name of the file.
        **variables: More environment variables.
    """
    text = textwrap.dedent(text)
    (folder / name).write_text(text)
    arguments = {"file": [name], "stdin": ["-"], "-c": ["-c", text]}[how]
    return run_python(arguments, folder, text if how == "stdin" else "", **variables)


def run_python(arguments: list[str], folder: Path, stdin: str = "", **variables: str) -> Outcome:
    """Run Python with `arguments` in `folder`; it fails after `LIMIT_S` seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=stdin,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
