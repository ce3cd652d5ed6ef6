"""`flowlib doctor`: what works here, and what does not."""

from __future__ import annotations

import sqlite3

import pytest

from tests.cli.calls import flowlib, project


def _by_name(called):
    return {each["name"]: each for each in called.json["checks"]}


def test_a_sound_machine_is_told_so(tmp_path):
    """Python, libraries, the store that will be made, a worker that answers."""
    folder = project(tmp_path / "p")
    called = flowlib("doctor", "--json", folder=folder)
    assert called.code == 0, called.out
    found = _by_name(called)
    assert found["python"]["ok"] is True
    assert found["store"]["detail"] == f"file:{folder}/.flowlib will be made by the first run"
    assert found["processes"]["detail"].startswith("a worker answered in")
    assert not (folder / ".flowlib").exists()


def test_a_store_is_tried_and_left_as_it_was(tmp_path):
    """It takes a lease, which leaves no record."""
    folder = project(tmp_path / "p")
    flowlib("run", "flow.yaml", folder=folder)
    called = flowlib("doctor", "--json", folder=folder)
    assert "can be written to" in _by_name(called)["store"]["detail"]
    listed = flowlib("ls", "--ids", folder=folder)
    assert len(listed.out.splitlines()) == 4
    assert "doctor" not in listed.out


def test_what_does_not_work_is_named_and_is_exit_code_1(tmp_path):
    """A file that is no database; the other checks are made all the same."""
    (tmp_path / "broken.db").write_bytes(b"no database" * 100)
    called = flowlib("doctor", "--store", "sqlite:///broken.db", "--json", folder=tmp_path)
    found = _by_name(called)
    assert called.code == 1
    assert found["store"]["ok"] is False
    assert found["processes"]["ok"] is True
    assert sqlite3.sqlite_version  # the database itself is there


@pytest.mark.slow
def test_passwords_are_never_shown(tmp_path):
    """Not in what is in order, and not in what is not."""
    uri = "mongodb://user:hunter2@127.0.0.1:1/db?serverSelectionTimeoutMS=200"
    called = flowlib("doctor", "--store", uri, folder=tmp_path)
    assert called.code == 1
    assert "hunter2" not in called.out + called.err


def test_people_get_a_line_each(tmp_path):
    """An icon, a name and what was found."""
    called = flowlib("doctor", folder=project(tmp_path / "p"))
    lines = called.out.splitlines()
    assert lines[0].startswith("✔ python")
    assert any(line.startswith("✔ processes") for line in lines)
