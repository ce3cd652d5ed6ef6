"""Do the long texts that records name go where the records go?"""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from stores import (
    InMemoryStore,
    LayeredStore,
    LocalFileStore,
    ReadOnlyStore,
    ResultsStore,
    SplitStore,
)
from stores.record import Address
from stores.testing import done, put
from stores.text_shelf import drop, file_of, keep, read, unnamed

LOAD, TRAIN = Address("Load", "a" * 32), Address("Train", "b" * 32)
PATCH, LIST, OTHER = "1" * 32, "2" * 32, "3" * 32


def fill(store: ResultsStore) -> ResultsStore:
    """A task and what it has read; each names a text, and nobody names the third."""
    told = {
        ("patch", PATCH): b"+ 1\n",
        ("packages", LIST): b"click 8\n",
        ("patch", OTHER): b"- 1\n",
    }
    assert keep(store, told) == ""
    put(store, LOAD, {"n": 1}, replace(done(), provenance={"packages": LIST, "host": "here"}))
    made = replace(done(inputs=[LOAD]), provenance={"git_diff_digest": PATCH, "git_dirty": True})
    put(store, TRAIN, {"n": 2}, made)
    return store


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_copy_has_the_texts_that_its_records_name(
    any_store: ResultsStore, tmp_path: Path, kind: str
) -> None:
    """Also those of what they were computed from, and no others; in both directions."""
    there = InMemoryStore() if kind == "memory" else LocalFileStore(tmp_path / "there")
    fill(any_store).copy("Train", there)
    assert read(there, "patch", PATCH) == b"+ 1\n"
    assert read(there, "packages", LIST) == b"click 8\n"
    assert read(there, "patch", OTHER) is None
    any_store.delete_records("*")
    back = LocalFileStore(tmp_path / "back")
    there.copy("Load", back)
    assert read(back, "packages", LIST) == b"click 8\n"
    assert read(back, "patch", PATCH) is None


def test_copying_again_brings_texts_that_were_missing(tmp_path: Path) -> None:
    """A copy that an earlier flowlib made has records, and no texts."""
    here, there = fill(LocalFileStore(tmp_path / "here")), LocalFileStore(tmp_path / "there")
    here.copy("*", there)
    for each in (tmp_path / "there" / ".origins").iterdir():
        each.unlink()
    assert here.copy("*", there).copied == ()
    assert read(there, "patch", PATCH) == b"+ 1\n"


def test_where_texts_cannot_be_kept_records_are_copied_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And a warning says what is missing."""
    here, there = fill(LocalFileStore(tmp_path / "here")), LocalFileStore(tmp_path / "there")
    (tmp_path / "there").mkdir(exist_ok=True)
    (tmp_path / "there" / ".origins").write_text("in the way")
    assert len(here.copy("*", there).copied) == 2
    assert "not copied in full" in caplog.text


def test_texts_are_read_through_stores_over_stores(tmp_path: Path) -> None:
    """Whichever of them holds the records."""
    below = fill(LocalFileStore(tmp_path / "below"))
    over = [
        ReadOnlyStore(below),
        LayeredStore([InMemoryStore(), below]),
        LayeredStore([LocalFileStore(tmp_path / "above"), ReadOnlyStore(below)]),
        SplitStore(InMemoryStore(), {"Train": below}),
    ]
    for number, store in enumerate(over):
        assert read(store, "patch", PATCH) == b"+ 1\n"
        found = file_of(store, "patch", PATCH)
        assert found is not None
        assert found.parent == tmp_path / "below" / ".origins"
        copied = LocalFileStore(tmp_path / f"copy {number}")
        store.copy("Train", copied, upstream=False)
        assert read(copied, "patch", PATCH) == b"+ 1\n"
    assert keep(over[0], {("patch", "4" * 32): b""}) != ""


def test_texts_that_nobody_names_can_be_dropped(any_store: ResultsStore) -> None:
    """But for new ones; the others of their kind stay, and so do other kinds."""
    fill(any_store)
    assert unnamed(any_store, "patch", [PATCH], 0.0) == {}
    assert unnamed(any_store, "patch", [PATCH], math.inf) == {OTHER: 4}
    drop(any_store, "patch", [OTHER])
    assert read(any_store, "patch", OTHER) is None
    assert read(any_store, "patch", PATCH) == b"+ 1\n"
    assert read(any_store, "packages", LIST) == b"click 8\n"


def test_a_text_that_is_needed_again_counts_as_new(
    any_store: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps it: the run that needs it has committed nothing that names it yet."""
    began = time.time()
    with monkeypatch.context() as patched:
        patched.setattr("stores.text_shelf.time.time", lambda: began - 7200)
        fill(any_store)
    if any_store.runs_dir is not None:
        for path in any_store.runs_dir.with_name(".origins").iterdir():
            os.utime(path, (began - 7200, began - 7200))
    young = began - 3600
    assert unnamed(any_store, "patch", [PATCH], young) == {OTHER: 4}
    assert keep(any_store, {("patch", OTHER): b"- 1\n"}) == ""
    assert unnamed(any_store, "patch", [], young) == {PATCH: 4}
    assert read(any_store, "patch", OTHER) == b"- 1\n"


@pytest.mark.parametrize("digest", [None, 7, "", "../../etc/passwd", "a.b", ["x"]])
def test_what_is_no_digest_names_no_text(tmp_path: Path, digest: object) -> None:
    """A damaged record leads to no file."""
    store = fill(LocalFileStore(tmp_path / "here"))
    assert read(store, "patch", digest) is None
    assert file_of(store, "patch", digest) is None


def test_a_text_of_another_user_is_kept_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but its owner may set the time of a file."""
    store = LocalFileStore(tmp_path)
    assert keep(store, {("patch", PATCH): b"one"}) == ""

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refused)
    assert keep(store, {("patch", PATCH): b"one"}) == ""
    assert read(store, "patch", PATCH) == b"one"


def test_threads_keep_equal_texts_at_the_same_time(tmp_path: Path) -> None:
    """Each writes a file of its own and moves it into its place."""
    store = LocalFileStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            digest = f"{number:032x}"
            told = {("patch", digest): digest.encode() * 100}
            assert set(pool.map(keep, [store] * 8, [told] * 8)) == {""}
            assert read(store, "patch", digest) == digest.encode() * 100
    assert {each.suffix for each in (tmp_path / ".origins").iterdir()} == {".patch"}
