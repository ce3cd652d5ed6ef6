"""Is a record read back as it was written, and refused when it is not one?"""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.canonical import encode
from stores.errors import RecordDamaged, RecordTooNew
from stores.lease import Owner
from stores.part_texts import FixedParts, moment_text
from stores.record import (
    SCHEMA,
    Address,
    Artifact,
    Attempt,
    ErrorDetails,
    Identity,
    Input,
    Record,
    RunInfo,
    Status,
    TaskState,
)

TEXT = st.text(max_size=8)
SECONDS = st.none() | st.integers(0, 2**40).map(lambda n: n / 64)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, st.lists, max_leaves=4)
ADDRESSES = st.builds(Address, TEXT, TEXT)
INLINE = st.builds(
    Artifact, TEXT, TEXT, st.integers(1, 3), st.integers(0), st.none(), TEXT, st.just("utf-8")
)
ENCODED = st.builds(
    Artifact, TEXT, TEXT, st.integers(1, 3), st.integers(0), st.none(), TEXT, st.just("base64")
)
FILES = st.builds(
    Artifact,
    TEXT,
    TEXT,
    size_bytes=st.integers(0),
    digest=st.none() | TEXT,
    file=TEXT,
    load_kwargs=st.dictionaries(TEXT, JSON, max_size=2),
)
ATTEMPTS = st.builds(
    Attempt,
    number=st.integers(1, 99),
    state=st.sampled_from(TaskState),
    started=SECONDS,
    ended=SECONDS,
    artifacts=st.lists(INLINE | ENCODED | FILES, max_size=3).map(tuple),
    inputs=st.lists(st.builds(Input, TEXT, ADDRESSES, st.integers(1)), max_size=2).map(tuple),
    error=st.none() | st.builds(ErrorDetails, TEXT, TEXT, TEXT),
    facts=st.dictionaries(TEXT, TEXT, max_size=2),
    run=st.none() | st.builds(RunInfo, TEXT, TEXT, TEXT, st.none() | TEXT),
    owner=st.none() | st.builds(Owner, TEXT, TEXT, st.integers(0, 2**31 - 1), st.integers(0)),
    provenance=st.dictionaries(TEXT, JSON, max_size=2),
)
CONFIGS = st.dictionaries(TEXT, st.integers() | st.floats() | TEXT, max_size=3).map(encode)


@st.composite
def records(draw):
    """A record whose last attempt counts, or an earlier one, or none."""
    identity = Identity(draw(ADDRESSES), draw(st.none() | TEXT), draw(CONFIGS), draw(CONFIGS))
    latest, earlier = draw(ATTEMPTS), draw(st.none() | ATTEMPTS)
    if draw(st.booleans()):
        return Record(identity, latest, latest)
    if earlier is not None and earlier.number == latest.number:
        earlier = None
    return Record(identity, earlier, latest)


@given(records())
def test_a_record_is_read_as_it_was_written(record):
    """All parts, in one line of ASCII; and it travels to other processes."""
    text = record.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert Record.from_json(text, "here") == record
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301
    assert isinstance(json.loads(text)["config"], dict)


GOOD = Record(
    Identity(Address("Train", "a"), None, '{"x":1}', '{"x":1}'), None, Attempt(1, TaskState.FAILED)
)


@given(st.integers(0, len(GOOD.to_json()) - 1))
def test_a_record_cut_anywhere_is_damaged(length):
    """The error names the file."""
    with pytest.raises(RecordDamaged, match="there/a.json is not a readable record"):
        Record.from_json(GOOD.to_json()[:length], "there/a.json")


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "3", '"x"', "{}", '{"schema": 1}', '{"schema": "new"}', "[" * 99_999]
)
def test_other_json_is_damaged(text):
    """Of every kind, however deep."""
    with pytest.raises(RecordDamaged):
        Record.from_json(text, "there")


@pytest.mark.parametrize("name", ["key", "task", "latest", "config", "counts"])
def test_a_record_without_a_part_is_damaged(name):
    """Nothing is guessed."""
    found = json.loads(GOOD.to_json())
    del found[name]
    with pytest.raises(RecordDamaged, match=name):
        Record.from_json(json.dumps(found), "there")


@pytest.mark.parametrize("schema", ["1", None, True, 1.0, [1]])
def test_a_schema_that_is_no_number_is_damaged(schema):
    """It would be written back as it is, which is no JSON for some of them."""
    found = {**json.loads(GOOD.to_json()), "schema": schema}
    with pytest.raises(RecordDamaged, match="there is not a readable record"):
        Record.from_json(json.dumps(found), "there")


def test_a_newer_record_is_told_with_the_cure():
    """Whatever else it holds."""
    with pytest.raises(RecordTooNew, match=f"there has schema {SCHEMA + 1}.*use the flowlib"):
        Record.from_json(json.dumps({"schema": SCHEMA + 1, "all": "new"}), "there")


def test_the_success_gives_the_state():
    """A later failure is the latest state only, and both attempts are in use."""
    artifact = Artifact("value", "json", file="1/value.json")
    success = Attempt(2, TaskState.FINISHED, artifacts=(artifact,), facts={"code": "1"})
    failure = Attempt(4, TaskState.FAILED, started=1.0, ended=2.0)
    record = Record(GOOD.identity, success, failure)
    status = Status.of(record)
    assert (record.state, record.attempts_in_use) == (TaskState.FINISHED, {1, 2, 4})
    assert (status.state, status.attempt) == (TaskState.FINISHED, 2)
    assert (status.latest_state, status.latest_attempt) == (TaskState.FAILED, 4)
    assert (status.facts, status.artifacts, status.duration_s) == ({"code": "1"}, (artifact,), None)
    assert failure.duration_s == 1.0


@given(st.floats(allow_nan=False) | st.integers(0, 2**40))
def test_times_are_written_to_the_microsecond(moment):
    """As `round` would have it, however large they are."""
    assert json.loads(moment_text(moment)) == round(moment, 6)


@given(records())
def test_parts_whose_text_is_known_are_written_alike(record):
    """Also when they have travelled; what is known of them cannot become wrong."""
    origin = FixedParts(record.latest.provenance)
    known = replace(record, latest=replace(record.latest, provenance=origin))
    assert pickle.loads(pickle.dumps(known)).to_json() == record.to_json()  # noqa: S301
    with pytest.raises(TypeError, match="make a dict"):
        origin["host"] = "other"
    with pytest.raises(TypeError, match="make a dict"):
        origin.update(host="other")
