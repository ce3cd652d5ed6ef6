"""Is a page there before all records of a store were read, and is it the same as afterwards?"""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.app import Dashboard
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.first_look import first_look
from flowlib.dashboard.first_page import first_page
from flowlib.dashboard.live_runs import Live, LiveRuns
from flowlib.dashboard.orders import ordered
from flowlib.dashboard.questions import Question, question_of
from flowlib.dashboard.rows import Row, planned_row
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
    """Times in another order than keys, and no two of them equal; names that begin alike."""
    for number in range(5):
        outcome = done(TaskState.FAILED if number == 3 else TaskState.FINISHED)
        outcome = replace(outcome, started=1e9 - (number - 2.2) ** 2, ended=None)
        put(store, at(number), {}, outcome, lr=number / 10, seed=0)


def fill_neighbour(store: ResultsStore) -> None:
    """A task whose name goes on where that of the others ends."""
    put(store, Address("Train-b", "0" * 32), {}, done(), lr=0.0)


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
    fill_neighbour(any_store)
    answers = answers_of(any_store)
    for given in (
        [],
        [("limit", "2")],
        [("sort", "when")],
        [("sort", "id"), ("offset", "3")],
        [("sort", "-id")],
        [("state", "failed")],
        [("sort", "state")],
        [("sort", "-state"), ("limit", "2"), ("offset", "1")],
        [("sort", "time")],
        [("sort", "-time"), ("state", "failed")],
    ):
        asked = question_of(given)
        look = first_look(any_store, answers, asked)
        assert look is not None
        early = look.answers.answer(asked, look.stock)
        late = answers.answer(asked, answers.stock())
        assert (early.total, early.offset) == (late.total, late.offset)
        assert [row.key for row in early.rows] == [row.key for row in late.rows], given
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


def test_states_whose_words_stand_elsewhere_wait_for_all():
    """As do those of runs that go on, which no record tells."""
    store = Paging()
    fill(store)
    by_state = Question(sort="state")
    assert first_look(store, answers_of(store), by_state) is not None
    live = Live(states={"a" * 32: "pending"}, planned={"a" * 32: _planned("a" * 32)})
    assert first_look(store, answers_of(store, live), by_state) is None
    assert first_look(store, answers_of(store, live), Question(sort="time")) is not None
    put(store, at(77), {}, done(TaskState.SAVED), n=1)
    assert first_look(store, answers_of(store), by_state) is None


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


def test_among_ids_tasks_without_a_record_stand_in_their_place():
    """Which only all records tell."""
    store = Paging()
    fill(store)
    live = Live(states={"a" * 32: "pending"}, planned={"a" * 32: _planned("a" * 32)})
    assert first_look(store, answers_of(store, live), Question(sort="id")) is None
    assert first_look(store, answers_of(store, Live()), Question(sort="id")) is not None


def test_rows_without_a_time_stand_where_the_first_look_has_them():
    """Behind all others, by task and key; what has no record is the last."""
    store = InMemoryStore()
    for number in (4, 2, 3):
        outcome = replace(done(), started=None, ended=None)
        put(store, at(number), {}, outcome)
    put(store, at(9), {}, done())
    planned = {key: _planned(key) for key in ("b" * 32, "0" * 32)}
    live = Live(states=dict.fromkeys(planned, "pending"), planned=planned)
    answers = answers_of(store, live)
    stock = answers.stock()
    wanted = [at(9).key, at(2).key, at(3).key, at(4).key, "0" * 32, "b" * 32]
    for sort in ("when", "-when"):
        found = answers.answer(Question(sort=sort), stock).rows
        assert [row.key for row in found] == wanted
        every = ordered(found[::-1], sort, stock, None)
        assert [row.key for row in every] == wanted


def test_nothing_is_called_the_same_in_all_before_all_were_seen(waiting):
    """A page of them cannot tell; what was given is shown of each, and columns come later."""
    store, client = waiting
    early = client.get("/tasks?limit=2")
    assert "the same in all" not in early.text
    assert Seen(early.text).rows[0][3] == "config"
    assert "seed=0" in early.text
    store.gate.set()
    client.get("/api/stats")
    late = client.get("/tasks?limit=2")
    assert "the same in all: seed=0" in late.text
    assert "lr" in Seen(late.text).rows[0]


def _planned(key: str) -> Row:
    return planned_row(Address("Train", key), "r", "Train-1")


class Told(InMemoryStore):
    """Notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = []

    @property
    def can_page(self):
        self.asked.append("can_page")
        return True

    def marks(self, seen):
        self.asked.append("marks")
        return super().marks(seen)

    def page(self, wanted):
        self.asked.append(wanted.age_s)
        return super().page(wanted)


def test_a_store_makes_its_pages_ready_before_all_is_read():
    """And not beside that: then each would wait for the other with every file. Later it does not."""
    store = Told()
    fill(store)
    catalogue = Catalogue(store)
    catalogue.look()
    assert store.asked == ["can_page", "marks"]
    catalogue._due = 0.0
    catalogue.look()
    assert store.asked == ["can_page", "marks", "marks"]


def test_once_all_was_read_nobody_asks_whether_pages_are_quick():
    """A store of files would list its folders for that."""
    store = Told()
    fill(store)
    with TestClient(Dashboard(store).application(), base_url=BASE) as client:
        assert client.get("/api/stats").json()["total"] == 5  # waits until all was read
        asked = store.asked.count("can_page")
        assert "1 to 5 of 5" in Seen(client.get("/tasks").text).text
    assert store.asked.count("can_page") == asked


class Slow(InMemoryStore):
    """Tells when it reads the second record, and notes what is read while it makes a page."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = threading.Event(), threading.Event()
        self.was_read = self.look_apart = None

    can_page = True

    def summaries(self, task=None, *, is_long=False):
        for number, each in enumerate(super().summaries(task, is_long=is_long)):
            (self.second if number else self.first).set()
            yield each

    def page(self, wanted):
        self.look_apart()
        self.first.wait(60)
        self.was_read = self.second.wait(0.2)
        return super(InMemoryStore, self).page(wanted)


def test_no_record_is_read_while_a_first_page_is_made(monkeypatch):
    """Who lists files beside one who opens them waits with every file. All are read afterwards."""
    monkeypatch.setattr("flowlib.dashboard.catalogue._ASIDE_S", 60.0)
    monkeypatch.setattr("flowlib.dashboard.catalogue._FEW", 0)
    store = Slow()
    fill(store)
    answers = answers_of(store, Live())
    store.look_apart = answers.catalogue.look_apart
    assert first_look(store, answers, Question()) is not None
    assert store.was_read is False
    assert answers.catalogue.is_complete(60.0)
    assert answers.stock().find("Train", at(4).key) is not None


def test_a_first_page_may_be_as_old_as_rows_are_unless_tasks_are_planned():
    """One that has just ended would be counted twice."""
    store = Told()
    fill(store)
    planned = {"a" * 32: _planned("a" * 32)}
    going = Live(states={"a" * 32: "pending"}, planned=planned)
    for live, age_s in ((Live(), 5.0), (going, 0.0)):
        assert first_look(store, answers_of(store, live), Question()) is not None
        assert store.asked[-1] == age_s


def test_a_page_with_a_damaged_record_waits_for_all(tmp_path):
    """Totals leave such ones out, and how many there are is known when all were read."""
    store = SQLStore(f"sqlite:///{tmp_path}/x.db")
    fill(store)
    from stores.sql_schema import records

    broken = records.update().where(records.c.key == at(2).key).values(record="{")
    store._database.write(lambda connection: connection.execute(broken))
    shown = ReadOnlyStore(store)
    assert first_look(shown, answers_of(shown), Question()) is None
    assert first_look(shown, answers_of(shown), Question(limit=1, sort="id")) is not None
    store.close()
