"""Does a URI open the store it means, and tell what is wrong with it otherwise?"""

from __future__ import annotations

from pathlib import Path

import pytest

from stores import InMemoryStore, LocalFileStore, open_store
from stores.errors import StoreError, UnknownPlugin


@pytest.mark.parametrize(
    ("where", "folder"),
    [
        ("file:runs", "runs"),
        ("file://runs", "runs"),
        ("file:/tmp/runs", "/tmp/runs"),  # noqa: S108  # nothing is written
        ("file:///tmp/runs", "/tmp/runs"),  # noqa: S108
        ("file:a:b c", "a:b c"),
        ({"kind": "file", "options": {"base_dir": "runs", "fsync": False}}, "runs"),
    ],
)
def test_a_file_store_is_in_the_folder_that_is_named(where, folder, tmp_path, monkeypatch):
    """Relative to the working directory; nothing is made yet."""
    monkeypatch.chdir(tmp_path)
    store = open_store(where)
    assert isinstance(store, LocalFileStore)
    assert store.base_dir == str(tmp_path / folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "where", ["memory:", {"kind": "memory"}, {"kind": "memory", "options": {}}]
)
def test_a_memory_store_is_a_new_one(where):
    """Every time."""
    store = open_store(where)
    assert isinstance(store, InMemoryStore)
    assert store is not open_store(where)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("runs", "'runs' is no URI of a store: write file:runs"),
        ("", "is no URI"),
        ("file:", "a path is expected after file:"),
        ("memory:x", "nothing is expected after memory:, found 'x'"),
        ({}, "a store is"),
        ({"options": {}}, "a store is"),
        ({"kind": "memory", "option": {}}, "found the keys kind, option"),
        ({"kind": "file"}, "file store: .*base_dir"),
        ({"kind": "file", "options": {"folder": "runs"}}, "file store: .*folder"),
        ({"kind": "file", "options": "runs"}, "options are a mapping, not 'runs'"),
    ],
)
def test_what_is_no_store_is_told(where, message):
    """With what was found and what is allowed."""
    with pytest.raises(StoreError, match=message):
        open_store(where)


@pytest.mark.parametrize("where", ["fiel:runs", {"kind": "fiel", "options": {"base_dir": "runs"}}])
def test_an_unknown_kind_is_told_with_the_nearest(where):
    """And all that there are."""
    with pytest.raises(UnknownPlugin, match=r"fiel.*file.*Did you mean file"):
        open_store(where)


@pytest.mark.parametrize("where", [3, None, Path("runs")])
def test_what_is_no_text_is_refused_with_what_is_wanted(where):
    """A path is the folder of a class, not a URI."""
    with pytest.raises(
        TypeError, match=r"a URI such as 'file:runs'.*LocalFileStore takes a folder"
    ):
        open_store(where)
