"""The live view on a real terminal: what a person sees, and what is left behind."""

from __future__ import annotations

import re
import textwrap
import time

import pytest

pytest.importorskip("pyte")

from tests.screens import Terminal  # noqa: E402

FLOW = """
import logging, os, sys, time
from pathlib import Path
from flowlib import Flow, TaskSpec, configure_logging, sweep
from stores import LocalFileStore

def wait_for(name):
    while not Path(name).exists():
        time.sleep(0.01)

def fetch():
    return {"rows": 3}

def train(rows, lr):
    if lr == 3:
        raise ValueError("loss is nan")
    wait_for("go")
    return {"model": lr}

def evaluate(model=None):
    return {"score": model}

def build(task=train, lrs=(1, 2, 3, 4)):
    specs = TaskSpec(fetch), TaskSpec(task, {"lr": sweep(*lrs)}, name="train"), TaskSpec(evaluate)
    specs[1].requires(specs[0])
    specs[2].requires(specs[1])
    return Flow(list(specs))
"""
SWEEP = (
    FLOW
    + """
if __name__ == "__main__":
    run = build().run(num_workers=3, exit_on_error=False, run_name="sunny-otter",
                      results_store=LocalFileStore("runs"))
"""
)
CURSOR = re.compile(rb"\x1b\[[0-9;]*[ABCDGHJK]|\x1b\[\?25[lh]|\r(?!\n)")
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


def terminal(script, folder, **options):
    return Terminal(textwrap.dedent(script), folder, **options)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(110, 30), (70, 14), (40, 8)])
def test_a_run_is_seen_as_it_goes_on(size, tmp_path):
    """Bars, running tasks and the failure above them, in any size; then the summary."""
    with terminal(SWEEP, tmp_path, size=size) as seen:
        seen.wait_for(" 3/9")
        seen.wait_for("▶3 ✖1")
        seen.look_for(1.0)  # a frame may be half drawn
        rows = seen.shown
        (tmp_path / "go").touch()
        code = seen.wait_for_end()
        end = "\n".join(seen.all_shown)

    assert len(rows) <= size[1] - 1
    assert any("sunny-otter" in row and "/9" in row for row in rows)
    assert any(re.match(r"fetch +━+ 1/1  ✔1", row) for row in rows) or size[1] == 8
    assert any(re.search(r"train +━+╍+ ?─* *1/4  ▶\d ✖1", row) for row in rows), rows
    if size[1] > 8:
        assert any(re.match(r"▶ w\d train lr=\d  +\d:\d\d train/[0-9a-f]{8}", r) for r in rows)
        assert rows[-1] == "Ctrl-C once: let running tasks end · twice: stop now"
    assert code == 0
    assert end.count("✖ train lr=3  train/") == 1
    assert "script.py:16 in train" in end
    assert "✖ 1 of 9 tasks failed" in end
    assert "✔ 7 ran   ✖ 1 failed   ⊘ 1 skipped" in end


@pytest.mark.slow
def test_the_picture_fits_a_window_that_changes_its_size(tmp_path):
    """Larger and smaller again; nothing is wider or higher than the window."""
    with terminal(SWEEP, tmp_path, size=(60, 12)) as seen:
        seen.wait_for("running")
        for size in ((120, 30), (40, 9), (80, 20)):
            seen.resize(*size)
            seen.look_for(2.5)
            assert len(seen.shown) < size[1]
            assert sum("sunny-otter" in row for row in seen.shown) == 1, seen.shown
        (tmp_path / "go").touch()
        assert seen.wait_for_end() == 0


def test_what_a_task_prints_stands_above_unchanged(tmp_path):
    """Whole lines, long ones, ones in pieces, markup, colours, carriage returns, the log."""
    script = (
        FLOW
        + """
def chatty(rows, lr):
    print("[bold]not markup[/bold] :smile:")
    print("x" * 130)
    print("in", end=" ")
    sys.stdout.flush()
    print("pieces", file=sys.stdout)
    print("10%\\r50%\\r100%")
    sys.stderr.write("to stderr\\n")
    logging.getLogger("mine").info("told by a logger")
    time.sleep(0.3)
    print("\\x1b[31mred\\x1b[0m")

if __name__ == "__main__":
    configure_logging("INFO", rich_logging=False)
    build(chatty, (1, 2)).run(num_workers=1)
    print(type(sys.stdout).__name__, type(sys.stderr).__name__)
"""
    )
    with terminal(script, tmp_path, size=(80, 40)) as seen:
        assert seen.wait_for_end() == 0
        rows = seen.all_shown

    first = rows.index("[bold]not markup[/bold] :smile:")
    assert rows[first : first + 6] == [
        "[bold]not markup[/bold] :smile:", "x" * 80, "x" * 50, "in pieces", "100%", "to stderr",
    ]  # fmt: skip
    assert sum("told by a logger" in row for row in rows) == 2
    assert rows.count("red") == 2
    assert not [row for row in rows if "[1/5]" in row], "events are told by the view alone"
    assert rows[-1] == "TextIOWrapper TextIOWrapper"


def test_rich_log_lines_do_not_tear_the_picture(tmp_path):
    """A handler of rich with a console of its own, and one of `logging.basicConfig`."""
    script = (
        FLOW
        + """
def logs(rows, lr):
    for number in range(5):
        logging.getLogger("mine").warning("line %s of %s", number, lr)
        time.sleep(0.12)

if __name__ == "__main__":
    configure_logging("INFO")
    logging.getLogger("mine").addHandler(logging.StreamHandler())
    build(logs, (1, 2)).run(num_workers=1)
"""
    )
    with terminal(script, tmp_path, size=(90, 40)) as seen:
        assert seen.wait_for_end() == 0
        rows = seen.all_shown

    for lr in (1, 2):
        for number in range(5):
            assert sum(row.endswith(f"line {number} of {lr}") for row in rows) == 2, rows
    assert sum("train " in row and "━" in row for row in rows) == 1


def test_output_to_a_file_stays_there(tmp_path):
    """`script.py > file`: the terminal has the bars, the file what was printed, nothing else."""
    script = (
        FLOW
        + """
def prints(rows, lr):
    print("for the file", lr)

if __name__ == "__main__":
    build(prints, (1, 2)).run(num_workers=1)
    print("the end")
"""
    )
    with terminal(script, tmp_path, stdout=False) as seen:
        assert seen.wait_for_end() == 0
        rows = seen.all_shown

    assert (tmp_path / "stdout").read_text() == "for the file 1\nfor the file 2\nthe end\n"
    assert not [row for row in rows if "for the file" in row]
    assert [row for row in rows if "✔ 5 tasks finished" in row]


@pytest.mark.slow
def test_a_question_of_a_task_can_be_answered(tmp_path):
    """While `input` waits there are no bars; the prompt and the answer stay."""
    script = (
        FLOW
        + """
def asks(rows, lr):
    answer = input("name? ")
    time.sleep(1.3)
    print("hello", answer)

if __name__ == "__main__":
    build(asks, (1,)).run(num_workers=1)
"""
    )
    with terminal(script, tmp_path) as seen:
        seen.wait_for("name?")
        seen.look_for(1.5)
        assert seen.shown[-1] == "name?"
        seen.type("Ada\n")
        seen.wait_for("running")
        assert seen.wait_for_end() == 0
        rows = seen.all_shown

    assert "name? Ada" in rows
    assert "hello Ada" in rows


@pytest.mark.parametrize("workers", [1, 2])
def test_the_terminal_is_as_before_after_ctrl_c(workers, tmp_path):
    """The hint has said what comes; the bars are closed, a summary says what did not run."""
    script = (
        FLOW
        + f"""
def waits(rows, lr):
    Path("begun-" + str(lr)).touch()
    wait_for("never")

if __name__ == "__main__":
    build(waits, (1, 2)).run(num_workers={workers})
"""
    )
    with terminal(script, tmp_path) as seen:
        seen.wait_for("▶ w0 train")
        while len(list(tmp_path.glob("begun-*"))) < workers:  # else they are taken back
            seen.look_for(0.05)
        seen.type("\x03")
        if workers == 2:
            seen.wait_for(
                "stopping after SIGINT: running tasks may end, no new ones start · Ctrl-C"
            )
            seen.type("\x03")
        code = seen.wait_for_end()
        rows = seen.all_shown
        is_hidden = seen.screen.cursor.hidden

    assert code != 0
    assert not is_hidden
    assert [row for row in rows if "did not run" in row or "failed" in row], rows
    assert sum(row.startswith("Ctrl-C once") for row in rows) == 0


def test_the_terminal_is_as_before_after_an_exception(tmp_path):
    """The traceback of the task's exception begins in a line of its own, below the summary."""
    script = SWEEP.replace("exit_on_error=False", "exit_on_error=True").replace(
        '"go"', '"script.py"'
    )
    with terminal(script, tmp_path) as seen:
        code = seen.wait_for_end()
        rows = seen.all_shown
        is_hidden = seen.screen.cursor.hidden

    assert (code, is_hidden) == (1, False)
    summary = next(n for n, row in enumerate(rows) if "of 9 tasks failed" in row)
    trace = rows.index("Traceback (most recent call last):")
    assert trace > summary
    assert "ValueError: loss is nan" in rows[trace:]


def test_a_terminal_that_goes_away_does_not_end_the_run(tmp_path):
    """The window is closed, and the run was told to ignore that."""
    script = (
        FLOW
        + """
if __name__ == "__main__":
    import signal
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    run = build().run(num_workers=2, exit_on_error=False)
    Path("ended").write_text(str(run.counts))
"""
    )
    with terminal(script, tmp_path) as seen:
        seen.wait_for("running")
        (tmp_path / "go").touch()
        seen.hang_up()

    assert "'finished': 7" in (tmp_path / "ended").read_text()


def test_at_most_ten_pictures_a_second(tmp_path):
    """However fast tasks are, and a picture is drawn only when something changed."""
    script = (
        FLOW
        + """
def quick(rows, lr):
    time.sleep(0.002)

if __name__ == "__main__":
    began = time.time()
    build(quick, range(300)).run(num_workers=1)
    Path("took").write_text(str(time.time() - began))
"""
    )
    with terminal(script, tmp_path) as seen:
        assert seen.wait_for_end() == 0
    took = float((tmp_path / "took").read_text())

    assert seen.raw.count(b"\x1b[?25l") <= 10 * took + 3


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize("no_color", [None, "1"])
@pytest.mark.parametrize("force_color", [None, "1"])
@pytest.mark.parametrize("ci", [None, "true"])
def test_codes_go_only_where_they_belong(tty, no_color, force_color, ci, tmp_path):
    """Cursor codes on a terminal that a person looks at, colours as asked; never in a pipe."""
    from tests.acceptance.scripts import run_script

    script = (
        FLOW
        + """
if __name__ == "__main__":
    Path("go").touch()
    for progress in ("auto", "live", "lines"):
        build().run(num_workers=1, exit_on_error=False, progress=progress)
"""
    )
    wishes = {"NO_COLOR": no_color, "FORCE_COLOR": force_color, "CI": ci}
    if tty:
        with terminal(script, tmp_path, environment=wishes) as seen:
            assert seen.wait_for_end() == 0
        raw = seen.raw.replace(b"\r\n", b"\n")
    else:
        given = {name: value or "" for name, value in wishes.items()}
        raw = run_script(script, tmp_path, **given).err.encode()

    has_colours = not no_color and (tty or bool(force_color))
    assert bool(CURSOR.search(raw)) == (tty and not ci)
    assert bool(COLOUR.search(raw)) == has_colours
    assert raw.count("✖ 1 of 9 tasks failed".encode()) == (3 if tty and not ci else 2)


def test_ascii_where_the_terminal_can_no_more(tmp_path):
    """By its encoding, and by the setting."""
    for variables in ({"PYTHONIOENCODING": "latin-1"}, {"FLOWLIB_ASCII": "1"}):
        (tmp_path / "go").touch()
        with terminal(
            SWEEP.replace('LocalFileStore("runs")', "None"), tmp_path, environment=variables
        ) as seen:
            assert seen.wait_for_end() == 0
        assert seen.raw.isascii()
        assert b"x 1 of 9 tasks failed" in seen.raw
        assert re.search(rb"train +#+ 4/4  \+3 x1", COLOUR.sub(b"", seen.raw))


def test_nothing_is_drawn_when_nothing_is_to_be_done(tmp_path):
    """All cached: one line, no bars, and what they take is not loaded twice."""
    (tmp_path / "go").touch()
    script = SWEEP.replace("(1, 2, 3, 4)", "(1, 2)")
    for _ in range(2):
        with terminal(script, tmp_path) as seen:
            assert seen.wait_for_end() == 0

    assert seen.shown[0].startswith("≡ all 5 tasks are cached  in ")
    assert len(seen.shown) == 2
    assert not CURSOR.search(seen.raw.replace(b"\r\n", b"\n"))


def test_a_forked_worker_writes_to_the_terminal_itself(tmp_path):
    """It has no footer, and nothing of its driver's locks."""
    script = SWEEP.replace("num_workers=3", 'num_workers=2, start_method="fork"')
    (tmp_path / "go").touch()
    with terminal(script, tmp_path) as seen:
        assert seen.wait_for_end() == 0


@pytest.mark.slow
def test_a_waiting_run_costs_nothing(tmp_path):
    """Less than a hundredth of a CPU while a task sleeps, bars and all."""
    script = (
        FLOW
        + """
def sleeps(rows, lr):
    before = time.process_time(), time.time()
    time.sleep(4)
    Path("cost").write_text(str((time.process_time() - before[0]) / (time.time() - before[1])))

if __name__ == "__main__":
    build(sleeps, (1,)).run(num_workers=1)
"""
    )
    with terminal(script, tmp_path) as seen:
        assert seen.wait_for_end() == 0

    assert float((tmp_path / "cost").read_text()) < 0.01


def bars(terminal):
    """The lines with bars."""
    return [row for row in terminal.shown if "━" in row]


def test_a_second_process_shows_the_same_picture(tmp_path):
    """From the events of the run, while it goes on, to its end."""
    watch = """
from itertools import chain
from pathlib import Path
from flowlib.event_log import follow_events
from flowlib.showing import watch
watch(chain.from_iterable(follow_events(Path("where").read_text())))
"""
    with terminal(SWEEP, tmp_path) as driver:
        driver.wait_for("✖ train lr=3")
        driver.wait_for("▶3 ✖1")
        folder = next(tmp_path.rglob("events-*")).parent
        other = tmp_path / "other"
        other.mkdir()
        (other / "where").write_text(str(folder))
        with terminal(watch, other) as seen:
            seen.wait_for("Ctrl-C: stop watching")
            limit = time.monotonic() + 30.0
            while bars(driver) != bars(seen) and time.monotonic() < limit:
                driver.look_for(0.2)  # each draws when it comes to it
                seen.look_for(0.2)
            assert bars(driver) == bars(seen)
            (tmp_path / "go").touch()
            assert seen.wait_for_end() == 0
            assert any("✖ 1 of 9 tasks failed" in row for row in seen.all_shown)
        assert driver.wait_for_end() == 0
