"""Is only what has changed read again, and is nothing of it lost?"""

from __future__ import annotations

import math
import threading
import time

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.columns import varying
from flowlib.dashboard.live_runs import LiveRuns
from flowlib.dashboard.questions import Question, question_of
from stores import Address, InMemoryStore, LocalFileStore, TaskState
from stores.testing import done, put


class Counting(InMemoryStore):
    """Notes how records are read; a look may be made to wait."""

    def __init__(self):
        super().__init__()
        self.single, self.whole, self.gate = [], [], None

    def record(self, address):
        self.single.append(address)
        return super().record(address)

    def summaries(self, task=None, *, is_long=False):
        self.whole.append(task)
        return super().summaries(task, is_long=is_long)

    def marks(self, seen):
        if self.gate is not None:
            self.gate.wait(30)
        return super().marks(seen)


def at(number, task="T"):
    return Address(task, f"{number:032x}")


def asked(answers, *pairs):
    return [row.key[-2:] for row in answers.answer(question_of(pairs), answers.stock()).rows]


def look(catalogue):
    """Look now, however short ago the last look was."""
    catalogue._due = 0.0
    catalogue.look()


def test_few_changes_are_read_one_by_one_and_many_at_once():
    """What stays as it is is not read at all."""
    store = Counting()
    for number in range(200):
        put(store, at(number), {}, done(), n=number)
    catalogue = Catalogue(store)
    look(catalogue)
    assert (store.whole, len(catalogue.tasks["T"])) == (["T"], 200)
    first = catalogue.tasks["T"][at(7).key]
    put(store, at(3), {}, done(TaskState.FAILED), n=3)
    store.single.clear()
    version = catalogue.version
    look(catalogue)
    assert store.whole == ["T"]
    assert set(store.single) == {at(3)}
    assert catalogue.version == version + 1
    assert catalogue.tasks["T"][at(3).key].last_state == "failed"
    assert catalogue.tasks["T"][at(7).key] is first
    look(catalogue)
    assert catalogue.version == version + 1


def test_what_is_removed_is_forgotten():
    """A record, and a task with its last record."""
    store, catalogue = Counting(), None
    put(store, at(1), {}, done())
    put(store, at(2), {}, done())
    put(store, at(3, "U"), {}, done())
    catalogue = Catalogue(store)
    look(catalogue)
    before = catalogue.tasks
    store.remove(at(1))
    look(catalogue)
    assert {task: set(rows) for task, rows in catalogue.tasks.items()}["T"] == {at(2).key}
    store.remove(at(2))
    look(catalogue)
    assert set(catalogue.tasks) == {"U"}
    assert {task: len(rows) for task, rows in before.items()} == {"T": 2, "U": 1}  # as it was


def test_a_damaged_record_is_not_read_at_every_look(tmp_path):
    """It is told of until it is healed."""
    store = LocalFileStore(tmp_path)
    put(store, at(1), {}, done())
    path = tmp_path / "T" / f"{at(1).key}.json"
    whole = path.read_bytes()
    path.write_bytes(b"{")
    catalogue = Catalogue(store)
    look(catalogue)
    version = catalogue.version
    look(catalogue)
    assert (catalogue.unreadable, catalogue.tasks, catalogue.version) == (1, {}, version)
    path.write_bytes(whole)
    look(catalogue)
    assert (catalogue.unreadable, len(catalogue.tasks["T"])) == (0, 1)
    path.write_bytes(b"[")
    look(catalogue)
    assert (catalogue.unreadable, catalogue.tasks) == (1, {})
    path.unlink()
    look(catalogue)
    assert (catalogue.unreadable, catalogue.tasks) == (0, {})


def test_nobody_waits_for_a_look_that_takes_long():
    """The rows of the last one are used meanwhile."""
    store = Counting()
    put(store, at(1), {}, done())
    catalogue = Catalogue(store)
    catalogue.look()
    catalogue._cost_s, catalogue._due = 5.0, 0.0
    store.gate = threading.Event()
    put(store, at(2), {}, done())
    began = time.monotonic()
    catalogue.refresh()
    assert time.monotonic() - began < 5
    assert len(catalogue.tasks["T"]) == 1
    store.gate.set()
    end = time.monotonic() + 30
    while len(catalogue.tasks["T"]) == 1 and time.monotonic() < end:
        time.sleep(0.01)
    assert len(catalogue.tasks["T"]) == 2


def test_values_are_told_apart_as_they_are():
    """0.0 is not -0.0, True not 1, None not nothing; NaN comes last in either direction."""
    store = InMemoryStore()
    values = [0.0, -0.0, 1, True, None, math.nan, "1", 2.5, [1, 2]]
    for number, value in enumerate(values):
        put(store, at(number), {}, done(), v=value)
    answers = Answers(Catalogue(store), LiveRuns(store))
    rows = answers.stock().tasks["T"]
    assert [repr(rows[at(n).key].value("v")) for n in range(len(values))] == [
        repr(v) for v in values
    ]
    assert asked(answers, ("config_filter", "v=1")) == ["02"]
    assert asked(answers, ("config_filter", "v=true")) == ["03"]
    assert asked(answers, ("config_filter", "v='1'")) == ["06"]
    assert asked(answers, ("config_filter", "v=null")) == ["04"]
    assert asked(answers, ("config_filter", "v=2.5")) == ["07"]
    down = asked(answers, ("sort", "-v"))
    assert down[:2] == ["07", "02"]
    assert down.index("05") > down.index("00")
    assert down[-1] == "04"
    assert varying(answers, Question(), answers.stock()).paths == {"T": ("v",)}


def test_deep_pages_have_the_rows_that_the_first_ones_lack():
    """Whether the first are picked or all are sorted."""
    store = InMemoryStore()
    for number in range(2_300):
        put(store, at(number), {}, done(), n=number % 7, m=number)
    answers = Answers(Catalogue(store), LiveRuns(store))
    stock, found = answers.stock(), []
    for offset in range(0, 2_300, 500):
        question = question_of([("sort", "n"), ("limit", "500"), ("offset", str(offset))])
        found += [row.value("m") for row in answers.answer(question, stock).rows]
    assert found == sorted(range(2_300), key=lambda m: (m % 7, m))
