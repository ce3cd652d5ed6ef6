"""Does every name have a path of its own, inside the store?"""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stores import LocalFileStore
from stores.errors import RecordTooNew, StoreUnwritable
from stores.file_layout import MARKER, Layout, check_marker, encoded, make_folder, write_marker
from stores.record import Address

NAMES = st.text(max_size=12) | st.text("aA%~.-/", max_size=6) | st.text(min_size=100, max_size=200)


@given(st.lists(NAMES, max_size=6, unique=True), st.booleans())
@example(["", "%", ".", "%2E", "a/b", "a%2Fb"], False)
@example(["Train", "train", "t~rain", "T~rain"], True)
@example(["x" * 500, "x" * 501, "X" * 500], True)
def test_different_names_are_different_files(names, ignores_case):
    """Also where case does not count; none is hidden, leads elsewhere or is too long."""
    paths = [encoded(name, ignores_case=ignores_case) for name in names]
    seen = [path.lower() if ignores_case else path for path in paths]
    assert len(set(seen)) == len(names)
    for path in paths:
        assert path
        assert path.isascii()
        assert path[0] != "."
        assert "/" not in path
        assert len(path) <= 130


@pytest.mark.parametrize("name", ["Train", "my-task_2", "a.b+c", "exp=1,2@x"])
def test_usual_names_are_readable(name):
    """They are their own paths."""
    assert encoded(name) == name


def test_the_paths_of_a_key():
    """As the first lines of the module draw them."""
    layout, address = Layout("/runs"), Address("a/b", "0f")
    assert layout.record(address) == "/runs/a%2Fb/0f.json"
    assert layout.key_folder(address) == "/runs/a%2Fb/0f"
    assert layout.lease(address) == "/runs/.leases/a%2Fb/0f"
    assert layout.index("a/b") == "/runs/a%2Fb/.index"
    assert (layout.task_of("/runs/Train"), layout.task_of("/runs/a%2Fb")) == ("Train", None)
    assert (layout.key_of("0f.json"), layout.key_of("0%2Ff.json")) == ("0f", None)


@given(st.lists(st.text(max_size=5), min_size=2, max_size=6, unique=True))
def test_different_keys_are_different_files(keys):
    """A key with a dot is no attempt of another one."""
    layout = Layout("/runs")
    assert len({layout.record(Address("T", key)) for key in keys}) == len(keys)
    assert not any("." in layout.lease(Address("", key)).rpartition("/")[2] for key in keys)


def test_a_folder_is_marked_as_a_store_when_it_is_written_to(tmp_path):
    """Not by looking at it."""
    base = tmp_path / "runs"
    store = LocalFileStore(base)
    assert list(store.addresses()) == []
    assert not base.exists()
    store.save(1, "value", None, "Train", {})
    assert json.loads((base / MARKER).read_text()) == {"schema": 1}
    assert check_marker(str(base))


def test_a_newer_store_is_refused(tmp_path):
    """Nothing is written into it."""
    (tmp_path / MARKER).write_text('{"schema": 2}')
    for look in (check_marker, write_marker, LocalFileStore):
        with pytest.raises(RecordTooNew, match="2"):
            look(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_a_folder_that_cannot_be_made_is_told_with_its_path(tmp_path):
    """A file is in its place."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritable, match="file/folder"):
        make_folder(f"{tmp_path}/file/folder")
