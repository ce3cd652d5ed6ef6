"""Does the harness measure what it says, and refuse what is wrong?"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import environments, workloads
from benchmarks.cells import Cell, make_cells
from benchmarks.goals import verdicts
from benchmarks.launch import Order, Outcome, launch
from benchmarks.session import Samples, Session, Settings, Table
from benchmarks.systems import SYSTEMS, System, chosen
from benchmarks.table import markdown

SIZE = 20


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Venvs and stores of this test alone."""
    monkeypatch.setattr(environments, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def measure(systems: Iterable[System], names: str, size: int = SIZE, repeats: int = 1) -> Table:
    """One session without a report."""
    settings = Settings(repeats=repeats, timeout_s=30)
    return Session(list(systems), make_cells(names, [size]), settings, lambda _: None).measure()


@pytest.mark.parametrize("name", ["floor", "floor_files"])
def test_every_workload_gives_the_right_results(name: str, cache: Path) -> None:
    """Counts and values of each case are those of the workload; no folder is left."""
    table = measure(chosen(name), "", repeats=2)
    assert [samples.problem for samples in table.values()] == [""] * len(table)
    workloads_seen = {cell.workload for _, cell in table}
    assert workloads_seen >= {"W2", "W2b", "W3", "W4", "W6", "W8"}
    assert all(len(samples.good) == 2 for samples in table.values())
    assert list(cache.glob("work-*")) == []


def test_the_table_has_a_row_per_system_and_a_column_per_cell() -> None:
    """Seconds first, then ratios to the floor."""
    table = measure(chosen("floor,floor-files"), "W2,W3")
    text = markdown(table, ["floor", "floor-files"], Settings(repeats=1), "the command")
    lines = text.splitlines()
    assert "| system | W2 1w 20 | W2 2w 20 | W3 20 |" in lines
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| floor")] == [
        "floor",
        "floor-files",
        "floor-files",
    ]
    assert "the command" in text


def test_a_system_that_computes_the_wrong_thing_cannot_look_fast() -> None:
    """A warm run that computes anew returns values that were not stored."""
    forgetful = replace(SYSTEMS["floor"], name="forgetful", adapter="floor")
    session = Session([forgetful], make_cells("W3", [SIZE]), Settings(1), lambda _: None)
    session._filled["forgetful", SIZE] = session._new_folder()  # an empty store
    (samples,) = session.measure().values()
    assert samples.seconds is None
    assert samples.problem.startswith("found {'count': 20, 'total': 40570}")


def test_a_case_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """It counts as a timeout, not as a time."""
    order = Order([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, {}, None, {})
    outcome = launch(order, timeout_s=0.2)
    assert outcome.is_timeout
    assert outcome.seconds < 30


def test_a_case_that_fails_tells_why(tmp_path: Path) -> None:
    """The end of its output is the problem."""
    order = Order([sys.executable, "-c", "raise SystemExit('no disk')"], tmp_path, {}, None, {})
    assert launch(order, timeout_s=30).problem == "exit code 1: no disk"


def test_larger_sizes_are_not_tried_after_a_timeout() -> None:
    """They are shown as timeouts too."""
    settings = Settings(repeats=1, timeout_s=0.001)
    cells = [Cell("W1", "", 10), Cell("W1", "", 20)]
    reported: list[str] = []
    table = Session(chosen("floor"), cells, settings, reported.append).measure()
    assert [samples.problem for samples in table.values()] == ["timeout", "timeout"]
    assert [samples.outcomes[0].seconds for samples in table.values()][1] == 0.001


def test_goals_compare_medians_and_take_timeouts_as_bounds() -> None:
    """A peer that timed out is at least that slow."""
    cell = Cell("W3", "", 1000)
    table = {
        ("floor", cell): samples(0.1, 0.1, 0.4),
        ("flowlib", cell): samples(0.2),
        ("doit", cell): samples(0.6),
        ("fluidml", cell): Samples([Outcome(60.0, problem="timeout")]),
    }
    found = {each.goal: (each.measured, each.is_met) for each in verdicts(table, 60.0)}
    assert found == {
        "W3 1k: flowlib / floor": ("2.00", True),
        "W3 1k: doit / flowlib": ("3", False),
        "W3 1k: fluidml / flowlib": ("> 300", False),
    }


def samples(*seconds: float) -> Samples:
    """Measurements that count."""
    return Samples([Outcome(each) for each in seconds])


@pytest.mark.parametrize(("asked", "word"), [("W9", "W9"), ("W1,nosuch", "nosuch")])
def test_unknown_workloads_are_refused(asked: str, word: str) -> None:
    """The message lists what there is."""
    with pytest.raises(SystemExit, match=f"unknown workload '{word}'; there are W1"):
        make_cells(asked, [SIZE])


def test_unknown_systems_are_refused() -> None:
    """The message lists what there is."""
    with pytest.raises(SystemExit, match="unknown system 'airflow'; there are floor"):
        chosen("airflow")


@pytest.mark.parametrize("size", [4, 20, 1000, 10_000, 100_000])
def test_the_search_grid_has_a_quarter_of_the_nodes(size: int) -> None:
    """With two preps, train and evaluate are half of the nodes each."""
    configs = list(workloads.expand(workloads.search_grid(size)))
    assert len(configs) == size // 4
    assert len({str(config) for config in configs}) == size // 4


def test_a_missing_peer_is_left_out() -> None:
    """The report says how to get it."""
    reported: list[str] = []
    Session(chosen("doit"), [], Settings(1), reported.append).measure()
    assert reported == ["doit is not installed: python -m benchmarks setup"]


def test_what_each_further_task_costs_is_told_apart_from_the_start() -> None:
    """The slope between two sizes, against the floor's."""
    small, large = Cell("W3", "", 1000), Cell("W3", "", 2000)
    table = {
        ("floor", small): samples(0.1),
        ("floor", large): samples(0.11),
        ("flowlib", small): samples(0.2),
        ("flowlib", large): samples(0.24),
    }
    (found,) = [each for each in verdicts(table, 60.0) if "per task" in each.goal]
    assert found.goal == "W3 per task, 1,000 to 2,000: flowlib / floor"
    assert (found.limit, found.measured, found.is_met) == ("≤ 3", "4.00 (40.0 / 10.0 µs)", False)
