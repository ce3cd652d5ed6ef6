"""Is every Python tried, and is none waited for while tests could run?"""

from __future__ import annotations

import threading

import pytest

from tools import core_suite


@pytest.fixture(name="made")
def _made(monkeypatch, tmp_path):
    """Of each environment, whether it was made."""
    made = {each: threading.Event() for each in core_suite.VERSIONS}

    def ensure(folder, *, groups, python):
        made[python].set()
        return tmp_path / python

    monkeypatch.setattr(core_suite, "find", lambda version: version)
    monkeypatch.setattr(core_suite, "ensure", ensure)
    monkeypatch.setattr("sys.argv", ["core_suite"])
    return made


def test_the_next_environment_is_made_while_tests_run(made, monkeypatch):
    """The tests of the first are still running when the second and the third are there."""
    seen = {}

    def passes(version, inner):
        seen[version] = (inner.name, all(each.wait(60.0) for each in made.values()))
        return True

    monkeypatch.setattr(core_suite, "passes", passes)
    core_suite.main()
    assert seen == {version: (version, True) for version in core_suite.VERSIONS}


def test_all_are_tried_and_those_that_failed_are_named(made, monkeypatch):
    """The first failure hides no other."""
    monkeypatch.setattr(core_suite, "passes", lambda version, inner: version == "3.12")
    with pytest.raises(SystemExit, match=r"failed on Python 3\.11, 3\.13"):
        core_suite.main()


def test_what_is_absent_is_told_and_in_ci_a_failure(made, monkeypatch, capsys):
    """Elsewhere the others have to do."""
    monkeypatch.setattr(core_suite, "find", lambda version: None if version == "3.13" else version)
    monkeypatch.setattr(core_suite, "passes", lambda version, inner: True)
    monkeypatch.setenv("CI", "false")
    core_suite.main()
    assert "not run: the core suite on Python 3.13" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="every supported Python"):
        core_suite.main()
