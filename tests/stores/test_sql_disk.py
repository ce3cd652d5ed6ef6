"""Does a SQLite store say that it cannot write, and go on when it can?"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from stores import Address, SQLStore, StoreUnwritable
from stores.testing import put
from stores.testing.parts import A, B
from tests.faults.test_kill_runs import can_mount, small_disk
from tests.stores.sql_tables import ask

NOBODY = 65534


@pytest.mark.needs("mount", "umount")
def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path):
    """What was committed before is there; with more space the next attempt succeeds."""
    if not can_mount():
        pytest.skip("not run: a full disk needs the right to mount a small file system (root)")
    with small_disk(tmp_path / "disk", "2m") as disk:
        store, written = SQLStore(f"sqlite:///{disk}/runs.db"), []
        with pytest.raises(StoreUnwritable, match="the disk is full: free some space"):
            for number in range(100):
                address = Address("Train", f"{number:032x}")
                put(store, address, {"x": os.urandom(60_000), "n": number})
                written.append(address)
        assert 3 < len(written) < 40
        assert sorted(store.addresses()) == written
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        put(store, B, {"x": os.urandom(60_000)})
        assert len(store.get(B, "x")) == 60_000
        assert [store.get(each, "n") for each in written] == list(range(len(written)))
        assert ask(store, "PRAGMA integrity_check") == [("ok",)]
        store.close()


@pytest.fixture
def folder():
    """A folder that every user may look into."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


@contextmanager
def without_rights(folder):
    """As a user who may only read; root may write everywhere, so it becomes somebody else."""
    is_root = os.geteuid() == 0
    modes = {each: each.stat().st_mode for each in [*folder.iterdir(), folder]}
    for each in modes:
        each.chmod(0o555 if each.is_dir() else 0o444)
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        for each, mode in modes.items():
            each.chmod(mode)


def test_a_folder_that_may_not_be_written_to_is_named(folder):
    """By the first write; nothing is made."""
    with without_rights(folder):
        for place in (folder, folder / "new"):
            store = SQLStore(f"sqlite:///{place}/runs.db")
            assert store.record(A) is None
            with pytest.raises(StoreUnwritable, match=str(folder)):
                store.begin(A)
    assert list(folder.iterdir()) == []


def test_a_database_that_may_only_be_read_is_refused_with_the_cure(folder):
    """At once, and it stays as it is: even readers of SQLite note that they are there."""
    store = SQLStore(f"sqlite:///{folder}/runs.db")
    put(store, A, {"x": 1, "large": "x" * 100_000})
    store.close()
    before = (folder / "runs.db").read_bytes()
    with without_rights(folder):
        reader = SQLStore(f"sqlite:///{folder}/runs.db")
        for question in (lambda: reader.begin(B), lambda: reader.record(A)):
            with pytest.raises(StoreUnwritable, match="runs.db cannot be written: .*rights"):
                question()
        reader.close()
    assert (folder / "runs.db").read_bytes() == before
    assert SQLStore(f"sqlite:///{folder}/runs.db").get(A, "x") == 1
