"""Does a run leave what it should where it should, and go on where it cannot?"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from multiprocessing import Pipe
from pathlib import Path

import pytest

from flowlib import Flow, RunError, TaskSpec, get_logger
from flowlib.driver_pipe import DriverPipe
from flowlib.event_log import read_events
from flowlib.events import Failed, RunEnded, RunStarted, Started
from flowlib.run_folders import make_run_folder, recorded_log, runs_folder
from stores import InMemoryStore, LayeredStore, LocalFileStore, ReadOnlyStore
from tests.flowlib.full_disk import FullDisk
from tests.flowlib.log_tasks import Misbehave, Quiet, Say


def quiet(count=3):
    return TaskSpec(Quiet, {"x": list(range(count))}, expand="product")


def run(specs, store, **options):
    options = {"num_workers": 1, "exit_on_error": False, "progress": None, **options}
    return Flow(specs).run(results_store=store, **options)


def manifest(done):
    return json.loads(Path(done.folder, "manifest.json").read_text())


def test_runs_lie_beside_the_records_that_are_written(tmp_path, monkeypatch):
    """Of a layered store, those of the first; else below XDG_STATE_HOME."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    first, second = LocalFileStore(tmp_path / "a"), LocalFileStore(tmp_path / "b")
    state = tmp_path / "state/flowlib/runs/p"
    assert runs_folder(first, "p") == tmp_path / "a/.runs"
    assert runs_folder(LayeredStore([first, second]), "p") == tmp_path / "a/.runs"
    assert runs_folder(LayeredStore([InMemoryStore(), second]), "p") == state
    assert runs_folder(ReadOnlyStore(first), "p") == state
    assert runs_folder(InMemoryStore(), "p") == state
    assert runs_folder(InMemoryStore(), "../p") == state.parent / "%2E.%2Fp"
    assert runs_folder(InMemoryStore(), "p", tmp_path) == tmp_path / "flowlib/runs/p"
    project = LocalFileStore(tmp_path / "a", project="q")
    assert runs_folder(project, "p") == Path(project.base_dir) / ".runs"


@pytest.mark.parametrize("given", ["", "relative/path"])
def test_without_a_state_home_it_is_in_the_home(given, monkeypatch, tmp_path):
    """A relative path is to be ignored, says the specification of these folders."""
    monkeypatch.setenv("XDG_STATE_HOME", given)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert runs_folder(InMemoryStore(), "p") == tmp_path / ".local/state/flowlib/runs/p"


def test_every_run_has_a_folder_of_its_own(tmp_path):
    """Numbers count up, whatever was deleted; names of any characters."""
    names = [make_run_folder(tmp_path, name).name for name in ("a", "a", "a", "a#2", "a/b", ".x")]
    assert names == ["a", "a#2", "a#3", "a%232", "a%2Fb", "%2Ex"]
    (tmp_path / "a#2").rmdir()
    assert make_run_folder(tmp_path, "a").name == "a#4"


def test_many_drivers_never_share_a_folder(tmp_path):
    """Whoever makes it has it."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(make_run_folder(tmp_path, "a")))
        for _ in range(16)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(found)) == 16


def test_the_events_of_a_run(tmp_path):
    """First and last are of the run; the first names the folder."""
    done = run([quiet(), TaskSpec(Misbehave, {"how": "raise"})], LocalFileStore(tmp_path))
    events = read_events(done.folder)
    assert isinstance(events[0], RunStarted)
    assert events[0].folder == done.folder == f"{tmp_path}/.runs/{done.name}"
    assert isinstance(events[-1], RunEnded)
    assert events[-1].counts == done.counts
    assert sum(isinstance(each, Started) for each in events) == 4
    (failed,) = [each for each in events if isinstance(each, Failed)]
    assert failed.log == done.failed[0].log


def test_the_manifest_names_all_nodes_and_how_they_ended(tmp_path):
    """Keys in order; a list of states, or one word for all."""
    store = LocalFileStore(tmp_path)
    run([quiet(2)], store)
    bad = TaskSpec(Misbehave, {"how": "raise"})
    after = TaskSpec(Say, {"what": "never"})
    after.requires(bad)
    done = run([quiet(3), bad, after], store, run_name="second")
    found = manifest(done)
    assert found["nodes"]["Quiet"] == {
        "keys": [each.address.key for each in done["Quiet"]],
        "states": ["cached", "cached", "finished"],
    }
    assert found["nodes"]["Misbehave"]["states"] == "failed"
    assert found["nodes"]["Say"]["states"] == "upstream_failed"
    assert (found["schema"], found["run_name"], found["pid"]) == (1, "second", os.getpid())
    assert found["counts"] == done.counts
    assert found["ended"] >= found["started"]


def test_the_manifest_of_a_run_that_was_killed_names_its_nodes(tmp_path):
    """It is there from the beginning."""

    def look():
        (folder,) = (tmp_path / ".runs").iterdir()
        return (folder / "manifest.json").read_text()

    done = run([TaskSpec(look, name="look")], LocalFileStore(tmp_path))
    found = json.loads(done["look"][0]["result"])
    assert found["nodes"]["look"]["states"] == "pending"
    assert found["ended"] is None


def test_a_run_tells_where_its_results_come_from(tmp_path):
    """As each of its records does, but for the log."""
    store = LocalFileStore(tmp_path)
    done = run([quiet()], store)
    told = json.loads((Path(done.folder) / "provenance.json").read_text())
    assert told["pid"] == os.getpid()
    for record in store.records():
        assert {**record.latest.provenance, "log": None} == {**told, "log": None}


def test_a_run_with_nothing_to_do_leaves_two_small_files(tmp_path):
    """One listing later tells that it was there."""
    store = LocalFileStore(tmp_path)
    run([quiet()], store)
    done = run([quiet()], store, num_workers=4)
    assert done.counts == {"cached": 3}
    names = sorted(each.name.split("-")[0] for each in Path(done.folder).iterdir())
    assert names == ["events", "manifest.json"]
    assert manifest(done)["nodes"]["Quiet"]["states"] == "cached"
    assert [type(each).__name__ for each in read_events(done.folder)] == ["RunStarted", "RunEnded"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_goes_on_where_nothing_can_be_kept(workers, tmp_path, caplog):
    """One warning; no folder, no logs, all results."""
    store = LocalFileStore(tmp_path)
    (tmp_path / ".runs").write_text("a file where the folder should be")
    done = run([quiet()], store, num_workers=workers, executor="processes")
    assert done.counts == {"finished": 3}
    assert (done.folder, done["Quiet"][0].log) == (None, None)
    told = [each for each in caplog.records if "keeps no events" in each.getMessage()]
    assert len(told) == 1


def test_a_full_disk_ends_the_events_and_not_the_run(tmp_path, caplog, monkeypatch):
    """One warning, whatever else happens."""
    monkeypatch.setattr("flowlib.event_log.os", FullDisk())
    done = run([quiet()], LocalFileStore(tmp_path))
    assert done.counts == {"finished": 3}
    told = [each for each in caplog.records if "no longer kept" in each.getMessage()]
    assert len(told) == 1


def test_a_run_that_is_refused_is_over(tmp_path):
    """Whoever follows its events does not wait for ever."""
    store = LocalFileStore(tmp_path)
    spec = TaskSpec(Quiet, {"x": 1}, timeout=5)
    with pytest.raises(RunError):
        run([spec], store, executor="inline")
    for folder in (tmp_path / ".runs").iterdir():
        end = read_events(folder)[-1]
        assert isinstance(end, RunEnded)
        assert "cannot end a running task" in end.broken_by


def test_run_folders_are_no_records(tmp_path):
    """Listings, checks and collection of the store do not see them."""
    store = LocalFileStore(tmp_path)
    done = run([TaskSpec(Say, {"what": "x"})], store)
    assert [address.task for address in store.addresses()] == ["Say"]
    store.gc(keep_runs=0).apply()
    assert Path(done.folder, "manifest.json").exists()


def test_a_recorded_log_is_found_as_long_as_it_is_there(tmp_path):
    """Relative to the runs of its store, or anywhere for stores that are no folders."""
    store = LocalFileStore(tmp_path)
    path = tmp_path / ".runs/r/logs/a.log"
    path.parent.mkdir(parents=True)
    path.touch()
    assert recorded_log(store, {"log": "r/logs/a.log"}) == str(path)
    assert recorded_log(InMemoryStore(), {"log": str(path)}) == str(path)
    assert recorded_log(store, {"log": "r/logs/b.log"}) is None
    for nothing in ({}, {"log": ""}, {"log": 3}):
        assert recorded_log(store, nothing) is None


def test_get_logger_is_that_of_the_standard_library():
    """F19: the same object as everybody else gets."""
    assert get_logger() is logging.getLogger("flowlib")
    assert get_logger("mine") is logging.getLogger("mine")


def test_threads_of_a_worker_send_whole_messages():
    """Large and small ones, from all threads at once, also from a signal handler."""
    here, there = Pipe()
    pipe, got = DriverPipe(there), []
    reader = threading.Thread(target=lambda: got.extend(iter(here.recv_bytes, b"end")), daemon=True)
    reader.start()
    before = signal.signal(signal.SIGALRM, lambda *_: pipe.send(b"signal"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        threads = [
            threading.Thread(target=lambda n=n: [pipe.send(bytes([n]) * 5000) for _ in range(200)])
            for n in range(4)
        ]
        for each in threads:
            each.start()
        for _ in range(50):
            pipe.send(b"L" * 100_000)
        for each in threads:
            each.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    pipe.send(b"end")
    reader.join(30)
    assert not reader.is_alive()
    assert sum(each == b"L" * 100_000 for each in got) == 50
    assert [sum(each == bytes([n]) * 5000 for each in got) for n in range(4)] == [200] * 4
    assert set(got) - {b"L" * 100_000, *(bytes([n]) * 5000 for n in range(4))} <= {b"signal"}


def test_an_exception_of_a_signal_handler_tears_no_message():
    """A task that is interrupted while it logs leaves a pipe that can be read."""
    here, there = Pipe()
    pipe, got, times = DriverPipe(there), [], 0
    reader = threading.Thread(target=lambda: got.extend(iter(here.recv_bytes, b"end")), daemon=True)
    reader.start()

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        for number in range(200):
            timer = threading.Timer(
                0.001 + 0.0005 * (number % 7), os.kill, (os.getpid(), signal.SIGTERM)
            )
            try:
                timer.start()
                while True:
                    pipe.send(b"L" * 40_000)
                    pipe.send(b"s" * 9_000)
            except KeyboardInterrupt:
                times += 1
            timer.join()
    finally:
        signal.signal(signal.SIGTERM, before)
    pipe.send(b"end")
    reader.join(30)
    assert not reader.is_alive()
    assert times == 200
    assert set(got) <= {b"L" * 40_000, b"s" * 9_000}
