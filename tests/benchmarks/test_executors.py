"""Does the benchmark of executors measure what it says, and refuse what is wrong?"""

from __future__ import annotations

import argparse

import pytest

from benchmarks import executors
from benchmarks.executors import Figures


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inline", "pool", "processes"])
def test_an_executor_is_measured_in_a_process_of_its_own(name: str) -> None:
    """Every repeat is there; what the executor does not have is empty."""
    found = executors.measure(name, tasks=10, repeats=1, workers=2)
    assert (found.name, found.tasks, len(found.run_s), len(found.cached_s)) == (name, 10, 1, 1)
    assert (len(found.own_s), len(found.loss_s)) == (name == "pool", name == "processes")
    assert found.start_s > 0 < found.task_ms


def test_the_table_has_medians_and_what_is_added() -> None:
    """To the engine's own no-ops, if it has any."""
    dask = Figures("dask", 1000, 3.0, [2.0, 9.0, 1.0], [1.0, 1.5], [0.02], [0.4])
    inline = Figures("inline", 100, 0.1, [0.03], [], [0.001], [])
    asked = argparse.Namespace(repeats=3, workers=2)
    lines = executors.markdown([dask, inline], asked, "the command").splitlines()

    assert "Made by `the command` on" in lines[0]
    assert "Medians of 3 interleaved repeats, 2 workers." in lines[0]
    assert "| dask | 3.00 | 2.00 | 1.25 | 0.75 | 0.020 | 0.40 |" in lines
    assert "| inline | 0.10 | 0.30 |  | 0.30 | 0.010 | ends the run |" in lines


def test_an_engine_that_is_not_on_this_machine_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless it is asked for: SLURM is a program of its own."""
    measured: list[str] = []

    def measure(name: str, tasks: int, repeats: int, workers: int) -> Figures:
        measured.append(name)
        return Figures(name, tasks, 0.1, [0.1], [], [0.1], [])

    monkeypatch.setattr(executors, "measure", measure)
    monkeypatch.setenv("PATH", "/nowhere")
    executors.main([])
    assert "rq" in measured
    assert "slurm" not in measured
    executors.main(["--executors", "slurm"])
    assert measured[-1] == "slurm"


def test_an_unknown_executor_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names there are."""
    with pytest.raises(SystemExit):
        executors.main(["--executors", "dusk"])
    assert "unknown executor 'dusk'; there are inline, threads" in capsys.readouterr().err
