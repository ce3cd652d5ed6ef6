"""Is it known which records lie in which folder, whatever the names and numbers of their files?"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import pytest

from stores import LocalFileStore
from stores.file_folders import RecordFolders
from stores.record import Address
from stores.testing import done, put


class _Entries(list["_Entry"]):
    """A folder that is being listed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class _Entry:
    """A file."""

    def __init__(self, name: str, inode: int) -> None:
        self.name, self._inode = name, inode

    def inode(self) -> int:
        return self._inode


def test_files_have_the_numbers_that_lines_of_an_index_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of network file systems, which are larger than a database takes."""
    found = _Entries([_Entry("a.json", (1 << 63) + 5), _Entry("b.json", 7), _Entry("c", 8)])
    folders = RecordFolders(LocalFileStore(tmp_path)._layout)
    monkeypatch.setattr("stores.file_folders.os.scandir", lambda _: found)
    assert folders.files("x") == [(5, "a"), (7, "b")]
    assert folders.inodes("x") == {"a": 5, "b": 7}


def test_keys_are_told_by_names_or_by_records(tmp_path: Path) -> None:
    """A copy under another name is no record."""
    store = LocalFileStore(tmp_path, fsync=False)
    keys = ["a" * 32, "k.1", "X" * 200, "é"]
    for key in keys:
        put(store, Address("a%b", key), {}, done(), n=1)
    folders = RecordFolders(store._layout)
    [(task, folder)] = folders.of_tasks()
    Path(folder, "copy of it.json").write_bytes(Path(folder, f"{'a' * 32}.json").read_bytes())
    assert task == "a%b"
    assert sorted(folders.inodes(folder)) == sorted(keys)
    stems = [stem for _, stem in folders.files(folder)]
    assert {folders.key_of(folder, stem) for stem in stems} == {*keys, None}
    assert len(stems) == 5
