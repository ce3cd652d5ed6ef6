"""Does a store find one page of a list, in order and with an exact count, and look at no more?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from stores import (
    InMemoryStore,
    LayeredStore,
    QueryError,
    ReadOnlyStore,
    ResultsStore,
    SplitStore,
    TaskState,
)
from stores.listing import Listing, page_of
from stores.record import Address, Attempt, Record
from stores.sieve import full_config
from stores.testing import done, put


def at(number: int, task: str = "Train") -> Address:
    """One of any number of addresses."""
    return Address(task, f"{number:032x}")


def moment(started: float | None, ended: float | None, state: str = "finished") -> Attempt:
    """An attempt that began and ended then."""
    return replace(done(TaskState(state)), started=started, ended=ended)


def _n(record: Record) -> object:
    return full_config(record)["n"]


@pytest.fixture
def filled(any_store: ResultsStore) -> ResultsStore:
    """Records in no order: two tasks, failures, one that has no end, and one without times."""
    numbers = list(range(20))
    random.Random(7).shuffle(numbers)
    for number in numbers:
        task = "Load" if number % 5 == 0 else "Train"
        state = "failed" if number % 4 == 1 else "finished"
        put(any_store, at(number, task), {}, moment(100.0, 200.0 + number, state), n=number)
    put(any_store, at(90), {}, moment(210.5, None, "killed"), n=90)
    put(any_store, at(91, "a%b/ü"), {}, moment(None, None, "failed"), n=91)
    return any_store


def numbers(store: ResultsStore, **asked: Any) -> list[int]:
    """The parameters of the records of a page."""
    return [each.config["n"] for each in store.page(Listing(**asked)).summaries]


def test_pages_have_the_newest_first(filled: ResultsStore) -> None:
    """What has not ended counts from its beginning; what has no time comes last."""
    newest = [*range(19, 10, -1), 90, *range(10, -1, -1), 91]
    assert numbers(filled, limit=100) == newest
    assert numbers(filled, sort="when", limit=100) == [*range(11), 90, *range(11, 20), 91]
    found = [
        number for start in range(0, 22, 4) for number in numbers(filled, limit=4, offset=start)
    ]
    assert found == newest
    assert filled.page(Listing(limit=3, offset=19)).total == 22
    assert numbers(filled, offset=22) == []
    assert filled.page(Listing(offset=1000)) == ([], 22)


@pytest.mark.parametrize("sort", ["-when", "when"])
def test_records_of_one_moment_stand_by_task_and_key(any_store: ResultsStore, sort: str) -> None:
    """On every store, either way round, wherever a page begins; of some only the beginning is known."""
    for number, task in enumerate(["Train", "Load", "Train", "Load", "Eval", "Train"]):
        put(any_store, at(20 - number, task), {}, moment(100.0, 200.0), n=number)
        put(any_store, at(40 - number, task), {}, moment(200.0, None, "killed"), n=10 + number)
    put(any_store, at(1), {}, moment(100.0, 199.0), n=90)
    put(any_store, at(2), {}, moment(100.0, 201.0), n=91)
    every = list(any_store.summaries(is_long=True))
    for limit in (1, 3, 5, 50):
        for offset in range(0, 15, limit):
            asked = Listing(sort=sort, limit=limit, offset=offset)
            assert any_store.page(asked) == page_of(every, asked), asked
    killed = Listing(None, frozenset({TaskState.KILLED}), sort, 4, 1)
    assert any_store.page(killed) == page_of(every, killed)


def test_what_has_not_ended_is_found_by_its_beginning(filled: ResultsStore) -> None:
    """In queries, as it stands in lists; what has no time at all is found by no time."""
    since = filled.records(since=209.5, until=211.0)
    assert sorted(_n(each) for each in since) == [10, 90]
    assert [_n(each) for each in filled.records(until=201.0)] == [0]
    assert sorted(_n(each) for each in filled.records(since=218.5)) == [19]
    assert filled.count("a*") == 1


def test_pages_are_of_one_task_or_of_some_states(filled: ResultsStore) -> None:
    """And the count is that of all that fit."""
    of_load = filled.page(Listing("Load", limit=2))
    assert ([each.config["n"] for each in of_load.summaries], of_load.total) == ([15, 10], 4)
    failed = frozenset({TaskState.FAILED, TaskState.KILLED})
    assert numbers(filled, states=failed) == [17, 13, 90, 9, 5, 1, 91]
    assert filled.page(Listing("Train", failed, limit=1)).total == 5
    assert filled.page(Listing("nothing")) == ([], 0)
    assert filled.page(Listing("a%b/ü")).summaries[0].address == at(91, "a%b/ü")


def test_pages_may_have_other_orders(filled: ResultsStore) -> None:
    """By id, state or duration, either way round."""
    ids = [each.address for each in filled.page(Listing(sort="id", limit=50)).summaries]
    assert ids == sorted(filled.addresses())
    down = [each.address for each in filled.page(Listing(sort="-id", limit=5)).summaries]
    assert down == ids[::-1][:5]
    assert numbers(filled, sort="time", limit=2) == [0, 1]
    assert numbers(filled, sort="-time", limit=2) == [19, 18]
    states = [each.state for each in filled.page(Listing(sort="state", limit=50)).summaries]
    assert states == sorted(states)
    states = [each.state for each in filled.page(Listing(sort="-state", limit=50)).summaries]
    assert states == sorted(states, reverse=True)
    with pytest.raises(QueryError, match="no order '-wen'.*when, id, state, time"):
        Listing(sort="-wen")


def test_a_page_tells_as_much_as_a_long_list(filled: ResultsStore) -> None:
    """The same summaries, whatever way they were found."""
    every = {each.address: each for each in filled.summaries(is_long=True)}
    page = filled.page(Listing(limit=100))
    assert {each.address: each for each in page.summaries} == every
    assert page_of(every.values(), Listing(limit=100)) == page


def test_stores_over_stores_have_pages(filled: ResultsStore) -> None:
    """Of all that they show, and of no more."""
    shown = ReadOnlyStore(filled)
    assert (shown.can_page, shown.page(Listing())) == (filled.can_page, filled.page(Listing()))
    split = SplitStore(InMemoryStore(), {"Load": filled})
    assert numbers(split) == [15, 10, 5, 0]
    assert numbers(split, task="Load", limit=1, offset=1) == [10]
    above = InMemoryStore()
    put(above, at(19), {}, moment(1.0, 2.0), n=19)
    layered = LayeredStore([above, filled])
    assert layered.page(Listing(limit=1)).total == 22
    assert numbers(layered, limit=3) == [18, 17, 16]


def test_what_was_removed_or_is_being_computed_is_on_no_page(any_store: ResultsStore) -> None:
    """Only records count."""
    put(any_store, at(1), {}, n=1)
    put(any_store, at(2), {}, n=2)
    any_store.remove(at(1))
    attempt = any_store.begin(at(3))
    assert any_store.page(Listing()).total == 1
    assert numbers(any_store, sort="id") == [2]
    attempt.abandon()


@contextmanager
def all_forbidden(store: ResultsStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever looks at all records fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("all records were looked at")

    with monkeypatch.context() as patched:
        for name in ("summaries", "candidates", "marks", "addresses", "record"):
            patched.setattr(type(store), name, refuse)
        yield


def test_stores_that_can_look_at_the_records_of_the_page_alone(
    filled: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that say so: the others read all."""
    if not filled.can_page:
        return
    with all_forbidden(filled, monkeypatch):
        assert numbers(filled, limit=2) == [19, 18]
        assert numbers(filled, task="Load", sort="id", limit=1) == [0]


@pytest.mark.parametrize("sort", ["state", "-state", "time", "-time"])
def test_pages_by_state_and_duration_are_found_by_the_store(
    filled: ResultsStore, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal ones stand by task and key, what has no duration last, wherever a page begins."""
    put(filled, at(50), {}, moment(100.0, 205.0), n=50)  # takes as long as another one
    every = list(filled.summaries(is_long=True))
    killed = frozenset({TaskState.KILLED, TaskState.FAILED})
    wanted = [Listing(sort=sort, limit=5, offset=offset) for offset in range(0, 25, 5)]
    wanted += [Listing("Train", killed, sort, 3, 1), Listing("Load", None, sort, 2)]
    expected = [page_of((e for e in every if w.task in (None, e.address.task)), w) for w in wanted]
    if not filled.can_page:
        assert [filled.page(each) for each in wanted] == expected
        return
    with all_forbidden(filled, monkeypatch):
        assert [filled.page(each) for each in wanted] == expected
