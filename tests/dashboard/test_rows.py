"""Is a row small, and does it tell all that a summary does?"""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from flowlib.dashboard import catalogue as looks
from flowlib.dashboard import sweep_rows as sweeps
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.live_runs import LiveRuns
from flowlib.dashboard.orders import ordered
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import planned_row
from flowlib.dashboard.shared import Shared
from stores import Address, InMemoryStore
from stores.summary import More, Summary
from stores.testing import done, put
from tests.dashboard.test_catalogue import at, look

LOAD = Address("Load", "f" * 32)


def summary(number=0, name="T-0", started=1.5, ended=2.5, last=2.5):
    more = More(1, last, "", "node1", "ada", "threads", (LOAD,))
    config = {"seed": number, "lr": number % 1000 / 1000}
    return Summary(
        at(number), "finished", config, ("seed",), started, ended, f"run-{number % 20}", name,
        "finished", more,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["T-0", "T-12", "T-007", "T-", "T", "", "U-3", "T-1-2", "T-٣", "T--1", f"T-{10**17}",
     f"T-{10**30}"],
)  # fmt: skip
def test_a_name_is_told_as_it_is(name):
    """Whether only its number is kept or all of it."""
    row = Shared().row(summary(name=name), 7)
    assert (row.unique_name, row.task, row.key) == (name, "T", at(0).key)
    assert planned_row(at(1), "run", name).unique_name == name


@pytest.mark.parametrize("started", [None, 0.0, -1.5, 1.7e9])
@pytest.mark.parametrize("ended", [None, 1.7e9 + 0.1])
@pytest.mark.parametrize("mark", [None, 0, 2**62, -(2**62)])
def test_times_and_marks_are_told_as_they_are(started, ended, mark):
    """None is no time, and no mark."""
    row = Shared().row(summary(started=started, ended=ended, last=ended), mark)
    assert (row.started, row.ended, row.updated, row.mark) == (started, ended, ended, mark)
    assert row.when == (started if ended is None else ended)
    assert row.duration_s == (None if None in (started, ended) else ended - started)


def test_a_row_takes_less_than_half_a_kilobyte():
    """Beside its key, of which the summary has one already; what is equal is one object."""
    count = 5_000
    summaries = [summary(number, f"T-{number}") for number in range(count)]
    shared = Shared()
    rows = [shared.row(each, 7) for each in summaries[:100]]
    tracemalloc.start()
    rows += [shared.row(each, hash(each.address.key)) for each in summaries[100:]]
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken / len(rows) < 400
    assert len({id(row.common) for row in rows}) == 20
    assert len({id(row.inputs) for row in rows}) == 1


class Keyed(InMemoryStore):
    """Tells marks and records by keys that are other objects each time, as a database does."""

    def __init__(self):
        super().__init__()
        self.keys = []

    def marks(self, seen):
        for task, found in super().marks(seen):
            marks = {"".join(key): mark for key, mark in (found or {}).items()}
            self.keys += [*marks]
            yield task, marks

    def summaries(self, task=None, *, is_long=False):
        for each in super().summaries(task, is_long=is_long):
            key = "".join([*each.address.key])
            yield each._replace(address=Address(each.address.task, key))


def test_the_keys_of_many_records_are_in_memory_once():
    """Those of the marks are there before the first record is read, and stay."""
    store = Keyed()
    for number in range(100):
        put(store, at(number), {}, done(), n=number)
    catalogue = Catalogue(store)
    look(catalogue)
    rows = catalogue.tasks["T"].values()
    assert {id(row.key) for row in rows} == {id(key) for key in store.keys}


@pytest.mark.parametrize("most", [10, None])
def test_rows_are_put_in_order_without_an_object_for_each(most):
    """But for the rows that are picked, and the thousands that are sorted at once."""
    shared = Shared()
    rows = [shared.row(summary(number, f"T-{number}"), 7) for number in range(30_000)]
    stock = Answers(Catalogue(InMemoryStore()), LiveRuns(InMemoryStore())).stock()
    tracemalloc.start()
    found = ordered(rows, "-seed", stock, most)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.value("seed") for row in found[:3]] == [29_999, 29_998, 29_997]
    assert len(found) == (most or len(rows))
    assert taken / len(rows) < (2 if most else 60)


@pytest.fixture
def settled(monkeypatch):
    """How often the collector was told that what there is stays, by whom."""
    told = []
    monkeypatch.setattr(looks, "settle", lambda: told.append("look"))
    monkeypatch.setattr(sweeps, "settle", lambda: told.append("sweep"))
    monkeypatch.setattr(looks, "_BULK", 50)
    monkeypatch.setattr(sweeps, "_BULK", 50)
    return told


class Watching(InMemoryStore):
    """Notes whether the collector is at work while all is read."""

    def __init__(self):
        super().__init__()
        self.collecting = []

    def marks(self, seen):
        self.collecting.append(gc.isenabled())
        yield from super().marks(seen)

    def summaries(self, task=None, *, is_long=False):
        for each in super().summaries(task, is_long=is_long):
            self.collecting.append(gc.isenabled())
            yield each


def test_the_collector_never_searches_what_is_read_in_bulk(settled):
    """It would keep all threads waiting; a few changes are nothing to tell it of."""
    store = Watching()
    for number in range(100):
        put(store, at(number), {}, done(), n=number)
    catalogue = Catalogue(store)
    look(catalogue)
    assert (len(catalogue.tasks["T"]), settled) == (100, ["look"])
    assert len(store.collecting) == 101
    assert not any(store.collecting)
    put(store, at(3), {"acc": 1}, done(), n=3)
    look(catalogue)
    assert settled == ["look"]
    assert gc.isenabled()


def test_the_collector_never_searches_the_results_of_a_sweep(dashboard, settled):
    """Nor is it told of each result that comes."""
    store = InMemoryStore()
    for number in range(60):
        put(store, at(number), {"acc": number}, done(), n=number)
    shown = dashboard(store)
    shown.page("/sweep?task=T")
    assert settled == ["look", "sweep"]
    put(store, at(3), {"acc": 1}, done(), n=3)
    look(shown.catalogue)
    shown.page("/sweep?task=T")
    assert settled == ["look", "sweep"]


def test_results_of_a_sweep_share_their_words_and_keep_their_values():
    """Names of parameters and of results, and what the user called things; nothing is altered."""
    store = InMemoryStore()
    config = {"optimizer": {"beta": 0.9, "name": "adam"}, "sizes": [1, {"deep": True}], "at": None}
    for number in range(3):
        put(store, at(number), {"acc": number / 7}, done(), n=number, flag=number == 1, **config)
    answers, sweep_rows = Answers(Catalogue(store), LiveRuns(store)), sweeps.SweepRows(store)
    found = sweep_rows.of(answers, answers.stock(), "T", Question())
    entries = [entry for _, entry in sweep_rows._entries.values()]
    by_number = sorted(entries, key=lambda entry: entry.config["T"]["n"])
    assert [repr(entry.config) for entry in by_number] == [
        repr({"T": dict(sorted({"n": n, "flag": n == 1, **config}.items()))}) for n in range(3)
    ]
    assert len({id(entry.config["T"]["optimizer"]["name"]) for entry in entries}) == 1
    assert len({id(entry.artifacts[0].name) for entry in entries}) == 1
    assert sorted(row["acc"] for row in found.grid.rows) == [0.0, 1 / 7, 2 / 7]
