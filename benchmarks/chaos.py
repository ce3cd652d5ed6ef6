"""Does a run come to its right end when its tasks misbehave and its workers are killed?"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos_tasks import NEVER, flow_of, value_of
from benchmarks.environments import ROOT
from stores import Address, LocalFileStore, TaskState
from tests.faults.drivers import MARK, Driver, kill

_PAUSES_S = (0.3, 1.5)
_MOST_KILLS = 15
_END_S = 240.0
_SETTLE_S = 10.0
_SHOWN = 5
_MIB = 2**20
_DRIVER = "benchmarks.chaos_driver"


@dataclass(slots=True)
class Report:
    """What one run has shown.

    Attributes:
        seconds: How long it took, with the interrupt and the second start.
        counts: How many tasks ended in which state.
        kills: How many workers were killed from outside.
        exit_codes: Of the drivers, in order.
        rss: Memory of the last driver over time, in bytes.
        problems: All that is not as it should be.
    """

    seconds: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    kills: int = 0
    exit_codes: list[int] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """By how many bytes the driver grew after the first third of its life."""
        if len(self.rss) < 3:
            return 0
        return max(self.rss[len(self.rss) // 3 :]) - self.rss[len(self.rss) // 3]


def main(arguments: list[str]) -> None:
    """Run, print the figures, and exit with 1 when anything is wrong."""
    parser = argparse.ArgumentParser("python -m benchmarks chaos", description="Misbehave.")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="flowlib-chaos-") as folder:
        report = misbehave(Path(folder), asked.tasks, asked.seed)
    print(text(report))
    sys.exit(1 if report.problems else 0)


def text(report: Report) -> str:
    """The figures, and what was wrong."""
    counts = ", ".join(f"{count} {word}" for word, count in report.counts.items())
    lines = [
        f"{counts} in {report.seconds:.0f} s; workers killed from outside: {report.kills}; "
        f"exit codes of the drivers: {', '.join(map(str, report.exit_codes))}; "
        f"the last driver grew by {report.growth / _MIB:.1f} MiB"
    ]
    return "\n".join([*lines, *(f"- {problem}" for problem in report.problems)])


def misbehave(folder: Path, tasks: int, seed: int) -> Report:
    """Run the tasks, kill workers at random, interrupt the driver once, start it again, check.

    Args:
        folder: An empty one, for all files.
        tasks: About how many there are.
        seed: Decides who is killed, and when.
    """
    report, began = Report(), time.monotonic()
    for name in ("marks", "pids"):
        (folder / name).mkdir()
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    # a short path: in it the fork server makes its socket
    with tempfile.TemporaryDirectory(prefix="chaos-", dir="/tmp") as temporary:  # noqa: S108
        session = _Session(folder, temporary, tasks, chance, report)
        session.run(interrupt_at=tasks // 4)
        if report.exit_codes == [130]:
            session.run(interrupt_at=None)
        left = sorted(str(each) for each in Path(temporary).rglob("*"))
        report.problems += [f"a temporary file was left: {each}" for each in left[:_SHOWN]]
    report.seconds = time.monotonic() - began
    _check(folder, tasks, report)
    return report


@dataclass(slots=True)
class _Session:
    folder: Path
    temporary: str
    tasks: int
    random: random.Random
    report: Report

    def run(self, interrupt_at: int | None) -> None:
        """One driver from its start to its end; Ctrl-C when so many tasks have results."""
        driver = self._start()
        try:
            self._disturb(driver, interrupt_at)
            limit = time.monotonic() + _SETTLE_S
            while driver.others() and time.monotonic() < limit:
                time.sleep(0.1)
            for pid in driver.others():
                self.report.problems.append(f"a process was left: {_command(pid)}")
        finally:
            for pid in driver.others():
                kill(pid)
            kill(driver.process.pid)
            driver.process.wait()

    def _disturb(self, driver: Driver, interrupt_at: int | None) -> None:
        process, limit = driver.process, time.monotonic() + _END_S
        next_kill = 0.0
        self.report.rss.clear()
        while process.poll() is None and time.monotonic() < limit:
            time.sleep(0.05)
            self._note_memory(process.pid)
            if interrupt_at is not None and self._results() >= interrupt_at:
                process.send_signal(signal.SIGINT)
                interrupt_at = None
            if time.monotonic() >= next_kill and self.report.kills < _MOST_KILLS:
                next_kill = time.monotonic() + self.random.uniform(*_PAUSES_S)
                self._kill_worker(driver)
        if process.poll() is None:
            self.report.problems.append(f"the driver did not end within {_END_S:g} s")
            for pid in (process.pid, *driver.others()):
                if "tracker" not in _command(pid) and "sleep" not in _command(pid):
                    kill(pid, signal.SIGUSR2)
            time.sleep(1.0)
            return
        self.report.exit_codes.append(process.returncode)

    def _kill_worker(self, driver: Driver) -> None:
        begun = {int(each.name) for each in (self.folder / "pids").iterdir()}
        workers = [pid for pid in driver.others() if pid in begun]
        if workers:
            kill(self.random.choice(workers))
            self.report.kills += 1

    def _results(self) -> int:
        return sum(1 for _ in (self.folder / "store").glob("plain/*.json"))

    def _note_memory(self, pid: int) -> None:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return
        found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")]
        if found and (self.folder / "ready").exists():
            self.report.rss += found

    def _start(self) -> Driver:
        (self.folder / "ready").unlink(missing_ok=True)
        mark = uuid.uuid4().hex
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.chaos_driver",
                    str(self.folder),
                    str(self.tasks),
                ],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "TMPDIR": self.temporary,
                    "XDG_STATE_HOME": str(self.folder / "state"),
                    MARK: mark,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        return Driver(process, mark)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _check(folder: Path, tasks: int, report: Report) -> None:
    """Every outcome is right, and nothing is left."""
    if report.exit_codes != [130, 0]:
        report.problems.append(f"the drivers ended with {report.exit_codes}, not with [130, 0]")
        return
    note = json.loads((folder / "note.json").read_text())
    report.counts = note["counts"]
    before, after = note["descriptors"]
    left_open = list((Counter(after) - Counter(before)).elements())
    report.problems += [f"the driver has left open {each}" for each in left_open]
    _check_outcomes(folder, tasks, report)


def _check_outcomes(folder: Path, tasks: int, report: Report) -> None:
    store = LocalFileStore(folder / "store")
    wrong: list[str] = []
    states: Counter[str] = Counter()
    for node in flow_of(tasks, "").graph:
        record = store.record(node.address)
        kind = node.name.removeprefix("after_")
        expected = TaskState.FINISHED
        if kind in NEVER:
            expected = TaskState.FAILED if kind == node.name else TaskState.UPSTREAM_FAILED
        state = None if record is None else record.latest.state
        states[str(state)] += 1
        if state is not expected:
            wrong.append(f"{node.unique_name} is {state}, not {expected}")
        elif expected is TaskState.FINISHED and not _is_right(store, node.address, node.config):
            wrong.append(f"{node.unique_name} has another value")
    report.problems += wrong[:_SHOWN]
    if len(wrong) > _SHOWN:
        report.problems.append(f"{len(wrong)} tasks in all are not as they should be")
    if store.keys_in_work():
        report.problems.append("keys are still leased")


def _is_right(store: LocalFileStore, address: Address, config: Mapping[str, object]) -> bool:
    if "kind" not in config:
        return isinstance(store.get(address, "turned"), str)
    expected = value_of(str(config["kind"]), int(str(config["x"])))
    return bool(store.get(address, "value") == expected)
