"""The command as a whole: its table, its help, its errors, what it imports."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from flowlib.cli.main import COMMANDS
from flowlib.cli.topics import TOPICS
from tests.cli.calls import LIMIT_S, environment, flowlib, project

HEAVY = ("asyncio", "bokeh", "networkx", "numpy", "pandas", "pydantic", "ruamel", "rich", "yaml")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_first(name, tmp_path):
    """Each is a module with a click command whose help begins with what it does and a call."""
    command = importlib.import_module(f"flowlib.cli.commands.{name}").command
    assert isinstance(command, click.Command)
    called = flowlib(name, "-h", folder=tmp_path)
    assert called.code == 0
    assert called.err == ""
    usage, *lines = called.out.splitlines()
    assert usage.startswith(f"Usage: flowlib {name}")
    before, _, _options = "\n".join(lines).partition("Options:")
    assert f"\n  flowlib {name}" in before, called.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_explained(name):
    """No option without a sentence about it."""
    command = importlib.import_module(f"flowlib.cli.commands.{name}").command
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help] == []


def test_the_help_names_every_command(tmp_path):
    """With examples first, and in under 80 columns where nobody can see how wide it may be."""
    called = flowlib("--help", folder=tmp_path)
    assert called.code == 0
    assert called.out.index("flowlib init") < called.out.index("Options:")
    listed = [line.split()[0] for line in called.out.splitlines() if line.startswith("  ")]
    assert set(COMMANDS) <= set(listed)
    assert max(len(line) for line in called.out.splitlines()) <= 80


def test_no_arguments_are_a_question_for_help(tmp_path):
    """They show the help and are an error for a script."""
    called = flowlib(folder=tmp_path)
    assert called.code == 2
    assert "Usage: flowlib" in called.out + called.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "there is no command 'rnu'. Did you mean run?"),
        (["run", "x.yaml", "--wrokers", "2"], "'--workers'"),
        (["run"], "Missing argument 'DOCUMENT'"),
        (["run", "x.yaml"], "error: x.yaml cannot be read: No such file or directory"),
        (["config", "--color", "pink"], "'pink' is not one of 'auto', 'always', 'never'"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(arguments, said, tmp_path):
    """It exits with 2, and says so on stderr alone."""
    called = flowlib(*arguments, folder=tmp_path)
    assert (called.code, called.out) == (2, "")
    assert said in called.err


def test_a_wrong_setting_is_one_line(tmp_path):
    """No traceback for what the user wrote."""
    called = flowlib("ls", folder=tmp_path, FLOWLIB_STOER="x")
    assert called.code == 2
    assert called.err.startswith("error: FLOWLIB_STOER in the environment: there is no such")
    assert "Did you mean FLOWLIB_STORE?" in called.err
    assert "Traceback" not in called.err


def test_vv_shows_the_whole_traceback(tmp_path):
    """For those who look for the fault in flowlib."""
    called = flowlib("run", "nothing.yaml", "-vv", folder=tmp_path)
    assert called.code == 2
    assert "Traceback (most recent call last)" in called.err


def test_no_store_is_exit_code_4(tmp_path):
    """Where nothing was ever run the command says where it has looked."""
    project(tmp_path / "p")
    called = flowlib("ls", folder=tmp_path / "p")
    assert called.code == 4
    assert called.err == (
        f"error: there is no store in {tmp_path}/p/.flowlib: run something, or name a store "
        f"with --store URI\n"
    )
    assert not (tmp_path / "p" / ".flowlib").exists()


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_is_explained(topic, tmp_path):
    """`flowlib help TOPIC` writes the text to stdout."""
    called = flowlib("help", topic, folder=tmp_path)
    assert (called.code, called.out, called.err) == (0, f"{TOPICS[topic]}\n", "")


def test_an_unknown_topic_has_a_nearest_one(tmp_path):
    """It is a selector that selects nothing."""
    called = flowlib("help", "selector", folder=tmp_path)
    assert (called.code, called.out) == (3, "")
    assert "Did you mean selectors?" in called.err


def test_help_of_a_command_is_its_help(tmp_path):
    """Both ways lead to the same text."""
    assert flowlib("help", "run", folder=tmp_path).out == flowlib("run", "-h", folder=tmp_path).out


def test_the_version_is_told(tmp_path):
    """As every command does."""
    called = flowlib("--version", folder=tmp_path)
    assert called.code == 0
    assert called.out.split()[0] == "flowlib"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["help", "selectors"]])
def test_help_imports_nothing_heavy(arguments, tmp_path):
    """What is not needed to say it is not loaded."""
    script = (
        "import sys\n"
        "from flowlib.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "assert not loaded, loaded\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_file_called_click_beside_the_user_is_left_alone(tmp_path):
    """The command finds its own libraries before the user's files."""
    (tmp_path / "click.py").write_text("raise SystemExit('the wrong click')")
    called = flowlib("help", "exit-codes", folder=tmp_path)
    assert called.code == 0
    assert "130  Ctrl-C" in called.out


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    """`| head -1` gets its line, and nothing is said on stderr."""
    read, write = os.pipe()
    os.close(read)  # nobody reads at all
    done = subprocess.run(
        [sys.executable, "-m", "flowlib", "help", "selectors"],
        cwd=tmp_path,
        env=environment(),
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=LIMIT_S,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_command_is_installed_beside_python(tmp_path):
    """As a program of its own, which is the same as `python -m flowlib`."""
    program = Path(sys.executable).with_name("flowlib")
    done = subprocess.run(
        [sys.executable, str(program), "help", "exit-codes"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == flowlib("help", "exit-codes", folder=tmp_path).out
