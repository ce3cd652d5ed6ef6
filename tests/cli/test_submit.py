"""Are tasks submitted, executed, waited for and read from the shell, by short keys?"""

from __future__ import annotations

import json

import pytest

from tests.cli.calls import flowlib, project

SCRIPT = """
from flowlib import sh, task


@task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@task
def broken(x):
    raise ValueError("always")


print("imported")
cmd = sh("echo 👋 🪐", shell=True, name="hello")
python = total([3, 2])
bad = broken(python)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project whose script was submitted; the ids that were written."""
    folder = project(tmp_path_factory.mktemp("shop"))
    (folder / "hello.py").write_text(SCRIPT)
    called = flowlib("submit", "hello.py", folder=folder)
    assert called.code == 0, called.err
    return folder, called


@pytest.mark.slow
def test_a_script_is_submitted_and_executed_by_short_keys(shop):
    """The steps of a user: submit, execute, wait, cat; a script that prints disturbs nobody."""
    folder, called = shop
    ids = called.out.split()
    assert [each.partition("/")[0] for each in ids] == ["hello", "broken"]
    assert "3 tasks submitted; nothing was run" in called.err
    hello, bad = (each.partition("/")[2][:6] for each in ids)
    assert flowlib("submit", "hello.py", folder=folder).err.startswith(
        "imported\n3 tasks submitted before"
    )
    waited = flowlib("wait", hello, "--timeout", "0s", folder=folder)
    assert (waited.code, waited.out) == (124, f"◌ pending   {ids[0]}\n")
    done = flowlib("execute", hello, "total", folder=folder)
    assert (done.code, done.out) == (0, ""), done.err
    assert "2 tasks finished" in done.err
    assert flowlib("wait", hello, folder=folder).code == 0
    assert flowlib("cat", hello, folder=folder).out == "👋 🪐\n"
    assert flowlib("cat", f"{hello}:stderr", folder=folder).out == ""
    assert flowlib("cat", "total", folder=folder).out == "5\n"
    again = flowlib("execute", f"{hello}:stdout", folder=folder)
    assert (again.code, again.out) == (0, "")
    failed = flowlib("execute", bad, "--once", folder=folder)
    assert failed.code == 1
    assert f"flowlib execute --once {ids[1]}" in failed.err
    waited = flowlib("wait", bad, hello, "--json", folder=folder)
    assert waited.code == 1
    assert sorted(waited.json["tasks"].values()) == ["failed", "finished"]


@pytest.mark.parametrize("words", [("execute", "hello", "--inline"), ("run", "flow.yaml")])
def test_the_command_that_is_told_holds_no_secret(shop, words):
    """What is in the address of a store does not come back in events, or in what runs it again."""
    folder, _ = shop
    token = "ghp_" + "a1b2c3d4e5f6" * 3
    flowlib("submit", "hello.py", "--store", f"file:{token}", folder=folder)
    done = flowlib(*words, "--json", "--store", f"file:{token}", folder=folder)
    started = json.loads(done.out.splitlines()[0])
    assert started["event"] == "run_started", done.err
    assert token not in " ".join([*started["again"], *started["seen_by"]])
    assert f"file:{folder}/***" in started["again"]


def test_a_key_that_means_nothing_is_told(shop):
    """With what there is, and the nearest name."""
    folder, _ = shop
    called = flowlib("execute", "totl", folder=folder)
    assert called.code == 3
    assert "Did you mean total?" in called.err
    assert flowlib("wait", "nobody", folder=folder).code == 3
    assert flowlib("execute", folder=folder).code == 2


def test_a_document_is_submitted_with_its_overrides(tmp_path):
    """As it would be run; another store is named."""
    folder = project(tmp_path / "p")
    words = ("--store", f"file:{tmp_path}/store")
    called = flowlib("submit", "flow.yaml", "train.lr=0.1,0.2,0.3", "--json", *words, folder=folder)
    [found] = called.json["submissions"]
    assert [each["task"] for each in found["tasks"]] == ["Load", "Train", "Train", "Train", "Best"]
    assert [each["id"] for each in found["tasks"] if each["is_target"]] == [
        found["tasks"][-1]["id"]
    ]
    assert (found["project"], found["is_new"]) == ("demo", True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = flowlib("execute", "Best", "--inline", *words, folder=elsewhere)
    assert done.code == 0, done.err
    assert flowlib("cat", "Best:best", *words, folder=elsewhere).out == "0.9\n"


@pytest.mark.slow
def test_what_is_no_script_of_tasks_is_refused(tmp_path):
    """Each with what to do."""
    folder = project(tmp_path / "p")
    (folder / "empty.py").write_text("x = 1\n")
    (folder / "wrong.py").write_text("1 / 0\n")
    (folder / "json.py").write_text("x = 1\n")
    (folder / "two.py").write_text(
        "from flowlib import sh, Flow\na = sh('true')\nflow = Flow([a])\n"
    )
    expected = {
        "empty.py": "neither a Flow nor a spec among its globals",
        "wrong.py": "wrong.py cannot be imported: ZeroDivisionError",
        "json.py": "rename the script",
        "tow.py": "Did you mean two.py?",
        "two.py:flwo": "Did you mean flow? It has: a, flow",
    }
    for name, text in expected.items():
        called = flowlib("submit", name, folder=folder)
        assert called.code == 2, name
        assert text in called.err
    assert flowlib("submit", "two.py:a", folder=folder).code == 0
    assert flowlib("submit", "two.py", "x=1", folder=folder).code == 2


def test_a_task_is_written_into_a_folder(shop):
    """Which is named, with what lies in it; nothing else is written there."""
    folder, called = shop
    hello = called.out.split()[0]
    found = flowlib("debug", hello, "by_hand", "--json", folder=folder)
    assert found.code == 0, found.err
    assert found.json["folder"] == str(folder / "by_hand")
    expected = {"README.txt", "run.py", "run.sh", "store", "task.json", "work"}
    assert expected <= set(found.json["files"])
    assert f"flowlib execute {hello} --inline" in (folder / "by_hand" / "README.txt").read_text()
    again = flowlib("debug", hello, "by_hand", folder=folder)
    assert (again.code, again.out) == (2, "")
    assert "is not empty" in again.err
