"""Are results of direct calls kept in every kind of store, and computed once?"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stores import ResultsStore
from tests.flowlib.direct_tasks import count, nothing, parts, slow, square, sum_of_squares

THREADS = 4


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where tasks note that they have run."""
    path = tmp_path / "noted"
    path.mkdir()
    return str(path)


def test_a_call_is_remembered(any_store: ResultsStore, folder: str) -> None:
    """Values small and large, by name, and None."""
    for _ in range(2):
        assert square.call(3, folder, store=any_store) == 9
        assert parts.call(20_000, folder, store=any_store)["numbers"] == [*range(20_000)]
        assert nothing.call(1, folder, store=any_store) is None
    assert count(folder) == 3
    assert square.load(3, store=any_store) == 9
    assert parts(20_000)["count"].result(any_store) == 20_000
    assert [row["result"] for row in square.query(any_store, x=3).to_dicts()] == [9]
    assert square.call(3, folder, store=any_store, force=True) == 9
    assert count(folder) == 4


def test_what_a_task_has_read_is_an_input(any_store: ResultsStore, folder: str) -> None:
    """Of its record."""
    assert sum_of_squares.call(3, folder, store=any_store) == 14
    record = sum_of_squares(3).record(any_store)
    assert record is not None
    keys = {each.address.key for each in record.latest.inputs}
    assert keys == {square.key(x) for x in range(4)}


def test_threads_that_ask_at_once_compute_once(any_store: ResultsStore, folder: str) -> None:
    """And all have the value."""
    start = threading.Barrier(THREADS)

    def asked(x: int) -> list[int]:
        start.wait(60)
        return slow.call(x, folder, 0.05, store=any_store)

    with ThreadPoolExecutor(THREADS) as pool:
        for x in range(3):
            assert [*pool.map(asked, [x] * THREADS)] == [[x, x * x]] * THREADS
    assert count(folder) == 3
