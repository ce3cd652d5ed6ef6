"""Are records found by task, key, state, config, time and words, and nothing else?"""

from __future__ import annotations

import dataclasses
import enum
import math
import time
import zlib
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import (
    Attempt,
    ErrorDetails,
    InMemoryStore,
    LocalFileStore,
    Query,
    QueryError,
    RunInfo,
    TaskState,
)
from stores.config_paths import ABSENT, leaves, same_text, value_at
from stores.database import DatabaseStore
from stores.moments import moment, span
from stores.record import Address
from stores.testing import done, put


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Optimizer:
    lr: float


def at(task, number):
    return Address(task, f"{zlib.crc32(task.encode()):08x}{number:024x}")


@pytest.fixture
def filled(any_store):
    """Six trainings, an evaluation of each, and one record by hand."""
    rates = [0.1, 1e-3, 1, 1.0, True, None]
    for number, rate in enumerate(rates):
        config = {"lr": rate, "model": {"depth": number, "name": f"m{number}"}}
        state = TaskState.FAILED if number == 5 else TaskState.FINISHED
        put(any_store, at("Train", number), {"loss": number / 2}, done(state), **config)
        put(any_store, at("Eval", number), {}, done(inputs=[at("Train", number)]), top=number)
    any_store.save(1, "value", task_name="Notes", task_unique_config={"Notes": {"by": "hand"}})
    return any_store


def numbers(records):
    return [int(each.address.key[8:], 16) for each in records]


def test_all_records_come_in_the_order_of_task_and_key(filled):
    """The same each time, and as often as they are iterated."""
    records = filled.records()
    addresses = [each.address for each in records]
    assert addresses == sorted(filled.addresses())
    assert records.addresses() == addresses
    assert (records.count(), filled.count(), len(addresses)) == (13, 13, 13)
    assert list(records) == [filled.record(each) for each in addresses]


def test_records_are_read_when_they_are_asked_for(monkeypatch):
    """The first is there after one read."""
    store, reads = InMemoryStore(), []
    for number in range(5):
        put(store, at("Train", number))
    read = store.record
    monkeypatch.setattr(store, "record", lambda address: reads.append(address) or read(address))
    assert next(iter(store.records("Train"))).address == at("Train", 0)
    assert len(reads) == 1
    assert store.records("Train")
    assert not store.records("Nobody")


def test_a_task_is_a_name_or_a_glob(filled):
    """Positional or by keyword; names that look like globs are found, too."""
    assert numbers(filled.records("Train")) == list(range(6))
    assert filled.count(task="T*n") == filled.count("[TX]rain") == filled.count("Trai?") == 6
    assert filled.count("train") == filled.count("Tra") == 0
    assert filled.count("*") == 13
    put(filled, at("a[1]", 1))
    assert filled.count("a[1]") == 1
    put(filled, at("a/b", 2))
    assert numbers(filled.records("a/b")) == [2]


def test_a_key_is_the_key_or_its_beginning(filled):
    """One or several; an id like `Train/0000…` names task and key."""
    key = at("Train", 3).key
    assert filled.records(keys=key).addresses() == [at("Train", 3)]
    assert filled.records(keys=[key, at("Eval", 3).key]).count() == 2
    assert filled.records(f"Train/{key}").addresses() == [at("Train", 3)]
    assert filled.records(f"Train/{key[:8]}").count() == 6
    assert filled.records("Train", keys=[key, at("Train", 1).key]).count() == 2
    assert filled.count(keys=[]) == 0
    assert filled.count(keys="x") == 0


def test_addresses_and_records_name_themselves(filled):
    """One or several, in any order, each once; those that are not there are none."""
    wanted = [at("Train", 2), at("Train", 1), at("Train", 2), at("Gone", 1)]
    assert filled.records(wanted).addresses() == [at("Train", 1), at("Train", 2)]
    assert filled.records(at("Eval", 2)).count() == 1
    assert filled.records(filled.records("Train", state="failed")).addresses() == [at("Train", 5)]
    assert filled.count([]) == 0
    with pytest.raises(QueryError, match=r"store\.find\('Train/00'\)"):
        filled.records(["Train/00"])


def test_a_state_is_one_or_several(filled):
    """As text or as `TaskState`."""
    assert numbers(filled.records("Train", state="failed")) == [5]
    assert filled.count("Train", state=TaskState.FINISHED) == 5
    assert filled.count(state=["failed", TaskState.SAVED]) == 2
    with pytest.raises(QueryError, match=r"'finishd'.*Did you mean finished"):
        filled.records(state="finishd")


def test_values_are_found_by_path(filled):
    """A list means any of; numbers are equal by value; True is no number and None a value."""
    assert numbers(filled.records("Train", where={"lr": 0.001})) == [1]
    assert numbers(filled.records("Train", where={"lr": 1e-1})) == [0]
    assert numbers(filled.records("Train", where={"lr": 1})) == [2, 3]
    assert numbers(filled.records("Train", where={"lr": 1.0})) == [2, 3]
    assert numbers(filled.records("Train", where={"lr": True})) == [4]
    assert numbers(filled.records("Train", where={"lr": None})) == [5]
    assert numbers(filled.records("Train", where={"lr": "1"})) == []
    assert numbers(filled.records(where={"lr": [0.1, None], "model.depth": [0, 3, 5]})) == [0, 5]
    assert numbers(filled.records(where={"model": {"depth": 4.0, "name": "m4"}})) == [4]
    assert numbers(filled.records("Train", where={"lr": []})) == []


def test_a_function_decides_where_no_value_can(filled):
    """It is given the value; what it raises comes out."""
    assert numbers(filled.records("Train", where={"model.depth": lambda d: 1 < d < 4})) == [2, 3]
    with pytest.raises(TypeError):
        filled.count("Train", where={"lr": lambda lr: lr < 1})


def test_a_task_upstream_is_named_by_the_path(filled):
    """Its config, through any number of tasks; the own name is allowed, too."""
    put(filled, at("Report", 9), {}, done(inputs=[at("Eval", 3), at("Eval", 4)]), lang="en")
    assert numbers(filled.records("Eval", where={"Train.lr": 1})) == [2, 3]
    assert numbers(filled.records("Report", where={"Train.model.depth": 4})) == [9]
    assert numbers(filled.records("Report", where={"Train.model.depth": 5})) == []
    assert numbers(filled.records("Train", where={"Train.model.depth": 5})) == [5]
    assert numbers(filled.records(where={"Train.model.depth": 4})) == [4, 9, 4]


def test_a_parameter_that_nobody_has_is_an_error(filled):
    """It names the nearest; a value that nobody has is just none, and so is an empty choice."""
    with pytest.raises(QueryError, match=r"none of the 6 records.*'model.dept'.*mean model.depth"):
        list(filled.records("Train", where={"model.dept": 1}))
    with pytest.raises(QueryError, match=r"'lr'.*They have: top"):
        filled.count("Eval", where={"lr": 0.1})
    assert filled.count("Train", where={"model.depth": 77}) == 0
    assert filled.count("Nobody", where={"lrr": 1}) == 0
    assert filled.count("Train", state="killed", where={"lrr": 1}) == 0


def test_times_bound_the_end_of_the_attempt_that_counts(any_store):
    """From `since` on, before `until`; a day as `until` is part of it; no time fits none."""
    noon = datetime(2026, 1, 31, 12, 0)
    for number in range(3):
        ended = (noon + timedelta(days=number)).timestamp()
        put(any_store, at("T", number), {}, Attempt(0, TaskState.FINISHED, ended - 5, ended))
    put(any_store, at("T", 7), {}, Attempt(0, TaskState.SAVED))
    assert numbers(any_store.records()) == [0, 1, 2, 7]
    assert numbers(any_store.records(since="2026-02-01")) == [1, 2]
    assert numbers(any_store.records(since=noon)) == [0, 1, 2]
    assert numbers(any_store.records(until=noon)) == []
    assert numbers(any_store.records(until=date(2026, 2, 1))) == [0, 1]
    assert numbers(any_store.records(until="2026-02-01 12:00")) == [0]
    assert numbers(any_store.records(since="2026-02-01", until="2026-02-01")) == [1]
    assert numbers(any_store.records(since=noon.timestamp() + 1)) == [1, 2]
    put(any_store, at("T", 8), {}, Attempt(0, TaskState.FINISHED, time.time() - 90, time.time()))
    assert numbers(any_store.records(since="1h")) == [8]
    assert numbers(any_store.records(since=timedelta(minutes=5))) == [8]


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", "", True, [1], math.nan, "1y", b"1"])
def test_a_moment_that_is_none_is_an_error(any_store, when):
    """It shows what may be given."""
    with pytest.raises(QueryError, match="since is .*2026-01-31"):
        any_store.records(since=when)


def test_lengths_of_time():
    """Numbers are seconds; others say their unit; nothing is negative."""
    assert [span(each, "x") for each in (90, "1.5m", timedelta(hours=1), "4w")] == [
        90.0,
        90.0,
        3600.0,
        2419200.0,
    ]
    for wrong in ("", "5", "m", -1, True, timedelta(days=-1), math.nan):
        with pytest.raises(QueryError, match="x is"):
            span(wrong, "x")
    assert moment("2026-01-31", "x") < moment("2026-01-31", "x", is_end=True)


def test_words_are_found_everywhere(any_store):
    """In address, config, names of the run and error, in any case; all have to be there."""
    error = ErrorDetails("ValueError", "Bad Größe", "")
    run = RunInfo("project", "sunny-otter-12", "Train-3")
    outcome = Attempt(0, TaskState.FAILED, 1.0, 2.0, error=error, run=run)
    put(any_store, at("Train", 1), {}, outcome, lr=0.1, name="Zürich")
    put(any_store, at("Train", 2), {}, done(), lr=0.2)
    for text in ("lr=0.1", "zürich", "otter", "valueerror größe", "TRAIN-3 project", "train/ lr="):
        assert 1 in numbers(any_store.records(text=text)), text
    assert numbers(any_store.records(text="otter lr=0.2")) == []
    assert numbers(any_store.records(text="train")) == [1, 2]


def test_a_criterion_that_is_none_is_an_error(any_store):
    """Unknown names, values of the wrong kind, and what contradicts itself."""
    with pytest.raises(QueryError, match=r"'stat'.*Did you mean state"):
        any_store.records(stat="failed")
    with pytest.raises(QueryError, match="where is"):
        any_store.records(where=["lr"])
    with pytest.raises(QueryError, match="path"):
        any_store.records(where={1: 2})
    with pytest.raises(QueryError, match="path"):
        any_store.records(where={(): 2})
    with pytest.raises(QueryError, match="keys holds"):
        any_store.records(keys=[""])
    with pytest.raises(QueryError, match="twice"):
        any_store.records("Train", task="Eval")
    with pytest.raises(QueryError, match="not both"):
        any_store.records(Query.of("Train"), state="failed")
    with pytest.raises(QueryError, match="neither a record"):
        any_store.records([7])
    assert str(Query.of()) == "everything"
    assert Query.of("Train", state="failed") == Query.of(task="Train", state=[TaskState.FAILED])


def test_a_record_removed_meanwhile_is_left_out(filled):
    """The iteration goes on; databases read ahead, so they may still show it as it was."""
    seen = []
    for record in filled.records("Train"):
        seen.append(record.address)
        filled.remove(at("Train", 3))
    left = [at("Train", each) for each in (0, 1, 2, 4, 5)]
    assert [each for each in seen if each != at("Train", 3)] == left
    assert seen == left or isinstance(filled, DatabaseStore)
    assert filled.count("Train") == 5


def test_damaged_and_newer_records_are_left_out(tmp_path):
    """The others are found."""
    store = LocalFileStore(tmp_path, fsync=False)
    for number in range(4):
        put(store, at("Train", number), {}, lr=number)
    paths = [tmp_path / "Train" / f"{at('Train', number).key}.json" for number in range(4)]
    paths[1].write_text("{")
    paths[2].write_text(paths[2].read_text().replace('"schema":1', '"schema":99'))
    assert numbers(store.records()) == [0, 3]
    assert numbers(store.records(where={"lr": [1, 2, 3]})) == [3]


def test_paths_lead_to_keys_fields_and_indices():
    """Keys with dots are found, the longest first; a tuple leaves no doubt."""
    config = {"a": {"b": 1, "b.c": 2}, "a.b": {"c": 3}, "list": [[4]], "n": {1: 5}, "none": None}
    assert value_at(config, "a.b") == {"c": 3}
    assert value_at(config, ("a", "b")) == 1
    assert value_at(config, "a.b.c") == 3
    assert value_at(config, ("a", "b.c")) == 2
    assert value_at(config, ("a.b", "c")) == 3
    assert (value_at(config, "list.0.0"), value_at(config, "n.1")) == (4, 5)
    assert value_at(config, "none") is None
    for path in ("x", "a.x", "list.1", "list.x", "none.x", "a.b.c.d", ("a.b.c",), ""):
        assert value_at(config, path) is ABSENT
    assert dict(leaves({"a": {"b": 1, "c": {}}, "d": []})) == {"a.b": 1, "a.c": {}, "d": []}


def test_values_of_any_type_are_found(any_store):
    """With their types, except for numbers; also the fields of a dataclass."""
    values = [(1, 2), [1, 2], {1, 2}, b"a", "a", Path("a"), Color.RED, math.nan, math.inf, 2**70]
    for number, value in enumerate(values):
        put(any_store, at("T", number), {}, x=value)
    for number, value in enumerate(values):
        wanted = [value] if isinstance(value, list) else value
        assert numbers(any_store.records(where={"x": wanted})) == [number]
    assert numbers(any_store.records(where={"x": [[1.0, 2]]})) == [1]
    put(any_store, at("T", 50), {}, x=Optimizer(lr=0.5))
    assert numbers(any_store.records(where={"x.lr": 0.5})) == [50]
    assert numbers(any_store.records(where={"x": Optimizer(0.5)})) == [50]


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_numbers_are_the_same_when_they_are_equal(number, whole):
    """Just as Python compares them."""
    assert (same_text(number) == same_text(whole)) == (number == whole)
    assert same_text([number]) == same_text([number + 0.0])
    assert same_text(True) != same_text(1)


def test_thousands_of_addresses_are_looked_up(monkeypatch):
    """Asking for each of them compares each once, not with all others."""
    addresses = [at("T", number) for number in range(1000)]
    query, compared = Query.of(addresses), []
    equal = Address.__eq__
    monkeypatch.setattr(
        Address, "__eq__", lambda one, other: compared.append(1) or equal(one, other)
    )
    assert all(query.may_be_at(dataclasses.replace(each)) for each in addresses)
    assert not query.may_be_at(at("T", 1000))
    assert len(compared) < 3000
    assert "_among" not in str(query)
