"""Which source of a setting decides, and what is said of one that is wrong?"""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError

import pytest

import flowlib
from flowlib import SettingsError, configuration, configure, settings
from flowlib.configuration import TABLE
from stores.uri import anchored

CASES = {
    "store": ("file:/somewhere", "file:/somewhere"),
    "log_level": ("debug", "DEBUG"),
    "stores": ("a=memory:, b=file:/x", (("a", "memory:"), ("b", "file:/x"))),
    "log_limit_bytes": ("1000", 1000),
    "rich_uncaught_tracebacks": ("no", False),
    "ignore_diff": ("on", True),
    "keep_untracked": ("yes", True),
    "recorded_variables": ("A, B_*,", ("A", "B_*")),
    "lease_secs": ("2m", 120.0),
    "heartbeat_secs": ("3", 3.0),
    "stale_after_secs": ("1h", 3600.0),
    "poll_interval_secs": ("0.5", 0.5),
    "wait_log_every_secs": ("30s", 30.0),
    "on_code_change": ("rerun", "rerun"),
    "preempt_max": ("0", 0),
    "cancelled_is_preempted": ("TRUE", True),
    "progress": ("lines", "lines"),
    "color": ("never", "never"),
    "ascii": ("1", True),
}
"""Of each setting a text, and the value that it means."""


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No variable, file or earlier change of this machine; the working directory is empty."""
    for name in [each for each in os.environ if each.startswith("FLOWLIB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "project" / "deep").mkdir(parents=True)
    (tmp_path / "xdg" / "flowlib").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    configuration.forget()
    yield
    configuration.forget()


def test_every_setting_is_tried_here():
    """The table and the cases name the same settings."""
    assert CASES.keys() == TABLE.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_variable_sets_what_is_named_like_it(name, monkeypatch):
    """`FLOWLIB_` and the name in capitals, with a value as text."""
    text, value = CASES[name]
    monkeypatch.setenv(f"FLOWLIB_{name.upper()}", text)
    assert getattr(settings(), name) == value
    assert settings().origin(name) == f"FLOWLIB_{name.upper()} in the environment"


def test_the_weightiest_source_decides(monkeypatch, tmp_path):
    """User file, project file, `.env`, environment and call, each above the one before."""
    project = tmp_path / "project"
    seen = [(settings().preempt_max, settings().origin("preempt_max"))]

    def look():
        configuration.forget()
        seen.append((settings().preempt_max, settings().origin("preempt_max")))

    user = tmp_path / "xdg" / "flowlib" / "config.toml"
    user.write_text("preempt_max = 1")
    look()
    (project / "pyproject.toml").write_text("[tool.flowlib]\npreempt_max = 2")
    look()
    (project / "flowlib.toml").write_text("preempt_max = 3")
    look()
    (project / ".env").write_text("A=b\nFLOWLIB_PREEMPT_MAX=4")
    look()
    monkeypatch.setenv("FLOWLIB_PREEMPT_MAX", "5")
    look()
    configure(preempt_max=6)
    seen.append((settings().preempt_max, settings().origin("preempt_max")))
    assert seen == [
        (5, "default"),
        (1, f"preempt_max in {user}"),
        (2, f"preempt_max in [tool.flowlib] of {project / 'pyproject.toml'}"),
        (3, f"preempt_max in {project / 'flowlib.toml'}"),
        (4, f"FLOWLIB_PREEMPT_MAX in {project / '.env'}, line 2"),
        (5, "FLOWLIB_PREEMPT_MAX in the environment"),
        (6, "preempt_max in configure()"),
    ]


def test_files_are_found_from_a_folder_below(monkeypatch, tmp_path):
    """The nearest with settings counts; one without says nothing."""
    (tmp_path / "pyproject.toml").write_text("[tool.flowlib]\npreempt_max = 1")
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.other]\nname = 'flowlib'")
    (tmp_path / "project" / ".env").write_text("FLOWLIB_COLOR=never")
    monkeypatch.chdir(tmp_path / "project" / "deep")
    assert (settings().preempt_max, settings().color) == (1, "never")


def test_a_dotenv_above_the_project_is_not_read(monkeypatch, tmp_path):
    """Nor one above the working directory where there is no project."""
    (tmp_path / ".env").write_text("FLOWLIB_COLOR=never")
    assert settings().color == "auto"
    (tmp_path / "project" / ".git").mkdir()
    configuration.forget()
    assert settings().color == "auto"


def test_dotenv_changes_no_variable_of_the_process(tmp_path):
    """What stands in the file is read, never exported."""
    (tmp_path / "project" / ".env").write_text("FLOWLIB_COLOR=never\nOTHER=1")
    assert settings().color == "never"
    assert not os.environ.keys() & {"FLOWLIB_COLOR", "OTHER"}


def test_settings_are_read_at_the_first_question_and_kept(monkeypatch, tmp_path):
    """Not when flowlib is imported; `configure()` reads them again."""
    first = settings()
    monkeypatch.setenv("FLOWLIB_COLOR", "never")
    assert settings() is first
    assert configure().color == settings().color == "never"


def test_a_change_is_kept_until_it_is_taken_back(monkeypatch):
    """None does that, and then the other sources count again."""
    configure(color="never", preempt_max=1)
    assert configure(preempt_max=2).color == "never"
    assert configure(color=None).color == "auto"
    assert settings().preempt_max == 2


def test_a_refused_change_changes_nothing():
    """Of several changes in one call none is kept if one is wrong."""
    configure(preempt_max=1)
    with pytest.raises(SettingsError, match="color in configure"):
        configure(preempt_max=2, color="pink")
    assert settings().preempt_max == configure().preempt_max == 1


def test_settings_show_no_password():
    """Of the URI of a store all else is shown."""
    other = {"other": "mongodb://me:secret@host/db"}
    configure(store="postgresql://me:secret@host/db", stores=other)
    assert settings().store == "postgresql://me:secret@host/db"
    shown = repr(settings())
    assert "store='postgresql://***@host/db', stores=" in shown
    assert "mongodb://***@host/db" in shown
    assert "secret" not in shown


def test_settings_cannot_be_changed_by_assignment():
    """They are frozen."""
    with pytest.raises((FrozenInstanceError, AttributeError)):
        settings().color = "never"


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("FLOWLIB_STOR", "Did you mean FLOWLIB_STORE?"),
        ("FLOWLIB_LEASE_SEC", "Did you mean FLOWLIB_LEASE_SECS?"),
        ("FLOWLIB_", ""),
        ("FLOWLIB_store", ""),
    ],
)
def test_an_unknown_variable_is_refused(variable, hint, monkeypatch):
    """With its place and the nearest name."""
    monkeypatch.setenv(variable, "1")
    with pytest.raises(SettingsError, match=f"{variable} in the environment: there is no such"):
        settings()
    with pytest.raises(SettingsError) as caught:
        settings()
    assert hint in str(caught.value)


def test_variables_of_the_tests_of_flowlib_are_left_alone(monkeypatch):
    """They are no settings."""
    monkeypatch.setenv("FLOWLIB_TEST_MONGODB", "x")
    monkeypatch.setenv("FLOWLIB_BENCH_SALT", "x")
    assert settings() == flowlib.Settings()


@pytest.mark.parametrize("file", ["flowlib.toml", "pyproject.toml", ".env"])
def test_an_unknown_name_in_a_file_is_refused(file, tmp_path):
    """The message names the file and the nearest name."""
    texts = {
        "flowlib.toml": "prempt_max = 1",
        "pyproject.toml": "[tool.flowlib]\nprempt_max = 1",
        ".env": "FLOWLIB_PREMPT_MAX=1",
    }
    path = tmp_path / "project" / file
    path.write_text(texts[file])
    with pytest.raises(
        SettingsError, match="(?i)there is no such setting. Did you.*preempt_max"
    ) as e:
        settings()
    assert str(path) in str(e.value)


@pytest.mark.parametrize(
    "name", [each for each in CASES if each not in ("store", "progress", "recorded_variables")]
)
@pytest.mark.parametrize("text", ["", "pink", "-1", "nan"])
def test_a_wrong_value_is_refused(name, text, monkeypatch):
    """The message says where it stands, what was found and what is expected."""
    monkeypatch.setenv(f"FLOWLIB_{name.upper()}", text)
    expected = TABLE[name].metadata["kind"].expects
    with pytest.raises(SettingsError) as caught:
        settings()
    assert str(caught.value) == (
        f"FLOWLIB_{name.upper()} in the environment is {text!r}; expected {expected}"
    )


@pytest.mark.parametrize(
    "line", ["store = 1", "color = true", "preempt_max = 1.5", "ignore_diff = 1", "lease_secs = []"]
)
def test_a_value_of_another_type_in_a_file_is_refused(line, tmp_path):
    """TOML has types, and they count."""
    (tmp_path / "project" / "flowlib.toml").write_text(line)
    with pytest.raises(SettingsError, match=r"in .*flowlib\.toml is .*; expected"):
        settings()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("flowlib.toml", "a = = b", "is no TOML"),
        ("pyproject.toml", "[tool]\nflowlib = 3", "is no table"),
        (".env", "FLOWLIB_STORE='file:x", "line 1: a quote is not closed"),
        ("flowlib.toml", b"\xff", "cannot be read"),
    ],
)
def test_a_broken_file_is_named(file, text, message, tmp_path):
    """One clear error, whatever is wrong with it."""
    path = tmp_path / "project" / file
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError, match=message) as caught:
        settings()
    assert str(path) in str(caught.value)


def test_a_beat_follows_the_lease_unless_it_is_set(monkeypatch):
    """A third of it, and never as long as the lease itself."""
    assert (settings().lease_secs, settings().heartbeat_secs) == (120, 40)
    configure(lease_secs=60)
    assert settings().heartbeat_secs == 20
    assert settings().origin("heartbeat_secs") == "a third of lease_secs in configure()"
    with pytest.raises(SettingsError, match="a lease would end before it is renewed"):
        configure(heartbeat_secs=60)
    assert configure(heartbeat_secs=5).heartbeat_secs == 5


def test_a_relative_store_is_relative_to_its_source(monkeypatch, tmp_path):
    """To the folder of a file, and to the working directory for a variable, also later."""
    project = tmp_path / "project"
    (project / "flowlib.toml").write_text('store = "file:runs"')
    monkeypatch.chdir(project / "deep")
    assert settings().store == f"file:{project}/runs"
    monkeypatch.setenv("FLOWLIB_STORE", "file:runs")
    configuration.forget()
    assert settings().store == f"file:{project}/deep/runs"
    monkeypatch.chdir(tmp_path)
    assert settings().store == f"file:{project}/deep/runs"


@pytest.mark.parametrize(
    ("uri", "same"),
    [
        ("file:runs", "file:/base/runs"),
        ("file:/runs", "file:/runs"),
        ("file://runs", "file:/base/runs"),
        ("readonly:file:runs", "readonly:file:/base/runs"),
        ("sqlite:///runs.db", "sqlite:////base/runs.db"),
        ("sqlite:////tmp/runs.db", "sqlite:////tmp/runs.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("memory:", "memory:"),
        ("postgresql://u:p@host/db", "postgresql://u:p@host/db"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_uri_is_anchored_at_a_folder(uri, same):
    """Only relative paths change."""
    assert anchored(uri, "/base") == same


def test_a_removed_working_directory_does_no_harm(monkeypatch, tmp_path):
    """Then only the environment and the file of the user count."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("FLOWLIB_COLOR", "never")
    assert settings().color == "never"


def test_the_origin_of_an_unknown_setting_is_an_error():
    """With the nearest name."""
    with pytest.raises(SettingsError, match="Did you mean store"):
        settings().origin("stor")
