"""Does a listing tell the same of a record as the record itself?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores import Address, LocalFileStore, Owner, Record, RunInfo, TaskState
from stores.canonical import encode
from stores.parts import Artifact, Attempt, ErrorDetails, Identity, Input
from stores.summary import summary_in, summary_of
from stores.testing import done, put

A = Address("Train", "a" * 32)

NASTY = st.sampled_from(
    ["provenance", ',"provenance":{', '"counts":true}', "latest", "{", "x", "$a"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
    max_leaves=8,
)
ORIGINS = st.sampled_from(["host", "user", "executor", '"user":"', '","host":"x', "inner"])
CONFIGS = st.dictionaries(st.text(max_size=5) | NASTY, VALUES, max_size=4)
ATTEMPTS = st.builds(
    Attempt,
    number=st.integers(1, 5),
    state=st.sampled_from(TaskState),
    started=st.none() | st.integers(0, 9).map(float),
    ended=st.none() | st.integers(0, 9).map(float),
    artifacts=st.lists(st.builds(Artifact, name=NASTY, type_=NASTY, inline=NASTY, load_kwargs=CONFIGS), max_size=2).map(tuple),
    facts=st.dictionaries(NASTY, NASTY, max_size=2),
    run=st.none() | st.builds(RunInfo, NASTY, NASTY, NASTY),
    inputs=st.lists(st.builds(Input, NASTY, st.just(A), st.just(1)), max_size=2).map(tuple),
    error=st.none() | st.builds(ErrorDetails, NASTY, NASTY, NASTY),
    owner=st.none() | st.just(Owner("h1", "b", 1, 2)),
    provenance=CONFIGS | st.dictionaries(ORIGINS, VALUES | ORIGINS, max_size=4),
)  # fmt: skip


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(CONFIGS, CONFIGS, ATTEMPTS, st.none() | ATTEMPTS, st.booleans())
def test_the_quick_way_tells_what_the_record_tells(config, given_, latest, finished, is_same):
    """Or nothing, whatever looks like the part that is cut out; then the record is read."""
    text = encode(config), encode(given_)
    before = latest if is_same else finished
    record = Record(Identity(A, None, *text), before, latest)
    found = summary_in('{"lease":["h","b",1,2],' + record.to_json()[1:] + "\n")
    whole = summary_of(Record.from_json(record.to_json(), "here"))
    assert found in (None, whole._replace(more=None))
    long = summary_in('{"lease":["h","b",1,2],' + record.to_json()[1:] + "\n", is_long=True)
    assert long in (None, whole)


def test_the_quick_way_is_the_usual_one(tmp_path):
    """A record of a run needs no second look."""
    store = LocalFileStore(tmp_path)
    outcome = replace(
        done(), provenance={"host": "h", "git_diff": "x" * 500}, run=RunInfo("p", "r", "Train-1")
    )
    record = put(store, A, {"acc": 0.5}, outcome, lr=0.1, model={"depth": 3}, path=(1, 2))
    text = (tmp_path / "Train" / f"{A.key}.json").read_text()
    found = summary_in(text)
    assert found == summary_of(record)._replace(more=None)
    assert found.config == {"lr": 0.1, "model": {"depth": 3}, "path": (1, 2)}
    assert (found.state, found.duration_s, found.ended_at) == ("finished", 2.0, 3.0)
    assert (found.run, found.unique_name) == ("r", "Train-1")


def test_every_store_tells_of_all_or_of_one_task(any_store):
    """In whatever order; a later failure leaves what counts."""
    failed = Address("Eval", "b" * 32)
    put(any_store, A, {"acc": 1}, lr=0.1)
    put(any_store, A, {}, done(TaskState.FAILED), lr=0.1)
    put(any_store, failed, {}, done(TaskState.FAILED), n="x")
    found = {each.address: each for each in any_store.summaries()}
    assert {a: (e.state, e.last_state) for a, e in found.items()} == {
        A: ("finished", "failed"),
        failed: ("failed", "failed"),
    }
    assert found[A]._replace(more=None) == summary_of(any_store.record(A))._replace(more=None)
    assert [each.address for each in any_store.summaries("Eval")] == [failed]
    assert list(any_store.summaries("Ev*")) == []


def test_what_cannot_be_read_is_left_out(tmp_path, caplog):
    """Damaged records, records of a newer flowlib, and large ones are read as they are."""
    store = LocalFileStore(tmp_path)
    keys = ["a", "b", "c", "d"]
    for key in keys:
        put(store, Address("T", key * 32), {"x": 1}, name="y" * (100_000 if key == "d" else 1))
    folder = tmp_path / "T"
    (folder / f"{'a' * 32}.json").write_bytes(b"\xff{torn")
    newer = (folder / f"{'b' * 32}.json").read_text().replace('"schema":1', '"schema":99')
    (folder / f"{'b' * 32}.json").write_text(newer)
    assert sorted(each.address.key[0] for each in store.summaries()) == ["c", "d"]
    assert "schema 99" in caplog.text
