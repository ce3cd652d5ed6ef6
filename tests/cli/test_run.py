"""`flowlib run`: what it runs, says and exits with."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import click
import pytest

from flowlib.cli.running import conduct_options, means_options, words_of_means
from flowlib.event_log import event_of
from flowlib.events import Finished, RunEnded, RunStarted
from stores import LocalFileStore
from tests.cli.calls import LIMIT_S, environment, flowlib, project
from tests.screens import Terminal


@pytest.fixture
def folder(tmp_path):
    """A project with four nodes."""
    return project(tmp_path / "project")


def _records(folder):
    """Task names of what is finished in the default store."""
    store = LocalFileStore(folder / ".flowlib")
    return sorted(f"{each.address.task}" for each in store.records(state="finished"))


def test_it_runs_once_and_finds_everything_afterwards(folder):
    """The store is `.flowlib` in the project; a second call computes nothing."""
    first = flowlib("run", "flow.yaml", folder=folder)
    assert (first.code, first.out) == (0, "")
    assert "✔ 4 tasks finished" in first.err
    assert _records(folder) == ["Best", "Load", "Train", "Train"]
    second = flowlib("run", "flow.yaml", folder=folder)
    assert (second.code, second.out) == (0, "")
    assert "≡ all 4 tasks are cached" in second.err


def test_the_store_does_not_depend_on_where_one_stands(folder):
    """In a folder inside of the project it is the same."""
    inner = folder / "notebooks"
    inner.mkdir()
    assert flowlib("run", "../flow.yaml", folder=inner).code == 0
    assert (folder / ".flowlib").is_dir()
    assert not (inner / ".flowlib").exists()


def test_overrides_are_read_as_documents_are(folder):
    """`1e-4` is a float, a comma makes choices, names of specs have no case."""
    assert flowlib("run", "flow.yaml", "train.lr=1e-4,0.25", folder=folder).code == 0
    found = LocalFileStore(folder / ".flowlib").records("Train").to_dicts()
    assert sorted(row["Train.lr"] for row in found) == [0.0001, 0.25]


def test_a_failure_is_exit_code_1_and_independent_branches_go_on(folder):
    """What can run has run; the panel names file, line, log and the command to do it again."""
    called = flowlib("run", "flow.yaml", "train.lr=0.9,0.1", folder=folder)
    assert (called.code, called.out) == (1, "")
    assert _records(folder) == ["Load", "Train"]
    assert "tasks.py:20 in run" in called.err
    assert "ValueError: loss is nan" in called.err
    log = re.search(r"^log +(\S+)$", called.err, re.MULTILINE)[1]
    assert "training with 0.9" in (folder / log).read_text()


def test_the_printed_commands_do_what_they_say(folder):
    """`again` runs exactly the failed task; what is next runs what is left, and shows the log."""
    called = flowlib("run", "flow.yaml", "train.lr=0.9,0.1", folder=folder)
    again = re.search(r"^again +flowlib (.+)$", called.err, re.MULTILINE)[1]
    steps = re.search(r"^  next +(.+)$", called.err, re.MULTILINE)[1].split("  ·  ")
    logs, rest, results = (each.removeprefix("flowlib ") for each in steps)
    source = (folder / "tasks.py").read_text()
    (folder / "tasks.py").write_text(source.replace("> 0.5", "> 9"))

    assert "training with 0.9" in flowlib(*shlex.split(logs), folder=folder).out
    repeated = flowlib(*shlex.split(again), "--json", folder=folder)
    events = [event_of(line) for line in repeated.out.splitlines()]
    assert repeated.code == 0
    assert [e.task.spec for e in events if isinstance(e, Finished)] == ["Train"]
    command = rest.partition(" (")[0]
    assert rest.endswith("(runs only what is left: 2)")
    left = flowlib(*shlex.split(command), "--json", folder=folder)
    events = [event_of(line) for line in left.out.splitlines()]
    assert [e.task.spec for e in events if isinstance(e, Finished)] == ["Best"]
    table = flowlib(*shlex.split(results), folder=folder)
    assert table.code == 0


MEANS = (
    "--workers", "2", "--resource", "cpu=2", "--resource", "seat=a,b", "--executor", "threads",
    "--fail-fast", "--project", "thesis", "--timeout", "1h", "--retries", "0", "--keep", "Load",
    "--on-code-change", "ignore",
)  # fmt: skip


@pytest.mark.slow
def test_what_is_run_again_is_run_with_the_same(folder):
    """Executor, workers, resources, limits: only how the run is shown is not said again.

    The debugger is in the process of the command, so that line goes without executor and workers.
    """
    words = [each for each in MEANS if each not in ("--timeout", "1h")]  # threads have no timeouts
    run = ["run", "flow.yaml", "train.lr=0.9,0.1", *words, "--name", "one", "--progress", "lines"]
    called = flowlib(*run, "--skip", "Best", folder=folder)
    assert called.code == 1, called.err
    again = re.search(r"^again +(.+)$", called.err, re.MULTILINE)[1]
    debug = re.search(r"^debug +(.+)$", called.err, re.MULTILINE)[1]
    given, only = again.split(" --only ")
    assert sorted(shlex.split(given)) == sorted(["flowlib", *run[:3], *words])
    left = f"flowlib {shlex.join(shlex.split(given)[1:])} --resume one"
    assert f"{left} (runs only" in called.err
    assert f"  again    {left}" in flowlib("status", "one", folder=folder).out
    shown = flowlib("show", only, folder=folder).out
    assert shown.rstrip().endswith(f"again   {given} --only {only}")
    assert "--executor" not in debug
    assert "--workers" not in debug
    assert debug.endswith(f"--only {only} --pdb")

    source = (folder / "tasks.py").read_text()
    (folder / "tasks.py").write_text(source.replace("> 0.5", "> 9"))
    repeated = flowlib(*shlex.split(again)[1:], "--json", folder=folder)
    events = [event_of(line) for line in repeated.out.splitlines()]
    assert (repeated.code, events[0].workers) == (0, 2)
    assert flowlib(*shlex.split(debug)[1:], folder=folder).code == 0
    resumed = flowlib("run", "--resume", "one", "--json", folder=folder)
    assert resumed.code == 0, resumed.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--inline", "--progress", "none", "--name", "x"], ("--inline",)),
        (["-w", "3", "--gpus", "0,1"], ("--workers", "3", "--gpus", "0,1")),
        (["--slurm", "partition=a,b", "--slurm", "time=2h"],) * 2,
        (["--executor", "rq", "--max-failures", "2"],) * 2,
        ([], ()),
    ],
)
def test_each_word_is_said_again_as_it_was_given(given, said):
    """A flag alone, a value behind its option, each of several behind its own."""
    found = []

    @click.command()
    @means_options
    @conduct_options
    def command(**_):
        found.extend(words_of_means())

    command.main(given, standalone_mode=False)
    assert tuple(found) == tuple(said)


def test_a_document_that_python_runs_is_run_again_by_the_same_executor(folder, monkeypatch):
    """As far as words can say it: an object cannot be named, and gives none."""
    monkeypatch.chdir(folder)
    script = (
        "from flowlib import Flow\n"
        "from flowlib.executors.threads import ThreadExecutor\n"
        "from stores import LocalFileStore\n"
        "for executor in ('threads', ThreadExecutor()):\n"
        "    flow = Flow.from_file('flow.yaml')\n"
        "    flow.run(2, executor=executor, results_store=LocalFileStore('.flowlib'))\n"
    )
    (folder / "script.py").write_text(script)
    subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=environment(), timeout=LIMIT_S, check=True
    )
    known = flowlib("status", "--json", folder=folder).json["runs"]
    first = ["flowlib", "run", "flow.yaml", "--workers", "2"]
    assert [each["again"] for each in known] == [first, [*first, "--executor", "threads"]]


def test_fail_fast_starts_nothing_more(folder):
    """One worker, the first of two fails: the second is not tried."""
    called = flowlib(
        "run", "flow.yaml", "train.lr=0.9,0.1", "--fail-fast", "--inline", folder=folder
    )
    assert called.code == 1
    assert _records(folder) == ["Load"]


def test_json_is_lines_of_events_on_stdout(folder):
    """Each line is an event of the documented log, and stderr is silent."""
    called = flowlib("run", "flow.yaml", "--json", folder=folder)
    events = [event_of(line) for line in called.out.splitlines()]
    assert called.err == ""
    assert isinstance(events[0], RunStarted)
    assert json.loads(called.out.splitlines()[0])["schema"] == 1
    assert isinstance(events[-1], RunEnded)
    assert events[-1].counts == {"finished": 4}
    assert events[0].again == ("flowlib", "run", "flow.yaml")
    assert events[0].seen_by == ("flowlib",)


def test_quiet_says_one_line(folder):
    """And failures, if there are any."""
    called = flowlib("run", "flow.yaml", "-q", folder=folder)
    assert called.code == 0
    assert re.fullmatch(r"✔ 4 tasks finished  in \S+ s   run \S+   ✔ 4 ran\n", called.err)


def test_ascii_where_it_is_asked_for(folder):
    """No character beyond ASCII on any stream."""
    called = flowlib("run", "flow.yaml", "train.lr=0.9", "--ascii", folder=folder)
    assert called.err.isascii()
    assert "x failed" in called.err


def test_colour_only_where_it_is_asked_for(folder):
    """A pipe gets none; `--color always` paints it, and NO_COLOR does not win over a flag."""
    assert "\x1b[" not in flowlib("run", "flow.yaml", folder=folder).err
    assert "\x1b[" not in flowlib("run", "flow.yaml", folder=folder, NO_COLOR="1").err
    assert "\x1b[" in flowlib("run", "flow.yaml", folder=folder, FORCE_COLOR="1").err
    called = flowlib("run", "flow.yaml", "--color", "always", folder=folder, NO_COLOR="1")
    assert "\x1b[" in called.err
    assert "\x1b[?25l" not in called.err  # no command of the cursor on a pipe


def test_a_document_may_come_from_stdin(folder):
    """`-` is YAML or JSON; no command can repeat it, so none is printed."""
    text = (folder / "flow.yaml").read_text()
    called = flowlib("run", "-", "train.lr=0.9", folder=folder, stdin=text)
    assert called.code == 1
    assert re.search(r"^again ", called.err, re.MULTILINE) is None


def test_a_store_may_be_named(folder):
    """The printed commands name it, too."""
    called = flowlib("run", "flow.yaml", "train.lr=0.9", "--store", "file:elsewhere", folder=folder)
    assert called.code == 1
    assert (folder / "elsewhere").is_dir()
    assert not (folder / ".flowlib").exists()
    assert f"--store file:{folder}/elsewhere --only Train/" in called.err
    assert re.search(rf"flowlib logs Train/\w+ --store file:{folder}/elsewhere", called.err)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train.lrr=1"], "Did you mean lr?"),
        (["--force", "Trian"], "Did you mean Train?"),
        (["--timeout", "soon"], "'--timeout': 'soon' is no time above 0"),
        (["--resource", "cpu"], "write a kind and an amount"),
        (["--gpus", "0,0"], "twice"),
        (["--gpus", "a"], "--gpus a: 'a' is no GPU; write their numbers"),
        (["--gpus", "0,-1"], "--gpus 0,-1: -1 is no GPU"),
        (["--gpus", "1.5"], "--gpus 1.5: 1.5 is no GPU"),
        (["--inline", "-w", "2"], "one task at a time"),
        (["--executor", "prosesses"], "prosesses"),
        (["--slurm", "partiton=gpu"], "Did you mean partition?"),
        (["--slurm", "time=soon"], "time is 'soon'"),
        (["--slurm", "gpu"], "write options and values"),
        (["--executor", "ray", "--slurm", "time=2h"], "--slurm is for --executor slurm"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(arguments, said, folder):
    """Exit code 2, or 3 for a selector; nothing is in the store."""
    called = flowlib("run", "flow.yaml", *arguments, folder=folder)
    assert called.code == (3 if "--force" in arguments else 2)
    assert said in called.err
    assert "Traceback" not in called.err
    assert not (folder / ".flowlib").exists() or _records(folder) == []


def test_limits_hold_for_all_specs(folder):
    """`--retries` tries a failing task again."""
    called = flowlib("run", "flow.yaml", "train.lr=0.9", "--retries", "2", folder=folder)
    assert called.code == 1
    assert "2 tried again" in called.err


@pytest.mark.slow
def test_ctrl_c_lets_running_tasks_end_and_exits_with_130(folder):
    """The command says so, and the next call goes on where it stopped."""
    (folder / "tasks.py").write_text(
        "import time\nfrom pathlib import Path\nfrom flowlib import Task\n\n\n"
        "class Slow(Task):\n"
        "    def __init__(self, n: int):\n        self.n = n\n\n"
        "    def run(self):\n        Path(f'begun-{self.n}').touch()\n        time.sleep(1.5)\n"
        "        return {'n': self.n}\n"
    )
    (folder / "flow.yaml").write_text(
        "import: tasks.py\nspecs:\n  Slow: {config: {n: [1, 2, 3, 4]}, expand: product}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "flowlib", "run", "flow.yaml", "-w", "2"],
        cwd=folder,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while len(list(folder.glob("begun-*"))) < 2:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, err
    assert _records(folder) == ["Slow", "Slow"]
    assert "stopping after SIGINT: running tasks may end, no new ones start" in err
    assert "stopped: 2 of 4 tasks did not run" in err
    assert flowlib("run", "flow.yaml", folder=folder).code == 0
    assert _records(folder) == ["Slow"] * 4


def test_a_dry_run_tells_what_would_run_and_runs_nothing(folder):
    """The table is data, so it stands on stdout; nothing is written, not even a folder."""
    called = flowlib("run", "flow.yaml", "-n", folder=folder)
    assert (called.code, called.err) == (0, "")
    rows = [line.split() for line in called.out.splitlines()]
    assert ["Train", "2", "2", "new", "×2", "?"] in rows
    assert [row[:3] for row in rows if row[:1] == ["total"]] == [["total", "4", "4"]]
    assert not (folder / ".flowlib").exists()


def test_a_dry_run_as_a_question(folder):
    """Exit code 10 where something would run, 0 where nothing is to be done."""
    assert flowlib("run", "flow.yaml", "-n", "--exit-code", folder=folder).code == 10
    assert flowlib("run", "flow.yaml", folder=folder).code == 0
    assert flowlib("run", "flow.yaml", "-n", "--exit-code", folder=folder).code == 0
    assert flowlib("run", "flow.yaml", "-n", "--force", "Best", folder=folder).code == 0
    called = flowlib("run", "flow.yaml", "-n", "--exit-code", "--force", "Best", folder=folder)
    assert called.code == 10


def test_a_dry_run_for_programs(folder):
    """The same as one document."""
    found = flowlib("run", "flow.yaml", "-n", "--json", "-w", "2", folder=folder).json
    assert (found["run"], found["cached"], found["workers"]) == (4, 0, 2)
    assert [each["name"] for each in found["specs"]] == ["Load", "Train", "Best"]


def test_v_lists_the_tasks(folder):
    """Each with its state, its id and why."""
    called = flowlib("run", "flow.yaml", "-n", "-v", folder=folder)
    assert re.search(r"^ ◌ Train lr=0\.01 +Train/[0-9a-f]{8}  new", called.out, re.MULTILINE)


def test_only_skip_and_keep(folder):
    """They choose what runs."""
    assert flowlib("run", "flow.yaml", "--only", "Train-1", folder=folder).code == 0
    assert _records(folder) == ["Load", "Train"]
    assert flowlib("run", "flow.yaml", "--skip", "Best", folder=folder).code == 0
    assert _records(folder) == ["Load", "Train", "Train"]


def test_a_run_is_resumed_with_its_document_and_overrides(folder):
    """No document is named: that of the run is meant."""
    first = flowlib("run", "flow.yaml", "train.lr=0.9,0.1", "--name", "first", folder=folder)
    assert first.code == 1
    source = (folder / "tasks.py").read_text()
    (folder / "tasks.py").write_text(source.replace("> 0.5", "> 9"))
    resumed = flowlib("run", "--resume", "first", "--json", folder=folder)
    events = [event_of(line) for line in resumed.out.splitlines()]
    assert resumed.code == 0
    assert [e.task.spec for e in events if isinstance(e, Finished)] == ["Train", "Best"]
    unknown = flowlib("run", "--resume", "fisrt", folder=folder)
    assert unknown.code == 3
    assert "Did you mean first?" in unknown.err


def test_without_document_and_run_there_is_nothing_to_run(folder):
    """A usage error, as the shell expects it."""
    called = flowlib("run", folder=folder)
    assert called.code == 2
    assert "Missing argument 'DOCUMENT'" in called.err


def test_pdb_stops_in_the_frame_that_failed(folder):
    """In a terminal: the variables of the task can be looked at, and `q` leaves."""
    terminal = Terminal(
        "import sys\n"
        "from flowlib.cli.main import main\n"
        "sys.exit(main(['run', 'flow.yaml', 'train.lr=0.9', '--pdb']))\n",
        folder,
        size=(150, 50),
    )
    with terminal:
        terminal.wait_for("(Pdb)")
        terminal.type("p self.lr\n")
        terminal.wait_for("0.9")
        terminal.type("q\n")
        assert terminal.wait_for_end() == 1
    assert "0.9" in terminal.shown


@pytest.mark.parametrize("ci", ["", "true"])
@pytest.mark.parametrize("force", ["", "1"])
@pytest.mark.parametrize("no_colour", ["", "1"])
def test_a_pipe_never_gets_commands_of_the_cursor(ci, force, no_colour, folder):
    """Whatever the environment says about colours: FORCE_COLOR makes no terminal of a pipe."""
    given = {"CI": ci, "FORCE_COLOR": force, "NO_COLOR": no_colour, "TTY_COMPATIBLE": force}
    variables = {name: value for name, value in given.items() if value}
    called = flowlib("run", "flow.yaml", "--inline", folder=folder, **variables)
    assert called.code == 0
    codes = set(re.findall(r"\x1b\[[0-9;?]*[A-Za-z]", called.err))
    assert {code for code in codes if not code.endswith("m")} == set()
    assert bool(codes) == bool(force and not no_colour)


def test_what_is_left_of_a_part_is_a_part(folder):
    """After `--only` the printed command runs no more than that wanted."""
    called = flowlib("run", "flow.yaml", "train.lr=0.9,0.1", "--only", "Train-1", folder=folder)
    assert called.code == 1
    (line,) = re.findall(r"^  next +(.+)$", called.err, re.MULTILINE)
    rest = line.split("  ·  ")[1]
    assert rest.endswith("(runs only what is left: 1)")
    source = (folder / "tasks.py").read_text()
    (folder / "tasks.py").write_text(source.replace("> 0.5", "> 9"))
    words = shlex.split(rest.partition(" (")[0])
    left = flowlib(*words[1:], "--json", folder=folder)
    events = [event_of(line) for line in left.out.splitlines()]
    finished = [(e.task.spec, e.task.label) for e in events if isinstance(e, Finished)]
    assert finished == [("Train", "lr=0.9")]
