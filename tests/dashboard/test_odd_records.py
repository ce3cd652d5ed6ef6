"""Does a record with a part of a wrong kind, or a store that does not answer, spoil the rest?"""

from __future__ import annotations

import copy
import json
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from flowlib.dashboard import catalogue as module
from flowlib.dashboard.app import Dashboard
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.shared import Shared
from stores import Address, InMemoryStore, LocalFileStore, SQLStore, StoreError, TaskState
from stores.errors import RecordDamaged, RecordTooNew
from stores.parts import ErrorDetails, RunInfo
from stores.record import Record
from stores.summary import summary_in, summary_of
from stores.testing import done, put
from tests.dashboard.asked import LIMIT_S

GOOD = Address("Load", "a" * 32)
WRONG = (5, None, "x\ud800", [], {})
PAGES = ("/", "/tasks", "/tasks?sort=lr", "/tasks?text=x", "/graph", "/sweep?task=Train", "/runs",
    "/compare", "/api/experiments", "/api/stats", "/api/dag")  # fmt: skip


def texts():
    """Two records with all parts: one that was computed, one that failed after a success."""
    store = InMemoryStore()
    run = RunInfo("p", "calm-finch", "train-1", "1")
    told = {"user": "ada", "executor": "slurm", "host": "node7", "packages": {"a": "1"}}
    made = replace(done(inputs=[GOOD]), run=run, provenance=told, facts={"x": "y"})
    for name in ("1", "2"):
        address = Address("Train", name * 32)
        put(store, address, {"acc": 0.5, "rows": [1, 2]}, made, lr=0.1, deep={"a": [1]})
    failed = replace(
        done(TaskState.FAILED, inputs=[GOOD]), error=ErrorDetails("E", "m", "t"), run=run
    )
    put(store, address, {"acc": 1}, failed, lr=0.1)
    return [store.record(Address("Train", name * 32)).to_json() for name in ("1", "2")]


def leaves(value, at=()):
    """The places of all parts."""
    yield at
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value if isinstance(value, list) else ())
    )
    for name, each in pairs:
        yield from leaves(each, (*at, name))


def mutants():
    """Each part in turn of every other kind; each record under a key of its own."""
    number = 0
    for text in texts():
        found = json.loads(text)
        for at in leaves(found):
            for wrong in WRONG if at else ():
                number += 1
                odd = copy.deepcopy(found)
                odd["key"] = f"{number:032x}"
                inner = odd
                for name in at[:-1]:
                    inner = inner[name]
                inner[at[-1]] = wrong
                yield at, f"{number:032x}", json.dumps(odd, separators=(",", ":"))


@pytest.mark.slow
def test_no_part_of_any_record_makes_a_page_fail(dashboard, tmp_path):
    """Lists show the others; the page of the record itself answers, too."""
    store = LocalFileStore(tmp_path, fsync=False)
    put(store, GOOD, {}, done(), lr=0.3)
    put(store, Address("Train", "f" * 32), {}, done(), lr=0.7)
    made = list(mutants())
    assert len(made) > 300
    for _, key, text in made:
        (tmp_path / "Train" / f"{key}.json").write_text(text)
    shown = dashboard(store)
    for path in PAGES:
        assert shown.get(path).status_code < 500, path
    assert shown.ids("?text=Load") == [str(GOOD)]
    assert f"Train/{'f' * 8}" in shown.ids("?config_filter=lr=0.7")
    assert shown.json("/api/stats")["unreadable"] > 100
    for at, key, _ in made:
        for path in (f"/tasks/Train/{key}", f"/api/experiments/Train/{key}"):
            assert shown.get(path).status_code < 500, (at, path)


@pytest.mark.parametrize("fewest", [0, 10**6])
def test_rows_are_made_of_all_that_can_be_read(fewest, monkeypatch, tmp_path):
    """A row is made of whatever can be read; what lies in the place of another is left out."""
    for _, _, text in mutants():
        summary = summary_in(text, is_long=True)
        if summary is not None:
            assert Shared().row(summary, 1).key == summary.address.key
        with suppress(RecordDamaged, RecordTooNew):
            record = Record.from_json(text, "here")
            assert Shared().row(summary_of(record), 1).task == record.address.task
    monkeypatch.setattr(module, "_FEW", fewest)
    store = LocalFileStore(tmp_path, fsync=False)
    put(store, GOOD, {}, done())
    path = tmp_path / GOOD.task / f"{'b' * 32}.json"
    path.write_text(texts()[0])  # another task and key than those of its place
    catalogue = Catalogue(store)
    catalogue.look()
    assert (set(catalogue.tasks["Load"]), catalogue.unreadable) == ({GOOD.key}, 1)


def test_a_row_that_cannot_be_made_is_left_out(monkeypatch):
    """Whatever a store of others tells."""
    store = InMemoryStore()
    put(store, GOOD, {}, done())
    summary = summary_of(store.record(GOOD))
    for odd in ({"config": None}, {"state": 5}, {"given": None}, {"run": 5}):
        assert Shared().row_or_none(summary._replace(**odd), 1) is None
    catalogue = Catalogue(store)
    monkeypatch.setattr(catalogue._shared, "row_or_none", lambda *_: None)
    catalogue.look()
    assert (catalogue.tasks, catalogue.unreadable) == ({}, 1)


class Failing(InMemoryStore):
    """Cannot be read as long as it is down."""

    is_down = True

    def summaries(self, task=None, *, is_long=False):
        if self.is_down:
            raise StoreError("the database is down")
        return super().summaries(task, is_long=is_long)


def fill(store):
    for number in range(70):  # more than are read one by one
        put(store, Address("Train", f"{number:032x}"), {}, done(), n=number)
    return store


def again(ask, status):
    """Ask until the answer has another status."""
    end = time.monotonic() + LIMIT_S
    while (answer := ask()).status_code == status and time.monotonic() < end:
        time.sleep(0.05)
    return answer


def test_a_first_look_that_failed_is_told_and_done_again():
    """By pages and programs, with the cause; all is shown once the store is back."""
    from starlette.testclient import TestClient

    from tests.dashboard.asked import BASE

    store = fill(Failing())
    with TestClient(Dashboard(store).application(), base_url=BASE) as client:
        for path in ("/", "/api/stats"):
            answer = client.get(path)
            assert (answer.status_code, "the database is down" in answer.text) == (503, True)
        assert answer.headers["retry-after"] == "2"
        store.is_down = False
        answer = again(lambda: client.get("/api/stats"), 503)
        assert answer.json()["total"] == 70
        assert "70 tasks" in client.get("/").text


def test_a_look_that_fails_later_is_told_until_the_store_is_back():
    """Rows of before are not shown as those of now."""
    store = fill(Failing())
    store.is_down = False
    catalogue = Catalogue(store)
    catalogue.look()
    store.is_down = True
    for number in range(100, 200):
        put(store, Address("Train", f"{number:032x}"), {}, done(), n=number)
    catalogue._due = 0.0
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be read: the database is down"):
            catalogue.refresh()
    store.is_down, catalogue._due = False, 0.0
    catalogue.refresh()
    assert (len(catalogue.tasks["Train"]), catalogue.failure) == (170, None)


def test_after_a_failed_look_a_database_tells_all_again(tmp_path, monkeypatch):
    """Its pulse says that nothing was written since; but nothing was read either."""
    store = fill(SQLStore(f"sqlite:///{tmp_path}/x.db", fsync=False))
    catalogue = Catalogue(store)
    with monkeypatch.context() as patch:
        patch.setattr(store, "summaries", Failing().summaries)
        with pytest.raises(StoreError):
            catalogue.look()
    catalogue._due = 0.0
    catalogue.look()
    assert len(catalogue.tasks["Train"]) == 70
    seen = {}
    next(iter(store.marks(seen)))  # and no more is taken
    assert [keys is None for _, keys in store.marks(seen)] == [False]
    store.close()


def test_names_that_have_no_utf_8_are_told(dashboard, tmp_path):
    """Half of a surrogate, as names of files have it, in a task, a name and a value."""
    odd = "caf\udce9"
    for store in (InMemoryStore(), LocalFileStore(tmp_path, fsync=False)):
        put(store, Address(odd, "c" * 32), {"acc": 0.5, odd: odd}, done(), **{odd: odd, "n": 1})
        put(store, Address(odd, "d" * 32), {"acc": 0.6}, done(), **{odd: "x", "n": 2})
        put(store, GOOD, {}, done(), lr=0.3)
        shown = dashboard(store)
        task, key = "caf%ED%B3%A9", "c" * 32
        for path in (*PAGES, f"/tasks?task={task}", f"/tasks/{task}/{key}", f"/graph?expand={task}",
                     f"/api/experiments/{task}/{key}", f"/api/experiments?text={task}"):  # fmt: skip
            assert shown.get(path).status_code < 500, path
        for link in set(shown.page("/tasks").links + shown.page("/").links):
            assert shown.get(link).status_code < 500, link
        found = shown.json("/api/experiments?limit=3")["experiments"]
        assert {each["task"]: each["config"].get("n") for each in found[::-1]}[odd] in (1, 2)
        assert odd in {value for each in found for value in each["config"].values()}
        assert shown.json(f"/api/experiments/{task}/nothing", status=404)
