"""Do the two commands and CI run what they promise?"""

from __future__ import annotations

import subprocess
from functools import cache

import pytest

from tests.architecture.sources import LIMIT_S, ROOT


@cache
def _steps(target: str) -> tuple[str, ...]:
    """The commands that `make target` would run."""
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    return tuple(line.strip() for line in done.stdout.splitlines())


@pytest.mark.needs("make")
@pytest.mark.parametrize(
    "part",
    [
        "tools.system",
        "ruff check",
        "ruff format --check",
        "mypy",
        "lint-imports",
        "tools.core_suite",
        "tools.wheel_suite",
        "tools.export_suites",
    ],
)
def test_make_test_runs_every_part(part):
    """Set-up, checks and core suites belong to `make test`."""
    assert [step for step in _steps("test") if part in step]


@pytest.mark.needs("make")
def test_make_test_ends_with_all_tests():
    """The last thing that `make test` says is how pytest ended, with nothing deselected."""
    *_, last = _steps("test")
    assert "-m pytest" in last
    assert "--cov" in last
    assert "not slow" not in last


@pytest.mark.needs("make")
def test_make_demo_needs_no_tool_of_the_developers():
    """The demo installs the library and what its examples use, and nothing of the system."""
    assert not [step for step in _steps("demo") if "--group" in step or "tools.system" in step]


@pytest.mark.needs("bash")
def test_ci_runs_make_test_and_nothing_else():
    """CI has no way of its own."""
    script = ROOT / ".ci" / "run"
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=LIMIT_S)
    *_, last = script.read_text().splitlines()
    assert last == "exec make test"
