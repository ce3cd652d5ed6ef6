"""Does only that go which nobody needs, and nothing that a live process uses?"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stores import Attempt, Input, LocalFileStore, QueryError, RecordTooNew, RunInfo, TaskState
from stores.record import Address
from stores.testing import dead_owner, done, far_owner, identity, put
from tests.architecture.sources import ROOT

BIG = "x" * 50_000
HOUR = 3600.0


def at(task, number):
    names = ["Load", "Train", "Eval", "Other"]
    return Address(task, f"{names.index(task):x}{number:031x}")


def add(store, address, sources=(), run="old", age_s=10 * HOUR, took_s=1.0, data=BIG):
    """A finished record of a run that ended some time ago."""
    ended = time.time() - age_s
    inputs = tuple(Input(each.task, each, 1) for each in sources)
    info = RunInfo("project", run, address.task)
    outcome = Attempt(0, TaskState.FINISHED, ended - took_s, ended, inputs=inputs, run=info)
    put(store, address, {"data": data}, outcome)
    return address


@pytest.fixture
def runs(any_store):
    """An old run of two chains that share a Load, and a newer one with a chain of its own."""
    shared = add(any_store, at("Load", 1))
    for number in (1, 2):
        train = add(any_store, at("Train", number), [shared])
        add(any_store, at("Eval", number), [train])
    load = add(any_store, at("Load", 9), run="new", age_s=5 * HOUR)
    add(any_store, at("Train", 9), [load, at("Train", 2)], run="new", age_s=5 * HOUR)
    return any_store


def victims(plan):
    return sorted((address.task, int(address.key[1:], 16)) for address in plan.victims)


def left(store):
    return sorted((address.task, int(address.key[1:], 16)) for address in store.addresses())


def test_nothing_goes_unless_something_is_said(runs):
    """The plan alone never changes anything either."""
    before = left(runs)
    assert victims(runs.gc()) == []
    plan = runs.gc(keep_runs=1)
    assert left(runs) == before
    assert (len(plan.victims), plan.kept) == (3, 4)
    assert str(plan).startswith("3 of 7 records and 0 leftovers would go: ")
    assert plan.freed_bytes == sum(plan.victims.values()) >= 3 * len(BIG)


def test_what_kept_runs_were_computed_from_is_kept(runs):
    """Through other runs, however old."""
    plan = runs.gc(keep_runs=1)
    assert victims(plan) == [("Eval", 1), ("Eval", 2), ("Train", 1)]
    done_ = plan.apply()
    assert left(runs) == [("Load", 1), ("Load", 9), ("Train", 2), ("Train", 9)]
    assert done_.removal.removed[0].task == "Eval"
    assert (done_.freed_bytes, done_.spared) == (plan.freed_bytes, ())
    assert "3 records deleted" in str(done_)
    assert victims(runs.gc(keep_runs=2)) == []


def test_what_is_named_is_kept(runs):
    """By any of the ways in which records are meant."""
    assert victims(runs.gc(keep=at("Eval", 1))) == [
        ("Eval", 2),
        ("Load", 9),
        ("Train", 2),
        ("Train", 9),
    ]
    assert victims(runs.gc(keep="Train")) == [("Eval", 1), ("Eval", 2)]
    assert len(runs.gc(keep=[]).victims) == 7
    assert victims(runs.gc(keep="*")) == []


def test_what_ended_lately_is_kept_with_its_sources(runs):
    """As long ago as is said, and in any case what may just have been made for a run."""
    assert victims(runs.gc(older_than="7h")) == [("Eval", 1), ("Eval", 2), ("Train", 1)]
    assert victims(runs.gc(older_than="11h")) == []
    assert len(runs.gc(older_than="2h").victims) == 7
    add(runs, at("Other", 1), [at("Eval", 1)], age_s=60.0)
    assert victims(runs.gc(keep=[])) == [("Eval", 2), ("Load", 9), ("Train", 2), ("Train", 9)]
    assert len(runs.gc(keep=[], grace=1.0).victims) == 8


def test_what_was_saved_by_hand_is_kept(runs):
    """No run brings it back."""
    runs.save(1, "note", task_name="Notes", task_unique_config={"Notes": {}})
    assert len(runs.gc(keep=[], grace=0).victims) == 7
    runs.gc(keep=[], grace=0).apply()
    assert runs.load("note", "Notes", {"Notes": {}}) == 1


def test_a_budget_takes_first_what_is_cheap_to_compute_again(any_store):
    """Seconds per byte; what is kept is not taken, and only as much as needed."""
    for number, took_s in enumerate([5.0, 1.0, 9.0, 3.0]):
        add(any_store, at("Load", number), took_s=took_s)
    size = any_store.disk_usage().size_bytes
    each = size // 4
    assert victims(any_store.gc(max_bytes=size)) == []
    assert victims(any_store.gc(max_bytes=size - 1)) == [("Load", 1)]
    assert victims(any_store.gc(max_bytes=size - each - 100)) == [("Load", 1), ("Load", 3)]
    assert victims(any_store.gc(max_bytes=size - 1, keep=at("Load", 1))) == [
        ("Load", 0),
        ("Load", 2),
        ("Load", 3),
    ]
    assert len(any_store.gc(max_bytes=0).victims) == 4
    any_store.gc(max_bytes=2 * each + 200).apply()
    assert left(any_store) == [("Load", 0), ("Load", 2)]


def test_a_cost_grows_when_what_it_needs_is_gone(any_store):
    """A cheap result of an expensive one is kept once that has gone."""
    add(any_store, at("Load", 1), took_s=10.0, data="x" * 1_000_000)
    add(any_store, at("Train", 1), [at("Load", 1)], took_s=2.0)
    add(any_store, at("Other", 1), took_s=5.0)
    size = any_store.disk_usage().size_bytes
    assert victims(any_store.gc(max_bytes=size - 1)) == [("Load", 1)]
    assert victims(any_store.gc(max_bytes=size - 1_001_500)) == [("Load", 1), ("Other", 1)]


def test_what_was_computed_or_changed_meanwhile_is_spared(runs):
    """With all that it needs; the rest goes."""
    plan = runs.gc(keep_runs=1)
    add(runs, at("Other", 5), [at("Eval", 1)])
    done_ = plan.apply()
    assert [(each.task, int(each.key[1:], 16)) for each in done_.spared] == [
        ("Eval", 1),
        ("Train", 1),
    ]
    assert done_.removal.removed == (at("Eval", 2),)
    assert "2 spared that came into use" in str(done_)
    plan = runs.gc(keep_runs=0, grace=0)
    add(runs, at("Train", 1), [at("Load", 1)])
    assert at("Train", 1) in plan.apply().spared
    assert left(runs) == [("Load", 1), ("Train", 1)]


def test_what_is_being_computed_is_spared_with_what_it_reads(runs):
    """As told by its record, or by other records of its task where it has none."""
    plan = runs.gc(keep=[])
    again = runs.begin(at("Eval", 1))
    done_ = plan.apply()
    assert set(done_.spared) | set(done_.removal.busy) >= {at("Eval", 1)}
    assert {("Eval", 1), ("Train", 1), ("Load", 1)} <= set(left(runs))
    again.abandon()


def test_a_key_that_was_never_computed_protects_its_kind(tmp_path):
    """Whatever others of its task have read may be what it reads."""
    store = LocalFileStore(tmp_path, fsync=False)
    load = add(store, at("Load", 1))
    add(store, at("Train", 1), [load])
    other = add(store, at("Other", 1))
    new = add(store, at("Load", 2))
    plan = store.gc(keep=[])
    for owner in (None, far_owner()):
        attempt = store.begin(at("Train", 7), owner)
        assert store.keys_in_work() == [at("Train", 7)]
        assert plan.apply().spared == (load, new)
        attempt.abandon()
    assert sorted(store.addresses()) == [load, new]
    assert other not in store.addresses()
    assert plan.apply().removal.removed == (load, new)


def test_a_task_that_was_never_computed_protects_everything(tmp_path):
    """Nobody can tell what it reads."""
    store = LocalFileStore(tmp_path, fsync=False)
    load = add(store, at("Load", 1))
    plan = store.gc(keep=[])
    attempt = store.begin(at("Eval", 1))
    assert plan.apply().spared == (load,)
    attempt.abandon()
    assert plan.apply().removal.removed == (load,)


def test_a_driver_at_work_is_not_disturbed(tmp_path):
    """Plans are made and applied all the time; old results that it reads are there to the end."""
    store = LocalFileStore(tmp_path / "runs", fsync=False)
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), store.base_dir]
    subprocess.run([*command, "load"], env=environment, check=True)
    (load,) = store.addresses("load")
    outcome = dataclasses.replace(store.record(load).latest, started=1.0, ended=2.0)
    attempt = store.begin(load)
    attempt.save([1, 2], "data")
    attempt.commit(store.record(load).identity, outcome)
    assert list(store.gc(keep=[]).victims) == [load]
    with subprocess.Popen([*command, "train"], env=environment, stdout=subprocess.PIPE) as driver:
        while not store.keys_in_work() and driver.poll() is None:
            time.sleep(0.001)
        while driver.poll() is None:
            store.gc(keep=[]).apply()
        printed = driver.stdout.read().decode()
    assert printed.strip() == "{'cached': 1, 'finished': 20}"
    assert store.record(load) is not None


DRIVER = """
import sys, time
from flowlib import Flow, LocalFileStore, TaskSpec

def load():
    return {"data": [1, 2]}

def train(data, n):
    time.sleep(0.05)
    return {"sum": sum(data) + n}

if __name__ == "__main__":
    loads, store = TaskSpec(load), LocalFileStore(sys.argv[1], fsync=False)
    trains = TaskSpec(train, {"n": list(range(20))}, expand="product")
    trains.requires(loads)
    flow = Flow([loads] if sys.argv[2] == "load" else [loads, trains])
    run = flow.run(num_workers=2, results_store=store, progress=None)
    if sys.argv[2] == "train":
        print(run.counts)
"""


def test_two_collections_at_once(any_store):
    """Each record is deleted once; both end well."""
    for number in range(40):
        add(any_store, at("Load", number), data="x")
    plans = [any_store.gc(keep=[]) for _ in range(2)]
    found = []
    threads = [threading.Thread(target=lambda p=plan: found.append(p.apply())) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gone = [address for each in found for address in each.removal.removed]
    assert sorted(gone) == sorted({*gone})
    assert len(gone) == 40
    assert left(any_store) == []
    assert plans[0].apply().removal.removed == ()


def test_a_policy_that_is_none_is_an_error(any_store):
    """Unknown words, negative counts, lengths that are none."""
    with pytest.raises(QueryError, match="keep_last"):
        any_store.gc(keep_last=3)
    for wrong in (-1, 1.5, True, "3"):
        with pytest.raises(QueryError, match="keep_runs is"):
            any_store.gc(keep_runs=wrong)
    with pytest.raises(QueryError, match="older_than is"):
        any_store.gc(older_than="yesterday")
    with pytest.raises(QueryError, match="grace is"):
        any_store.gc(grace=-1)


def test_a_record_of_a_newer_flowlib_stops_it(tmp_path):
    """Nobody here knows what it was computed from."""
    store = LocalFileStore(tmp_path, fsync=False)
    add(store, at("Load", 1))
    path = tmp_path / "Load" / f"{at('Load', 1).key}.json"
    path.write_text(path.read_text().replace('"schema":1', '"schema":99'))
    with pytest.raises(RecordTooNew):
        store.gc(keep=[])


# -- leftovers of a file store ---------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "runs", fsync=False)


def test_a_healthy_store_has_no_leftovers(store):
    """Neither results, nor what is being computed, nor what was overtaken."""
    for state in (TaskState.FINISHED, TaskState.FAILED, TaskState.FINISHED):
        put(store, at("Load", 1), {"data": BIG}, done(state))
    attempt = store.begin(at("Train", 1), far_owner())
    attempt.save(BIG, "data")
    again = store.begin(at("Load", 1))
    again.save(BIG, "data")
    assert list(store.leftovers()) == []
    assert store.drop_leftovers([]) == 0
    again.abandon()
    attempt.commit(identity(at("Train", 1)), done())
    assert store.get(at("Train", 1), "data") == BIG


def test_what_dead_attempts_have_written_goes(store):
    """Before any success and after one; the result stays, and the key can be computed."""
    put(store, at("Load", 1), {"data": BIG})
    for address in (at("Load", 1), at("Train", 1)):
        store.begin(address, dead_owner()).save(BIG, "data")
    plan = store.gc()
    assert {each.address for each in plan.leftovers} == {at("Load", 1), at("Train", 1)}
    assert plan.freed_bytes >= 2 * len(BIG)
    assert plan.apply().freed_bytes == 2 * len(BIG)
    assert list(store.leftovers()) == []
    assert store.get(at("Load", 1), "data") == BIG
    assert not (store_path(store) / "Train" / at("Train", 1).key).exists()
    assert put(store, at("Train", 1), {"data": 1}).latest.number > 1


def test_orphaned_folders_go(store):
    """Of a record that was deleted by hand, and of an attempt that the record does not name."""
    put(store, at("Load", 1), {"data": BIG})
    put(store, at("Train", 1), {"data": BIG})
    put(store, Address("a/b ü", "k.1"), {"data": BIG})
    (store_path(store) / "Load" / f"{at('Load', 1).key}.json").unlink()
    stray = store_path(store) / "Train" / at("Train", 1).key / "7"
    stray.mkdir()
    (stray / "data.txt").write_text("stray")
    (store_path(store) / "a%2Fb%20%C3%BC" / "k%2E1.json").unlink()
    found = sorted((each.address.task, each.attempt, each.size_bytes) for each in store.leftovers())
    assert found == [("Load", 1, 50_000), ("Train", 7, 5), ("a/b ü", 1, 50_000)]
    assert store.drop_leftovers(store.leftovers()) == 100_005
    assert list(store.leftovers()) == []
    assert store.get(at("Train", 1), "data") == BIG


def test_a_leftover_that_came_to_life_is_left(store):
    """Somebody computes the key again when the plan is applied."""
    store.begin(at("Load", 1), dead_owner()).save(BIG, "data")
    plan = store.gc()
    attempt = store.begin(at("Load", 1))
    attempt.save(BIG, "data")
    assert plan.apply().freed_bytes == 0
    attempt.commit(identity(at("Load", 1)), done())
    assert store.get(at("Load", 1), "data") == BIG
    assert plan.apply().freed_bytes == 0
    assert store.verify().ok


def test_the_folders_of_a_damaged_record_are_left(store):
    """They tell which numbers are used up."""
    put(store, at("Load", 1), {"data": BIG})
    (store_path(store) / "Load" / f"{at('Load', 1).key}.json").write_text("{")
    assert list(store.leftovers()) == []


def test_names_that_are_nearly_numbers_are_left(store):
    """A digit may be no number: such folders and files are of somebody else."""
    address = at("Load", 1)
    for _ in range(2):
        put(store, address, {"data": BIG})
    folder, leases = store_path(store) / "Load" / address.key, store_path(store) / ".leases/Load"
    (folder / "²").mkdir()
    leases.mkdir(parents=True, exist_ok=True)
    lease = leases / f"{address.key}.²"
    lease.touch()
    put(store, address, {"data": BIG})
    assert list(store.leftovers()) == []
    assert store.drop_leftovers(store.leftovers()) == 0
    (folder / "checkpoint").mkdir()
    store.drop_leftovers(store.leftovers())
    assert ((folder / "²").is_dir(), lease.exists()) == (True, True)


def test_a_killed_process_leaves_what_is_found(store):
    """Really killed, between saving and committing."""
    code = (
        "import os, sys; from stores import LocalFileStore; from stores.record import Address\n"
        "attempt = LocalFileStore(sys.argv[1]).begin(Address('Load', 'a' * 32))\n"
        "attempt.save('x' * 50_000, 'data'); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, store.base_dir]
    assert subprocess.run(command, env=environment, check=False).returncode == -9
    (folder, lease) = sorted(store.leftovers(), key=lambda each: -each.size_bytes)
    assert (folder.address, folder.attempt, folder.size_bytes) == (at_a(), 1, 50_000)
    assert dataclasses.replace(lease, size_bytes=0) == dataclasses.replace(folder, size_bytes=0)
    assert store.keys_in_work() == []
    assert store.gc().apply().freed_bytes == 50_000
    assert list(store.leftovers()) == []


def checkpoint(store, address, age_s, owner):
    """What an attempt has left that nobody committed; nobody has changed it for some time."""
    attempt = store.begin(address, owner)
    file = attempt.checkpoint_dir / "state"
    file.write_text("12345")
    for each in (file, file.parent):
        os.utime(each, (time.time() - age_s,) * 2)
    return attempt


def test_checkpoints_of_killed_drivers_go_when_they_are_old(store):
    """One from which a task may go on stays without a limit, and until nobody has changed it so long."""
    old, young = at("Load", 1), at("Train", 1)
    checkpoint(store, old, 48 * HOUR, dead_owner())
    checkpoint(store, young, 2 * HOUR, dead_owner())
    for policy in ({}, {"keep_runs": 0}, {"older_than": "3d"}):
        assert store.gc(**policy).apply().freed_bytes == 0
    assert store.gc(older_than="1d").apply().freed_bytes == 5
    assert not (store_path(store) / "Load" / old.key).exists()
    assert (store.begin(young).checkpoint_dir / "state").read_text() == "12345"


def test_a_checkpoint_with_a_link_that_leads_nowhere_goes_as_any_other(store):
    """`latest` was to name the file that the process wrote when it was killed."""
    attempt = store.begin(at("Load", 1), dead_owner())
    link = attempt.checkpoint_dir / "latest"
    link.symlink_to("step-7")
    for each in (link, link.parent):
        os.utime(each, (time.time() - 48 * HOUR,) * 2, follow_symlinks=False)
    assert [each.attempt for each in store.gc(older_than="1d").leftovers if not each.attempt] == [0]
    store.gc(older_than="1d").apply()
    assert not (store_path(store) / "Load" / at("Load", 1).key).exists()


def test_a_checkpoint_in_use_stays(store):
    """Of a task that is computed now, and of one that went on from it after the plan was made."""
    running = checkpoint(store, at("Load", 1), 48 * HOUR, None)
    checkpoint(store, at("Train", 1), 48 * HOUR, dead_owner())
    plan = store.gc(older_than="1d")
    assert {each.address for each in plan.leftovers} == {at("Train", 1)}
    attempt = store.begin(at("Train", 1))
    (attempt.checkpoint_dir / "state").write_text("123456")
    attempt.abandon()
    assert plan.apply().freed_bytes == 0
    assert (store.begin(at("Train", 1)).checkpoint_dir / "state").read_text() == "123456"
    assert (running.checkpoint_dir / "state").read_text() == "12345"


def test_a_checkpoint_that_a_result_has_made_needless_goes(store):
    """A process was killed between its commit and the end of the checkpoint."""
    put(store, at("Load", 1), {"data": BIG})
    folder = store_path(store) / "Load" / at("Load", 1).key / "checkpoint"
    folder.mkdir()
    (folder / "state").write_text("12345")
    assert store.gc().apply().freed_bytes == 5
    assert not folder.exists()
    assert store.get(at("Load", 1), "data") == BIG


def at_a():
    return Address("Load", "a" * 32)


def store_path(store):
    return Path(store.base_dir)
