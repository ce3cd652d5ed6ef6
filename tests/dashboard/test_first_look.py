"""Is a page there before all records of a store were read, and is it the same as afterwards?"""

from __future__ import annotations

import threading

import pytest
from starlette.testclient import TestClient

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.app import Dashboard
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.first_look import first_look
from flowlib.dashboard.first_page import first_page
from flowlib.dashboard.live_runs import Live, LiveRuns
from flowlib.dashboard.questions import Question, question_of
from flowlib.dashboard.rows import Row
from stores import Address, InMemoryStore, ReadOnlyStore, ResultsStore, SQLStore, TaskState
from stores.testing import done, put
from tests.dashboard.asked import BASE, Seen


class Paging(InMemoryStore):
    """Says that it finds pages by itself; what it shows of all records waits for a gate."""

    can_page = True

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def marks(self, seen):
        self.gate.wait(60)
        return super().marks(seen)


def at(number):
    return Address("Train", f"{number:032x}")


def fill(store: ResultsStore) -> None:
    for number in range(5):
        outcome = done(TaskState.FAILED if number == 3 else TaskState.FINISHED)
        put(store, at(number), {}, outcome, lr=number / 10, seed=0)


def answers_of(store, live=None) -> Answers:
    found = Answers(Catalogue(store), LiveRuns(store))
    if live is not None:
        found.runs.now = live
        found.runs._due = float("inf")
    return found


@pytest.fixture
def waiting():
    """A store that has not been read, and a client of its dashboard."""
    store = Paging()
    fill(store)
    with TestClient(Dashboard(store).application(), base_url=BASE) as client:
        yield store, client
        store.gate.set()


def test_the_first_pages_do_not_wait_until_all_was_read(waiting):
    """The list, the first page and the API; what needs all records tells that it waits."""
    store, client = waiting
    listed = Seen(client.get("/tasks?limit=2").text)
    assert [row[1] for row in listed.rows[1:]] == ["Train/00000000", "Train/00000000"]
    assert "1 to 2 of 5" in listed.text
    first = Seen(client.get("/").text)
    assert "5 tasks" in first.text
    assert "counts follow" in first.text
    assert len(first.rows) == 6
    told = client.get("/api/experiments?limit=2&offset=3").json()
    assert (told["total"], len(told["experiments"])) == (5, 2)
    assert client.get("/tasks?state=failed").text.count("data-id=") == 1
    assert client.get("/tasks?text=x").status_code == 503
    assert client.get("/graph").status_code == 503
    assert client.get("/tasks?limit=many").status_code == 422
    assert client.get("/api/experiments?limit=many").status_code == 422
    store.gate.set()
    assert client.get("/api/stats").json()["total"] == 5  # waits until all was read
    after = client.get("/api/experiments?limit=2&offset=3").json()
    assert after == told
    assert "By task" in client.get("/").text


def test_first_looks_are_those_of_all_records(any_store):
    """Rows, order and totals, in every kind of store that finds pages by itself."""
    if not any_store.can_page:
        assert first_look(any_store, answers_of(any_store), Question()) is None
        return
    fill(any_store)
    answers = answers_of(any_store)
    for given in ([], [("limit", "2")], [("sort", "id"), ("offset", "3")], [("state", "failed")]):
        asked = question_of(given)
        look = first_look(any_store, answers, asked)
        assert look is not None
        early = look.answers.answer(asked, look.stock)
        late = answers.answer(asked, answers.stock())
        assert (early.total, early.offset) == (late.total, late.offset)
        assert {row.key for row in early.rows} <= {at(number).key for number in range(5)}
        if asked.limit == 50:
            assert {row.key for row in early.rows} == {row.key for row in late.rows}
        assert [row.config for row in early.rows if row.key == at(1).key] in (
            [],
            [{"lr": 0.1, "seed": 0}],
        )


@pytest.mark.parametrize(
    "given",
    ["task=Train/", "text=x", "config_filter=lr=1", "run=x", "result_status=success", "sort=lr"],
)
def test_what_only_all_records_tell_is_no_first_look(given):
    """It waits, as it has done before."""
    store = Paging()
    asked = question_of([tuple(given.split("=", 1))])
    assert first_look(store, answers_of(store), asked) is None
    assert first_page(store, answers_of(store), "/tasks", [tuple(given.split("=", 1))], 0.0) is None
    assert first_page(store, answers_of(store), "/graph", [], 0.0) is None


def test_tasks_of_runs_that_go_on_stand_behind_the_records():
    """Also those of which there is no record yet, on whatever page they are, and are counted."""
    store = Paging()
    fill(store)
    planned = {key: _planned(key) for key in ("a" * 32, "b" * 32, at(1).key)}
    live = Live(states={**dict.fromkeys(planned, "pending"), "b" * 32: "running"}, planned=planned)
    answers = answers_of(store, live)
    look = first_look(store, answers, Question(limit=6))
    assert look is not None
    found = look.answers.answer(Question(), look.stock)
    assert (found.total, [row.key[0] for row in found.rows]) == (7, ["0"] * 5 + ["a"])
    assert look.stock.shown(found.rows[-1]) == "pending"
    look = first_look(store, answers, Question(limit=6, offset=6))
    assert look is not None
    assert [look.stock.shown(row) for row in look.answers.answer(Question(), look.stock).rows] == [
        "running"
    ]
    assert first_look(store, answers, Question(state="running")) is None


def _planned(key: str) -> Row:
    return Row("Train", key, "", "", None, None, None, 0, "r", "Train-1", "", "", "", "", (), (), (), ())  # fmt: skip


def test_a_damaged_record_breaks_no_first_look(tmp_path):
    """It is left out of the page."""
    store = SQLStore(f"sqlite:///{tmp_path}/x.db")
    fill(store)
    from stores.sql_schema import records

    broken = records.update().where(records.c.key == at(2).key).values(record="{")
    store._database.write(lambda connection: connection.execute(broken))
    shown = ReadOnlyStore(store)
    look = first_look(shown, answers_of(shown), Question())
    assert look is not None
    assert len(look.answers.answer(Question(), look.stock).rows) == 4
    store.close()
