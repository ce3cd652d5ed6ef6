"""Are the files of a project found without git, and nothing that is none of them?"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flowlib import code_snapshot, project_files, provenance
from flowlib.code_snapshot import LEFT_OUT, take_snapshot
from flowlib.errors import RunError
from flowlib.ignore_rules import is_left_out, rules_in
from flowlib.project_files import project_files as files_of
from stores import InMemoryStore, LocalFileStore


def written(root: Path, *names: str) -> Path:
    """A folder with files of these names."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def names(root: Path, store=None) -> list[str]:
    """The files of the project, without git."""
    return sorted(files_of(root, store or InMemoryStore(), has_git=False).paths)


def test_environments_hidden_folders_and_results_are_none_of_them(tmp_path):
    """Whatever the environment is called; a link leads to no other folder."""
    root = written(
        tmp_path / "home",
        "a.py", "pack/b.py", ".env", ".cache/x", "pack/.hidden/y",
        "my env/pyvenv.cfg", "my env/lib/c.py", "conda/conda-meta/history", "conda/d.py",
        "node_modules/e.js", "pack/__pycache__/f.pyc", "runs/Train/g.json",
    )  # fmt: skip
    (root / "loop").symlink_to(root)
    (root / "other").symlink_to(tmp_path)
    (root / "pack" / "same.py").symlink_to(root / "a.py")
    (root / "broken").symlink_to(root / "nowhere")
    store = LocalFileStore(root / "runs")
    assert names(root, store) == ["a.py", "pack/b.py", "pack/same.py"]


def test_a_folder_that_nobody_may_read_is_left_out(tmp_path, monkeypatch):
    """As its files could not be kept."""
    root = written(tmp_path / "home", "a.py", "locked/b.py")
    may, locked = os.access, root / "locked"
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked and may(path, mode))
    assert names(root) == ["a.py"]


def test_what_gitignore_names_is_left_out_without_git_as_well(tmp_path):
    """Of every folder; and whole folders are not looked into."""
    root = written(
        tmp_path / "home",
        "a.py", "data/big.bin", "data/deep/more.bin", "out.log", "kept.log", "pack/b.py",
        "pack/out.log", "pack/own.txt", "own.txt",
    )  # fmt: skip
    (root / ".gitignore").write_text("# results\n\n/data/\n*.log\n!kept.log\n")
    (root / "pack" / ".gitignore").write_text("own.txt\n!out.log\n")
    assert names(root) == ["a.py", "kept.log", "own.txt", "pack/b.py", "pack/out.log"]


PATTERNS = [
    "*.log", "/a", "a/", "a/b", "a/*", "a/**", "**/b", "**/b/c", "a/**/c", "b", "?", "[ab]", "[!a]",
    "[^a]*", "\\#x", "#x", "\\!x", "x\\ ", "x ", "!x", "*", "/*", "*/", "a*c", "[a-c].log", "a/b/",
    "**", "[]x]", "[", "b**c",
]  # fmt: skip
PATHS = [
    "a", "b", "x", "x ", "#x", "!x", "]", "a.log", "d.log", "abc", "a/b", "a/c", "b/c", "a/b/c",
    "c/a/b", "c/b/c", "a/d/e/c", "deep/a.log", "b/x/c", "bzc",
]  # fmt: skip


@pytest.mark.needs("git")
@pytest.mark.parametrize("more", ["", "!b\n!*.log\n"], ids=["alone", "taken back"])
def test_rules_mean_what_they_mean_to_git(tmp_path, more):
    """For each pattern the same paths are left out; no file stands below one that is a file."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    given = "\0".join(PATHS)
    for pattern in PATTERNS:
        (tmp_path / ".gitignore").write_text(f"{pattern}\n{more}")
        command = ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "-z", "--stdin"]
        asked = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        rules = [("", rule) for rule in rules_in(f"{pattern}\n{more}")]
        ours = [path for path in PATHS if _is_out(path, rules)]
        assert ours == [each for each in asked.stdout.split("\0") if each], pattern


def _is_out(path: str, rules) -> bool:
    parts = path.split("/")
    above = ["/".join(parts[:n]) for n in range(1, len(parts))]
    if any(is_left_out(each, rules, is_folder=True) for each in above):
        return True
    return is_left_out(path, rules, is_folder=False)


def test_large_files_are_left_out_and_named(tmp_path, monkeypatch):
    """In the record of every task, as nobody would look for them otherwise."""
    root = written(tmp_path / "home", "a.py", "weights.bin", "more.bin")
    (root / "weights.bin").write_bytes(b"x" * 2000)
    (root / "more.bin").write_bytes(b"x" * 1500)
    monkeypatch.setattr(project_files, "LARGE_BYTES", 1000)
    monkeypatch.setattr(provenance, "_folder", lambda: str(root))
    monkeypatch.setattr(code_snapshot, "work_tree", lambda _: "")
    snapshot = take_snapshot(InMemoryStore())
    assert snapshot.facts[LEFT_OUT] == "weights.bin (2,000 bytes), more.bin (1,500 bytes)"
    monkeypatch.setattr(project_files, "LARGE_BYTES", 10_000)
    assert LEFT_OUT not in take_snapshot(InMemoryStore()).facts


def test_a_folder_of_all_things_is_refused_before_all_of_it_was_seen(tmp_path, monkeypatch):
    """By the folders with most files; nothing is kept."""
    root = written(tmp_path / "home", *(f"photos/{n}.jpg" for n in range(30)), "a.py", "z/late.py")
    monkeypatch.setattr(project_files, "MOST_FILES", 20)
    with pytest.raises(RunError, match=r"more than 20 files below .*photos \(20\), \. \(1\)"):
        files_of(root, InMemoryStore(), has_git=False)
