"""Are submitted tasks shown as pending, where a user looks for them, until they have run?"""

from __future__ import annotations

import pytest

from flowlib import Flow, task
from stores import LocalFileStore
from tests.cli.calls import flowlib


@task
def one(size=1):
    return size


@task
def plus(x, y=1):
    return x + y


@pytest.fixture
def folder(tmp_path):
    """A project in which two tasks have run and three wait to be."""
    (tmp_path / "flowlib.toml").write_text("")
    store = LocalFileStore(tmp_path / ".flowlib")
    flow = Flow([plus(one(), each) for each in (2, 3, 4)])
    flow.submit(store)
    flow.run(num_workers=1, results_store=store, only=["plus[y=2]"])
    return tmp_path


def test_they_are_listed_with_the_others(folder):
    """With their config and state; a selector may mean them, or only them."""
    found = flowlib("ls", "--json", folder=folder).json
    assert found["counts"] == {"finished": 2, "pending": 2}
    pending = [each for each in found["records"] if each["state"] == "pending"]
    assert sorted(each["config"]["y"] for each in pending) == [3, 4]
    assert {each["unique_name"] for each in pending} == {"plus-2", "plus-3"}
    ids = flowlib("ls", "@pending", "--ids", folder=folder).out.split()
    assert sorted(ids) == sorted(f"plus/{each['key']}" for each in pending)
    assert len(flowlib("ls", "plus", folder=folder).out.splitlines()) == 3
    assert "◌ pending   y=3" in flowlib("ls", "plus[y=3]", folder=folder).out
    assert flowlib("ls", "nothing", folder=folder).code == 3


@pytest.mark.slow
def test_what_needs_a_result_says_that_there_is_none_yet(folder):
    """And what makes one."""
    [whole] = flowlib("ls", "plus[y=4]", "--ids", folder=folder).out.split()
    short = whole[: len("plus/") + 8]
    for words in (["cat", short], ["show", short], ["logs", short[len("plus/") :]], ["rm", short]):
        called = flowlib(*words, folder=folder)
        assert called.code == 3, called.err
        assert f"{short} was submitted and has not run yet: flowlib execute {short}" in called.err
    assert (
        "2 tasks were submitted and have not run yet"
        in flowlib("rm", "@pending", folder=folder).err
    )


@pytest.mark.slow
def test_status_tells_how_many_wait(folder):
    """Until they have run: `ls @pending --ids | execute -`."""
    called = flowlib("status", folder=folder)
    assert "◌ 2 tasks were submitted and have not run: flowlib ls @pending" in called.err
    assert flowlib("status", "--json", folder=folder).json["pending"] == 2
    ids = flowlib("ls", "@pending", "--ids", folder=folder).out
    done = flowlib("execute", "-", "--inline", folder=folder, stdin=ids)
    assert done.code == 0, done.err
    assert flowlib("status", "--json", folder=folder).json["pending"] == 0
    assert flowlib("ls", "@pending", folder=folder).code == 3
    assert "submitted" not in flowlib("status", folder=folder).err


def test_a_result_that_is_deleted_is_pending_again(folder):
    """`rm --with-dependents` does what the reset of funsies does."""
    called = flowlib("rm", "one", "--with-dependents", "-y", folder=folder)
    assert called.code == 0, called.err
    counts = flowlib("ls", "--json", folder=folder).json["counts"]
    assert counts == {"pending": 4}


def test_the_graph_shows_what_has_not_run(folder):
    """Of the submission that holds a task, by its key; as a picture, and for programs."""
    [whole] = flowlib("ls", "plus[y=4]", "--ids", folder=folder).out.split()
    key = whole.partition("/")[2][:8]
    drawn = flowlib("graph", key, "--tasks", folder=folder)
    assert drawn.code == 0, drawn.err
    first, *_ = drawn.out.rpartition("\n\n")
    assert [first.count("◌ plus"), first.count("✔ plus y=2"), first.count("✔ one")] == [2, 1, 1]
    assert drawn.out.endswith("✔ 2 finished  ◌ 2 pending\n")
    nodes = flowlib("graph", key, "--json", folder=folder).json["nodes"]
    assert sorted(each["state"] for each in nodes) == ["finished", "finished", "pending", "pending"]
    assert flowlib("graph", "0123456789", folder=folder).code == 3
