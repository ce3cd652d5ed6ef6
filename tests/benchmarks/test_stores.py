"""Does the benchmark of stores measure what it says, and refuse what is wrong?"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite
pytest.importorskip("numpy")

from benchmarks import environments, stores
from benchmarks.launch import Outcome
from benchmarks.places import KINDS
from benchmarks.stores_records import address_of, do_task, seconds_of_look
from stores import InMemoryStore

TINY = stores.Settings(sizes=(12, 30), repeats=2, tasks=3, keys=20, payload_bytes=2_000_000)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stores of this test alone."""
    monkeypatch.setattr(environments, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_measured(kind: str, cache: Path) -> None:
    """Records at each size, few questions, both ways of each payload; nothing is left."""
    if kind in ("postgresql", "mongodb"):
        pytest.importorskip("psycopg")
        pytest.importorskip("pymongo")
    found = stores.measure(kind, TINY, lambda _: None)
    assert {size: len(each) for size, each in found.task_s.items()} == {12: 2, 30: 2}
    assert all(seconds > 0 for each in found.look_s.values() for seconds in each)
    most = 40 if kind == "file" else 3
    assert all(0 < count <= most for count in found.questions.values())
    assert {way: len(each) for way, each in found.payload.items()} == {
        (what, action): 2 for what in ("plain", "store") for action in ("save", "load")
    }
    assert [each for each in cache.iterdir() if each.is_dir()] == []


def test_the_table_has_ratios_of_medians() -> None:
    """Of the largest size to the smallest, and of the store to the plain medium."""
    figures = stores.Figures(
        "file",
        task_s={12: [0.001, 0.009, 0.002], 30: [0.004]},
        look_s={12: [0.1], 30: [0.3]},
        questions={12: 1, 30: 2},
        payload={
            (what, action): [Outcome(9.0, rss_kib=2048, inner_s=seconds)]
            for (what, seconds) in (("plain", 0.01), ("store", 0.02))
            for action in ("save", "load")
        },
    )
    lines = stores.markdown([figures], TINY, "the command").splitlines()
    assert "| file | 2.00 | 4.00 | 2.00 | 100 | 300 | 3.00 | 1, 2 |" in lines
    assert "| file | 100 | 200 | 0.50 | 2 | 2 | 100 | 200 | 0.50 | 2 | 2 |" in lines
    assert "the command" in lines[0]


def test_a_look_that_misses_something_is_no_measurement() -> None:
    """It would look fast."""
    store = InMemoryStore()
    do_task(store, 0)
    assert seconds_of_look(store, 5, 1, lambda: 0)[0] > 0
    store.remove(address_of(0))
    with pytest.raises(RuntimeError, match="0 statuses of .* instead of 1"):
        seconds_of_look(store, 5, 1, lambda: 0)


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists what there is."""
    with pytest.raises(SystemExit):
        stores.main(["--kinds", "file,oracle"])
    assert "unknown kind 'oracle'; there are file, sqlite" in capsys.readouterr().err
