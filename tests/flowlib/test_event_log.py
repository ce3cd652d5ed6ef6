"""Do events survive the way into a file and back, and what do readers do with damaged files?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib.event_log import (
    EVENTS,
    EventReader,
    EventWriter,
    event_of,
    follow_events,
    line_of,
    read_events,
)
from flowlib.events import Failed, Finished, RunEnded, RunStarted, Started, TaskRef

REF = TaskRef("Train", "Train-12", "9a7a08b2" * 4, "lr=0.001")
NUMBERS = st.floats(allow_nan=False)

st.register_type_strategy(float, NUMBERS)
st.register_type_strategy(Mapping, st.dictionaries(st.text(), st.integers()))  # type: ignore[type-abstract]


def started(pid: int = 0, at: float = 1.0) -> RunStarted:
    import socket

    return RunStarted(at, "r", "p", "file:x", socket.gethostname(), pid or os.getpid(), 1, ())


@settings(deadline=None)
@given(st.one_of([st.builds(each) for each in EVENTS.values()]))
def test_every_event_comes_back_the_same(event):
    """Whatever is in it: any text, also half of a surrogate pair, any number, nothing."""
    line = line_of(event)
    assert line.isascii()
    assert "\n" not in line
    assert event_of(line) == event


@settings(deadline=None)
@given(st.text())
def test_any_text_of_a_user_survives(text):
    """A label may hold what a config holds."""
    event = Started(1.0, TaskRef(text, text, text, text), 0, text)
    assert event_of(line_of(event)) == event
    surrogates = TaskRef("a\ud800b", "x", "y")
    assert event_of(line_of(Started(1.0, surrogates, 0))) == Started(1.0, surrogates, 0)


def test_unknown_events_and_fields_are_passed_over():
    """A newer flowlib may write more; an older one, less."""
    known = json.loads(line_of(Finished(1.0, REF, 2.0)))
    assert event_of(json.dumps({**known, "new": [1]})) == Finished(1.0, REF, 2.0)
    assert event_of(json.dumps({**known, "event": "unheard_of"})) is None
    failed = json.loads(line_of(Failed(1.0, REF, _error(), is_kill=False, duration_s=1.0)))
    del failed["log"]  # as written before there were logs
    assert event_of(json.dumps(failed)) == Failed(1.0, REF, _error(), False, 1.0)


def _error():
    from stores import ErrorDetails

    return ErrorDetails("ValueError", "no", "Traceback")


def test_lines_that_are_no_events_are_passed_over():
    """Whatever is there: other JSON, other types, nothing."""
    for line in ("", "{", "[]", "3", "null", '{"event": "finished"}', '{"event": []}', "[" * 9999):
        assert event_of(line) is None
    wrong = {"event": "finished", "at": "noon", "task": {}, "duration_s": 1}
    assert event_of(json.dumps(wrong)) is None


def test_torn_line_is_read_when_it_is_whole(tmp_path):
    """A reader takes a line when its end is there, and only once."""
    path = tmp_path / "events-here-1.jsonl"
    first, second = line_of(Finished(1.0, REF, 1.0)), line_of(Finished(2.0, REF, 2.0))
    path.write_text(f"{first}\n{second[:20]}")
    reader = EventReader(tmp_path)
    assert reader.new() == [Finished(1.0, REF, 1.0)]
    assert reader.new() == []
    with path.open("a") as file:
        file.write(f"{second[20:]}\n")
    assert reader.new() == [Finished(2.0, REF, 2.0)]
    assert reader.new() == []


def test_damaged_line_does_not_hide_those_after_it(tmp_path):
    """Also when it is no text at all."""
    line = line_of(Finished(1.0, REF, 1.0)).encode()
    (tmp_path / "events-here-1.jsonl").write_bytes(b"\xff\x00\xfe\n{bad\n" + line + b"\n")
    assert read_events(tmp_path) == [Finished(1.0, REF, 1.0)]


def test_files_of_several_processes_are_merged_by_time(tmp_path):
    """Each process writes to its own; other files in the folder do not count."""
    for pid, times in ((1, (1.0, 4.0)), (2, (2.0, 3.0))):
        lines = [line_of(Finished(at, REF, 0.0)) + "\n" for at in times]
        (tmp_path / f"events-here-{pid}.jsonl").write_text("".join(lines))
    (tmp_path / "manifest.json").write_text("{}")
    assert [event.at for event in read_events(tmp_path)] == [1.0, 2.0, 3.0, 4.0]


def test_a_folder_that_is_not_there_has_no_events(tmp_path):
    """A follower may be quicker than the run."""
    assert read_events(tmp_path / "none") == []


def test_writer_appends_whole_lines(tmp_path):
    """What was written is there without closing, and a second writer of the process appends."""
    first = EventWriter(tmp_path)
    first.write(Finished(1.0, REF, 1.0))
    second = EventWriter(tmp_path)
    second.write(Finished(2.0, REF, 1.0))
    assert [event.at for event in read_events(tmp_path)] == [1.0, 2.0]
    assert len(list(tmp_path.iterdir())) == 1
    first.close()
    second.close()


def test_following_sees_what_is_written_later_and_ends_with_the_run(tmp_path):
    """Empty tuples let the follower look at its own clock."""
    writer = EventWriter(tmp_path)
    writer.write(started())
    seen = follow_events(tmp_path, pause_s=0.01)
    assert next(seen) == (started(),)
    assert next(seen) == ()
    writer.write(Finished(2.0, REF, 1.0))
    assert next(seen) == (Finished(2.0, REF, 1.0),)
    writer.write(RunEnded(3.0))
    assert next(seen) == (RunEnded(3.0),)
    assert list(seen) == []
    writer.close()


def test_following_ends_when_the_driver_was_killed(tmp_path):
    """Nobody will write `run_ended` any more; all that was written is seen before."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    writer = EventWriter(tmp_path)
    writer.write(started(child.pid))
    seen = follow_events(tmp_path, pause_s=0.01)
    assert next(seen) == (started(child.pid),)
    assert next(seen) == ()
    child.kill()
    child.communicate()
    writer.write(Finished(2.0, REF, 1.0))
    assert [event for found in seen for event in found] == [Finished(2.0, REF, 1.0)]
    writer.close()


def test_a_killed_writer_leaves_a_log_that_can_be_read(tmp_path):
    """Every event that was told is there after SIGKILL."""
    script = f"""
import os, sys, time
from pathlib import Path
from flowlib.event_log import EventWriter
from flowlib.events import Finished, TaskRef
writer = EventWriter(Path({str(tmp_path)!r}))
for number in range(1_000_000):
    writer.write(Finished(float(number), TaskRef("Train", "Train-1", "k"), 0.0))
    if number == 100:
        print("go", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    times = [event.at for event in read_events(tmp_path)]
    assert len(times) > 100
    assert times == [float(number) for number in range(len(times))]


def test_the_page_lists_every_event_with_its_fields():
    """docs/logs.md and the classes agree, in order."""
    page = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    shown = {row[1].strip().strip("`"): row[2].replace("`", "").split() for row in rows}
    for name, kind in EVENTS.items():
        assert shown.get(name) == [field.name for field in fields(kind) if field.name != "at"], name
