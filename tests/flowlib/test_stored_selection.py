"""Do selectors find the records of a store, and refuse what is doubtful?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flowlib.errors import NothingSelected, SelectorError
from flowlib.event_log import EventWriter
from flowlib.events import RunStarted
from flowlib.record_list import list_records
from flowlib.stored_selection import select_record, select_records
from stores import Address, InMemoryStore, LocalFileStore, RunInfo, StoreError, TaskState
from stores.testing import done, put

FETCH = Address("Fetch", "f" * 32)
SLOW = Address("Train", "9a7a08b2" + "0" * 24)
FAST = Address("Train", "9a11" + "0" * 28)
EVAL = Address("Eval", "e" * 32)
BEST = Address("Best", "b" * 32)


def of_run(outcome, run, name, ended=3.0):
    return replace(outcome, run=RunInfo("demo", run, name), ended=ended)


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # no runs of other tests
    store = InMemoryStore() if request.param == "memory" else LocalFileStore(tmp_path / "st")
    put(store, FETCH, {"data": 1}, of_run(done(), "old", "Fetch", ended=1.0), n=3)
    put(
        store,
        SLOW,
        {"acc": 0.5},
        of_run(done(inputs=[FETCH]), "new", "Train-1"),
        lr=0.1,
        deep={"n": 1},
    )
    failed = done(TaskState.FAILED, inputs=[FETCH])
    put(store, FAST, {}, of_run(failed, "new", "Train-2", ended=9.0), lr=10.0, deep={"n": 2})
    put(store, EVAL, {"loss": 1}, done(inputs=[SLOW]))
    put(store, BEST, {}, done(TaskState.KILLED, inputs=[EVAL]))
    return store


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], [BEST, EVAL, FETCH, FAST, SLOW]),
        (["Train"], [FAST, SLOW]),
        (["*a*"], [EVAL, FAST, SLOW]),
        (["Train/9a7a"], [SLOW]),
        (["9a7a08b2"], [SLOW]),
        (["Train[lr=0.1]"], [SLOW]),
        (["Train[lr=1e1, deep.n=2]"], [FAST]),
        (["*[lr=0.1]"], [SLOW]),
        (["Train-1"], [SLOW]),
        (["@failed"], [FAST]),
        (["@interrupted"], [BEST]),
        (["@finished"], [EVAL, FETCH, SLOW]),
        (["@failed", "Fetch"], [FETCH, FAST]),
        (["Train[lr=0.1]+"], [BEST, EVAL, SLOW]),
        (["+Eval"], [EVAL, FETCH, SLOW]),
        (["+@failed"], [FETCH, FAST]),
        (["Fetch+"], [BEST, EVAL, FETCH, FAST, SLOW]),
    ],
)
def test_selectors_mean_records(store, texts, expected):
    """The grammar is that of a flow; what is up- and downstream is what records have read."""
    assert select_records(store, texts) == expected


def test_last_without_folders_of_runs_is_the_run_of_the_newest_record(store):
    """A store that was copied has no folders, but its records name their runs."""
    assert select_records(store, ["@last"]) == [FAST, SLOW]


def test_last_is_the_run_that_began_last_with_what_it_found(tmp_path):
    """What was cached in it counts, and what it never came to is left out."""
    store = LocalFileStore(tmp_path)
    put(store, FETCH, {"data": 1})
    put(store, SLOW, {"data": 1})
    for name, at, keys in (("b", 5.0, [SLOW.key, "c" * 32]), ("a", 7.0, [FAST.key, SLOW.key])):
        folder = store.runs_dir / name
        folder.mkdir(parents=True)
        writer = EventWriter(folder)
        writer.write(RunStarted(at, name, "demo", repr(store), "host", 1, 1, ()))
        writer.close()
        nodes = {
            "Train": {"keys": keys, "states": "pending"},
            "Fetch": {"keys": [FETCH.key], "states": "cached"},
        }
        (folder / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    assert select_records(store, ["@last"]) == [FETCH, SLOW]
    assert select_records(store, ["Train-2"]) == [SLOW]
    (store.runs_dir / "a" / "manifest.json").write_text("{torn")
    with pytest.raises(NothingSelected, match="the store has none"):
        select_records(store, ["@last"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Trian", "the store has no such task. Did you mean Train?"),
        ("Train/77", "no record has this key or config"),
        ("Train[lr=3]", "no record has this key or config"),
        ("@lsat", "there is no @lsat. Did you mean last?"),
        ("@saved", "'@saved' selects nothing: the store has none"),
        ("deadbeef", "'deadbeef' selects nothing"),
    ],
)
def test_what_selects_nothing_is_an_error_with_the_nearest(store, text, message):
    """Also beside a selector that selects something."""
    with pytest.raises(NothingSelected, match="selects nothing|there is no") as caught:
        select_records(store, ["Train", text])
    assert message in str(caught.value)


def test_the_beginning_of_several_keys_means_none_of_them(store):
    """Who deletes `Train/9a` must not lose two results."""
    with pytest.raises(SelectorError, match="'Train/9a' means 2 records: Train/9a11000"):
        select_records(store, ["Train/9a"])
    with pytest.raises(SelectorError, match="'Train' means 2 records"):
        select_record(store, "Train")
    assert select_record(store, "Train/9a1") == FAST


def test_a_failure_after_a_success_leaves_the_success(tmp_path):
    """`rm @failed` must not delete a result that counts."""
    store = LocalFileStore(tmp_path)
    put(store, SLOW, {"acc": 1})
    put(store, SLOW, {}, done(TaskState.FAILED))
    assert select_records(store, ["@finished"]) == [SLOW]
    with pytest.raises(NothingSelected):
        select_records(store, ["@failed"])


def test_names_of_tasks_may_hold_anything(tmp_path):
    """A task is found by its name, whatever letters that has."""
    store = LocalFileStore(tmp_path)
    odd = [Address(name, "a" * 32) for name in ("a/b", "T[x]", "x+", "@failed", "q?")]
    for address in odd:
        put(store, address, {})
    for address in odd:
        assert select_records(store, [address.task]) == [address]


class Away(InMemoryStore):
    """Does not answer; counts how often it was asked."""

    asked = 0

    def beside(self, name):
        return self

    def addresses(self, task=None):
        self.asked += 1
        raise StoreError("the server does not answer")

    def summaries(self, task=None):
        return self.addresses()


def test_a_store_that_does_not_answer_is_asked_once():
    """Every question to it takes as long as it is waited for."""
    store = Away()
    with pytest.raises(StoreError, match="does not answer"):
        list_records(store)
    assert store.asked == 1
