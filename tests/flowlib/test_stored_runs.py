"""Is a run listed as what it is: live, over, stopped, or dead without a word?"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib import Flow, TaskSpec
from flowlib.console_text import plain
from flowlib.errors import NothingSelected, SelectorError
from flowlib.event_log import EventWriter, line_of
from flowlib.events import Finished, RunEnded, RunStarted, SpecTotal, Started, TaskRef
from flowlib.run_lines import run_lines, run_story, run_story_document
from flowlib.run_requests import OpenRequests, RequestBox, RequestNote, RunAnswer, RunRequest
from flowlib.run_stop import with_requests
from flowlib.signs import UNICODE_SIGNS
from flowlib.stored_runs import find_run, last_run, stored_runs, tasks_of_run
from stores import Address, InMemoryStore, LocalFileStore, Owner

HERE = socket.gethostname()
KEY = "9a7a08b2" * 4
REF = TaskRef("Train", "Train-1", KEY)


def nothing():
    """A task."""


def begun(store, name="exp", *, at=100.0, pid=None, host=HERE, **more):
    specs = (SpecTotal("Train", 4, 1, 0.0, 10.0),)
    pid = os.getpid() if pid is None else pid
    return RunStarted(at, name, "demo", repr(store), host, pid, 2, specs, **more)


def write(store, name, *events, folder=None):
    folder = folder or store.runs_dir / name
    folder.mkdir(parents=True)
    writer = EventWriter(folder)
    for event in events:
        writer.write(event)
    writer.close()
    return folder


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "st")


def only(store):
    [run] = stored_runs(store, now=130.0)
    return run


@pytest.mark.parametrize(
    ("counts", "is_interrupted", "stopped_by", "state"),
    [
        ({"finished": 3, "cached": 1}, False, None, "finished"),
        ({"finished": 1, "failed": 1, "upstream_failed": 2}, False, None, "failed"),
        ({"finished": 1, "pending": 3}, True, 2, "interrupted"),
    ],
)
def test_a_run_that_told_its_end(store, counts, is_interrupted, stopped_by, state):
    """Its own words count, and its counts."""
    write(store, "exp", begun(store), RunEnded(150.0, counts, 50.0, is_interrupted, stopped_by))
    run = only(store)
    assert (run.state, run.duration_s, run.total, run.stopped_by) == (state, 50.0, 4, stopped_by)
    expected = {"skipped" if w == "upstream_failed" else w: n for w, n in counts.items()}
    assert run.counts == expected
    assert (run.name, run.project, run.started) == ("exp", "demo", 100.0)


def test_a_run_that_goes_on_has_counts_and_an_estimate(store):
    """Known from its events so far."""
    me = Owner.of_this_process()
    start = begun(store, boot_id=me.boot_id, process_start=me.started)
    write(store, "exp", start, Started(101.0, REF, 0), Finished(111.0, REF, 10.0))
    run = only(store)
    assert (run.state, run.is_live, run.duration_s) == ("running", True, 30.0)
    assert run.counts == {"cached": 1, "finished": 1}
    assert run.eta_s == 10.0  # two tasks of ten seconds, two workers


def test_a_process_of_the_same_number_is_not_the_driver(store):
    """The number was given to another process since."""
    me = Owner.of_this_process()
    start = begun(store, boot_id=me.boot_id, process_start=me.started - 1)
    write(store, "exp", start, Started(101.0, REF, 0))
    run = only(store)
    assert (run.state, run.stopped_by, run.duration_s) == ("interrupted", None, 1.0)


def test_a_driver_elsewhere_lives_as_long_as_it_shows_life(store):
    """After the setting `stale_after_secs` without a sign it counts as interrupted."""
    folder = write(store, "exp", begun(store, host="elsewhere", boot_id="x", process_start=1))
    assert only(store).state == "running"
    long_ago = time.time() - 4000.0
    for each in folder.iterdir():
        os.utime(each, (long_ago, long_ago))
    assert only(store).state == "interrupted"


NOTES = [
    (True, (), False, "cancel asked 12 s ago by alice@gpu3"),
    (True, ("Train-1", "Load"), False, "cancel of Train-1, Load asked 12 s ago by alice@gpu3"),
    (False, (), True, "cancel asked 12 s ago by alice@gpu3 with --now"),
]


@pytest.mark.parametrize(("knows_driver", "only_these", "is_now", "said"), NOTES)
def test_what_a_run_was_asked_for_and_has_not_answered_is_told(
    store, knows_driver, only_these, is_now, said
):
    """By name or by process; until it has answered, and of no other run of the name."""
    me = Owner.of_this_process()
    process = {"boot_id": me.boot_id, "process_start": me.started}
    for name, at in (("exp", 1000.0), ("other", 1000.0), ("over", 1000.0)):
        end = [RunEnded(1001.0, {"finished": 4}, 1.0)] if name == "over" else []
        write(store, name, begun(store, name, at=at, **process), *end)
    driver = me if knows_driver else None
    asked = RunRequest("exp", "alice@gpu3", 1100.0, only_these, is_now, driver)
    earlier = replace(asked, at=600.0, driver=replace(me, pid=me.pid + 1) if driver else None)
    over = replace(asked, run="over")
    notes = [RequestNote(store, each) for each in (asked, earlier, over)]
    with OpenRequests(store) as requests:
        runs = with_requests(stored_runs(store, now=1112.0), requests)
        told = {run.name: run.asked for run in runs}
        assert told == {"exp": (asked,), "other": (), "over": ()}
        [run] = [run for run in runs if run.asked]
        [line] = run_lines([run], UNICODE_SIGNS, 1112.0)
        assert f"  {said}  pid {me.pid}" in plain([line])
        assert said in plain(run_story(run, UNICODE_SIGNS, 1112.0, 300))
        document = {"by": "alice@gpu3", "at": 1100.0, "only": [*only_these], "is_now": is_now}
        assert run_story_document(run)["asked"] == [document]
        with RequestBox(store, "exp") as box:
            box.all()
            for address, request in requests.all():
                box.answer(address, request, RunAnswer(""))
        assert not any(run.asked for run in with_requests(stored_runs(store, now=1112.0), requests))
    for note in notes:
        note.close()


def test_where_no_run_goes_on_nobody_looks_for_requests(store):
    """A store without `beside` may have been used, and the list is as quick as it was."""
    write(store, "over", begun(store, "over"), RunEnded(101.0, {"finished": 4}, 1.0))
    runs = stored_runs(store, now=130.0)
    assert with_requests(runs, OpenRequests(None)) == runs


def test_damage_never_breaks_the_list(store):
    """Folders without events, with rubbish in them, or files in their place."""
    write(store, "good", begun(store, "good"), RunEnded(150.0, {"finished": 4}, 50.0))
    (store.runs_dir / "empty").mkdir()
    (store.runs_dir / "file").write_text("x")
    bad = store.runs_dir / "bad"
    bad.mkdir()
    (bad / f"events-{HERE}-1.jsonl").write_bytes(b"\x00\xff{not json\n\n{}")
    (bad / "manifest.json").write_text("[1, 2")
    assert {run.name: run.state for run in stored_runs(store)} == {
        "good": "finished", "empty": "unknown", "bad": "unknown",
    }  # fmt: skip
    assert tasks_of_run(bad) == {}


def test_live_runs_stand_on_top_then_the_newest(store):
    """An old run that goes on is above a newer one that is over."""
    write(store, "live", begun(store, "live", at=1.0))
    write(store, "a", begun(store, "a", at=2.0), RunEnded(3.0, {"finished": 4}, 1.0))
    write(store, "b", begun(store, "b", at=4.0), RunEnded(5.0, {"finished": 4}, 1.0))
    assert [run.name for run in stored_runs(store)] == ["live", "b", "a"]
    assert last_run(store).name == "b"
    assert find_run(store).name == "live"


def test_runs_are_found_by_name_or_its_beginning(store):
    """The second of a name is `exp#2`; the name alone means the newest."""
    for number, folder in enumerate(["exp", "exp#2", "exploration"], 1):
        name = folder.partition("#")[0]
        write(store, folder, begun(store, name, at=float(number)), RunEnded(9.0, {"finished": 4}))
    assert find_run(store, "exp#2").folder.name == "exp#2"
    assert find_run(store, "exp").folder.name == "exp"
    assert find_run(store, "expl").name == "exploration"
    with pytest.raises(SelectorError, match="'ex' means 3 runs"):
        find_run(store, "ex")
    with pytest.raises(NothingSelected, match="no run 'exq'. Did you mean exp?"):
        find_run(store, "exq")


def test_a_store_without_a_folder_has_its_runs_among_those_of_others(tmp_path, monkeypatch):
    """Only those that name it are its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = InMemoryStore()
    runs = tmp_path / "flowlib" / "runs" / "demo"
    write(store, "mine", begun(store, "mine"), folder=runs / "mine")
    write(store, "other", begun("x", "other"), folder=runs / "other")
    assert [run.name for run in stored_runs(store)] == ["mine"]


def test_a_store_in_memory_has_its_own_runs_and_no_others(tmp_path, monkeypatch):
    """Also those that began when it had other records."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    mine, other = InMemoryStore(), InMemoryStore()
    flow = Flow([TaskSpec(nothing)])
    flow.run(results_store=mine, project_name="p", run_name="first")
    assert [each.name for each in stored_runs(mine)] == ["first"]
    assert stored_runs(other) == []


def test_tasks_of_a_run_without_a_manifest_are_those_that_it_began(store):
    """A run that was killed early, or whose manifest is damaged."""
    folder = write(store, "exp", begun(store), Started(101.0, REF, 0))
    assert tasks_of_run(folder) == {"Train-1": Address("Train", KEY)}


LINES = st.one_of(
    st.binary(max_size=60),
    st.builds(RunStarted, run_name=st.text(max_size=5), specs=st.just(()))
    .map(line_of)
    .map(str.encode),
    st.builds(RunEnded, counts=st.dictionaries(st.text(max_size=5), st.integers()))
    .map(line_of)
    .map(str.encode),
    st.just(b"[" * 5000),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(LINES, max_size=4), st.binary(max_size=40), st.booleans())
def test_any_folder_can_be_listed_and_told(lines, manifest, has_end):
    """Whatever a crash, a full disk or another program has left in it."""
    with tempfile.TemporaryDirectory() as name:
        store = LocalFileStore(name)
        folder = store.runs_dir / "x"
        folder.mkdir(parents=True)
        (folder / "events-h-1.jsonl").write_bytes(b"\n".join(lines) + b"\n" * has_end)
        (folder / "manifest.json").write_bytes(manifest)
        [run] = stored_runs(store)
        [line] = run_lines([run], UNICODE_SIGNS, 200.0, 80)
        assert all(span.text.isprintable() for span in line)
        run_story(run, UNICODE_SIGNS, 200.0, 80)
        json.dumps(run_story_document(run))
        tasks_of_run(folder)


def test_an_error_of_the_driver_is_told_but_the_run_had_begun(store):
    """It is interrupted, not refused: some of its tasks may have their results."""
    ended = RunEnded(150.0, {}, 50.0, is_interrupted=True, broken_by="the disk is full")
    write(store, "exp", begun(store), ended)
    run = only(store)
    assert (run.state, run.broken_by) == ("interrupted", "the disk is full")
