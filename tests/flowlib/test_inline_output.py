"""Is the output of tasks in this process kept, and all that they share as it was afterwards?"""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
import threading
import time
from contextlib import redirect_stderr

import pytest

from flowlib.inline_output import InlineOutputs
from flowlib.output_watch import WATCH
from flowlib.task_output import OutputPlace
from flowlib.tee import Tee


@pytest.fixture
def outputs(tmp_path):
    return InlineOutputs(OutputPlace(tmp_path, "r"))


@pytest.fixture
def shared(monkeypatch):
    """Gives streams, and a root logger with one handler at INFO, as a user's program has them."""

    def begin():
        out, err, console = io.StringIO(), io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        logging.root.handlers[:] = [logging.StreamHandler(console)]
        logging.root.setLevel(logging.INFO)
        return out, err, console

    handlers, level = logging.root.handlers[:], logging.root.level
    yield begin
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def state():
    root = logging.root
    loggers = [root, *root.manager.loggerDict.values()]
    handlers = [h for each in loggers for h in getattr(each, "handlers", ())]
    return (
        sys.stdout,
        sys.stderr,
        root.level,
        root.handlers[:],
        [(h, h.level, h.filters[:]) for h in handlers],
    )


def test_what_a_run_says_is_in_the_log_of_no_task(outputs, shared, tmp_path):
    """Its thread is a stranger beside the only task, but none that the task has started."""
    out, _, console = shared()
    begun, said = threading.Event(), threading.Event()

    def task():
        with outputs.of("logs/a.log"):
            print("of the task")
            begun.set()
            assert said.wait(30)
            stranger = threading.Thread(target=print, args=("of its thread",))
            stranger.start()
            stranger.join()

    worker = threading.Thread(target=task)
    with WATCH.apart(), WATCH.apart():
        worker.start()
        assert begun.wait(30)
        print("of the run")
        logging.getLogger("flowlib.run").info("done")
        said.set()
        worker.join()
        with outputs.of("logs/b.log"):
            print("of a task in that thread")
    assert (tmp_path / "logs/a.log").read_text() == "of the task\nof its thread\n"
    assert (tmp_path / "logs/b.log").read_text() == "of a task in that thread\n"
    assert "of the run\n" in out.getvalue()
    assert "done" in console.getvalue()
    assert not WATCH._apart


def test_what_is_printed_goes_to_the_log_and_where_it_went_before(outputs, shared, tmp_path):
    """Text, lines and bytes, on both streams."""
    out, err, _ = shared()
    with outputs.of("logs/a.log") as output:
        assert output.place == ""
        print("hello", "there")
        sys.stderr.write("oh\n")
        sys.stdout.writelines(["a\n", "b\n"])
        assert output.place == "r/logs/a.log"
    print("after")
    assert out.getvalue() == "hello there\na\nb\nafter\n"
    assert err.getvalue() == "oh\n"
    assert (tmp_path / "logs" / "a.log").read_text() == "hello there\noh\na\nb\n"


def test_bytes_go_both_ways(outputs, tmp_path, monkeypatch):
    """`sys.stdout.buffer` is used by programs that copy streams."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "utf-8"))
    with outputs.of("logs/a.log"):
        sys.stdout.buffer.write("é\n".encode())
        sys.stdout.flush()
    assert raw.getvalue() == "é\n".encode()
    assert (tmp_path / "logs" / "a.log").read_text() == "é\n"


def test_a_silent_task_leaves_nothing(outputs, tmp_path):
    """Not even a folder."""
    with outputs.of("logs/a.log") as output:
        pass
    assert output.place == ""
    assert list(tmp_path.iterdir()) == []


def test_records_of_all_levels_go_to_the_log_only(outputs, shared, tmp_path):
    """F17: the console hears what it would hear without the run."""
    *_, console = shared()
    strict = logging.getLogger("strict")
    strict.setLevel(logging.WARNING)
    chatty = logging.getLogger("chatty")
    chatty.setLevel(logging.DEBUG)
    with outputs.of("logs/a.log"):
        logging.getLogger("mine").debug("one")
        logging.getLogger("mine").info("two")
        strict.info("three")
        chatty.debug("four")
    logging.getLogger("mine").debug("five")
    logging.getLogger("mine").info("six")
    text = (tmp_path / "logs" / "a.log").read_text()
    assert [word for word in ("one", "two", "three", "four", "five", "six") if word in text] == [
        "one",
        "two",
        "four",
    ]
    assert console.getvalue().split() == ["two", "four", "six"]
    strict.setLevel(logging.NOTSET)
    chatty.setLevel(logging.NOTSET)


def test_handlers_below_the_root_hear_no_more_than_before(outputs, shared):
    """A library with a handler of its own and no level."""
    shared()
    heard = io.StringIO()
    logger, handler = logging.getLogger("library"), logging.StreamHandler(heard)
    logger.addHandler(handler)
    with outputs.of("logs/a.log"):
        logger.debug("hidden")
        logger.info("shown")
    logger.removeHandler(handler)
    assert heard.getvalue().split() == ["shown"]


def test_warnings_are_shown_where_nobody_has_set_up_logging(outputs, tmp_path):
    """As Python does; once on stderr, once in the log."""
    root, err = logging.root, io.StringIO()
    before, level = root.handlers[:], root.level
    root.handlers[:] = []
    root.setLevel(logging.WARNING)
    try:
        with redirect_stderr(err), outputs.of("logs/a.log"):
            logging.getLogger("lone").warning("careful")
            logging.getLogger("lone").info("quiet")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert err.getvalue() == "careful\n"
    assert (tmp_path / "logs" / "a.log").read_text().count("careful") == 1
    assert "quiet" in (tmp_path / "logs" / "a.log").read_text()


@pytest.mark.parametrize("ending", [None, ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_all_is_as_it_was(outputs, shared, ending):
    """Also when the task raises, and when it has replaced the streams itself."""
    shared()
    before = state()
    try:
        with outputs.of("logs/a.log"):
            print("x")
            sys.stdout = io.StringIO()
            if ending is not None:
                raise ending
    except BaseException as error:
        assert type(error) is ending
    assert state() == before


def test_nested_tasks_have_their_own_logs(outputs, shared, tmp_path):
    """A task may compute another one; what comes afterwards is its own again."""
    shared()
    with outputs.of("logs/a.log"):
        print("a1")
        with outputs.of("logs/b.log"):
            print("b")
            logging.getLogger("mine").debug("b too")
        print("a2")
    assert (tmp_path / "logs" / "a.log").read_text() == "a1\na2\n"
    assert (tmp_path / "logs" / "b.log").read_text().splitlines()[0] == "b"
    assert "b too" in (tmp_path / "logs" / "b.log").read_text()


def test_tasks_in_threads_have_their_own_logs(outputs, shared, tmp_path):
    """However their lines interleave."""
    out, *_ = shared()
    before, barrier = state(), threading.Barrier(4)

    def task(number):
        with outputs.of(f"logs/{number}.log"):
            barrier.wait()
            for _ in range(50):
                print(f"t{number}")
                logging.getLogger("mine").debug("d%d", number)
                time.sleep(0)

    threads = [threading.Thread(target=task, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert state() == before
    for number in range(4):
        lines = (tmp_path / "logs" / f"{number}.log").read_text().split("\n")[:-1]
        words = [line.split()[-1] for line in lines if line]
        assert sorted(words) == sorted([f"t{number}", f"d{number}"] * 50)
    assert out.getvalue().count("t2") == 50


def test_threads_of_the_only_task_are_heard(outputs, shared, tmp_path):
    """They have no task of their own, so they belong to it."""
    shared()
    with outputs.of("logs/a.log"):
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
    assert (tmp_path / "logs" / "a.log").read_text() == "from a thread\n"


def test_a_log_that_cannot_be_written_is_told_once_and_harms_nothing(tmp_path, shared):
    """The task goes on and prints where it printed before."""
    (tmp_path / "logs").write_text("a file where the folder should be")
    outputs = InlineOutputs(OutputPlace(tmp_path, "r"))
    out, _, console = shared()
    for _ in range(3):
        with outputs.of("logs/a.log"):
            print("hello")
            print("again")
    assert out.getvalue() == "hello\nagain\n" * 3
    assert console.getvalue().count("cannot be kept") == 1


def test_a_large_log_is_cut_while_it_is_written(tmp_path, shared):
    """The limit holds all the time, not only at the end."""
    shared()
    outputs = InlineOutputs(OutputPlace(tmp_path, "r", limit=10_000))
    sizes = []
    with outputs.of("logs/a.log"):
        for number in range(1000):
            print("x" * 100, number)
            sizes.append((tmp_path / "logs" / "a.log").stat().st_size)
    text = (tmp_path / "logs" / "a.log").read_text()
    assert max(sizes) <= 10_000 + 200
    assert "bytes left out here" in text
    assert text.endswith(" 999\n")


def test_a_followed_worker_has_the_output_of_all_its_tasks(tmp_path, shared):
    """One task after the other."""
    shared()
    outputs = InlineOutputs(OutputPlace(tmp_path, "r", is_followed=True))
    for name in ("a", "b"):
        with outputs.of(f"logs/{name}.log"):
            print("from", name)
    assert (tmp_path / "workers" / "w1.log").read_text() == "from a\nfrom b\n"


def test_a_tee_is_the_stream_itself_in_all_else(tmp_path):
    """`isatty`, `fileno`, `encoding`, `with`, iteration; and it is not closed with the tee."""
    heard = []
    with (tmp_path / "f").open("w+", encoding="latin-1") as file:
        tee = Tee(file, heard.append)
        assert isinstance(tee, io.TextIOBase)
        assert (tee.isatty(), tee.fileno(), tee.encoding) == (False, file.fileno(), "latin-1")
        assert tee.write("one\n") == 4
        tee.flush()
        tee.seek(0)
        assert list(tee) == ["one\n"]
        assert not tee.closed
        assert tee.name == file.name
        del tee
        gc.collect()
        assert not file.closed
    assert heard == ["one\n"]


def test_a_handler_made_in_a_task_works_afterwards(outputs, shared):
    """It has the tee, which goes on writing where it wrote before."""
    _, err, _ = shared()
    with outputs.of("logs/a.log"):
        handler = logging.StreamHandler()
    handler.handle(logging.LogRecord("x", 30, "", 0, "later", (), None))
    assert err.getvalue() == "later\n"


def test_a_late_writer_never_writes_into_the_file_of_somebody_else(outputs, tmp_path):
    """The number of a closed log is soon that of another file: of a record, say."""
    with outputs.of("logs/a.log") as output:
        output.write("in time")
    victim = os.open(tmp_path / "record", os.O_CREAT | os.O_WRONLY)
    output.write("late")
    os.close(victim)

    assert (tmp_path / "record").read_bytes() == b""
    assert (tmp_path / "logs" / "a.log").read_text() == "in time"
