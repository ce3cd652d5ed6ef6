"""Are the project's own files kept once, whole, and nothing else?"""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import pytest

import flowlib.code_snapshot as module
from flowlib import project_files, provenance
from flowlib.code_snapshot import (
    SNAPSHOT,
    CodeSnapshot,
    import_from,
    imported_from,
    moved_paths,
    take_snapshot,
    unpack,
    unpacked,
)
from flowlib.errors import RunError
from stores import Address, InMemoryStore, LayeredStore, LocalFileStore, ReadOnlyStore, SplitStore
from stores.testing import done, put
from stores.text_shelf import file_of, keep
from tests.flowlib.repositories import git, repository_in


@pytest.fixture(name="project")
def _project(tmp_path, monkeypatch):
    """A repository in which this process works, with files of all kinds."""
    folder = repository_in(tmp_path / "project")
    (folder / "src").mkdir()
    (folder / "src" / "deep ü.py").write_text("x = 1\n")
    (folder / "tool.sh").write_text("#!/bin/sh\n")
    (folder / "tool.sh").chmod(0o755)
    (folder / ".gitignore").write_text("*.bin\n")
    (folder / "data.bin").write_bytes(b"ignored")
    monkeypatch.setattr(provenance, "_folder", lambda: str(folder / "src"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def files_in(folder: Path) -> list[str]:
    """Names of all files below a folder."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


@pytest.mark.needs("git")
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_what_git_tracks_and_does_not_ignore_is_kept(project, kind, tmp_path):
    """Names, contents, and what may be executed."""
    store = InMemoryStore() if kind == "memory" else LocalFileStore(tmp_path / "runs")
    snapshot = take_snapshot(store)
    unpack(store, snapshot.digest, tmp_path / "there")
    assert files_in(tmp_path / "there") == [".gitignore", "a.py", "src/deep ü.py", "tool.sh"]
    assert (tmp_path / "there" / "a.py").read_text() == "one\n"
    assert os.access(tmp_path / "there" / "tool.sh", os.X_OK)
    assert snapshot.facts == {"snapshot": snapshot.digest, "snapshot_root": str(project)}
    assert take_snapshot(store) == snapshot


@pytest.mark.needs("git")
def test_equal_contents_are_kept_once(project):
    """A file that has another time is the same; another content is another snapshot."""
    store = LocalFileStore(project / "runs")
    first = take_snapshot(store)
    os.utime(project / "a.py", (1.0, 1.0))
    assert take_snapshot(store) == first
    (project / "a.py").write_text("two\n")
    assert take_snapshot(store).digest != first.digest
    (project / "a.py").unlink()
    assert take_snapshot(store).digest != first.digest
    assert len(list((project / "runs" / ".origins").iterdir())) == 3
    assert "runs" not in {each.split("/")[0] for each in files_in(unpacked(store, first.digest))}


@pytest.mark.needs("git")
@pytest.mark.parametrize("kind", ["one", "layered", "split", "readonly"])
def test_no_part_of_a_store_is_in_a_snapshot(project, kind, tmp_path):
    """Nor of those that it consists of; another file with such an ending is."""
    pytest.importorskip("sqlalchemy")
    from stores import SQLStore

    database = SQLStore(f"sqlite:///{project}/results.db")
    put(database, Address("T", "a" * 32), {}, done())
    (project / "other.db").write_bytes(b"x")
    for end in ("-journal", "-wal", "-shm"):
        (project / f"results.db{end}").touch()
    lower = LocalFileStore(project / "lower")
    put(lower, Address("U", "b" * 32), {}, done())
    store = {
        "one": lambda: database,
        "layered": lambda: LayeredStore([LocalFileStore(tmp_path / "runs"), database, lower]),
        "split": lambda: SplitStore(LocalFileStore(tmp_path / "runs"), {"T": database, "U": lower}),
        "readonly": lambda: LayeredStore([LocalFileStore(tmp_path / "runs"), ReadOnlyStore(database), lower]),
    }[kind]()  # fmt: skip
    first = take_snapshot(store)
    found = files_in(unpacked(store, first.digest))
    assert "other.db" in found
    assert [each for each in found if each.startswith("results.db")] == []
    assert any(each.startswith("lower") for each in found) is (kind == "one")
    put(database, Address("T", "c" * 32), {}, done())
    assert take_snapshot(store) == first
    database.close()


def test_without_git_all_files_but_hidden_ones_are_kept(tmp_path, monkeypatch):
    """And none of environments."""
    folder = tmp_path / "plain"
    for name in (
        "a.py",
        ".hidden/x",
        "venv/pyvenv.cfg",
        "venv/lib/y.py",
        "pack/__pycache__/z.pyc",
        "pack/b.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    monkeypatch.setattr(provenance, "_folder", lambda: str(folder))
    monkeypatch.setattr(module, "work_tree", lambda _: "")
    store = LocalFileStore(tmp_path / "runs")
    unpack(store, take_snapshot(store).digest, tmp_path / "there")
    assert files_in(tmp_path / "there") == ["a.py", "pack/b.py"]


@pytest.mark.needs("git")
def test_too_much_is_refused_by_its_largest_file(project, monkeypatch, tmp_path):
    """And nothing is written."""
    monkeypatch.setattr(project_files, "MOST_BYTES", 50)
    (project / "large.txt").write_text("x" * 60)
    store = LocalFileStore(tmp_path / "runs")
    with pytest.raises(RunError, match=r"at most 50.*large\.txt \(60 bytes\).*\.gitignore"):
        take_snapshot(store)
    assert not (tmp_path / "runs" / ".origins").exists()


@pytest.mark.needs("git")
def test_what_is_gone_or_damaged_is_told(project, tmp_path):
    """By its digest; nothing else is taken in its place."""
    store = LocalFileStore(tmp_path / "runs")
    snapshot = take_snapshot(store)
    path = file_of(store, SNAPSHOT, snapshot.digest)
    assert path is not None
    for damage in (b"", path.read_bytes()[:-9], gzip.compress(b"another")):
        path.write_bytes(damage)
        with pytest.raises(RunError, match="damaged"):
            unpack(store, snapshot.digest, tmp_path / "x")
    path.unlink()
    with pytest.raises(RunError, match="is not in"):
        unpacked(store, snapshot.digest)
    assert list((tmp_path / "cache" / "flowlib" / "code").iterdir()) == []
    assert keep(store, {("packages", "1" * 32): b""}) == ""


def test_imports_are_looked_for_in_the_snapshot_first(tmp_path):
    """Folders that it does not have are left out; others stay as they are."""
    root, folder = tmp_path / "root", tmp_path / "kept"
    (root / "lib").mkdir(parents=True)
    (root / "gone").mkdir()
    (folder / "lib").mkdir(parents=True)
    (folder / "src").mkdir()
    given = ["/usr/lib", str(root / "lib"), str(root / "gone"), "/elsewhere"]
    moved = moved_paths(given, str(root), str(folder))
    assert moved == [
        str(folder / "lib"), str(folder / "src"), str(folder), "/usr/lib", "/elsewhere",
    ]  # fmt: skip


@pytest.mark.needs("git")
def test_afterwards_imports_are_as_before(project, tmp_path):
    """Also after a failure."""
    store, before = LocalFileStore(tmp_path / "runs"), list(sys.path)
    snapshot = take_snapshot(store)
    with pytest.raises(ZeroDivisionError), imported_from(snapshot, store):
        assert sys.path[0].startswith(str(tmp_path / "cache"))
        raise ZeroDivisionError
    assert sys.path == before


@pytest.mark.needs("git")
def test_a_process_with_other_code_of_the_project_is_refused(project, tmp_path, monkeypatch):
    """Two versions of a module cannot be in one process."""
    store = LocalFileStore(tmp_path / "runs")
    snapshot = take_snapshot(store)
    monkeypatch.setattr(sys, "path", list(sys.path))
    loaded = type(sys)("loaded_here")
    loaded.__file__ = str(project / "a.py")
    monkeypatch.setitem(sys.modules, "loaded_here", loaded)
    with pytest.raises(RunError, match="loaded_here is loaded.*process of its own"):
        import_from(store, snapshot, [str(project)])
    monkeypatch.delitem(sys.modules, "loaded_here")
    import_from(store, snapshot, [str(project)])
    assert str(project) not in sys.path
    assert sys.path[0] == str(unpacked(store, snapshot.digest))


@pytest.mark.needs("git")
def test_files_of_submodules_are_kept(project, tmp_path):
    """Where they are checked out."""
    other = repository_in(tmp_path / "other")
    git(project, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")
    store = LocalFileStore(tmp_path / "runs")
    assert "sub/a.py" in files_in(unpacked(store, take_snapshot(store).digest))
    assert CodeSnapshot("a", "/x").facts["snapshot_root"] == "/x"
