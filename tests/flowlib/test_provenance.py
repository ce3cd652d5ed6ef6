"""Is it kept where a result comes from, whatever git is there or not?"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from flowlib import provenance as module
from flowlib.provenance import MOST_CHARACTERS, provenance
from tests.acceptance.scripts import ROOT, run_script

FIELDS = {
    "git_commit", "git_branch", "git_remote", "git_dirty", "git_diff", "git_diff_digest", "host", "user", "pid",
    "python", "executable", "platform", "command", "folder",
}  # fmt: skip


def git(folder, *arguments):
    """What git prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(folder),
        **{
            f"GIT_{who}_{what}": "x@y"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(name="repository")
def _repository(tmp_path, monkeypatch):
    """A repository with one commit, in which this process works; nothing above it is one."""
    folder = tmp_path / "with space"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("one\n")
    git(folder, "add", "a.py")
    git(folder, "commit", "-q", "-m", "first")
    monkeypatch.setattr(module, "_folder", lambda: str(folder))
    return folder


@pytest.mark.needs("git")
def test_a_clean_repository(repository):
    """Commit and branch; no changes, and no remote is no error."""
    found = provenance(with_diff=True)
    assert found.keys() == FIELDS
    assert found["git_commit"] == git(repository, "rev-parse", "HEAD")
    assert (found["git_branch"], found["git_remote"]) == ("main", "")
    assert (found["git_dirty"], found["git_diff"]) == (False, "")


@pytest.mark.needs("git")
def test_changes_are_kept_as_a_patch_staged_or_not(repository):
    """What is not tracked stays out."""
    (repository / "a.py").write_text("two\n")
    (repository / "b.py").write_text("staged\n")
    git(repository, "add", "b.py")
    (repository / "secret.txt").write_text("hidden\n")
    found = provenance(with_diff=True)
    assert found["git_dirty"] is True
    assert "-one\n+two\n" in found["git_diff"]
    assert "+staged\n" in found["git_diff"]
    assert "hidden" not in found["git_diff"]
    without = provenance(with_diff=False)
    assert (without["git_dirty"], without["git_diff"]) == (True, "")


@pytest.mark.needs("git")
def test_a_long_patch_is_cut_with_a_note(repository):
    """It tells how much is missing."""
    (repository / "a.py").write_text("".join(f"line {n}\n" for n in range(10_000)))
    patch = provenance(with_diff=True)["git_diff"]
    assert len(patch) < MOST_CHARACTERS + 100
    kept, note = patch.rstrip("\n").rsplit("\n", 1)
    assert kept.endswith(kept.splitlines()[-1])
    whole = git(repository, "diff", "HEAD")
    digests = {provenance(with_diff=each)["git_diff_digest"] for each in (True, True, False)}
    assert len(digests) == 2 and "" in digests
    missing = whole.count("\n") + 1 - kept.count("\n")
    assert note == f"# cut by flowlib: {missing} more lines, {len(whole) + 1:,} characters in all"


@pytest.mark.needs("git")
def test_a_detached_head_and_a_repository_without_commit(repository, tmp_path, monkeypatch):
    """No branch, no commit: the fields are empty."""
    git(repository, "checkout", "-q", "--detach")
    assert provenance(with_diff=True)["git_branch"] == ""
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q", "-b", "main")
    (empty / "a").write_text("x")
    git(empty, "add", "a")
    monkeypatch.setattr(module, "_folder", lambda: str(empty))
    found = provenance(with_diff=True)
    assert (found["git_commit"], found["git_branch"], found["git_dirty"]) == ("", "main", True)
    assert found["git_diff"] == ""


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pass@host/x.git", "https://***@host/x.git"),
        ("https://token@host/x.git", "https://***@host/x.git"),
        ("https://me:p%40ss@host/x.git", "https://***@host/x.git"),
        ("git@host:x.git", "git@host:x.git"),
        ("https://host/a@b.git", "https://host/a@b.git"),
        ("/a folder/x.git", "/a folder/x.git"),
    ],
)
def test_a_remote_shows_no_password(url, shown, repository):
    """A token may stand in place of the name, so that goes, too."""
    git(repository, "remote", "add", "origin", url)
    assert provenance(with_diff=True)["git_remote"] == shown


@pytest.mark.needs("git")
def test_patch_and_command_show_no_password_of_a_url(repository, monkeypatch):
    """As far as it stands in a URL."""
    (repository / "a.py").write_text('open_store("postgresql://me:pass@host/db")\n')
    monkeypatch.setattr(
        sys, "orig_argv", ["python", "x.py", "--store=postgresql://me:pass@host/db"]
    )
    found = provenance(with_diff=True)
    assert "pass" not in found["git_diff"]
    assert found["command"] == "python x.py --store=postgresql://***@host/db"


def test_without_git_the_fields_are_empty(monkeypatch):
    """It is not there, hangs, or there is no repository."""
    monkeypatch.setattr(module, "_COMMAND", ("/nowhere/git",))
    found = provenance(with_diff=True)
    assert {found[each] for each in FIELDS if each.startswith("git")} == {"", False}
    assert found["pid"] == os.getpid()
    assert found["python"] == "%d.%d.%d" % sys.version_info[:3]

    def hangs(*arguments, **options):
        raise subprocess.TimeoutExpired(arguments, 5.0)

    monkeypatch.setattr(subprocess, "run", hangs)
    assert provenance(with_diff=True)["git_commit"] == ""


def test_no_repository_is_no_error(tmp_path, monkeypatch):
    """Nor is a folder that was removed."""
    monkeypatch.setattr(module, "_folder", lambda: str(tmp_path))
    assert provenance(with_diff=True)["git_commit"] == ""
    monkeypatch.setattr(module, "_folder", lambda: str(tmp_path / "gone"))
    assert provenance(with_diff=True)["git_commit"] == ""


@pytest.mark.needs("git")
def test_the_repository_is_that_of_the_script(tmp_path):
    """Wherever it is started from; without a script that of the working directory."""
    script = "import json; from flowlib.provenance import provenance\n"
    script += "print(json.dumps(provenance(with_diff=True)))"
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "mine")
    run_script(script, folder)
    here = run_script(f"import runpy; runpy.run_path({str(folder / 'script.py')!r})", tmp_path)
    assert json.loads(here.out)["git_branch"] == ""
    there = run_script(script, folder, how="-c")
    assert json.loads(there.out)["git_branch"] == "mine"
    done = subprocess.run(
        [sys.executable, str(folder / "script.py")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["git_branch"] == "mine"


@pytest.mark.needs("git")
def test_everything_can_be_kept_as_json(repository):
    """Also names and changes that are no UTF-8."""
    (repository / "a.py").write_bytes(b"\xff\xfe\n\x00")
    (repository / "ü\n.py").write_text("x")
    git(repository, "add", ".")
    json.dumps(provenance(with_diff=True)).encode()
