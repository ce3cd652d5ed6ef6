"""What becomes of programs when their time is over, or when those who started them are killed?"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from flowlib import Flow, TaskState, sh
from flowlib.work_folder import work_folder
from stores import InMemoryStore, LocalFileStore
from tests.faults.drivers import MARK, driver, kill, marked, wait_until

TREE = """
import os, pathlib, signal, subprocess, sys, time

how, folder = sys.argv[1:]
if "deaf" in how:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "clean" in how:
    def clean(number, frame):
        pathlib.Path(folder, "cleaned").touch()
        sys.exit(0)
    signal.signal(signal.SIGTERM, clean)
more = {"start_new_session": True} if "away" in how else {}
below = "import subprocess; subprocess.run(['sleep', '300'])"
subprocess.Popen([sys.executable, "-c", below], **more)
pathlib.Path(folder, "started").write_text(os.getcwd())
time.sleep(300)
"""

SCRIPT = """
import json, sys
from flowlib import Flow
from stores import LocalFileStore
from tests.faults.test_programs import tree

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    Flow([tree(given["how"], given["folder"])]).run(
        num_workers=1, executor=given["executor"], exit_on_error=False,
        results_store=LocalFileStore(given["folder"] + "/store"))
"""

EXECUTORS = pytest.mark.parametrize("executor", ["inline", "processes"])


def tree(how, folder, **options):
    """A program with a child that has one, too; they sleep for long."""
    inherit = [MARK, "PYTHONPATH"]
    return sh([sys.executable, "-c", TREE, how, folder], name="P", inherit=inherit, **options)


@contextlib.contextmanager
def running(tmp_path, how, executor):
    """A driver whose program has started all of its processes."""
    given = {"how": how, "folder": str(tmp_path), "executor": executor}
    with driver(tmp_path, json.dumps(given), script=SCRIPT) as started:
        wait_until(lambda: (tmp_path / "started").exists() and len(programs(started.mark)) == 3)
        yield started


def programs(mark: str) -> list[int]:
    """The processes of a program: two of Python, and what sleeps."""
    found = []
    for pid in marked(mark):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"sleep" in words[0] or TREE.encode() in words or b"'300'" in b"".join(words[2:3]):
                found.append(pid)
    return found


@pytest.mark.parametrize("how", ["plain", "deaf", "away", "deaf away"])
def test_a_timeout_ends_a_program_and_all_below_it(tmp_path, monkeypatch, how):
    """Also what does not hear SIGTERM, and what has gone into a session of its own."""
    mark = tmp_path.name
    monkeypatch.setenv(MARK, mark)
    for timeout_s in (1.5, 30.0):  # the second where so little time is not enough to start it
        began = time.monotonic()
        flow = Flow([tree(how, str(tmp_path), timeout=timeout_s)])
        run = flow.run(num_workers=1, exit_on_error=False)
        assert time.monotonic() - began < timeout_s + 30
        assert run["P"][0].state is TaskState.FAILED
        assert run["P"][0].error.type_ == "Timeout"
        if (tmp_path / "started").exists():
            break
    assert (tmp_path / "started").exists()
    wait_until(lambda: not programs(mark), 10)


@pytest.mark.slow
@EXECUTORS
@pytest.mark.parametrize("how", ["plain", "clean", "deaf"])
def test_ctrl_c_ends_a_program(tmp_path, executor, how):
    """It may clean up; if it does not hear, it is killed soon."""
    with running(tmp_path, how, executor) as started:
        kill(started.process.pid, signal.SIGINT)
        if executor == "processes":  # the first one waits for what is running
            time.sleep(0.5)
            kill(started.process.pid, signal.SIGINT)
        wait_until(lambda: not programs(started.mark), 20)
        started.end()
    assert (tmp_path / "cleaned").exists() is (how == "clean")
    assert not Path((tmp_path / "started").read_text()).exists()


@pytest.mark.slow
@EXECUTORS
def test_nothing_is_left_when_the_driver_is_killed(tmp_path, executor):
    """By SIGKILL, which nobody hears: not even a program that does not hear SIGTERM."""
    with running(tmp_path, "deaf", executor) as started:
        kill(started.process.pid)
        wait_until(lambda: not marked(started.mark), 20)
    folder = Path((tmp_path / "started").read_text())
    with work_folder():  # the next task tidies up
        assert not folder.exists()


def test_nothing_is_left_when_a_worker_is_killed(tmp_path):
    """The task has failed, and its program has ended with its worker."""
    with running(tmp_path, "deaf", "processes") as started:
        (program,) = [pid for pid in programs(started.mark) if pid in leaders()]
        worker = int(Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[1])
        kill(worker)
        wait_until(lambda: not programs(started.mark), 20)
        started.end()
    store = LocalFileStore(tmp_path / "store")
    (address,) = store.addresses("P")
    assert store.record(address).state is TaskState.KILLED


def leaders() -> set[int]:
    """The processes that lead their group and are no leader of a session."""
    found = set()
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state = (each / "stat").read_text().rpartition(")")[2].split()
            if int(state[2]) == int(each.name) != int(state[3]):
                found.add(int(each.name))
    return found


def test_a_program_is_told_to_stop_and_goes_on_later(tmp_path):
    """By a signal of its choice before its time is over; the next attempt has its checkpoint."""
    code = (
        "import os, pathlib, signal, sys, time\n"
        "saved = pathlib.Path(os.environ['FLOWLIB_CHECKPOINT_DIR'], 'state')\n"
        "def save(number, frame):\n"
        "    saved.write_text('half')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGUSR1, save)\n"
        "if saved.exists():\n"
        "    print('went on from', saved.read_text())\n"
        "else:\n"
        "    time.sleep(60)\n"
    )
    spec = sh(
        [sys.executable, "-c", code],
        name="P",
        stop_signal="USR1",
        checkpoint=True,
        timeout=5,
        retries={"timeout": 1},
    )
    run = Flow([spec]).run(num_workers=1, results_store=LocalFileStore(tmp_path))
    assert run["P"][0]["stdout"] == b"went on from half\n"


@pytest.mark.slow
def test_a_program_without_a_signal_uses_all_of_its_time():
    """It is not interrupted in the last tenth of its time, when tasks are told to stop."""
    for timeout_s in (6.0, 30.0):  # the second where it could not end in time on a busy machine
        end = time.time() + 0.95 * timeout_s
        code = f"import time; time.sleep(max(0.0, {end} - time.time())); print('done')"
        spec = sh([sys.executable, "-c", code], name="P", timeout=timeout_s)
        flow = Flow([spec])
        run = flow.run(num_workers=1, results_store=InMemoryStore(), exit_on_error=False)
        if run["P"][0].state is not TaskState.FAILED:
            break
    assert run["P"][0]["stdout"] == b"done\n"


def test_folders_of_the_living_stay():
    """Only those whose processes have ended go."""
    with work_folder() as first:
        (first / "x").touch()
        with work_folder() as second:
            assert (first / "x").exists()
            assert first != second
        assert not second.exists()
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException), work_folder() as theirs:
                os.write(writer, str(theirs).encode())
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(1)
        os.waitpid(child, 0)
        left = Path(os.read(reader, 1000).decode())
        assert left.exists()
        with work_folder():
            assert not left.exists()
            assert (first / "x").exists()
        os.close(reader), os.close(writer)


def test_a_folder_goes_although_the_program_has_closed_it():
    """Whatever the rights of what is in it."""
    spec = sh("mkdir -p a/b; touch a/b/c; chmod 0 a/b a; pwd", shell=True, name="S")
    run = Flow([spec]).run(num_workers=1)
    assert not Path(run["S"][0]["stdout"].decode().strip()).exists()
