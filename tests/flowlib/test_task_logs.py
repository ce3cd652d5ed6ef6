"""Does every task have its own log, and does the driver hear what it should?"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec, settings
from flowlib.configuration import forget
from flowlib.event_log import read_events
from flowlib.events import Failed
from flowlib.task_output import OutputPlace
from stores import InMemoryStore, LocalFileStore
from tests.flowlib.full_disk import FullDisk
from tests.flowlib.log_tasks import (
    FailTwice,
    Flood,
    Forks,
    Inner,
    Many,
    Misbehave,
    OddRecords,
    Quiet,
    Say,
    Streams,
)

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("print", "stderr", "descriptor", "C", "child", "debug", "info", "warning")


def run(spec, tmp_path, workers=2, **options):
    """A run in worker processes that goes on after failures."""
    options = {"executor": "processes", "exit_on_error": False, "progress": None, **options}
    store = LocalFileStore(tmp_path / "runs", fsync=False)
    return Flow([spec]).run(num_workers=workers, results_store=store, **options)


def text_of(result):
    assert result.log is not None
    return Path(result.log).read_text()


@pytest.fixture
def heard():
    """The records that come to the handlers of this process, at INFO and above."""
    found = []

    class Ear(logging.Handler):
        def emit(self, record):
            found.append(record)

    ear, level = Ear(), logging.root.level
    logging.root.addHandler(ear)
    logging.root.setLevel(logging.INFO)
    yield found
    logging.root.removeHandler(ear)
    logging.root.setLevel(level)


@pytest.mark.parametrize("method", ["forkserver", "spawn", "fork"])
def test_all_that_a_task_says_is_in_its_log(method, tmp_path, capfd):
    """By Python, by C, by a child, by logging at all levels; nothing of it on the terminal."""
    spec = TaskSpec(Say, {"what": ["red", "blue", "green"]}, expand="product")
    done = run(spec, tmp_path, start_method=method)
    ways = WAYS[:7] if method == "fork" else WAYS  # a fork has the warnings that pytest catches
    for result in done["Say"]:
        text = text_of(result)
        other = {"red", "blue", "green"} - {result.config["what"]}
        assert all(f"{way} {result.config['what']}" in text for way in ways), text
        assert all(text.count(f"{way} {result.config['what']}\n") == 1 for way in WAYS[:7]), text
        assert not any(word in text for word in other)
    out, err = capfd.readouterr()
    assert "red" not in out
    assert "descriptor" not in err
    assert not list(Path(done.folder).glob("workers/*"))


def test_streams_of_a_task_are_real_ones(tmp_path):
    """`isatty`, `fileno`, `encoding`; text that is no Unicode does not raise."""
    done = run(TaskSpec(Streams), tmp_path)
    (result,) = done["Streams"]
    assert result["facts"] == [
        [False, number, "utf-8", True, "backslashreplace"] for number in (1, 2)
    ]
    assert text_of(result) == "odd: \\ud800 é\n"


def test_a_task_that_says_nothing_has_no_log(tmp_path):
    """And its record names none."""
    done = run(TaskSpec(Quiet, {"x": [1, 2, 3]}, expand="product"), tmp_path)
    assert [each.log for each in done["Quiet"]] == [None] * 3
    assert sorted(each.name.split("-")[0] for each in Path(done.folder).iterdir()) == [
        "events",
        "graph.json",
        "manifest.json",
        "provenance.json",
    ]
    record = done.store.record(done["Quiet"][0].address)
    assert "log" not in record.latest.provenance


@pytest.mark.parametrize(
    ("how", "last"),
    [
        ("raise", "ValueError: on purpose"),
        ("kill", "WorkerDied: its worker process was killed by SIGKILL"),
        ("exit", "WorkerDied: its worker process ended with exit code 3 before the task did"),
    ],
)
def test_the_log_of_a_failure_ends_with_how_it_failed(how, last, tmp_path):
    """The event, the run and the record name it."""
    done = run(TaskSpec(Misbehave, {"how": how}), tmp_path)
    (result,) = done.failed
    first, *_, end = text_of(result).splitlines()
    assert (first, end) == (f"before {how}", last)
    (event,) = [each for each in read_events(done.folder) if isinstance(each, Failed)]
    assert event.log == result.log
    record = done.store.record(result.address)
    assert record.latest.provenance["log"] == str(
        Path(result.log).relative_to(tmp_path / "runs" / ".runs")
    )


def test_the_log_of_a_crash_says_where_it_was(tmp_path):
    """A segmentation fault in C code leaves the lines of Python that led to it."""
    done = run(TaskSpec(Misbehave, {"how": "crash"}), tmp_path)
    text = text_of(done.failed[0])
    assert "Segmentation fault" in text
    assert "log_tasks.py" in text
    assert text.endswith("WorkerDied: its worker process was killed by SIGSEGV\n")


def test_the_log_of_a_timeout_says_so(tmp_path):
    """What was printed before is there, too."""
    done = run(TaskSpec(Misbehave, {"how": "hang"}, timeout=0.5), tmp_path)
    lines = text_of(done.failed[0]).splitlines()
    assert lines[0] == "before hang"
    assert "0.5 s" in lines[-1]


@pytest.mark.parametrize("how", ["close", "replace"])
def test_a_task_that_breaks_its_streams_harms_no_other(how, tmp_path):
    """Closed descriptors, replaced streams, removed handlers."""
    first = TaskSpec(Misbehave, {"how": how})
    second = TaskSpec(Say, {"what": "fine"})
    store = LocalFileStore(tmp_path / "runs")
    done = Flow([first, second]).run(
        num_workers=1, executor="processes", results_store=store, progress=None
    )
    text = text_of(done["Say"][0])
    assert all(f"{way} fine" in text for way in WAYS)
    assert text_of(done["Misbehave"][0]) == f"before {how}\n"


def test_every_try_has_a_log_of_its_own(tmp_path):
    """The result names that of the last one."""
    (tmp_path / "tries").mkdir()
    done = run(TaskSpec(FailTwice, {"folder": str(tmp_path / "tries")}, retries=2), tmp_path)
    (result,) = done["FailTwice"]
    stem = f"FailTwice-{result.address.key[:8]}"
    logs = Path(done.folder, "logs")
    assert sorted(each.name for each in logs.iterdir()) == [
        f"{stem}.2.log",
        f"{stem}.3.log",
        f"{stem}.log",
    ]
    assert (logs / f"{stem}.log").read_text().endswith("ValueError: try 1 fails\n")
    assert text_of(result) == "try 3\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cached_task_shows_the_log_of_the_run_that_computed_it(workers, tmp_path):
    """As long as that is there."""
    spec = TaskSpec(Say, {"what": "once"})
    options = {"executor": None} if workers == 1 else {}
    first = run(spec, tmp_path, workers, **options)
    second = run(spec, tmp_path, workers, **options)
    assert second.counts == {"cached": 1}
    assert second["Say"][0].log == first["Say"][0].log
    Path(first["Say"][0].log).unlink()
    assert second["Say"][0].log is None


def test_a_memory_store_has_logs_too(tmp_path, monkeypatch):
    """Below XDG_STATE_HOME, by project and run."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    spec = TaskSpec(Misbehave, {"how": "raise"})
    done = Flow([spec]).run(
        num_workers=2,
        executor="processes",
        results_store=InMemoryStore(),
        exit_on_error=False,
        project_name="my project",
        run_name="r",
        progress=None,
    )
    log = done.failed[0].log
    assert log is not None
    assert Path(log).parent == tmp_path / "flowlib/runs/my%20project/r/logs"
    record = done.store.record(done.failed[0].address)
    assert record.latest.provenance["log"] == log


@pytest.mark.parametrize("method", ["forkserver", "spawn", "fork"])
def test_records_of_workers_reach_the_handlers_of_the_driver_once(method, heard, tmp_path):
    """At the driver's level, with the name of the worker."""
    run(TaskSpec(Say, {"what": "hello"}), tmp_path, start_method=method)
    mine = [each for each in heard if "hello" in each.getMessage()]
    assert [(each.levelname, each.getMessage()) for each in mine] == [("INFO", "info hello")]
    assert mine[0].processName.startswith("Worker-")
    assert mine[0].name == "flowlib.task.Say"


def test_odd_records_stop_nothing(heard, tmp_path):
    """D17: all arrive in some form, in the log and here, and the tasks are finished."""
    done = run(TaskSpec(OddRecords, {"x": [1, 2]}, expand="product"), tmp_path)
    assert done.counts == {"finished": 2}
    odd = [each.getMessage() for each in heard if each.name == "odd"]
    assert len(odd) == 10
    assert {"good 1", "good 2"} <= set(odd)
    assert "long " + "y" * 100_000 in odd
    for result in done["OddRecords"]:
        text = text_of(result)
        assert text.count("odd: ") == 5
        assert "y" * 100_000 in text


def test_no_record_is_lost(heard, tmp_path):
    """However fast they come, in the order of each worker."""
    done = run(
        TaskSpec(Many, {"x": [1, 2], "count": 3000}, expand="product"),
        tmp_path,
    )
    assert done.counts == {"finished": 2}
    for x in (1, 2):
        mine = [each.getMessage() for each in heard if each.getMessage().endswith(f"of {x}")]
        assert mine == [f"record {number} of {x}" for number in range(3000)]


def test_children_that_a_task_has_forked_do_not_disturb_the_pipe(heard, tmp_path):
    """What they say is in the log; only the worker itself talks to the driver."""
    done = run(TaskSpec(Forks, {"x": [1, 2]}, expand="product"), tmp_path)
    assert done.counts == {"finished": 2}
    text = text_of(done["Forks"][0])
    assert all(f"child {n}" in text and f"printed by {n}" in text for n in range(5))
    assert [each.getMessage() for each in heard if each.name == "forked"] == ["parent"] * 2


def test_nested_flows_keep_their_logs_apart(tmp_path):
    """F17: nested calls switch and return."""
    done = run(TaskSpec(Inner), tmp_path)
    (result,) = done["Inner"]
    outer = text_of(result)
    assert "debug inner" in result["result"]
    assert "outer" not in result["result"]
    assert "outer before" in outer
    assert "outer after" in outer


@pytest.mark.slow
@pytest.mark.parametrize("by", ["print", "child"])
def test_gigabytes_of_output_fill_neither_memory_nor_disk(by, tmp_path, monkeypatch):
    """The log keeps its ends; the task never waits."""
    monkeypatch.setenv("FLOWLIB_LOG_LIMIT_BYTES", str(4 << 20))
    forget()
    done = run(TaskSpec(Flood, {"megabytes": 400, "by": by}), tmp_path)
    assert done.counts == {"finished": 1}
    log = Path(done["Flood"][0].log)
    assert log.stat().st_size <= 5 << 20
    text = log.read_text()
    assert text.startswith("first\n")
    assert text.endswith("last\n")
    assert "bytes left out here" in text
    monkeypatch.undo()
    forget()
    assert settings().log_limit_bytes == 64 << 20  # as docs/logs.md says


def test_a_running_task_has_its_log_at_once(tmp_path):
    """Whoever follows it sees the first line while the task still runs."""
    flag = tmp_path / "flag"
    script = f"""
        from flowlib import Flow, TaskSpec
        from stores import LocalFileStore
        from tests.flowlib.log_tasks import Wait
        if __name__ == "__main__":
            Flow([TaskSpec(Wait, {{"path": {str(flag)!r}}})]).run(
                num_workers=2, executor="processes", run_name="r",
                results_store=LocalFileStore({str(tmp_path / "runs")!r}), log_to_tmux=False)
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    driver = subprocess.Popen([sys.executable, tmp_path / "script.py"], env=environment)
    try:
        text, deadline = "", time.monotonic() + 60
        while not text and time.monotonic() < deadline:
            found = list((tmp_path / "runs/.runs/r/logs").glob("Wait-*.log"))
            text = found[0].read_text() if found else ""
            time.sleep(0.02)
        assert text == "waiting\n"
        assert driver.poll() is None
        flag.touch()
        assert driver.wait(60) == 0
    finally:
        driver.kill()
        driver.wait()


def test_after_the_death_of_the_driver_events_and_logs_can_be_read(tmp_path):
    """kill -9: what was written is there, and nothing else was lost."""
    script = f"""
        from flowlib import Flow, TaskSpec
        from stores import LocalFileStore
        from tests.flowlib.log_tasks import Say, Wait
        if __name__ == "__main__":
            specs = [TaskSpec(Say, {{"what": "done"}}), TaskSpec(Wait, {{"path": "/never"}})]
            Flow(specs).run(num_workers=2, executor="processes", run_name="r",
                            results_store=LocalFileStore({str(tmp_path / "runs")!r}))
    """
    (tmp_path / "script.py").write_text(textwrap.dedent(script))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    driver = subprocess.Popen([sys.executable, tmp_path / "script.py"], env=environment)
    folder = tmp_path / "runs/.runs/r"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        names = [type(each).__name__ for each in read_events(folder)]
        if "Finished" in names and list(folder.glob("logs/Wait-*")):
            break
        time.sleep(0.02)
    driver.kill()
    driver.wait()
    names = [type(each).__name__ for each in read_events(folder)]
    assert (names[0], names.count("Started"), names.count("Finished")) == ("RunStarted", 2, 1)
    assert "RunEnded" not in names
    store = LocalFileStore(tmp_path / "runs")
    (address,) = store.addresses("Say")
    log = store.runs_dir / store.record(address).latest.provenance["log"]
    assert "print done" in log.read_text()
    assert [each.read_text() for each in folder.glob("logs/Wait-*")] == ["waiting\n"]


def test_a_followed_worker_shows_all_its_tasks(tmp_path, monkeypatch):
    """For panes of tmux: one file per worker, task after task."""
    monkeypatch.setattr("flowlib.runlog.OutputPlace", _followed)
    spec = TaskSpec(Say, {"what": ["a", "b", "c"]}, expand="product")
    done = run(spec, tmp_path, workers=1)
    text = Path(done.folder, "workers", "w1.log").read_text()
    assert [text.count(f"print {what}\n") for what in "abc"] == [1, 1, 1]
    assert text.index("print a") < text.index("debug a") < text.index("print b")


def _followed(folder, recorded, limit, **_):
    return OutputPlace(folder, recorded, limit, is_followed=True)


def test_a_full_disk_loses_output_and_no_task(tmp_path, monkeypatch):
    """Nothing that is printed can be kept, and nothing fails."""
    for module in ("worker_output", "log_files"):
        monkeypatch.setattr(f"flowlib.{module}.os", FullDisk())
    done = run(TaskSpec(Streams), tmp_path, start_method="fork")
    assert done.counts == {"finished": 1}
    assert done["Streams"][0].log is None
