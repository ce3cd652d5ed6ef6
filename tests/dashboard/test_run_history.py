"""Is the log of a run read once, however often its pages are asked for?"""

from __future__ import annotations

import threading

import pytest

from flowlib import event_log
from flowlib.dashboard import pages
from flowlib.dashboard.run_history import RunHistories, RunHistory
from flowlib.event_log import EventReader, EventWriter, read_events
from flowlib.events import Failed, Finished, Retried, RunEnded, SpecTotal, Started
from flowlib.run_so_far import RunSoFar
from flowlib.stored_runs import stored_runs
from flowlib.timeline import TimelineFold, timeline_of
from stores import LocalFileStore
from tests.dashboard.asked import LIMIT_S, Seen
from tests.flowlib.run_events import BEGAN, begun, error, ref

TASKS = 600


def story(first=0, last=TASKS):
    """Two events for each task, of which each fiftieth fails."""
    for number in range(first, last):
        at, task = BEGAN + number, ref("A", number)
        yield Started(at + 0.1, task, number % 3)
        is_bad = number % 50 == 7
        yield (
            Failed(at + 0.9, task, error(), False, 0.8) if is_bad else Finished(at + 0.9, task, 0.8)
        )


@pytest.fixture
def log(tmp_path):
    """The log of a run, which goes on being written; its store, its folder."""
    store = LocalFileStore(tmp_path / "store", fsync=False)
    folder = tmp_path / "store" / ".runs" / "long-run"
    folder.mkdir(parents=True)
    writer = EventWriter(folder)
    for event in (begun([SpecTotal("A", TASKS, 0)], workers=3), *story()):
        writer.write(event)
    yield store, folder, writer
    writer.close()


@pytest.fixture
def read(monkeypatch):
    """How many lines were read since it was cleared."""
    found, usual = [], event_log.event_of

    def counted(line):
        found.append(1)
        return usual(line)

    monkeypatch.setattr(event_log, "event_of", counted)
    return found


def test_a_page_reads_a_log_once_and_then_what_is_new(dashboard, log, read):
    """Whatever is asked, and however often; a run without an end is counted the same way."""
    store, _, writer = log
    shown = dashboard(store)
    text = shown.page("/runs/long-run").text
    assert f"{TASKS - TASKS // 50:,}" in text
    assert "11 more like it" in text
    for path in ("/runs/long-run", "/runs", "/", "/runs/long-run"):
        shown.page(path)
    assert len(read) < 4 * 2 * TASKS + 100  # page, list, live states, tasks without a manifest
    read.clear()
    for event in story(TASKS, TASKS + 4):
        writer.write(event)
    after = shown.page("/runs/long-run")
    assert ["A", f"{TASKS + 4:,}/{TASKS:,}"] in [row[:2] for row in after.rows]
    assert len(read) < 100
    writer.write(RunEnded(BEGAN + 2 * TASKS, {"finished": TASKS}, 2.0 * TASKS))
    read.clear()
    shown.page("/runs/long-run")
    assert len(read) < 100


def test_the_runs_of_a_store_are_looked_at_without_reading_them_again(log, read):
    """As long as the caller keeps what is known; what is over is forgotten."""
    store, folder, writer = log
    known = {}
    first = stored_runs(store, BEGAN, known)
    assert set(known) == {folder}
    read.clear()
    for event in story(TASKS, TASKS + 5):
        writer.write(event)
    second = stored_runs(store, BEGAN, known)
    assert len(read) <= 10 + 2  # and the first and last lines
    assert second == stored_runs(store, BEGAN)
    assert second[0].counts["finished"] == first[0].counts["finished"] + 5
    writer.write(RunEnded(BEGAN + 2 * TASKS, {"finished": TASKS}, 2.0 * TASKS))
    assert stored_runs(store, known=known) == stored_runs(store)
    assert known == {}


def test_events_one_by_one_are_those_of_the_whole(log):
    """Of several writers by time; a line that is being written comes when it is whole."""
    _, folder, _ = log
    other = folder / "events-elsewhere-1.jsonl"
    late = [Started(BEGAN + number + 0.5, ref("B", number), 9) for number in range(20)]
    lines = [event_log.line_of(each).encode() for each in late]
    other.write_bytes(b"\n".join(lines))  # the last one has no end
    reader = EventReader(folder)
    assert [*reader.each()] == read_events(folder)
    assert [*reader.each()] == []
    with other.open("ab") as file:
        file.write(b"\nno event\n")
    assert [*reader.each()] == late[-1:]
    assert RunSoFar(folder).read().last == BEGAN + TASKS - 1 + 0.9


def test_a_fold_that_goes_on_tells_what_all_events_do(log):
    """At any moment; of more spans than it may keep, it keeps the longest, and counts all."""
    _, folder, _ = log
    events = read_events(folder)
    fold, few = TimelineFold(), TimelineFold(5)
    for number, event in enumerate(events):
        fold.note(event)
        few.note(event)
        if number % 301 == 0:
            assert fold.timeline() == timeline_of(events[: number + 1])
    whole, part = fold.timeline(), few.timeline()
    assert (len(part.spans), part.hidden) == (5, len(whole.spans) - 5)
    assert part.busy_s == whole.busy_s
    longest = sorted((e.end - e.start for e in whole.spans), reverse=True)[:5]
    assert sorted((e.end - e.start for e in part.spans), reverse=True) == longest


def test_who_asks_while_a_log_is_read_is_told_how_far_that_is(dashboard, log, monkeypatch):
    """And is told all of it as soon as it was read."""
    store, _, _ = log
    gate, usual = threading.Event(), RunHistory.look

    def look(self):
        gate.wait(LIMIT_S)
        usual(self)

    monkeypatch.setattr(RunHistory, "look", look)
    shown = dashboard(store)
    try:
        page = Seen(shown.get("/runs/long-run").text)
        assert "reading its log: 0 events so far" in page.text
        assert page.attribute("div", "data-again") == [None]
    finally:
        gate.set()
    assert "w0" in shown.page("/runs/long-run").text


def test_a_log_that_was_read_while_its_page_was_made_is_on_the_next_one(
    dashboard, log, monkeypatch
):
    """By then another page may be reading what is new: nobody looks at it without the lock."""
    store, _, _ = log
    gate, usual, page = threading.Event(), RunHistory.look, pages.run_page
    are_held = []

    def look(self):
        gate.wait(LIMIT_S)
        usual(self)

    def late(run, history, *more, **named):
        gate.set()
        assert history.is_whole(LIMIT_S)
        history._first.join(LIMIT_S)  # it has given back the lock
        are_held.append(history.lock.locked())
        return page(run, history, *more, **named)

    monkeypatch.setattr(RunHistory, "look", look)
    monkeypatch.setattr(pages, "run_page", late)
    shown = dashboard(store)
    assert "reading its log" in Seen(shown.get("/runs/long-run").text).text
    assert "w0" in shown.page("/runs/long-run").text
    assert are_held == [False, True]


def test_of_many_runs_the_last_few_are_kept(tmp_path):
    """Those that were asked for last."""
    histories, folders = RunHistories(), [tmp_path / str(number) for number in range(20)]
    for folder in folders:
        with histories.of(folder) as (first, _):
            assert first.is_whole(LIMIT_S)
    with histories.of(folders[-1]) as (again, _):
        assert again is first
    assert len(histories._kept) < 10


def test_a_run_tells_which_tasks_were_tried_again_and_why(dashboard, log):
    """By the kind that its executor told, as a job that was lost or taken away."""
    store, _, writer = log
    for number, kind in ((1, "preempted"), (1, "lost"), (2, "preempted")):
        task = ref("A", number)
        writer.write(Started(BEGAN + TASKS, task, 0))
        writer.write(Retried(BEGAN + TASKS + 1, task, error("node is gone"), kind=kind))
    page = dashboard(store).page("/runs/long-run")
    assert "Tried again 3 times: 2 preempted, 1 lost" in page.text
    assert [row[1:] for row in page.rows if "node is gone" in row[-1]] == [
        ["1 preempted", "ValueError: node is gone"],
        ["1 preempted, 1 lost", "ValueError: node is gone"],
    ]
    assert "tried again (lost) after" in page.html
