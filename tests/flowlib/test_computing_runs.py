"""Is the run found that goes on with a task, and no other?"""

from __future__ import annotations

import os
import time

import pytest

from flowlib.computing_runs import computing_run, is_key, open_tasks
from flowlib.errors import SelectorError
from flowlib.event_log import EventWriter
from flowlib.events import Finished, Retried, RunEnded, RunStarted, Started, TaskRef
from stores import Address, LocalFileStore, Owner
from tests.flowlib.run_events import error

KEYS = {name: sign * 4 + sign.upper().lower() * 28 for name, sign in zip("abc", "abc", strict=True)}
NEAR = "aaaab" + "0" * 27


def task(name, key=None):
    return TaskRef("Train", f"Train-{name}", key or KEYS[name])


def write(store, name, *events, is_over=False):
    """A run of this process, with what has happened in it."""
    folder, me, now = store.runs_dir / name, Owner.of_this_process(), time.time()
    folder.mkdir(parents=True)
    known = {"boot_id": me.boot_id, "process_start": me.started}
    writer = EventWriter(folder)
    writer.write(RunStarted(now, name, "p", "s", me.host, os.getpid(), 1, (), **known))
    for each in events:
        writer.write(each)
    if is_over:
        writer.write(RunEnded(now, {"finished": 1}, 1.0))
    writer.close()
    return folder


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "runs")


@pytest.mark.parametrize("text", ["aaaa", "Train/a", "Train-a", KEYS["a"], f"Train/{KEYS['a']}"])
def test_one_run_that_goes_on_computes_it(store, text):
    """By the beginning of its key, or by its name in the run; what has ended is not computed."""
    folder = write(
        store, "one", Started(1.0, task("a"), 0), Started(1.0, task("b"), 0), Finished(2.0, task("b"), 1.0)
    )  # fmt: skip
    write(store, "over", Started(1.0, task("a"), 0), is_over=True)
    run, address = computing_run(store, text)
    assert (run.name, address) == ("one", Address("Train", KEYS["a"]))
    assert open_tasks(folder) == {"Train-a": Address("Train", KEYS["a"])}
    for other in ("bbbb", "Train-b", "Load/a", "aaa", "cccc", "one", ""):
        assert computing_run(store, other) is None


def test_one_that_is_tried_again_is_still_to_be_computed(store):
    """Its failure was not the last word."""
    again = Retried(2.0, task("a"), error())
    write(store, "one", Started(1.0, task("a"), 0), again)
    assert computing_run(store, "Train/a")[0].name == "one"


def test_several_runs_are_named(store):
    """They share it: ended in one of them, the other one would begin it."""
    for name in ("one", "two"):
        write(store, name, Started(1.0, task("a"), 0))
    with pytest.raises(SelectorError) as raised:
        computing_run(store, "aaaa")
    assert str(raised.value) == (
        "2 runs compute Train/aaaaaaaa: one, two; name one of them: "
        "flowlib cancel RUN --only Train/aaaaaaaa"
    )


def test_several_tasks_whose_keys_begin_so_are_named(store):
    """As everywhere, a beginning means one key."""
    write(store, "one", Started(1.0, task("a"), 0), Started(1.0, task("d", NEAR), 0))
    with pytest.raises(SelectorError, match="'aaaa' means 2 tasks: Train/aaaaaaaa, Train/aaaab000"):
        computing_run(store, "aaaa")
    assert computing_run(store, "aaaab")[1] == Address("Train", NEAR)


def test_what_may_be_a_key():
    """Four letters of sixteen, or any number behind the name of a task."""
    assert [is_key(each) for each in ("9a7a", "Train/9", "a/b/c0")] == [True] * 3
    assert [is_key(each) for each in ("9a7", "Train", "Train/", "sunny-otter-12", "Train-1")] == [
        False
    ] * 5
