"""Plain lines for pipes: golden texts, a sign of life, and nothing that harms the run."""

from __future__ import annotations

import io
import time

import pytest

from flowlib.events import Failed, Finished, Retried, RunEnded, Skipped, SpecTotal, Started
from flowlib.views.lines import LinesView
from tests.flowlib.run_events import BEGAN, begun, error, ref


class Pipe(io.StringIO):
    encoding = "utf-8"


def shown(events, **options):
    pipe = Pipe()
    with LinesView(pipe, **options) as view:
        for event in events:
            view.show(event)
    return pipe.getvalue()


def small_run():
    glove, train, evaluate = ref("Glove", 2, "dim=50"), ref("Train", 1, "lr=0.0001"), ref("Eval", 1)
    yield begun([SpecTotal("Fetch", 1, 1, 12.0), SpecTotal("Glove", 2, 1, 2.7), SpecTotal("Train", 1, 0), SpecTotal("Eval", 1, 0)])  # fmt: skip
    yield Started(BEGAN, glove, 0, "gpu0")
    yield Finished(BEGAN + 4, glove, 2.7)
    yield Started(BEGAN + 5, train, 1)
    yield Retried(BEGAN + 20, train, error("out of memory", type_="MemoryError"), 10.0)
    yield Started(BEGAN + 30, train, 1, "gpu1")
    yield Failed(BEGAN + 31, train, error(), False, 12.0, "runs/.runs/x/logs/Train-1.log")
    yield Skipped(BEGAN + 31, evaluate, train)
    yield RunEnded(BEGAN + 31, {}, 31.0)


def test_a_lost_worker_and_one_that_was_taken_away_are_told():
    """Behind the error of the try; an error of the task itself needs no more words."""
    train = ref("Train", 1)
    lost = error("put back into the queue", type_="WorkerLost")

    def told(kind):
        event = Retried(BEGAN + 1, train, lost, 0.0, kind)
        return shown([begun([SpecTotal("Train", 1, 0)]), event]).splitlines()[1]

    assert told("preempted").endswith("WorkerLost: put back into the queue (preempted)")
    assert told("lost").endswith("(lost)")
    assert told("exception").endswith("queue")
    assert told("").endswith("queue")


LINES = """\
0:00 run sunny-otter-12: 3 to run, 2 cached
0:00 [1/5] cached  Fetch
0:00 [2/5] cached  Glove ×1
0:00 [2/5] start   Glove-2 dim=50 (Glove/aeb4bdf4)  w0 gpu0
0:04 [3/5] done    Glove-2 dim=50 (Glove/aeb4bdf4)  2.7 s
0:05 [3/5] start   Train-1 lr=0.0001 (Train/c3e1b1d8)  w1
0:20 [3/5] retry   Train-1 lr=0.0001 (Train/c3e1b1d8)  in 10 s, after MemoryError: out of memory
0:30 [3/5] start   Train-1 lr=0.0001 (Train/c3e1b1d8)  w1 gpu1
0:31 [4/5] failed  Train-1 lr=0.0001 (Train/c3e1b1d8)  ValueError: loss is nan  log: runs/.runs/x/logs/Train-1.log
0:31 [5/5] skipped Eval-1 (Eval/7b1a0a53)  upstream Train-1 failed
✖ failed  Train lr=0.0001   Train/c3e1b1d8   worker 1 · gpu1 · after 12.0 s

/home/u/my/tasks.py:58 in run
❱    58     raise ValueError(message)
ValueError: loss is nan

log    runs/.runs/x/logs/Train-1.log
1 task skipped because of it: Eval-1

✖ 1 of 5 tasks failed  in 31.0 s   run sunny-otter-12
  ✔ 1 ran   ≡ 2 cached (saved ~0:14)   ✖ 1 failed   ⊘ 1 skipped   1 tried again
  store   LocalFileStore('runs')
  next    run it again (runs only what is left: 2)
"""


def test_the_lines_of_a_run():
    """Time, progress, word, task, id, then what matters: worker, duration, error, log, cause."""
    ids = {spec: ref(spec, number).id for spec, number in (("Glove", 2), ("Train", 1), ("Eval", 1))}
    expected = LINES
    for spec, old in (("Glove", "aeb4bdf4"), ("Train", "c3e1b1d8"), ("Eval", "7b1a0a53")):
        expected = expected.replace(f"{spec}/{old}", ids[spec])

    assert shown(small_run()) == expected


def test_a_silent_run_says_that_it_is_alive():
    """After the given time without an event, again after the same time, never after the end."""
    pipe, started = Pipe(), time.monotonic()
    with LinesView(pipe, silence_s=0.2) as view:
        view.show(begun([SpecTotal("A", 3, 0)]))
        view.show(Started(BEGAN, ref("A", 1), 0))
        view.show(Failed(BEGAN, ref("A", 1), error(), False, 1.0))
        view.show(Started(BEGAN, ref("A", 2), 0))
        time.sleep(0.7)
        view.show(RunEnded(BEGAN + 1, {}, 1.0))
    told, lasted_s = pipe.getvalue(), time.monotonic() - started
    time.sleep(0.5)

    assert 1 <= told.count("1/3 done, 1 running, 1 failed\n") <= lasted_s / 0.2
    assert pipe.getvalue() == told


def test_a_busy_run_needs_no_sign_of_life():
    """The silence is counted from the last line."""
    pipe = Pipe()
    with LinesView(pipe, silence_s=5.0) as view:
        view.show(begun([SpecTotal("A", 20, 0)]))
        for number in range(10):
            view.show(Started(BEGAN, ref("A", number), 0))
            time.sleep(0.02)

    assert " running\n" not in pipe.getvalue()


@pytest.mark.parametrize("fault", [BrokenPipeError, ValueError])
def test_a_reader_that_goes_away_does_not_end_the_run(fault):
    """`script.py 2>&1 | head -1`."""

    class Broken(Pipe):
        def write(self, text):
            raise fault("gone")

    with LinesView(Broken()) as view:
        for event in small_run():
            view.show(event)


def test_text_of_the_user_cannot_move_the_cursor():
    """Control characters of names, configs and messages are told, not sent."""
    bad = ref("A", 1, "x=\x1b[2J\r\x9b")
    events = [begun([SpecTotal("A", 1, 0)], name="\x1b[1A"), Started(BEGAN, bad, 0, "\x07")]
    events.append(Failed(BEGAN, bad, error("\x1b]0;title\x07\nsecond"), False, 1.0))
    text = shown(events)

    assert not set("\x1b\x07\x9b\r") & set(text)
    assert "\\x1b[2J\\r\\x9b" in text


def test_a_pipe_of_ascii_gets_ascii():
    """And nothing is lost of the text of the user."""
    pipe = Pipe()
    pipe.encoding = "ascii"
    with LinesView(pipe) as view:
        view.show(begun([SpecTotal("A", 1, 0)]))
        view.show(Started(BEGAN, ref("A", 1, "name='é'"), 0))
        view.show(RunEnded(BEGAN, {}, 0.0))

    assert pipe.getvalue().isascii()
    assert "name='\\xe9'" in pipe.getvalue()
