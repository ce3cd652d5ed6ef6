"""Do the workflows of the README of funsies, written for flowlib, come out as it says?"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import examples.from_funsies.hello_world as hello_world
from examples.from_funsies.recovery import simulation
from flowlib import Flow, TaskState, execute, wait
from stores import LocalFileStore
from tests.acceptance.scripts import run_forked


def test_hello_world_is_lazy_and_executed_by_its_addresses(tmp_path: Path) -> None:
    """The script runs nothing and prints two addresses; the command executes and prints both."""
    (tmp_path / "flowlib.toml").touch()
    shutil.copy(hello_world.__file__, tmp_path)
    done = run_forked(["hello_world.py"], tmp_path)
    assert done.code == 0, done.err
    found = re.fullmatch(r"my outputs are saved to (\w{5}) and (\w{5})\n", done.out)
    assert found is not None, done.out
    assert LocalFileStore(tmp_path / ".flowlib").count() == 0
    executed = run_forked(["-m", "flowlib", "execute", *found.groups()], tmp_path)
    assert executed.code == 0, executed.err
    printed = [run_forked(["-m", "flowlib", "cat", key], tmp_path).out for key in found.groups()]
    assert printed == ["👋 🪐\n", "5\n"]
    again = run_forked(["-m", "flowlib", "execute", *found.groups()], tmp_path)
    assert "2 cached" in again.err


def test_a_missing_output_stops_what_reads_it_and_names_the_source(tmp_path: Path) -> None:
    """The step is not run; its error is that of the program, which names the file."""
    store = LocalFileStore(tmp_path)
    submission = Flow([simulation()]).submit(store)
    execute("analyze_data", store, num_workers=1, exit_on_error=False)
    [final], [sim] = submission["analyze_data"], submission["simulate"]
    states = wait(["analyze_data", "simulate"], store)
    assert list(states.values()) == [TaskState.UPSTREAM_FAILED, TaskState.FAILED]
    blamed, failed = store.record(final), store.record(sim)
    assert blamed is not None and failed is not None
    assert blamed.latest.error is not None and failed.latest.error is not None
    assert str(sim) in blamed.latest.error.message
    assert "'results.csv', which out declares" in failed.latest.error.message


def test_only_what_was_modified_is_computed_again(tmp_path: Path) -> None:
    """As in ccache: by what led to a value, not by the time of a file."""
    store = LocalFileStore(tmp_path)
    Flow([simulation("cat data.inp > results.csv")]).submit(store)
    assert execute("analyze_data", store, num_workers=1).counts == {"finished": 2}
    Flow([simulation("cat data.inp > results.csv")]).submit(store)
    assert execute("analyze_data", store, num_workers=1).counts["cached"] == 1
    Flow([simulation("cat data.inp data.inp > results.csv")]).submit(store)
    run = execute("analyze_data", store, num_workers=1)
    assert run.counts["finished"] == 2
