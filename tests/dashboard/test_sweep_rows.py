"""Are only so many results read for a picture, each of them once?"""

from __future__ import annotations

import pytest

from flowlib.dashboard import sweep_rows as module
from stores import Address, InMemoryStore, TaskState
from stores.testing import done, put
from tests.dashboard.test_catalogue import look

LOAD = Address("Load", "f" * 32)


class Counting(InMemoryStore):
    """Notes which records are read."""

    def __init__(self):
        super().__init__()
        self.read = []

    def record(self, address):
        self.read.append(address)
        return super().record(address)

    def candidates(self, query):
        self.read.append(query)
        return super().candidates(query)


def at(number):
    return Address("Train", f"{number:032x}")


def write(store, number, state=TaskState.FINISHED):
    values = {"acc": number / 100} if state is TaskState.FINISHED else {}
    put(store, at(number), values, done(state, [LOAD]), n=number, half=number // 2)


@pytest.fixture
def store():
    """Results of one task, one that failed, and another task that they have read."""
    found = Counting()
    put(found, LOAD, {"rows": 3}, done(), source="web")
    for number in range(120):
        write(found, number)
    write(found, 200, TaskState.FAILED)
    return found


def test_results_are_read_once_and_again_when_they_were_written_anew(dashboard, store):
    """Of the task alone, and what they have read; no look through the store."""
    shown = dashboard(store)
    store.read.clear()
    page = shown.page("/sweep?task=Train")
    assert len(page.attribute("polyline", "points")) == 120
    assert {each for each in store.read if each != LOAD} == {at(number) for number in range(120)}
    store.read.clear()
    assert shown.page("/sweep?task=Train").html == page.html
    shown.page("/sweep?task=Train&metric=acc&mode=min")
    assert store.read == []
    write(store, 7)
    store.read.clear()
    look(shown.catalogue)
    store.read.clear()
    shown.page("/sweep?task=Train")
    assert set(store.read) <= {at(7), LOAD}
    assert at(7) in store.read


def test_of_too_many_results_the_newest_are_read_and_a_filter_finds_the_others(
    dashboard, store, monkeypatch
):
    """With the exact number of all; configs of tasks upstream are columns as before."""
    monkeypatch.setattr(module, "MOST_RESULTS", 30)
    shown = dashboard(store)
    page = shown.page("/sweep?task=Train")
    assert "the newest 30 of 120 results" in page.text
    assert len(page.attribute("polyline", "points")) == 30
    few = shown.page("/sweep?task=Train&config_filter=half=3")
    assert "newest" not in few.text
    assert ("config_filter", "half=3") in [
        (a.get("name"), a.get("value")) for t, a in few.tags if t == "input"
    ]
    assert sorted(row[1] for row in few.rows[1:]) == ["6", "7"]
    assert "config_filter" not in shown.page("/sweep?task=Load").html
    shown.page("/sweep?task=Train&config_filter=half=999", status=422)
    shown.page("/sweep?task=Train&config_filter=%5B", status=422)


def test_results_that_are_gone_meanwhile_are_left_out(dashboard, store):
    """They are counted until the store is looked at again."""
    shown = dashboard(store)
    store.remove(at(3))
    store.remove(LOAD)
    page = shown.page("/sweep?task=Train")
    assert len(page.attribute("polyline", "points")) in (119, 120)
