"""`flowlib rm` and `flowlib gc`: what would go, what goes, and who is asked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from stores import Address, LocalFileStore, Owner
from stores.testing import put
from tests.cli.calls import flowlib
from tests.cli.shapes import fits
from tests.cli.stored import BEST, FAST, FETCH, SLOW, filled, outcome
from tests.screens import Terminal

PLAN = {
    "schema": int, "dry_run": bool, "records": [str], "size_bytes": int, "dependents": [str],
    "dependents_bytes": int,
}  # fmt: skip
DONE = {**PLAN, "removed": [str], "busy": [str]}
GC = {
    "schema": int, "dry_run": bool, "records": [str], "leftovers": int, "freed_bytes": int,
    "kept": int, "kept_bytes": int,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path)
    return tmp_path


def left(folder):
    return sorted(LocalFileStore(folder / ".flowlib").addresses())


def id_of(address):
    return f"{address.task}/{address.key}"


def test_a_dry_run_tells_tasks_bytes_and_dependents(folder):
    """And deletes nothing."""
    called = flowlib("rm", "Fetch", "-n", folder=folder)
    assert (called.code, called.err) == (0, "")
    assert called.out.startswith("1 record, ")
    assert "; computed from them: 1 record, 20.9 kB (Train: 1)\n" in called.out
    found = flowlib("rm", "Fetch", "-n", "--json", folder=folder).json
    fits(found, PLAN)
    assert (found["records"], found["dependents"]) == ([id_of(FETCH)], [id_of(SLOW)])
    assert found["dependents_bytes"] > 20_000
    assert len(left(folder)) == 4


def test_without_a_terminal_somebody_has_to_say_yes(folder):
    """Exit 2 names the flag, and nothing is deleted."""
    called = flowlib("rm", "@failed", folder=folder)
    assert (called.code, called.out) == (2, "")
    assert "-y deletes" in called.err
    assert len(left(folder)) == 4
    assert flowlib("rm", "@failed", "-y", folder=folder).code == 0
    assert left(folder) == [BEST, FETCH, SLOW]


def test_what_was_computed_from_it_is_kept_or_goes_but_never_by_chance(folder):
    """Failed and skipped tasks were not computed from anything."""
    called = flowlib("rm", "Fetch", "-y", folder=folder)
    assert called.code == 2
    assert "--with-dependents" in called.err
    assert "--keep-dependents" in called.err
    found = flowlib("rm", "Fetch", "-y", "--with-dependents", "--json", folder=folder).json
    fits(found, DONE)
    assert found["removed"] == [id_of(SLOW), id_of(FETCH)]
    assert left(folder) == [BEST, FAST]


def test_dependents_may_stay(folder):
    """They have results, but cannot be computed again from the same."""
    assert flowlib("rm", "Fetch", "-y", "--keep-dependents", folder=folder).code == 0
    assert left(folder) == [BEST, FAST, SLOW]


def test_ids_come_from_another_command(folder):
    """`flowlib ls @failed --ids | flowlib rm -y -`; none is not all."""
    listed = flowlib("ls", "@failed", "--ids", folder=folder)
    assert flowlib("rm", "-y", "-", folder=folder, stdin=listed.out).code == 0
    assert left(folder) == [BEST, FETCH, SLOW]
    called = flowlib("rm", "-y", "-", folder=folder, stdin="\n")
    assert (called.code, len(left(folder))) == (3, 3)


@pytest.mark.parametrize(
    ("words", "code"),
    [([], 2), (["Train/9a", "-y"], 2), (["Trian", "-y"], 3), (["--with-dependents"], 2)],
)
def test_nothing_is_deleted_by_mistake(folder, words, code):
    """No selector, an ambiguous one, one that selects nothing."""
    assert flowlib("rm", *words, folder=folder).code == code
    assert len(left(folder)) == 4


def test_what_is_being_computed_stays(folder):
    """Exit 1: not all that was asked for is done."""
    store = LocalFileStore(folder / ".flowlib")
    lease, _ = store.acquire(FAST, Owner.of_this_process())
    called = flowlib("rm", "@failed", "-y", "--json", folder=folder)
    assert called.code == 1
    assert called.json["busy"] == [id_of(FAST)]
    store.release_attempt(lease)
    assert FAST in left(folder)


SCRIPT = """
import sys
from flowlib.cli.main import main
sys.exit(main(["rm", "@failed"]))
"""


@pytest.mark.parametrize(("key", "code", "count"), [("y\n", 0, 3), ("\n", 0, 4), ("\x03", 130, 4)])
def test_on_a_terminal_it_asks(folder, key, code, count):
    """Yes deletes, no does not, Ctrl-C neither."""
    with Terminal(SCRIPT, folder) as terminal:
        terminal.wait_for("Delete them? [y/N]")
        assert any(row.startswith("1 record, ") for row in terminal.shown)
        terminal.look_for(0.5)  # until it listens
        terminal.type(key)
        assert terminal.wait_for_end() == code
    assert len(left(folder)) == count


def test_gc_keeps_what_the_last_runs_made(folder):
    """With all it was computed from; the plan comes first."""
    new = outcome(inputs=[SLOW], run="newer", ended=200.0)
    put(LocalFileStore(folder / ".flowlib"), Address("Eval", "e" * 32), {"loss": 1}, new)
    found = flowlib("gc", "--keep-last", "1", "-n", "--json", folder=folder).json
    fits(found, GC)
    assert found["records"] == [id_of(BEST), id_of(FAST)]
    assert (found["kept"], len(left(folder))) == (3, 5)
    assert flowlib("gc", "--keep-last", "1", folder=folder).code == 2
    assert flowlib("gc", "--keep-last", "1", "-y", folder=folder).code == 0
    assert [each.task for each in left(folder)] == ["Eval", "Fetch", "Train"]
    assert flowlib("gc", "--keep-last", "1", folder=folder).out.startswith("0 records, 0 B")


def test_gc_by_age_leaves_the_last_hour(folder):
    """And says what stays."""
    young = outcome(ended=time.time() - 60.0)
    put(LocalFileStore(folder / ".flowlib"), Address("Eval", "e" * 32), {"loss": 1}, young)
    called = flowlib("gc", "--older", "30d", "-n", folder=folder)
    assert called.out.startswith("4 records, ")
    assert "; 1 records stay, " in called.out
    assert flowlib("gc", "--older", "soon", folder=folder).code == 2
    assert flowlib("gc", "--older", "1d", "--unreferenced", folder=folder).code == 2


def test_gc_of_what_killed_processes_left(folder):
    """Without options no record goes."""
    store = LocalFileStore(folder / ".flowlib")
    lost = Path(store.base_dir, "Train", SLOW.key, "7")
    lost.mkdir(parents=True)
    (lost / "part.bin").write_bytes(b"x" * 5000)
    found = flowlib("gc", "-y", "--json", "--unreferenced", folder=folder).json
    assert (found["records"], found["leftovers"]) == ([], 1)
    assert found["freed_bytes"] >= 5000
    assert not lost.exists()
    assert len(left(folder)) == 4
