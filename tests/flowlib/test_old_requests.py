"""Does a note to a run go when nobody will read it any more, and only then?"""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from flowlib import run_requests
from flowlib.cli.main import main
from flowlib.run_requests import (
    OpenRequests,
    RequestBox,
    RequestNote,
    RunAnswer,
    RunRequest,
    forget_requests,
    old_requests,
)
from stores import Address, InMemoryStore, LocalFileStore, QueryError
from stores.primitives import StorePrimitives
from stores.testing import put


@pytest.fixture(params=[LocalFileStore, InMemoryStore])
def store(request, tmp_path):
    return request.param(*[tmp_path / "runs"] * (request.param is LocalFileStore))


@pytest.fixture
def leave(monkeypatch):
    """Leaves a note, some seconds ago."""

    def note(store, run, age_s):
        now = SimpleNamespace(time=lambda: time.time() - age_s)
        with monkeypatch.context() as patch:
            patch.setattr(run_requests, "time", now)
            RequestNote(store, RunRequest(run, "ada@gpu3", now.time())).close()

    return note


def left(store):
    with OpenRequests(store) as requests:
        return sorted(request.run for _, request in requests.all())


def test_old_notes_go_and_new_ones_stay(store, leave):
    """Whatever is said, those of the last hour."""
    for run, age_s in (("new", 60.0), ("old", 7200.0), ("older", 3 * 86400.0)):
        leave(store, run, age_s)
    ages = (None, 0, "1d", "4d")
    assert [len(old_requests(store, older_than=each)) for each in ages] == [2, 2, 1, 0]
    assert len(old_requests(store, grace=0)) == 3
    assert left(store) == ["new", "old", "older"]
    assert forget_requests(store, old_requests(store, older_than="1d")) == 1
    assert left(store) == ["new", "old"]
    assert forget_requests(store, old_requests(store)) == 1
    assert left(store) == ["new"]
    with pytest.raises(QueryError, match="older_than"):
        old_requests(store, older_than="soon")


def test_a_note_that_was_answered_for_nobody_goes_an_hour_later(store, leave):
    """Who had asked was killed meanwhile; one that is just being answered stays."""
    leave(store, "live", 7200.0)
    leave(store, "busy", 7200.0)
    with RequestBox(store, "live") as box:
        [(address, request)] = [each for each in box.all() if each[1].run == "live"]
        [busy] = [where for where, each in box.all() if each.run == "busy"]
        box.answer(address, request, RunAnswer(""))
    assert old_requests(store) == [busy]
    assert set(old_requests(store, grace=0)) == {address, busy}
    attempt = store.beside("requests").begin(busy)
    try:
        assert forget_requests(store, old_requests(store, grace=0)) == 1
    finally:
        attempt.abandon()
    assert left(store) == ["busy"]


def test_a_store_that_keeps_nothing_but_results_has_no_notes():
    """There is nothing to be forgotten."""
    store = SimpleNamespace(beside=lambda name: StorePrimitives.beside(InMemoryStore(), name))
    assert old_requests(store, grace=0) == []
    assert forget_requests(store, []) == 0


def test_the_command_tells_and_deletes_them(tmp_path, leave, capsys):
    """With `-n` they are only told."""
    store = LocalFileStore(tmp_path / "runs")
    put(store, Address("Train", "9a7a" * 8))
    leave(store, "over", 7200.0)
    [note] = old_requests(store)
    words = ["gc", "--store", f"file:{tmp_path}/runs"]
    assert main([*words, "-n"]) == 0
    assert "; 1 old requests to runs" in capsys.readouterr().out
    assert main([*words, "-y", "--older", "1d", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["requests"] == []
    assert left(store) == ["over"]
    assert main([*words, "-y", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["requests"] == [note.key]
    assert left(store) == []
