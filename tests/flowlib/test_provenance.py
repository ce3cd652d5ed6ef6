"""Is it kept where a result comes from, whatever git is there or not?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from flowlib import configure, git_state, machine
from flowlib import provenance as module
from flowlib.origin_texts import (
    MOST_CHARACTERS,
    contents_of,
    packages_of,
    patch_of,
    recorded_origin,
    untracked_of,
)
from flowlib.packages import installed_packages, lock_file
from flowlib.provenance import origin_of_attempt, origin_of_process, provenance
from stores import InMemoryStore, LocalFileStore, ResultsStore, open_store
from tests.acceptance.scripts import ROOT, run_script
from tests.flowlib.repositories import git, repository_in

ALWAYS = {
    "git_commit", "git_branch", "git_remote", "git_dirty", "git_diff", "git_diff_digest", "host", "user", "pid",
    "python", "executable", "platform", "command", "folder",
}  # fmt: skip
SOMETIMES = {
    "git_root", "git_untracked", "git_untracked_digest", "git_contents_digest", "git_submodules", "notes", "cpu",
    "gpus", "gpu_driver", "job_id", "lock_file", "environment", "packages",
}  # fmt: skip


@pytest.fixture(name="repository")
def _repository(tmp_path, monkeypatch):
    """A repository with one commit, in which this process works; nothing above it is one."""
    folder = repository_in(tmp_path / "with space")
    monkeypatch.setattr(module, "_folder", lambda: str(folder))
    return folder


def patch():
    """The patch of now, as text."""
    return origin_of_process(with_diff=True).texts.get("patch", b"").decode()


@pytest.mark.needs("git")
def test_a_clean_repository(repository):
    """Commit and branch; no changes, and no remote is no error."""
    found = provenance(with_diff=True)
    assert found.keys() >= ALWAYS
    assert found.keys() <= ALWAYS | SOMETIMES
    assert found["git_commit"] == git(repository, "rev-parse", "HEAD")
    assert (found["git_branch"], found["git_remote"]) == ("main", "")
    assert (found["git_dirty"], found["git_diff_digest"]) == (False, "")
    assert found["git_root"] == str(repository)
    assert "notes" not in found


@pytest.mark.needs("git")
def test_changes_are_kept_as_a_patch_staged_or_not(repository):
    """Of what is not tracked only the names are."""
    (repository / "a.py").write_text("two\n")
    (repository / "b.py").write_text("staged\n")
    git(repository, "add", "b.py")
    (repository / "secret.txt").write_text("hidden\n")
    origin = origin_of_process(with_diff=True)
    text = origin.texts["patch"].decode()
    assert origin.facts["git_dirty"] is True
    assert "-one\n+two\n" in text
    assert "+staged\n" in text
    assert "hidden" not in text
    assert (origin.facts["git_untracked"], origin.texts["untracked"]) == (1, b"secret.txt\n")
    without = origin_of_process(with_diff=False)
    assert without.facts["git_dirty"] is True
    assert "patch" not in without.texts


@pytest.mark.needs("git")
def test_the_patch_makes_the_same_files_again(repository, tmp_path):
    """Also of binary files, of deleted and renamed ones, of bytes that are no UTF-8."""
    (repository / "gone.py").write_text("x\n" * 50)
    (repository / "old.py").write_text("y\n" * 50)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "second")
    (repository / "a.py").write_bytes(b"\xff\xfe\n")
    (repository / "blob").write_bytes(bytes(range(256)) * 8)
    (repository / "gone.py").unlink()
    git(repository, "mv", "old.py", "new.py")
    git(repository, "add", ".")
    (repository / "ü\n.py").write_text("x")
    git(repository, "add", ".")
    kept = origin_of_process(with_diff=True).texts["patch"]
    git(tmp_path, "clone", "-q", str(repository), "copy")
    (tmp_path / "it.patch").write_bytes(kept)
    git(tmp_path / "copy", "apply", "../it.patch")
    names = sorted(each.name for each in (tmp_path / "copy").iterdir() if each.name != ".git")
    assert names == sorted(each.name for each in repository.iterdir() if each.name != ".git")
    for name in names:
        assert (tmp_path / "copy" / name).read_bytes() == (repository / name).read_bytes()


@pytest.mark.needs("git")
def test_a_huge_patch_is_cut_with_a_note(repository, monkeypatch):
    """The digest is that of the whole."""
    monkeypatch.setattr(git_state, "MOST_BYTES", 10_000)
    (repository / "a.py").write_text("".join(f"line {n}\n" for n in range(10_000)))
    first = origin_of_process(with_diff=True)
    whole = len(git(repository, "diff", "HEAD", "--binary")) + 1
    kept = first.texts["patch"]
    assert 9_900 < len(kept) <= 10_000
    assert kept.endswith(b"\n")
    assert first.facts["notes"] == [f"the patch is cut: {len(kept):,} of {whole:,} bytes are kept"]
    (repository / "a.py").write_text("".join(f"line {n}\n" for n in range(10_001)))
    second = origin_of_process(with_diff=True)
    assert second.texts["patch"][200:5000] == kept[200:5000]
    assert first.facts["git_diff_digest"] != second.facts["git_diff_digest"]


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
    assert found["git_diff_digest"] == ""
    assert "there is no commit yet" in found["notes"]


@pytest.mark.needs("git")
def test_shallow_clones_and_other_work_trees(repository, tmp_path, monkeypatch):
    """Both have a commit; the first says what it is."""
    (repository / "a.py").write_text("two\n")
    git(repository, "commit", "-q", "-a", "-m", "second")
    head = git(repository, "rev-parse", "HEAD")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "beside"))
    (tmp_path / "beside" / "a.py").write_text("three\n")
    monkeypatch.setattr(module, "_folder", lambda: str(tmp_path / "shallow"))
    found = provenance(with_diff=True)
    assert (found["git_commit"], found["notes"]) == (head, ["the clone is shallow"])
    monkeypatch.setattr(module, "_folder", lambda: str(tmp_path / "beside"))
    found = provenance(with_diff=True)
    assert (found["git_commit"], found["git_dirty"]) == (head, True)
    assert (found["git_root"], "notes" in found) == (str(tmp_path / "beside"), False)


@pytest.mark.needs("git")
def test_submodules_have_their_commits(repository, tmp_path):
    """Of one with changes of its own it is noted that they are not kept."""
    other = repository_in(tmp_path / "other")
    options = ("-c", "protocol.file.allow=always")
    git(repository, *options, "submodule", "--quiet", "add", str(other), "lib")
    git(repository, "commit", "-q", "-m", "with lib")
    head = git(other, "rev-parse", "HEAD")
    found = provenance(with_diff=True)
    assert found["git_submodules"] == [f"{head} lib"]
    assert "notes" not in found
    (repository / "lib" / "a.py").write_text("changed\n")
    assert provenance(with_diff=True)["notes"] == [
        "the submodule lib has changes of its own, which are not kept"
    ]


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
def test_patch_and_command_show_no_secret(repository, monkeypatch):
    """Passwords of URLs, tokens, and what a name calls a secret; a note tells of the patch."""
    token = "ghp_" + "a1B2" * 9
    (repository / "a.py").write_text(
        f'open_store("postgresql://me:pass@host/db")\nKEY = "{token}"\napi_key="hush"\n'
    )
    words = ["python", "x.py", "--store=postgresql://me:pass@host/db", "--password", "hush"]
    monkeypatch.setattr(sys, "orig_argv", [*words, f"train.api_key={token}", "lr=0.1"])
    found = provenance(with_diff=True)
    for secret in ("pass@", token, "hush"):
        assert secret not in patch()
        assert secret not in found["command"]
    assert '+open_store("postgresql://***@host/db")\n+KEY = "***"\n+api_key="***"\n' in patch()
    assert found["notes"] == ["secrets in the patch are replaced by ***: 3"]
    assert found["command"] == (
        "python x.py '--store=postgresql://***@host/db' --password '***' 'train.api_key=***' lr=0.1"
    )


def test_without_git_the_fields_are_empty(tmp_path, monkeypatch):
    """It is not there, hangs, or there is no repository: a note says so."""
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(module, "_folder", lambda: str(tmp_path))
    monkeypatch.setattr(git_state, "_COMMAND", ("/nowhere/git",))
    found = provenance(with_diff=True)
    assert {found[each] for each in ALWAYS if each.startswith("git")} == {"", False}
    assert found["notes"] == ["git could not be started: No such file or directory"]
    assert found["pid"] == os.getpid()
    assert found["python"] == "%d.%d.%d" % sys.version_info[:3]

    def hangs(*arguments, **options):
        raise subprocess.TimeoutExpired(arguments, 5.0)

    monkeypatch.setattr(subprocess, "run", hangs)
    found = provenance(with_diff=True)
    assert (found["git_commit"], found["notes"]) == ("", ["git status took more than 5 s"])


@pytest.mark.needs("git")
def test_a_repository_that_git_refuses_is_no_error(tmp_path, monkeypatch):
    """What git says is the note."""
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(module, "_folder", lambda: str(tmp_path))
    found = provenance(with_diff=True)
    assert found["git_commit"] == ""
    assert len(found["notes"]) == 1
    assert found["notes"][0].startswith("git status: ")


def test_no_repository_is_no_error(tmp_path, monkeypatch):
    """Nor is a folder that was removed."""
    for folder in (tmp_path, tmp_path / "gone"):
        monkeypatch.setattr(module, "_folder", lambda folder=folder: str(folder))
        found = provenance(with_diff=True)
        assert (found["git_commit"], found["notes"]) == ("", ["there is no git repository"])


@pytest.mark.needs("git")
def test_the_repository_is_that_of_the_script(tmp_path):
    """Wherever it is started from; without a script that of the working directory."""
    script = "import json; from flowlib.provenance import provenance\n"
    script += "print(json.dumps(provenance(with_diff=True)))"
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "mine")
    run_script(script, folder, how="file")
    here = run_script(
        f"import runpy; runpy.run_path({str(folder / 'script.py')!r})", tmp_path, how="file"
    )
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
def test_records_of_a_folder_name_the_texts_that_lie_beside_them(repository, tmp_path):
    """A record stays small however long the patch is; equal texts are kept once."""
    (repository / "a.py").write_text("".join(f"line {n}\n" for n in range(10_000)))
    (repository / "new.py").write_text("x")
    store = LocalFileStore(tmp_path / "runs")
    first = recorded_origin(store, "inline")
    second = recorded_origin(store, "inline")
    assert first == second
    assert len(json.dumps(first)) < 1500
    assert (first["git_diff"], first["executor"]) == ("", "inline")
    text = patch_of(store, first)
    assert text is not None and text.count(b"\n+line ") == 10_000
    assert packages_of(store, first)["pytest"] == pytest.__version__
    assert untracked_of(store, first) == ["new.py"]
    assert contents_of(store, first) == {}
    kinds = sorted(each.suffix for each in (tmp_path / "runs" / ".origins").iterdir())
    assert kinds == [".packages", ".patch", ".untracked"]
    assert list(store.records()) == []


@pytest.mark.needs("git")
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_records_of_other_stores_are_as_small(kind, repository, tmp_path):
    """The texts lie beside their records, and whoever opens the store can read them."""
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
    (repository / "a.py").write_text("".join(f"line {n}\n" for n in range(10_000)))
    store = open_store("memory:" if kind == "memory" else f"sqlite:///{tmp_path / 'x.db'}")
    found = recorded_origin(store, "processes")
    assert recorded_origin(store, "processes") == found
    assert (found["git_diff"], "notes" in found) == ("", False)
    reader = store if kind == "memory" else open_store(f"sqlite:///{tmp_path / 'x.db'}")
    whole = patch_of(reader, found)
    assert whole is not None and whole.count(b"\n+line ") == 10_000
    assert packages_of(reader, found)["pytest"] == pytest.__version__
    assert patch_of(reader, {**found, "git_diff_digest": "0" * 32}) is None
    assert list(reader.records()) == []


@pytest.mark.needs("git")
def test_a_store_that_keeps_nothing_but_results_is_a_note(repository, monkeypatch):
    """Its records hold the beginning of the patch themselves."""
    monkeypatch.setattr(InMemoryStore, "beside", ResultsStore.beside)
    (repository / "a.py").write_text("".join(f"line {n}\n" for n in range(10_000)))
    found = recorded_origin(InMemoryStore())
    assert 3_900 < len(found["git_diff"]) < MOST_CHARACTERS + 100
    assert "\n# cut by flowlib: " in found["git_diff"]
    assert any(note.startswith("the patch and packages are not kept: ") for note in found["notes"])
    assert patch_of(InMemoryStore(), found) is None
    short = {**found, "git_diff": "diff --git a/x b/x\n"}
    assert patch_of(InMemoryStore(), short) == b"diff --git a/x b/x\n"


def test_records_of_earlier_versions_are_readable(tmp_path):
    """They hold the patch themselves, if it is not cut."""
    store = LocalFileStore(tmp_path)
    old = {"git_commit": "1" * 40, "git_diff": "diff --git a/x b/x\n", "git_diff_digest": "2" * 32}
    assert patch_of(store, old) == b"diff --git a/x b/x\n"
    assert patch_of(store, {**old, "git_diff": "+x\n# cut by flowlib: 9 more lines\n"}) is None
    assert packages_of(store, old) is None
    assert patch_of(store, {"git_diff_digest": "../../etc/passwd"}) is None


def test_a_folder_that_cannot_be_written_is_a_note(tmp_path):
    """The record then holds what it can."""
    store = LocalFileStore(tmp_path / "runs")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".origins").write_text("")
    found = recorded_origin(store)
    assert any(note.startswith("the patch and packages are not kept: ") for note in found["notes"])


@pytest.mark.needs("git")
def test_untracked_files_are_kept_on_request(repository, tmp_path):
    """Not those that git ignores, not large ones, and not their secrets."""
    (repository / ".gitignore").write_text("ignored\n")
    (repository / "ignored").write_text("x")
    (repository / "sub").mkdir()
    (repository / "sub" / "new.py").write_bytes(b"\xff\x00new")
    (repository / "token.py").write_text('token = "hush"\n')
    (repository / "big").write_bytes(bytes(git_state.MOST_BYTES + 1))
    configure(keep_untracked=True)
    store = LocalFileStore(tmp_path / "runs")
    found = recorded_origin(store)
    assert contents_of(store, found) == {
        ".gitignore": b"ignored\n",
        "sub/new.py": b"\xff\x00new",
        "token.py": b'token = "***"\n',
    }
    assert "too large to be kept, of what is not tracked: big" in found["notes"]


def test_packages_have_versions_and_origins(tmp_path):
    """The first that Python finds counts."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, name in ((one, "Some_Thing-1.0"), (other, "some_thing-2.0"), (other, "x-3")):
        (folder / f"{name}.dist-info").mkdir(parents=True)
    url = {"url": "https://me:token@host/x.git", "vcs_info": {"commit_id": "abc"}}
    (other / "x-3.dist-info" / "direct_url.json").write_text(json.dumps(url))
    found = installed_packages([str(one), str(other), str(tmp_path / "none.zip")])
    assert found == "some-thing==1.0\nx==3 @ https://***@host/x.git@abc\n"


def test_the_lock_file_of_the_project(tmp_path):
    """The nearest, up to the root of the repository."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "uv.lock").write_text("x")
    name, digest = lock_file(str(tmp_path / "a" / "b"), str(tmp_path))
    assert (name, len(digest)) == ("uv.lock", 32)
    assert lock_file(str(tmp_path / "a" / "b"), str(tmp_path / "a")) == ("", "")


def test_processors_and_jobs(tmp_path, monkeypatch):
    """The models as the system tells them; the job as the cluster does."""
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Fast CPU @ 2 GHz\n")
    gpu = tmp_path / "nvidia" / "gpus" / "0000:01:00.0"
    gpu.mkdir(parents=True)
    (gpu / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 5\n")
    (tmp_path / "nvidia" / "version").write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\n"
    )
    monkeypatch.setattr(machine, "_PROCESSORS", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine, "_GPUS", tmp_path / "nvidia")
    found = machine.machine()
    count = len(os.sched_getaffinity(0))
    assert (found["cpu"], found["gpus"]) == (f"Fast CPU @ 2 GHz ×{count}", ["NVIDIA H200"])
    assert found["gpu_driver"] == "580.95.05"
    assert machine.job_id({"SLURM_JOB_ID": "47", "SLURM_ARRAY_TASK_ID": "3"}) == "slurm 47 part 3"
    assert machine.job_id({}) == ""


def test_an_attempt_elsewhere_names_its_own_machine(monkeypatch):
    """A worker on another host has its own processors; the code stays that of the run."""
    known = {"host": "driver", "git_commit": "abc", "gpus": ["old"], "environment": {"A": "1"}}
    found = origin_of_attempt(known, "run/log", (("CUDA_VISIBLE_DEVICES", "3"),))
    assert (found["host"], found["git_commit"]) == (os.uname().nodename, "abc")
    assert found.get("gpus") != ["old"]
    assert found["environment"] == {"A": "1", "CUDA_VISIBLE_DEVICES": "3"}
    assert found["log"] == "run/log"
    here = {"host": os.uname().nodename, "pid": 1}
    assert origin_of_attempt(here, "") == here


def test_it_costs_a_task_far_less_than_a_millisecond():
    """All but the log is found out once for a run."""
    known = dict(origin_of_process(with_diff=True).facts)
    began = time.thread_time()
    for _ in range(1000):
        origin_of_attempt(known, "log")
    assert time.thread_time() - began < 0.5


@pytest.mark.needs("git")
def test_everything_can_be_kept_as_json(repository, tmp_path):
    """Also names and changes that are no UTF-8."""
    (repository / "a.py").write_bytes(b"\xff\xfe\n\x00")
    (repository / "ü\n.py").write_text("x")
    git(repository, "add", ".")
    (repository / os.fsdecode(b"\xff.py")).write_text("y")
    store = LocalFileStore(tmp_path / "runs")
    found = recorded_origin(store)
    json.dumps(found, ensure_ascii=False).encode()
    assert untracked_of(store, found) == [os.fsdecode(b"\xff.py")]
