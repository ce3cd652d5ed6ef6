"""Does an attempt collect what is saved, and leave alone what was there before it?"""

from __future__ import annotations

import pytest

from stores import InMemoryStore, LocalFileStore
from stores.errors import ArtifactMissing, StoreError
from stores.record import Address, Attempt, TaskState
from stores.testing import done, identity, put

A = Address("Train", "a" * 32)
BIG = "x" * 50_000


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    """An empty store of each kind."""
    return InMemoryStore() if request.param == "memory" else LocalFileStore(tmp_path, fsync=False)


@pytest.fixture
def files(tmp_path):
    """An empty file store."""
    return LocalFileStore(tmp_path, fsync=False)


@pytest.mark.parametrize("end", ["commit", "abandon"])
def test_nothing_is_saved_after_the_end(store, end):
    """Neither a value nor a second record: what was freed may belong to others by now."""
    attempt = store.begin(A)
    if end == "commit":
        attempt.commit(identity(A), done())
    else:
        attempt.abandon()
    before = store.record(A)
    with pytest.raises(StoreError, match=r"Train/aaaaaaaa: save\('value'\) after the end"):
        attempt.save(1, "value")
    with pytest.raises(StoreError, match=r"commit\(\) after the end of attempt 1"):
        attempt.commit(identity(A), done(TaskState.FAILED))
    assert store.record(A) == before


@pytest.mark.parametrize("change", ["save", "delete"])
def test_files_of_an_earlier_attempt_outlive_an_abandoned_one(store, change):
    """They are in force until another attempt is committed."""
    outcome = Attempt(0, TaskState.SAVED)
    before = put(store, A, {"value": BIG}, outcome)
    attempt = store.begin(A)
    attempt.carry_over({each.name: each for each in before.latest.artifacts})
    if change == "save":
        attempt.save(BIG + "new", "value")
    else:
        attempt.delete("value")
    attempt.abandon()
    assert store.get(A, "value") == BIG


def test_a_file_that_was_left_open_is_whole(files):
    """What is written but not closed is part of the artifact."""
    attempt = files.begin(A)
    left_open = attempt.open("log", "w", "text")
    left_open.write("first\n")
    assert attempt.load("log") == "first\n"
    left_open.write("second\n")
    attempt.commit(identity(A), done())
    assert files.get(A, "log") == "first\nsecond\n"
    assert files.statuses([A])[A.key].damaged == ()
    left_open.close()


def test_names_that_would_be_one_file_are_told_apart(files):
    """A name with an extension and a type that adds it: an error, never another's value."""
    attempt = files.begin(A)
    attempt.save([BIG], "x", "json")
    attempt.open("x.json", "w").close()
    with pytest.raises(StoreError, match=r"'x.json' and 'x' would be the same file, 1/x.json"):
        attempt.commit(identity(A), done())
    attempt.abandon()
    assert files.record(A) is None


def test_load_options_that_no_record_can_hold_are_refused_early(store):
    """At the save, and not at the commit after hours of work."""
    attempt = store.begin(A)
    with pytest.raises(StoreError, match=r"Train/aaaaaaaa/value: load_kwargs .* not JSON"):
        attempt.save(1, "value", load_kwargs={"hook": len})
    attempt.abandon()


@pytest.mark.parametrize("name", ["", None, 3])
def test_an_artifact_needs_a_name(store, name):
    """A text that is not empty."""
    attempt = store.begin(A)
    with pytest.raises(StoreError, match="an artifact needs a name, not"):
        attempt.save(1, name)
    attempt.abandon()


def test_what_an_attempt_has_not_saved_is_missing_in_it(store):
    """Even if an earlier attempt has saved it."""
    put(store, A, {"value": 1})
    attempt = store.begin(A)
    attempt.save(2, "valeu")
    with pytest.raises(ArtifactMissing, match="valeu"):
        attempt.load("value")
    attempt.abandon()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("w", "new"), ("a", "old\nnew"), ("r+", "new\n"), ("w+", "new"), ("rb+", "new\n")],
)
def test_a_file_is_opened_in_all_modes(files, mode, expected):
    """As `open` does; the artifact is what the file holds at the end."""
    attempt = files.begin(A)
    attempt.save("old\n", "log", "text")
    with attempt.open("log", mode, "text") as file:
        file.write(b"new" if "b" in mode else "new")
    with attempt.open("log", "r") as file:
        assert (file.read(), file.closed) == (expected, False)
    attempt.commit(identity(A), done())
    assert files.get(A, "log") == expected


def test_opening_exclusively_what_is_there_is_an_error(files):
    """And what is to be read but is not there, too."""
    attempt = files.begin(A)
    attempt.save("old", "log", "text")
    with pytest.raises(FileExistsError):
        attempt.open("log", "x", "text")
    for mode in ("r", "r+"):
        with pytest.raises(ArtifactMissing):
            attempt.open("other", mode)
    attempt.commit(identity(A), done())
    assert files.get(A, "log") == "old"
