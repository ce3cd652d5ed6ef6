"""`flowlib results`: tables on stdout and in files, raw results as they are stored."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from flowlib import Flow, Task, TaskSpec
from stores import LocalFileStore
from tests.cli.calls import environment, flowlib

HIDDEN = "constant columns hidden (batch=64; --all-columns)"


class Fit(Task):
    """Results of several kinds; more than enough for a table."""

    def __init__(self, lr: float, seed: int, batch: int = 64):
        self.lr, self.seed = lr, seed

    def run(self):
        if self.lr > 1:
            raise ValueError("too large")
        self.save(b"\x00\xffraw" * 100_000, "weights")
        self.save(os.getcwd, "trap", type_="pickle")
        plots = Path(self.get_store_context().run_dir, "made")
        plots.mkdir()
        (plots / "a.txt").write_text(f"{self.lr}")
        self.save(plots, "plots", type_="path")
        return {"metrics": {"acc": 1 - self.lr + self.seed / 100}, "note": "=1+1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with the results of six tasks, of which two have failed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "flowlib.toml").write_text("")
    spec = TaskSpec(Fit, {"lr": [0.5, 0.25, 2.0], "seed": [1, 2]}, expand="product")
    store = LocalFileStore(folder / ".flowlib")
    Flow([spec]).run(num_workers=1, results_store=store, exit_on_error=False)
    return folder


def test_a_table_for_people(folder):
    """What varies, in the order that is asked for."""
    called = flowlib(
        "results", "Fit", "--sort", "-acc,lr", "--top", "2", folder=folder, COLUMNS="200"
    )
    head, rule, first, second, note = called.out.splitlines()
    assert head.split() == [
        "id",
        "Fit.lr",
        "Fit.seed",
        "metrics.acc",
        "▾",
        "note",
        "time",
        "when",
    ]
    assert rule.strip("─") == ""
    assert first.split()[1:5] == ["0.25", "2", "0.77", "=1+1"]
    assert second.split()[1:5] == ["0.25", "1", "0.76", "=1+1"]
    assert note == f"2 of 6 rows · {HIDDEN} · --csv --json --md --html --open"
    assert (called.code, called.err) == (0, "")


def test_a_narrow_terminal_is_told_what_has_no_room(folder):
    """COLUMNS counts in a pipe, too; ASCII on request."""
    called = flowlib("results", "--ascii", folder=folder, COLUMNS="40")
    lines = called.out.splitlines()
    assert max(map(len, lines)) <= 40
    assert called.out.isascii()
    assert "no room for 5 columns" in " ".join(lines)
    assert "(Fit.seed, metrics.acc, note, duration_s, ended)" in " ".join(lines)


def test_csv_is_all_that_stdout_gets(folder):
    """What is hidden is told on stderr, unless it shall be quiet."""
    called = flowlib("results", "Fit", "--csv", "--sort", "lr,seed", folder=folder)
    rows = list(csv.DictReader(io.StringIO(called.out)))
    assert [(row["Fit.lr"], row["Fit.seed"], row["metrics.acc"]) for row in rows] == [
        ("0.25", "1", "0.76"),
        ("0.25", "2", "0.77"),
        ("0.5", "1", "0.51"),
        ("0.5", "2", "0.52"),
        ("2.0", "1", ""),
        ("2.0", "2", ""),
    ]
    assert {row["note"] for row in rows} == {"'=1+1", ""}
    assert called.err == f"6 rows · {HIDDEN}\n"
    whole = flowlib("results", "Fit", "--csv", "--all-columns", "-q", folder=folder)
    assert whole.err == ""
    assert "Fit.batch" in whole.out.splitlines()[0]
    some = flowlib("results", "Fit", "--columns", "acc,batch", "--csv", folder=folder)
    assert some.out.splitlines()[0] == "id,metrics.acc,Fit.batch"


def test_json_is_one_document(folder):
    """Of the best row, for instance."""
    called = flowlib("results", "Fit", "--json", "--best", "acc", "--mode", "min", folder=folder)
    document = called.json
    assert document["total"] == 6
    assert document["constant"] == {"Fit.batch": 64}
    (row,) = document["rows"]
    assert (row["Fit.lr"], row["Fit.seed"], row["metrics.acc"]) == (0.5, 1, 0.51)


def test_means_over_a_seed(folder):
    """Missing numbers are said; groups say how many rows they hold."""
    called = flowlib(
        "results", "Fit", "--mean-over", "seed", "--sort", "lr", folder=folder, COLUMNS="200"
    )
    lines = [line.split("  ") for line in called.out.splitlines()[2:5]]
    cells = [[cell.strip() for cell in line if cell.strip()][:4] for line in lines]
    assert cells == [
        ["0.25", "2", "0.7650 ± 0.0071", "=1+1"],
        ["0.5", "2", "0.5150 ± 0.0071", "=1+1"],
        ["2.0", "2", "–", "–"],
    ]
    grouped = flowlib("results", "--group-by", "seed", "--json", folder=folder).json
    assert [
        (row["Fit.seed"], row["rows"], row["metrics.acc.count"]) for row in grouped["rows"]
    ] == [
        (1, 3, 2),
        (2, 3, 2),
    ]


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("t.md", "| id |"),
        ("t.html", "<!doctype html>"),
        ("t.csv", "id,task"),
        ("t.tex", "% 6 rows"),
        ("t", "id"),
    ],
)
def test_a_file_is_written_in_the_form_of_its_name(folder, tmp_path, name, beginning):
    """Nothing goes to stdout then."""
    called = flowlib("results", "Fit", "-o", str(tmp_path / name), folder=folder)
    assert (called.code, called.out) == (0, "")
    assert (tmp_path / name).read_text().startswith(beginning)
    forced = flowlib("results", "Fit", "--json", "-o", str(tmp_path / name), folder=folder)
    assert forced.code == 0
    assert json.loads((tmp_path / name).read_text())["total"] == 6


def _raw(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "flowlib", "results", *arguments],
        cwd=folder, env=environment(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_one_result_comes_as_it_is_stored(folder, tmp_path):
    """Byte by byte, to stdout or to a file; a pickle is not loaded."""
    found = _raw(folder, "Fit[lr=0.5,seed=1]:weights")
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout == b"\x00\xffraw" * 100_000
    target = tmp_path / "w.bin"
    assert _raw(folder, "Fit-1:weights", "-o", str(target)).stdout == b""
    assert target.read_bytes() == found.stdout
    assert _raw(folder, "Fit-1:trap").stdout[:1] == b"\x80"
    assert json.loads(_raw(folder, "Fit-1:metrics").stdout) == {"acc": 0.51}


def test_a_folder_comes_as_a_tar(folder):
    """With its files under `content`."""
    found = _raw(folder, "Fit-3:plots")
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        assert archive.extractfile("content/a.txt").read() == b"0.25"


def test_what_is_damaged_leaves_no_file(tmp_path):
    """And is an error of the store."""
    store = LocalFileStore(tmp_path / ".flowlib", inline_limit=0)
    run = Flow([TaskSpec(Fit, {"lr": 0.5, "seed": 1})]).run(num_workers=1, results_store=store)
    (damaged,) = (tmp_path / ".flowlib").glob(f"Fit/{run['Fit'][0].address.key}/*/weights*")
    damaged.write_bytes(b"\x00\xffRAW" * 100_000)
    (tmp_path / "flowlib.toml").write_text("")
    found = _raw(tmp_path, "Fit:weights", "-o", "w.bin")
    assert found.returncode == 4
    assert b"other bytes than those that were saved" in found.stderr
    assert not (tmp_path / "w.bin").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["Nobody"], 3, "'Nobody' selects nothing"),
        (["Fit-1:weight"], 3, "Did you mean weights?"),
        (["Fit:weights"], 2, "means 6 records"),
        (["Fit", "--sort", "loss"], 2, "the table has no column 'loss'"),
        (["Fit", "--best", "note"], 2, "no row has a number in note"),
        (["Fit", "-o", "/nowhere/x"], 2, "/nowhere/x cannot be written"),
        (["--store", "file:/nowhere"], 4, "there is no store in /nowhere"),
    ],
)
def test_what_cannot_be_shown_is_one_line(folder, arguments, code, told):
    """With the exit code of its kind, and nothing on stdout."""
    called = flowlib("results", *arguments, folder=folder)
    assert (called.code, called.out) == (code, "")
    assert called.err.startswith("error: ")
    assert told in called.err
    assert called.err.count("\n") == 1


def test_a_reader_that_stops_is_no_error(folder):
    """Whoever wants the first line gets it."""
    command = f"{sys.executable} -m flowlib results Fit --csv | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith(b"id,task,key")
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_rows_are_shown_as_lines_in_the_browser(folder, tmp_path):
    """What they are ordered by is the last axis; nothing goes to stdout."""
    pytest.importorskip("bokeh")
    browser = tmp_path / "browser.py"
    browser.write_text(
        "import pathlib, sys, urllib.parse as p\n"
        f"page = p.unquote(p.urlparse(sys.argv[1]).path)\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_bytes(pathlib.Path(page).read_bytes())\n"
    )
    command = f"{sys.executable} {browser} %s"
    called = flowlib("results", "Fit", "--sort", "-acc", "--open", folder=folder, BROWSER=command)
    assert (called.code, called.out) == (0, ""), called.err
    assert "metrics.acc" in (tmp_path / "seen").read_text()


def test_files_are_utf_8_whatever_the_terminal_is(folder):
    """In a pipe, too; tables for people keep to what stdout can tell."""
    variables = {"PYTHONIOENCODING": "ascii", "COLUMNS": "200"}
    markdown = flowlib("results", "--mean-over", "seed", "--md", folder=folder, **variables)
    assert "0.7650 ± 0.0071" in markdown.out
    table = flowlib("results", "--mean-over", "seed", folder=folder, **variables)
    assert table.out.isascii()
    assert "0.7650 +- 0.0071" in table.out


def test_what_the_last_run_has_found_is_marked(tmp_path):
    """Not what it has computed, and not what it has not asked for."""
    (tmp_path / "flowlib.toml").write_text("")
    store = LocalFileStore(tmp_path / ".flowlib")
    for rates in ([0.1], [0.2], [0.2, 0.3]):
        spec = TaskSpec(Fit, {"lr": rates, "seed": 1}, expand="product")
        Flow([spec]).run(num_workers=1, results_store=store)
    called = flowlib("results", "--sort", "lr", folder=tmp_path, COLUMNS="200")
    ends = [line.rstrip().endswith("≡") for line in called.out.splitlines()[2:5]]
    assert ends == [False, True, False]
    rows = flowlib("results", "--sort", "lr", "--json", folder=tmp_path).json["rows"]
    assert [row.get("cached") for row in rows] == [None, True, False]


def test_two_forms_at_once_are_refused(folder):
    """None of them is silently taken."""
    called = flowlib("results", "Train", "--csv", "--json", folder=folder)
    assert (called.code, called.out) == (2, "")
    assert "--csv and --json: give one of them" in called.err
    assert "--md and --open: " in flowlib("results", "--md", "--open", folder=folder).err
