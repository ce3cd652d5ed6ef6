"""Who is killed when? Drivers, their workers and the server of the store, in a seeded order."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.environments import ROOT
from tests.faults.drivers import MARK, Driver, kill

if TYPE_CHECKING:
    from tests.services.server import Server

VICTIMS = ("driver", "worker", "server")
_WEIGHTS = (4, 5, 2)
_PAUSES_S = (0.4, 2.0)
_AWAY_S = (0.1, 2.5)
_END_S = 240.0
_START_S = 60.0


class FaultSession:
    """Several drivers on one store, which are killed at random and started again.

    Args:
        folder: Where the drivers find what they need, and leave what they note.
        where: The store, as `open_store` takes it.
        server: That of the store; None if it has none.
        drivers: How many work at once.
        seed: Decides who is killed, and when.
    """

    def __init__(
        self,
        folder: Path,
        where: Mapping[str, object],
        server: Server | None,
        drivers: int,
        seed: int,
    ) -> None:
        self.folder = folder
        self.kills: Counter[str] = Counter()
        self.problems: list[str] = []
        self._server, self._count = server, drivers
        self._random = random.Random(seed)  # noqa: S311  # not for secrets
        self._drivers: list[Driver] = []
        self._marks: list[Driver] = []
        (folder / "rounds").mkdir(parents=True)
        (folder / "store.json").write_text(json.dumps(where))

    def run(self, seconds: float) -> None:
        """Kill for so long, then let the drivers finish what they have begun."""
        try:
            self._drivers = [self._start() for _ in range(self._count)]
            end = time.monotonic() + seconds
            self._wait((self.folder / "log").exists, _START_S)
            first = [each for each in VICTIMS if self._server or each != "server"]
            while time.monotonic() < end:
                time.sleep(self._random.uniform(*_PAUSES_S))
                victim = first[0] if first else self._victim()
                is_killed = self._kill(victim)
                self.kills[victim] += is_killed
                del first[:is_killed]  # each kind is killed at least once
                self._replace()
            self._finish()
        finally:
            for each in self._marks:
                for pid in each.others():
                    kill(pid)
                kill(each.process.pid)
                each.process.wait()

    def _victim(self) -> str:
        count = len(VICTIMS) if self._server else len(VICTIMS) - 1
        return self._random.choices(VICTIMS[:count], _WEIGHTS[:count])[0]

    def _kill(self, victim: str) -> bool:
        """Kill one of this kind; whether there was one."""
        if victim == "server":
            self._restart_server()
            return True
        if victim == "driver":
            driver = self._random.choice(self._drivers)
            kill(driver.process.pid)
            driver.process.wait()
            return True
        workers = self._at_work()
        if workers:
            kill(self._random.choice(workers))
        return bool(workers)

    def _at_work(self) -> list[int]:
        """The workers that have begun a task: one that cannot even start ends its driver."""
        lines = (self.folder / "log").read_text().splitlines()
        alive = {pid for driver in self._drivers for pid in driver.others()}
        return sorted({int(line.rpartition(" ")[2]) for line in lines} & alive)

    def _restart_server(self) -> None:
        assert self._server is not None
        self._server.kill()
        time.sleep(self._random.uniform(*_AWAY_S))
        limit = time.monotonic() + _START_S
        while True:
            try:
                return self._server.start()
            except RuntimeError:  # processes of the killed one still hold its files
                self._server.kill()
                if time.monotonic() > limit:
                    raise
                time.sleep(0.2)

    def _replace(self) -> None:
        """Start a driver for each that was killed; one that ended by itself is a problem."""
        for at, driver in enumerate(self._drivers):
            code = driver.process.poll()
            if code is not None:
                if code != -9:
                    self.problems.append(f"a driver ended with exit code {code}")
                self._drivers[at] = self._start()

    def _finish(self) -> None:
        """Name the last round, wait for all drivers, and look for processes that outlived them."""
        begun = [int(each.stem) for each in (self.folder / "rounds").glob("*.begun")]
        (self.folder / "last.new").write_text(str(max(begun)))
        (self.folder / "last.new").rename(self.folder / "last")
        limit = time.monotonic() + _END_S
        for driver in self._drivers:
            try:
                code = driver.process.wait(max(0.0, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.problems.append(f"a driver did not end within {_END_S:g} s")
            else:
                if code:
                    self.problems.append(f"a driver ended with exit code {code}")
        if not self._wait(lambda: not any(each.others() for each in self._marks), 10.0):
            self.problems.append("processes have outlived their drivers")

    def _start(self) -> Driver:
        mark = uuid.uuid4().hex
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.faults_driver", str(self.folder)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        started = Driver(process, mark)
        self._marks.append(started)
        return started

    def _wait(self, holds: Callable[[], bool], limit_s: float) -> bool:
        limit = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > limit:
                return False
            time.sleep(0.05)
        return True
