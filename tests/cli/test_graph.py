"""`flowlib graph`: the graph of a document with what the store knows."""

from __future__ import annotations

import pytest

from tests.cli.calls import flowlib, project


@pytest.fixture
def folder(tmp_path):
    """A project with four nodes, of which two have run."""
    folder = project(tmp_path / "project")
    assert flowlib("run", "flow.yaml", "--only", "Train-1", folder=folder).code == 0
    return folder


@pytest.mark.slow
def test_the_states_are_those_of_the_store(folder):
    """What is cached, failed, or was never run; the picture is on stdout, nothing on stderr."""
    assert flowlib("run", "flow.yaml", "train.lr=0.9", "-q", folder=folder).code == 1
    called = flowlib("graph", "flow.yaml", "train.lr=1e-2,1e-3,0.9", folder=folder)
    assert (called.code, called.err) == (0, "")
    assert called.out == (
        "        ╭─ ≡ Train lr=0.01 ──╮\n"
        "≡ Load ─┼─ ◌ Train lr=0.001 ─┼─ ◌ Best\n"
        "        ╰─ ✖ Train lr=0.9 ───╯\n"
        "\n"
        "≡ 2 cached  ✖ 1 failed  ◌ 2 pending\n"
    )


def test_ascii(folder):
    """Where a terminal shows nothing else."""
    called = flowlib("graph", "flow.yaml", "--ascii", folder=folder)
    assert called.out.isascii()
    assert "= Load" in called.out


def test_around(folder):
    """Only a part of the graph."""
    called = flowlib("graph", "flow.yaml", "--around", "Train-2", folder=folder)
    assert called.out.splitlines()[0] == "≡ Load ── ◌ Train lr=0.001 ── ◌ Best"


@pytest.mark.slow
def test_a_page_is_written(folder):
    """One file that needs nothing else."""
    called = flowlib("graph", "flow.yaml", "--html", "g.html", folder=folder)
    assert called.code == 0
    assert called.out == ""
    assert called.err == f"written: {folder}/g.html\n"
    assert "<html" in (folder / "g.html").read_text()


@pytest.mark.slow
def test_a_text_and_pictures_are_written_by_one_call(folder):
    """The text goes to stdout, each picture to its file: none is in the way of another."""
    called = flowlib("graph", "flow.yaml", "--dot", "--svg", "g.svg", folder=folder)
    assert called.code == 0, called.err
    assert called.out.startswith("digraph")
    assert called.out.endswith("}\n")
    assert called.err == f"written: {folder}/g.svg\n"
    assert "<svg" in (folder / "g.svg").read_text()


@pytest.mark.slow
def test_an_unknown_task_is_exit_code_3(folder):
    """With the nearest one."""
    called = flowlib("graph", "flow.yaml", "--around", "Trian-1", folder=folder)
    assert (called.code, called.out) == (3, "")
    assert "Did you mean Train-1?" in called.err
