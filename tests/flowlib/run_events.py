"""Made-up runs as events, for tests of what shows them."""

from __future__ import annotations

import hashlib

from hypothesis import strategies as st

from flowlib.events import (
    Cached,
    Failed,
    Finished,
    Retried,
    RunEnded,
    RunStarted,
    Skipped,
    SpecTotal,
    Started,
    TaskRef,
    Waiting,
)
from stores import ErrorDetails

BEGAN = 1_000_000.0


def ref(spec, number, label=""):
    key = hashlib.md5(f"{spec}-{number}".encode()).hexdigest()
    return TaskRef(spec, f"{spec}-{number}", key, label)


def error(message="loss is nan", *, line=58, type_="ValueError", file="/home/u/my/tasks.py"):
    trace = (
        "Traceback (most recent call last):\n"
        f'  File "{file}", line {line}, in run\n    raise {type_}(message)\n{type_}: {message}\n'
    )
    return ErrorDetails(type_, message, trace if line else "")


def begun(
    specs, *, workers=4, name="sunny-otter-12", store="LocalFileStore('runs')", pid=1, **more
):
    return RunStarted(BEGAN, name, "demo", store, "host", pid, workers, tuple(specs), **more)


def example():
    """The run of the mock-up: 31 tasks, one of which fails."""
    specs = [
        SpecTotal("Fetch", 1, 1, 12.0),
        SpecTotal("Tfidf", 2, 2, 678.0),
        SpecTotal("Glove", 3, 0),
        SpecTotal("Train", 12, 0),
        SpecTotal("Eval", 12, 0),
        SpecTotal("Select", 1, 0),
    ]
    yield begun(specs)
    for number in range(1, 4):
        glove = ref("Glove", number, f"dim={50 * number}")
        yield Started(BEGAN + number, glove, number - 1, "cuda:0")
        yield Finished(BEGAN + number + 2.7, glove, 2.7)
    for number in range(1, 11):
        train = ref("Train", number, f"lr={number / 1000}")
        yield Started(BEGAN + 10 + number, train, number % 4, f"cuda:{number % 2}")
    for number in range(1, 8):
        yield Finished(BEGAN + 60 + number, ref("Train", number, f"lr={number / 1000}"), 50.0)
    failing = ref("Train", 8, "lr=0.008")
    yield Failed(BEGAN + 70, failing, error(), False, 12.0, "runs/logs/Train-8.log")
    yield Skipped(BEGAN + 70, ref("Eval", 8), failing)
    for number in range(1, 4):
        yield Started(BEGAN + 71, ref("Eval", number), 1)
        yield Finished(BEGAN + 72, ref("Eval", number), 1.0)
    yield Started(BEGAN + 75, ref("Eval", 4), 1, "cuda:1")
    yield Started(BEGAN + 76, ref("Eval", 5), 2)


@st.composite
def runs(draw, *, is_whole=True):
    """The events of a run in which anything happens that can happen, in any order."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    specs, open_ = [], []
    for number, size in enumerate(sizes):
        cached = draw(st.integers(0, size))
        mean_s = draw(st.none() | st.floats(0.0, 100.0))
        specs.append(SpecTotal(f"S{number}", size, cached, 2.0 * cached, mean_s))
        open_ += [ref(f"S{number}", each) for each in range(size - cached)]
    events = [begun(specs, workers=draw(st.integers(1, 4)))]
    running, failed, at = [], [], BEGAN
    steps = len(open_) * 3 if is_whole else draw(st.integers(0, len(open_) * 3))
    while open_ and (is_whole or len(events) <= steps):
        at += draw(st.floats(0.0, 30.0))
        what = draw(st.sampled_from(["start", "start", "finish", "fail", "retry", "wait", "skip"]))
        if not running and what in ("finish", "fail", "retry", "wait"):
            what = "start"
        startable = [each for each in open_ if each not in running]
        if not startable and what in ("start", "skip"):
            what = "finish"
        if what == "start":
            running.append(draw(st.sampled_from(startable)))
            events.append(Started(at, running[-1], draw(st.integers(0, 3))))
            continue
        if what == "skip":
            if failed:
                task = draw(st.sampled_from(startable))
                open_.remove(task)
                events.append(Skipped(at, task, draw(st.sampled_from(failed))))
            continue
        task = draw(st.sampled_from(running))
        running.remove(task)
        if what in ("retry", "wait"):
            events.append(Retried(at, task, error()) if what == "retry" else Waiting(at, task, "x"))
            continue
        open_.remove(task)
        if what == "fail":
            failed.append(task)
            line = draw(st.integers(0, 2))
            events.append(Failed(at, task, error(line=line), draw(st.booleans()), 1.0))
        else:
            seconds = draw(st.floats(0.0, 100.0))
            is_found = draw(st.booleans())
            events.append(Cached(at, task) if is_found else Finished(at, task, seconds))
    if is_whole:
        events.append(RunEnded(at, {}, at - BEGAN))
    return events
