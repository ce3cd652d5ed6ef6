"""Does every setting change what flowlib does? One test for each, and none but these has to know."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

import flowlib
from flowlib import Flow, SettingsError, TaskSpec, configuration, configure
from flowlib.event_log import EventWriter, follow_events
from flowlib.events import RunStarted
from stores import InMemoryStore, LocalFileStore, Owner
from stores.by_hand import amend
from tests.acceptance import settings_tasks
from tests.acceptance.scripts import run_script
from tests.stores.leases import owner_elsewhere


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No variable, file or earlier change of this machine."""
    for name in [each for each in os.environ if each.startswith("FLOWLIB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    configuration.forget()
    yield
    configuration.forget()


LOG = """
    import logging, sys
    from flowlib import configure_logging
    configure_logging({arguments})
    logging.getLogger("mine").debug("low")
    logging.getLogger("mine").warning("high")
    {then}
"""


def logged(folder, arguments="", then="", **variables):
    """What a script writes to stderr that sets up logging."""
    return run_script(LOG.format(arguments=arguments, then=then), folder, **variables).err


def test_log_level(tmp_path):
    """The level of `configure_logging`, unless the call names one."""
    level = {"FLOWLIB_LOG_LEVEL": "ERROR"}
    assert "high" in logged(tmp_path)
    assert "low" not in logged(tmp_path)
    assert "low" in logged(tmp_path, FLOWLIB_LOG_LEVEL="DEBUG")
    assert "high" not in logged(tmp_path, **level)
    assert "low" in logged(tmp_path, "'DEBUG'", **level)


@pytest.mark.parametrize("argument", [None, True, False])
@pytest.mark.parametrize("value", ["true", "false"])
def test_rich_uncaught_tracebacks(value, argument, tmp_path):
    """Whether a box is drawn around an uncaught exception, unless the call says so."""
    arguments = "" if argument is None else f"rich_traceback={argument}"
    shown = logged(tmp_path, arguments, "1 / 0", FLOWLIB_RICH_UNCAUGHT_TRACEBACKS=value)
    assert "ZeroDivisionError" in shown
    is_plain = "Traceback (most recent call last):\n" in shown
    assert is_plain is not (value == "true" if argument is None else argument)


@pytest.mark.parametrize(("value", "is_coloured"), [("auto", 0), ("always", 1), ("never", 0)])
def test_color_of_the_log(value, is_coloured, tmp_path):
    """A pipe has no colours unless they are asked for."""
    shown = logged(tmp_path, FLOWLIB_COLOR=value, NO_COLOR="", TERM="xterm-256color")
    assert ("\x1b[" in shown) is bool(is_coloured)


STORE = """
    from flowlib import Flow, TaskSpec
    from stores import LocalFileStore
    from tests.acceptance.settings_tasks import number

    if __name__ == "__main__":
        flow = Flow([TaskSpec(number)])
        print(flow.run(num_workers=1).counts, len(flow.plan().cached))
        print(flow.run(num_workers=1, results_store=LocalFileStore("own")).counts)
"""


def test_store(tmp_path):
    """Runs and plans without a store take that of the settings; an argument comes first."""
    first = run_script(STORE, tmp_path).out.splitlines()
    assert first == ["{'finished': 1} 0", "{'finished': 1}"]
    uri = {"FLOWLIB_STORE": "file:default"}
    second = run_script(STORE, tmp_path, **uri)
    assert second.out.splitlines() == ["{'finished': 1} 1", "{'cached': 1}"], second.err
    assert run_script(STORE, tmp_path, **uri).out.splitlines()[0] == "{'cached': 1} 1"
    (tmp_path / "flowlib.toml").write_text('store = "file:shared"')
    (tmp_path / "deep").mkdir()
    run_script(STORE, tmp_path / "deep")
    assert (tmp_path / "shared").is_dir()


@pytest.mark.parametrize("uri", ["runs", "fil:runs", "memory:x"])
def test_a_store_that_is_none(uri, monkeypatch):
    """The error says where it was set."""
    monkeypatch.setenv("FLOWLIB_STORE", uri)
    flow = Flow([TaskSpec(settings_tasks.number)])
    with pytest.raises(SettingsError, match="FLOWLIB_STORE in the environment is no store: "):
        flow.run()
    with pytest.raises(SettingsError, match="FLOWLIB_STORE in the environment is no store: "):
        flow.plan()


def held(tmp_path, owner):
    """A flow of one task and a store in which somebody else computes that."""
    flow = Flow([TaskSpec(settings_tasks.number, wait_timeout=2.0)])
    store = LocalFileStore(tmp_path / "runs")
    (node,) = flow.graph
    store.begin(node.address, owner)
    return flow, store


def test_lease_secs(tmp_path):
    """So long the silent owner on another host keeps its task, unless the store says otherwise."""
    flow, store = held(tmp_path, owner_elsewhere())
    run = flow.run(num_workers=1, results_store=store, exit_on_error=False)
    assert run.counts == {"failed": 1}
    configure(lease_secs=0.5)
    assert flow.run(num_workers=1, results_store=store).counts == {"finished": 1}
    own = LocalFileStore(tmp_path / "own", lease_s=90)
    flow.run(num_workers=1, results_store=own)
    assert own.lease_times.lease_s == 90


@pytest.mark.parametrize("workers", [1, 2])
def test_heartbeat_secs(workers, tmp_path):
    """Drivers and workers renew leases so often."""
    flow = Flow([TaskSpec(settings_tasks.Beat)])
    configure(heartbeat_secs=7)
    run = flow.run(
        num_workers=workers,
        executor="processes" if workers > 1 else None,
        results_store=LocalFileStore(tmp_path / "runs"),
    )
    assert run["Beat"][0]["result"] == 7


def test_heartbeat_secs_of_the_driver(tmp_path, monkeypatch):
    """It renews the leases of its workers in that time."""
    counts = []
    for beat_s in (20.0, 0.05):
        configure(heartbeat_secs=beat_s)
        store, renewed = LocalFileStore(tmp_path / str(beat_s)), []
        monkeypatch.setattr(store, "renew", lambda addresses, to=renewed: to.extend(addresses))
        flow = Flow([TaskSpec(settings_tasks.nap, {"seconds": 1.0})])
        flow.run(executor="processes", results_store=store)
        counts.append(len(renewed))
    assert counts[0] == 0
    assert counts[1] >= 3


def looks(flow, store, monkeypatch):
    """How often a run looks for what another computes, until its patience ends."""
    asked = []
    known = store.statuses
    monkeypatch.setattr(store, "statuses", lambda them: asked.append(1) or known(them))
    run = flow.run(num_workers=1, results_store=store, exit_on_error=False)
    assert run.counts == {"failed": 1}
    return len(asked)


def test_poll_interval_secs(tmp_path, monkeypatch):
    """The pause between two looks grows up to this."""
    flow, store = held(tmp_path, Owner.of_this_process())
    seldom = looks(flow, store, monkeypatch)
    configure(poll_interval_secs=0.05)
    assert looks(flow, store, monkeypatch) > 2 * seldom


def waits(flow, store, caplog):
    """How often a run says that it waits."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "flowlib"):
        flow.run(num_workers=1, results_store=store, exit_on_error=False)
    return sum(" waiting " in record.getMessage() for record in caplog.records)


def test_wait_log_every_secs(tmp_path, caplog):
    """Once at the beginning, and then so often, however seldom it looks."""
    flow, store = held(tmp_path, Owner.of_this_process())
    assert waits(flow, store, caplog) == 1
    configure(wait_log_every_secs=0.3)
    assert 2 <= waits(flow, store, caplog) <= 7  # the fewer, the busier the machine


def test_a_wait_ends_with_the_wait_timeout_of_the_spec(tmp_path):
    """A failure of kind timeout says who computes it; what reads from it is skipped."""
    flow, store = held(tmp_path, Owner.of_this_process())
    began = time.monotonic()
    with pytest.raises(
        flowlib.TaskFailed, match="is being computed by process .*; given up after 2 s"
    ):
        flow.run(num_workers=1, results_store=store)
    assert 2.0 <= time.monotonic() - began < 30.0


@pytest.mark.parametrize("value", ["soon", -1, 0, True])
def test_a_wait_timeout_is_a_time(value):
    """As `timeout` is."""
    with pytest.raises(flowlib.SpecError, match="wait_timeout is"):
        TaskSpec(settings_tasks.number, wait_timeout=value)


def tries(log, by):
    """How often a task is tried that gets a signal from outside."""
    spec = TaskSpec(settings_tasks.ends_itself, {"log": str(log), "by": int(by)})
    Flow([spec]).run(executor="processes", exit_on_error=False)
    count = len(log.read_text().splitlines())
    log.unlink()
    return count


def test_log_limit_bytes(tmp_path, capsys):
    """A log keeps its ends; the setting decides how much that is."""
    spec = TaskSpec(_print_much)
    configure(log_limit_bytes=1000)
    store = LocalFileStore(tmp_path / "runs")
    run = Flow([spec]).run(num_workers=1, results_store=store, progress=None)
    text = Path(run["_print_much"][0].log).read_text()
    assert len(text) < 1100
    assert "a log keeps 1,000" in text


def _print_much():
    print("y" * 5000)


def test_preempt_max(tmp_path):
    """So often a task is started again whose process got SIGTERM."""
    configure(preempt_max=1)
    assert tries(tmp_path / "log", signal.SIGTERM) == 2
    configure(preempt_max=0)
    assert tries(tmp_path / "log", signal.SIGTERM) == 1


def test_cancelled_is_preempted(tmp_path):
    """Then a process that is killed from outside counts, too."""
    configure(preempt_max=1)
    assert tries(tmp_path / "log", signal.SIGINT) == 1
    configure(cancelled_is_preempted=True)
    assert tries(tmp_path / "log", signal.SIGINT) == 2


PATCH = """
    import subprocess
    from flowlib import Flow, TaskSpec, configure
    from flowlib.origin_texts import contents_of, patch_of, untracked_of
    from stores import LocalFileStore
    from tests.acceptance.settings_tasks import number

    if __name__ == "__main__":
        for command in (["init", "-q"], ["add", "script.py"],
                        ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"]):
            subprocess.run(["git", *command], check=True)
        with open("script.py", "a") as file:
            file.write("# changed\\n")
        with open("new.txt", "w") as file:
            file.write("new")
        store = LocalFileStore("runs")
        flow = Flow([TaskSpec(number, {"x": [1, 2]}, expand="product")])
        flow.run(num_workers=2, executor="processes", results_store=store)
        for record in store.records():
            found = record.latest.provenance
            patch = patch_of(store, found) or b""
            names = untracked_of(store, found)
            contents = contents_of(store, found)
            print(len(found["git_commit"]), found["git_dirty"], b"+# changed" in patch)
            print("new.txt" in names, contents.get("new.txt"), found.get("environment"))
"""


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("variables", "has_patch"), [({}, True), ({"FLOWLIB_IGNORE_DIFF": "1"}, False)]
)
def test_ignore_diff(variables, has_patch, tmp_path):
    """Records keep what differs from the last commit, or leave it out."""
    done = run_script(PATCH, tmp_path, **variables)
    assert done.out.splitlines()[::2] == [f"40 True {has_patch}"] * 2, done.err


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("variables", "kept"), [({}, None), ({"FLOWLIB_KEEP_UNTRACKED": "1"}, b"new")]
)
def test_keep_untracked(variables, kept, tmp_path):
    """The names of files that git does not track are recorded; what is in them on request."""
    done = run_script(PATCH, tmp_path, **variables)
    lines = done.out.splitlines()[1::2]
    assert [line.startswith(f"True {kept} ") for line in lines] == [True] * 2, done.err


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("variables", "recorded"),
    [
        ({}, "{'PYTHONHASHSEED': '7'}"),
        ({"FLOWLIB_RECORDED_VARIABLES": "MY_*,OTHER"}, "{'MY_TOKEN': '***', 'MY_WORD': 'x'}"),
        ({"FLOWLIB_RECORDED_VARIABLES": ""}, "None"),
    ],
)
def test_recorded_variables(variables, recorded, tmp_path):
    """Those that are named, and of secrets only that they were there."""
    mine = {"PYTHONHASHSEED": "7", "MY_WORD": "x", "MY_TOKEN": "hush"}
    done = run_script(PATCH, tmp_path, **mine, **variables)
    assert [line.endswith(f" {recorded}") for line in done.out.splitlines()[1::2]] == [True] * 2, (
        done
    )


def test_a_task_whose_process_was_killed_has_its_provenance(tmp_path):
    """The driver records it in place of the worker."""
    configure(preempt_max=0)
    store = LocalFileStore(tmp_path / "runs")
    config = {"log": str(tmp_path / "log"), "by": int(signal.SIGTERM)}
    flow = Flow([TaskSpec(settings_tasks.ends_itself, config)])
    flow.run(executor="processes", exit_on_error=False, results_store=store)
    (record,) = store.records()
    assert record.latest.provenance["pid"] == os.getpid()


def test_ascii(capsys, monkeypatch):
    """Drawings keep to ASCII where Unicode was asked for."""
    specs = [TaskSpec(settings_tasks.number, name=name) for name in ("A", "B")]
    flow = Flow([specs[1].requires(specs[0])])
    drawn = []
    for value in (False, True):
        configure(ascii=value)
        flowlib.visualize_graph_in_console(flow.task_spec_graph, use_pager=False, use_unicode=True)
        drawn.append(capsys.readouterr().out.isascii())
    assert drawn == [False, True]


def test_progress(capsys):
    """The view that is shown where a call names none."""
    flow = Flow([TaskSpec(settings_tasks.number)])
    shown = []
    for value in ("none", "lines"):
        configure(progress=value)
        flow.run(num_workers=1)
        shown.append("done" in capsys.readouterr().err)
    assert shown == [False, True]


def test_stale_after_secs(tmp_path):
    """Who follows a run on another host gives it up when it has been silent for so long."""
    writer = EventWriter(tmp_path)
    writer.write(RunStarted(0.0, "r", "p", "memory", "elsewhere", 1, 1, ()))
    os.utime(next(tmp_path.iterdir()), (time.time() - 60, time.time() - 60))
    seen = follow_events(tmp_path, pause_s=0.01)
    assert [len(next(seen)) for _ in range(3)] == [1, 0, 0]
    configure(stale_after_secs=30)
    assert [len(found) for found in follow_events(tmp_path, pause_s=0.01)] == [1, 0]
    writer.show_life()
    assert next(seen := follow_events(tmp_path, pause_s=0.01)) and next(seen) == next(seen) == ()
    writer.close()


def test_a_run_shows_that_it_is_alive(tmp_path):
    """With every renewal of leases, however long its tasks are silent."""
    configure(heartbeat_secs=0.1)
    store = LocalFileStore(tmp_path)
    flow = Flow([TaskSpec(settings_tasks.nap, {"seconds": 1.5})])
    thread = threading.Thread(
        target=flow.run, kwargs={"executor": "processes", "results_store": store}
    )
    thread.start()
    seen = set()
    while thread.is_alive():
        for each in tmp_path.glob(".runs/*/events-*"):
            found = each.stat()
            seen.add((found.st_size, found.st_mtime_ns))
        time.sleep(0.05)
    thread.join()
    assert max(Counter(size for size, _ in seen).values()) >= 3, "its times change between events"


def test_workers_have_the_settings_of_their_driver(monkeypatch, tmp_path):
    """Whatever is written down where they run, and also what the driver was told by a call."""
    configure(preempt_max=3)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowlib.toml").write_text("preempt_max = 4")
    run = Flow([TaskSpec(settings_tasks.seen)]).run(executor="processes")
    assert run["seen"][0].results == {"preempt_max": 3, "origin": "preempt_max in configure()"}


@pytest.mark.parametrize(
    ("policy", "counts"), [("rerun", {"finished": 1}), ("ignore", {"cached": 1})]
)
def test_on_code_change(policy, counts):
    """What is done with a result that other code has made."""
    store, flow = InMemoryStore(), Flow([TaskSpec(settings_tasks.seen)])
    first = flow.run(num_workers=1, results_store=store)["seen"][0]
    facts = store.record(first.address).finished.facts
    amend(store.begin(first.address), {**facts, "code": "1.0000000000000000"}, {})
    configure(on_code_change=policy)
    assert flow.run(num_workers=1, results_store=store).counts == counts


def test_stores_have_names(monkeypatch, tmp_path):
    """A spec that names one has its results there, and in no other."""
    monkeypatch.setenv("FLOWLIB_STORES", f"first=file:{tmp_path}/a,second=file:{tmp_path}/b")
    spec = TaskSpec(settings_tasks.seen, store="second")
    Flow([spec]).run(num_workers=1, results_store=LocalFileStore(tmp_path / "main"))

    found = {name: len(list(LocalFileStore(tmp_path / name).records())) for name in ("a", "b")}
    assert found == {"a": 0, "b": 1}
    assert list(LocalFileStore(tmp_path / "main").records()) == []


def test_every_setting_has_a_test_here():
    """Named like it."""
    names = {each.name for each in fields(flowlib.Settings)} - {"origins"}
    tested = {each.removeprefix("test_") for each in globals()}
    assert sorted(name for name in names if not any(t.startswith(name) for t in tested)) == []
