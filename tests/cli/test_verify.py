"""`flowlib verify` and `flowlib.verify`: results computed again with the code of now."""

from __future__ import annotations

import pytest

from flowlib import Flow, TaskSpec, sweep, verify
from flowlib.verification import sample_size
from stores import InMemoryStore, LocalFileStore
from tests.cli.calls import flowlib

TASKS = """\
import os

from flowlib import Task

FACTOR = 1.0


class Load(Task):
    def run(self):
        return {"numbers": [1, 2, 3]}


class Train(Task):
    def __init__(self, lr: float):
        self.lr = lr

    def run(self, numbers):
        if os.environ.get("BROKEN"):
            raise ValueError("broken now")
        return {"sum": FACTOR * sum(numbers) * self.lr}


class Drift(Task):
    def run(self, numbers):
        return {"value": 1.0 + float(os.environ.get("DRIFT", "0"))}
"""

DOCUMENT = """\
project: demo
import: tasks.py
specs:
  Load: {}
  Train: {requires: Load, config: {lr: [0.5, 1.0, 1.5, 2.0]}, expand: product}
  Drift: {requires: Load}
"""


@pytest.fixture(name="folder")
def _folder(tmp_path):
    """A project whose results are there."""
    (tmp_path / "tasks.py").write_text(TASKS)
    (tmp_path / "flow.yaml").write_text(DOCUMENT)
    (tmp_path / "flowlib.toml").write_text("")
    assert flowlib("run", "flow.yaml", "-q", folder=tmp_path).code == 0
    return tmp_path


@pytest.mark.slow
def test_what_comes_out_the_same(folder):
    """All of them, or a sample; nothing of the store is changed."""
    store = folder / ".flowlib"
    before = {p: p.read_bytes() for p in store.rglob("*") if p.is_file()}
    called = flowlib("verify", "--sample", "all", folder=folder)
    assert (called.code, called.err) == (0, "")
    assert called.out == "✔ 6 of 6 came out equal, drawn of 6\n"
    words = ("verify", "Train", "--sample", "2", "--random-seed", "7", "--document", "flow.yaml")
    drawn = [flowlib(*words, "--json", folder=folder).json for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0]["population"] == 4
    assert [each["verdict"] for each in drawn[0]["results"]] == ["equal", "equal"]
    assert {p: p.read_bytes() for p in store.rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_what_differs_fails_or_is_stale(folder):
    """Each is told apart; a tolerance lets small differences count."""
    called = flowlib("verify", "--sample", "all", folder=folder, DRIFT="1e-9")
    assert called.code == 1
    (record,) = LocalFileStore(folder / ".flowlib").records("Drift")
    assert called.out.splitlines()[0] == (
        f"{record.address} came out differently, with the same code: it is not deterministic"
    )
    assert "  value     differs: the largest relative difference is 1e-09\n" in called.out
    assert called.out.endswith("✖ 5 of 6 came out equal, drawn of 6\n")
    words = ("verify", "Drift", "--sample", "100%")
    assert flowlib(*words, "--rtol", "json=1e-6", folder=folder, DRIFT="1e-9").code == 0

    text = (folder / "tasks.py").read_text()
    (folder / "tasks.py").write_text(text.replace("FACTOR = 1.0", "FACTOR = 3.0"))
    found = flowlib("verify", "Train", "Drift", "--sample", "all", "--json", folder=folder)
    assert found.code == 1
    verdicts = {each["id"].partition("/")[0]: each["verdict"] for each in found.json["results"]}
    assert verdicts == {"Drift": "equal", "Train": "stale"}
    broken = flowlib("verify", "Train", "--sample", "1", folder=folder, BROKEN="1")
    assert broken.code == 1
    assert "could not be computed\n  ValueError: broken now\n" in broken.out


@pytest.mark.slow
def test_wrong_words_have_their_exit_codes(folder):
    """2 for a sample that is none, 3 for a selector that selects nothing."""
    for sample in ("0", "much", "101%", "1.5", "-1%"):
        assert flowlib("verify", "--sample", sample, folder=folder).code == 2
    assert flowlib("verify", "Nothing", folder=folder).code == 3


@pytest.mark.parametrize(
    ("sample", "population", "size"),
    [
        ("5%", 100, 5),
        ("5%", 1, 1),
        ("5%", 0, 0),
        ("0.1%", 10, 1),
        ("all", 7, 7),
        (3, 7, 3),
        (9, 7, 7),
    ],
)
def test_how_many_are_drawn(sample, population, size):
    """A share is rounded up, so that there is one where there are any."""
    assert sample_size(sample, population) == size


def test_results_in_memory_can_be_verified():
    """Of flows that no document describes, too."""
    calls = []

    def count(n):
        calls.append(n)
        return {"n": n, "call": len(calls)}

    flow, store = Flow([TaskSpec(count, {"n": sweep(1, 2)}, name="count")]), InMemoryStore()
    flow.run(num_workers=1, results_store=store)
    found = verify(flow, store, sample="all", num_workers=1)
    assert not found.ok
    assert [each.verdict for each in found.results] == ["differs", "differs"]
    assert [each.artifacts[1].match.is_good for each in found.results] == [True, True]
    assert sorted(record.latest.number for record in store.records()) == [1, 1]
    assert verify(flow, InMemoryStore(), sample="all").results == ()
