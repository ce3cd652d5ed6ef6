"""What is told of a call that cannot be as it is: in one line, with what would be right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from flowlib.cli.main import main
from flowlib.cli.opening import opened_store
from flowlib.cli.times import limit_of, patience_of
from stores import StoreError
from tests.cli.calls import LIMIT_S, Called, environment, flowlib, project

FULL = Path("/dev/full")


def told(called) -> str:
    """The one line on stderr that tells what is wrong; the line before may say how to call."""
    usage, error = ["", *called.err.splitlines()][-2:]
    assert (usage == "") or usage.startswith("Usage: flowlib"), called.err
    assert error.startswith("error: "), called.err
    assert called.out == ""
    return error.removeprefix("error: ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "tasks.py"], 2, "tasks.py is a script, no document (.yaml, .toml, .json)"),
        (["run", "flow.yaml", "--timeout", "soon"], 2, "'--timeout': 'soon' is no time above 0"),
        (["run", "flow.yaml", "--timeout", "0"], 2, "'--timeout': '0' is no time above 0"),
        (
            ["run", "flaw.yaml"],
            2,
            "flaw.yaml cannot be read: No such file or directory. Did you mean",
        ),
        (["run", "flow.yaml", "--report", "nope/x.html"], 2, "there is no folder nope for x.html"),
        (["graph", "flow.yaml", "--html", "nope/x.html"], 2, "there is no folder nope for x.html"),
        (["graph", "flow.yaml", "--svg", "."], 2, ". is a folder: name a file in it"),
        (["wait", "Train", "--timeout", "soon"], 2, "'--timeout': 'soon' is no time: write 90"),
        (["gc", "--older", "3"], 2, "'--older': '3' is no age: write it with its unit"),
        (["graph", "flow.yml"], 2, "flow.yml cannot be read"),
        (["ls", "--store", "sqlit:///x.db"], 2, "Did you mean sqlite?"),
        (["cluster", "stopp"], 2, "there is no command 'stopp'. Did you mean stop?"),
        (["cluster", "ennd"], 2, "there is no command 'ennd'. There are: start, status, stop"),
        (["help", "exitcodes"], 3, "Did you mean exit-codes?"),
        (["help", "xyz"], 3, "Topics are: overrides, selectors"),
    ],
)
def test_a_wrong_word_is_told_with_what_is_right(
    arguments, code, said, tmp_path, monkeypatch, capsys
):
    """Where it stands, what was found, what is allowed."""
    monkeypatch.chdir(project(tmp_path / "p"))
    found = main(arguments)
    called = Called(found, *capsys.readouterr())
    assert called.code == code, called.err
    assert said in told(called)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["graph", "flow.yaml", "--dot", "--mermaid"], "--dot and --mermaid"),
        (["graph", "flow.yaml", "--json", "--dot"], "--dot and --json"),
        (["results", "--md", "--latex"], "--md and --latex"),
        (["results", "--csv", "--open"], "--csv and --open"),
        (["results", "--open", "-o", "t.csv"], "--open and --output"),
        (["ls", "--json", "--ids"], "--ids and --json"),
        (["config", "flow.yaml", "--json-schema", "--json"], "--json-schema and --json"),
        (["config", "flow.yaml", "--origin", "--json-schema"], "--json-schema and --origin"),
        (["rm", "Load", "--keep-dependents", "--with-dependents"], "--with-dependents and --keep"),
        (["run", "flow.yaml", "--progress", "lines", "--json"], "--json and --progress lines"),
        (["run", "flow.yaml", "--max-failures", "3", "--fail-fast"], "--fail-fast and --max-"),
        (
            ["run", "flow.yaml", "-n", "--fail-fast", "--max-failures", "3"],
            "--fail-fast and --max-",
        ),
    ],
)
def test_words_that_exclude_each_other_are_both_named(
    arguments, words, tmp_path, monkeypatch, capsys
):
    """The last one does not win in silence; nothing is read, run or deleted."""
    monkeypatch.chdir(project(tmp_path / "p"))
    called = Called(main(arguments), *capsys.readouterr())
    assert called.code == 2, called.err
    assert told(called).startswith(words)
    assert told(called).endswith(": give one of them")
    assert not Path(".flowlib").exists()


def test_the_bytes_of_one_result_have_no_other_form(tmp_path, monkeypatch, capsys):
    """A table has; the name of a result says that its bytes are wanted."""
    monkeypatch.chdir(project(tmp_path / "p"))
    called = Called(main(["results", "Train-1:accuracy", "--csv"]), *capsys.readouterr())
    assert called.code == 2
    assert told(called) == "--csv is for tables: Train-1:accuracy comes as it is stored"


@pytest.mark.parametrize("text", [None, "90", "1.5", "10m", "2h", "1d"])
def test_times_with_and_without_a_unit_are_limits(text):
    """Seconds, or what their letter says; no word is no limit. Who waits may not wait at all."""
    context, option = click.Context(click.Command("run")), click.Option(["--timeout"])
    assert limit_of(context, option, text) == text
    assert patience_of(context, option, text) == text
    assert patience_of(context, option, "0s") == "0s"


@pytest.mark.parametrize("words", [["ls"], ["run", "flow.yaml"]])
def test_a_file_is_no_folder_of_a_store(words, tmp_path):
    """Neither for who reads nor for who writes; the file stays as it is."""
    folder = project(tmp_path / "p")
    before = (folder / "tasks.py").read_text()
    called = flowlib(*words, "--store", "file:tasks.py", folder=folder)
    assert called.code == 4
    assert told(called).startswith(f"{folder / 'tasks.py'} is a file, and a store is a folder")
    assert (folder / "tasks.py").read_text() == before


def test_a_folder_of_other_things_is_no_store(tmp_path):
    """An empty one is a store without results, and one that runs have used is a store."""
    other = tmp_path / "other"
    other.mkdir()
    opened_store(f"file:{other}").close()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=f"there is no store in {other}: run something"):
        opened_store(f"file:{other}")
    opened_store(f"file:{other}", must_exist=False).close()
    assert [each.name for each in other.iterdir()] == ["notes.txt"]


def test_what_is_not_there_is_told_with_what_is(tmp_path):
    """Runs, records, submitted tasks: the nearest name, or some of those there are."""
    folder = project(tmp_path / "p")
    assert flowlib("run", "flow.yaml", "--name", "first", folder=folder).code == 0
    run = flowlib("status", "other-run", folder=folder)
    assert (run.code, told(run)) == (3, "there is no run 'other-run'. The last ones are: first")
    several = flowlib("show", "Train", folder=folder)
    assert several.code == 2
    text = told(several)
    assert text.startswith("'Train' means 2 records: Train/")
    assert text.endswith("; name one of them")
    names = text.partition(": ")[2].partition(";")[0].split(", ")
    assert {len(each) for each in names} == {len("Train/12345678")}
    spec = flowlib("graph", "flow.yaml", "--expand", "Tran", folder=folder)
    assert spec.code == 3
    assert "Did you mean Train? There are: Load, Train, Best" in told(spec)
    graph = flowlib("graph", "nope", folder=folder)
    assert graph.code == 3
    assert told(graph) == (
        "there is no document nope, and 'nope' selects nothing: nothing was submitted to this store."
    )


def test_a_run_whose_store_cannot_be_written_says_so_by_its_exit_code(tmp_path):
    """It is the store that has failed, not the tasks: a script may try again with another one."""
    folder = project(tmp_path / "p")
    (folder / ".flowlib").mkdir()
    (folder / ".flowlib" / ".leases").write_text("a file where a folder is needed")
    called = flowlib("run", "flow.yaml", "--inline", "-q", folder=folder)
    assert called.code == 4, called.err
    assert "StoreUnwritable: " in called.err


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["config"], ["help", "selectors"]])
def test_an_output_that_cannot_be_written_is_one_line(arguments, tmp_path):
    """No traceback, neither at once nor when the interpreter ends."""
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flowlib", *arguments],
            cwd=project(tmp_path / "p"),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=LIMIT_S,
            check=False,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "error: the output cannot be written: No space left on device\n"
