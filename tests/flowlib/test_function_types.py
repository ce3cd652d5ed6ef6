"""Do type checkers know the parameters and the results of calls?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "typing_samples"
ROOT = Path(__file__).parents[2]


def faults(name: str, cache: Path) -> dict[int, str]:
    """What mypy finds in a sample: the code of the fault by line."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file="]
    found = subprocess.run(
        [*command, f"--cache-dir={cache}", "--follow-imports=silent", str(SAMPLES / name)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert found.stderr == ""
    pattern = re.compile(rf"{re.escape(name)}:(\d+): error: .*\[([a-z-]+)\]")
    return {int(line): code for line, code in pattern.findall(found.stdout)}


@pytest.mark.slow
def test_checkers_accept_what_is_right_and_refuse_what_is_wrong(tmp_path: Path) -> None:
    """Specs, items and sweeps stand for any value; other arguments are checked."""
    lines = (SAMPLES / "fails.py").read_text().splitlines()
    expected = {
        number: line.rpartition("# error: ")[2]
        for number, line in enumerate(lines, start=1)
        if "# error: " in line and not line.startswith('"""')
    }
    assert faults("passes.py", tmp_path) == {}
    assert faults("fails.py", tmp_path) == expected
