"""What does an attempt find of those before it? Its checkpoint, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from flowlib import Flow, Task, TaskSpec
from stores import InMemoryStore, LocalFileStore
from tests.faults.drivers import driver, wait_until
from tests.faults.tasks import note, noted


class Counts(Task):
    """Goes on where the last attempt was, and ends as told at some steps."""

    def __init__(self, log: str, ends: dict[int, str], steps: int = 4) -> None:
        self.log, self.ends, self.steps = log, ends, steps

    def run(self) -> dict[str, int]:
        """Count to the last step."""
        saved = self.checkpoint_dir / "step"
        first = int(saved.read_text()) if saved.exists() else 0
        (self.run_dir / "partial").write_text("partial")
        note(self.log, f"from {first} {sorted(each.name for each in self.run_dir.iterdir())}")
        for step in range(first, self.steps):
            saved.write_text(str(step + 1))
            self._end(self.ends.get(step))
        return {"first": first}

    def _end(self, how: str | None) -> None:
        match how:
            case "raise":
                raise ValueError("on purpose")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "sleep":
                time.sleep(60)
            case "give up":
                while not self.should_stop():
                    time.sleep(0.02)
                raise KeyboardInterrupt


def run(tmp_path, ends, **options):
    """One run of the task with a store in files."""
    given = {"log": str(tmp_path / "log"), "ends": ends}
    force = options.pop("force", None)
    workers = options.pop("num_workers", 1)
    spec = TaskSpec(Counts, {}, given, **options)
    store = LocalFileStore(tmp_path / "store")
    flow = Flow([spec])
    return flow.run(num_workers=workers, exit_on_error=False, results_store=store, force=force)


def starts(tmp_path):
    """From which step the attempts went on; each found only its own file."""
    lines = noted(tmp_path / "log")
    assert all(line.endswith("['partial']") for line in lines)
    return [int(line.split()[1]) for line in lines]


@pytest.mark.parametrize("how", ["raise", "kill", "sleep"])
def test_a_retry_goes_on_where_the_last_attempt_was(how, tmp_path):
    """After an exception, a dead process and a timeout; partial files are not seen again."""
    kinds = {"raise": "exception", "kill": "killed", "sleep": "timeout"}
    limit = {"timeout": 2.0} if how == "sleep" else {"fresh_process": True}
    done = run(tmp_path, {1: how}, retries={kinds[how]: 1}, **limit)
    assert done["Counts"][0].results == {"first": 2}
    assert starts(tmp_path) == [0, 2]
    assert list((tmp_path / "store").rglob("checkpoint")) == []


@pytest.mark.slow
def test_a_task_is_told_before_its_timeout(tmp_path):
    """It saves what it has and gives up, which counts as a timeout; the next attempt goes on."""
    done = run(tmp_path, {2: "give up"}, retries={"timeout": 1}, timeout=15.0)
    assert done["Counts"][0].results == {"first": 3}
    assert starts(tmp_path) == [0, 3]


def test_the_next_run_takes_the_checkpoint_over(tmp_path):
    """Though the record says that the last attempt failed."""
    assert run(tmp_path, {1: "raise"}).counts == {"failed": 1}
    store = LocalFileStore(tmp_path / "store")
    left = list(store.leftovers())
    assert [each.idle_s is None for each in left] == [False]  # the next attempt can use it
    assert store.gc().leftovers == ()
    assert len(list((tmp_path / "store").rglob("checkpoint"))) == 1
    assert run(tmp_path, {})["Counts"][0].results == {"first": 2}
    assert list((tmp_path / "store").rglob("checkpoint")) == []


def test_force_starts_over(tmp_path):
    """But the retry of a forced attempt goes on where that was."""
    run(tmp_path, {1: "raise"})
    done = run(tmp_path, {2: "raise"}, force="all", retries=1)
    assert done["Counts"][0].results == {"first": 3}
    assert starts(tmp_path) == [0, 0, 3]


def test_deleting_the_record_deletes_the_checkpoint(tmp_path):
    """By query, as by collection."""
    run(tmp_path, {1: "raise"})
    LocalFileStore(tmp_path / "store").delete_records("Counts")
    assert list((tmp_path / "store").rglob("checkpoint")) == []
    run(tmp_path, {1: "raise"})
    assert starts(tmp_path) == [0, 0]


def test_a_store_without_files_says_so():
    """As for `run_dir`."""
    run = Flow([TaskSpec(Counts, {"log": os.devnull, "ends": {}})]).run(
        num_workers=1, results_store=InMemoryStore(), exit_on_error=False
    )
    assert "checkpoint_dir" in run.failed[0].error.message
    assert "LocalFileStore" in run.failed[0].error.message


SCRIPT = """
import sys
from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.faults.test_checkpoints import Counts

if __name__ == "__main__":
    spec = TaskSpec(Counts, {}, {"log": sys.argv[1], "ends": {2: "sleep"}})
    Flow([spec]).run(num_workers=int(sys.argv[3]), executor=sys.argv[4], grace_s=0.5,
                     results_store=LocalFileStore(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["inline", "processes"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda each: each.name)
def test_a_run_that_was_ended_is_gone_on_with(number, executor, tmp_path):
    """Whether the driver was killed or asked to end: the next run has the checkpoint."""
    arguments = (tmp_path / "log", tmp_path / "store", 1, executor)
    saved = lambda: [each.read_text() for each in Path(tmp_path).rglob("checkpoint/step")]  # noqa: E731
    with driver(tmp_path, *arguments, script=SCRIPT) as started:
        wait_until(lambda: saved() == ["3"])
        started.process.send_signal(number)
        started.end()
        wait_until(lambda: not started.others(), limit_s=10.0)
    assert run(tmp_path, {})["Counts"][0].results == {"first": 3}
    assert list((tmp_path / "store").rglob("checkpoint")) == []
