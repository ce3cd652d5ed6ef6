"""Does the next run complete, whatever was killed or full at whatever moment of a run?"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stores import LocalFileStore
from tests.faults.drivers import (
    chain,
    check_results,
    driver,
    executions,
    finished,
    kill,
    leftovers,
    wait_until,
)

COUNT = 200
PAUSE_S = 0.005


def complete(base: Path, log: Path, before: set[str], done: set[str]) -> None:
    """A second run ends with all results, reruns nothing that was finished, leaves nothing over."""
    first = len(before)
    store = LocalFileStore(base)
    run = chain(COUNT, log).run(num_workers=2, results_store=store)
    check_results(run, COUNT)
    again = executions(log)[first:]
    assert sorted(set(again) & done) == [], "a finished task ran again"
    assert len(again) == len(set(again)), "a task ran twice"
    counts = {"cached": len(done), "finished": COUNT - len(done)}
    assert run.counts == {word: count for word, count in counts.items() if count}
    assert leftovers(base) == []
    assert chain(COUNT, log).run(results_store=LocalFileStore(base)).counts == {"cached": COUNT}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(7))
def test_the_next_run_completes_after_the_driver_was_killed(tmp_path, seed):
    """SIGKILL of the driver at a random moment: no orphans, nothing half, nothing twice."""
    rng, base, log = random.Random(seed), tmp_path / "store", tmp_path / "log"
    with driver(tmp_path, base, log, COUNT, 2, PAUSE_S) as started:
        at = rng.randrange(1, COUNT)
        wait_until(lambda: len(executions(log)) >= at or started.process.poll() is not None)
        time.sleep(rng.random() * 0.02)
        kill(started.process.pid)
        wait_until(lambda: not started.others(), limit_s=10.0)
        done = finished(LocalFileStore(base))
        assert len(set(executions(log))) == len(executions(log))
        assert done <= set(executions(log))
        complete(base, log, executions(log), done)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(7))
def test_only_its_task_fails_when_a_worker_is_killed(tmp_path, seed):
    """SIGKILL of random workers: the run ends, and the next one completes."""
    rng, base, log = random.Random(100 + seed), tmp_path / "store", tmp_path / "log"
    script = (
        "import sys\nfrom stores import LocalFileStore\nfrom tests.faults.drivers import chain\n"
        'if __name__ == "__main__":\n'
        "    chain(int(sys.argv[3]), sys.argv[2], float(sys.argv[5])).run(\n"
        "        num_workers=2, exit_on_error=False, results_store=LocalFileStore(sys.argv[1]))\n"
    )
    with driver(tmp_path, base, log, COUNT, 2, PAUSE_S, script=script) as started:
        killed = 0
        for at in sorted(rng.sample(range(2, COUNT - 40), 3)):
            wait_until(
                lambda: len(executions(log)) >= at or started.process.poll() is not None  # noqa: B023
            )
            time.sleep(rng.random() * 0.02)
            pids = {int(line.rpartition(" ")[2]) for line in log.read_text().splitlines()}
            alive = sorted(pids & set(started.others()))
            if alive:
                kill(rng.choice(alive))
                killed += 1
        code, err = started.end()
        assert code == 0, err
        assert started.others() == []
        done = finished(LocalFileStore(base))
        assert len(set(executions(log))) == len(executions(log))
        assert COUNT - 2 * killed <= len(done)
        complete(base, log, executions(log), done)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def can_mount() -> bool:
    """Whether this process may make a file system."""
    if os.geteuid() != 0:
        return False
    status = Path("/proc/self/status").read_text()
    bits = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(bits, 16) & (1 << 21))


FULL = """
import sys
from flowlib import Flow
from stores import LocalFileStore, StoreUnwritable
from tests.faults.drivers import chain

if __name__ == "__main__":
    store, log, count, workers, pause_s = sys.argv[1:]
    flow = chain(int(count), log, float(pause_s))
    run = flow.run(num_workers=int(workers), exit_on_error=False,
                   results_store=LocalFileStore(store))
    sys.exit(0 if not run.failed else 9)
"""


@pytest.mark.slow
@pytest.mark.needs("mount", "umount")
@pytest.mark.parametrize("seed", range(6))
def test_the_next_run_completes_after_the_disk_was_full(tmp_path, seed):
    """What did not fit fails; with more space the next run computes just that."""
    if not can_mount():
        pytest.skip("not run: a full disk needs the right to mount a small file system (root)")
    rng, log = random.Random(200 + seed), tmp_path / "log"
    with small_disk(tmp_path / "disk", f"{rng.randrange(300, 5000)}k") as disk:
        base = disk / "store"
        with driver(tmp_path, base, log, COUNT, 2, PAUSE_S, script=FULL) as started:
            code, err = started.end()
            assert code == 9, err
            assert started.others() == []
        done = finished(LocalFileStore(base))
        assert 0 < len(done) < COUNT
        assert len(set(executions(log))) == len(executions(log))
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        complete(base, log, executions(log), done)


@pytest.mark.slow
@pytest.mark.needs("mount", "umount")
def test_a_full_disk_is_told_with_its_cure(tmp_path):
    """The first failure is raised as StoreUnwritable, and says what to do."""
    if not can_mount():
        pytest.skip("not run: a full disk needs the right to mount a small file system (root)")
    with (
        small_disk(tmp_path / "disk", "200k") as disk,
        driver(tmp_path, disk / "store", tmp_path / "log", COUNT, 2, 0.0) as started,
    ):
        code, err = started.end()
    assert code == 1
    assert "StoreUnwritable" in err
    assert "the disk is full: free some space, or use a store on another disk" in err


@pytest.mark.slow
def test_no_orphan_survives_the_driver_even_when_a_task_holds_the_lock(tmp_path):
    """A task that keeps all threads of its worker from running ends with the driver, too."""
    script = (
        "import sys\nfrom flowlib import Flow, TaskSpec\nfrom stores import LocalFileStore\n"
        "from tests.faults.tasks import Hogs\n"
        'if __name__ == "__main__":\n'
        '    spec = TaskSpec(Hogs, {"log": sys.argv[2]})\n'
        '    Flow([spec]).run(executor="processes", results_store=LocalFileStore(sys.argv[1]))\n'
    )
    log = tmp_path / "log"
    with driver(tmp_path, tmp_path / "store", log, script=script) as started:
        wait_until(lambda: executions(log) or started.process.poll() is not None)
        os.kill(started.process.pid, signal.SIGKILL)
        wait_until(lambda: not started.others(), limit_s=10.0)
