"""Is an environment made anew exactly when it must be?"""

from __future__ import annotations

import sys

import pytest

from tools import environment
from tools.environment import Stamp, ensure
from tools.interpreters import find


@pytest.fixture(name="installed")
def _installed(monkeypatch):
    """What pip was asked for; the network is replaced by this list, the environment by a folder."""

    def create(folder, python):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").touch()

    calls = []
    monkeypatch.setattr(environment, "create", create)
    monkeypatch.setattr(environment, "install", lambda python, what: calls.append(list(what)))
    return calls


def test_a_second_call_for_the_same_or_less_installs_nothing(tmp_path, installed):
    """The stamp in the environment says what is there."""
    folder = tmp_path / "env"
    inner = ensure(folder, extras=["viz", "sql"], groups=["tests"])
    installed.clear()
    assert ensure(folder, extras=["sql"], groups=["tests"]) == inner
    assert ensure(folder) == inner
    assert installed == []


def test_more_is_added_and_what_was_there_is_kept(tmp_path, installed):
    """Asking for another extra installs it together with those of before, in the same folder."""
    folder = tmp_path / "env"
    ensure(folder, extras=["viz"])
    (folder / "kept").touch()
    installed.clear()
    ensure(folder, extras=["sql"], groups=["tests"])
    ((_, project, *groups),) = installed
    assert project.endswith("[sql,viz]")
    assert groups == ["--group", f"{environment.ROOT}/pyproject.toml:tests"]
    assert (folder / "kept").exists()


def test_an_environment_of_another_project_file_is_made_anew(tmp_path, installed):
    """A changed dependency leaves nothing of the old environment."""
    folder = tmp_path / "env"
    ensure(folder)
    (folder / "old").touch()
    (folder / "flowlib-stamp.json").write_text(Stamp("another").to_json())
    ensure(folder)
    assert not (folder / "old").exists()


def test_a_broken_installation_is_not_taken_for_done(tmp_path, installed, monkeypatch):
    """When pip fails, the next call installs again."""

    def broken(python, what):
        raise SystemExit("no network")

    ensure(tmp_path / "env")
    with monkeypatch.context() as patch:
        patch.setattr(environment, "install", broken)
        with pytest.raises(SystemExit):
            ensure(tmp_path / "env", extras=["sql"])
    installed.clear()
    ensure(tmp_path / "env", extras=["sql"])
    assert len(installed) > 0


def test_the_running_python_is_found_by_its_version():
    """An interpreter is found where it is, and one that does not exist is None."""
    assert find("%d.%d" % sys.version_info[:2]) is not None
    assert find("3.999") is None
