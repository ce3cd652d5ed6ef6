"""
How do jobs reach allocations of a cluster, and answers the driver? Through a folder that both see.

    waiting/<request>/<name>         jobs, in the order of their names
    taken/<name>@<pilot>             a job that a pilot has taken, by renaming it
    answers/<name>@<pilot>           its outcome
    logs/                            what submitit and the pilots have written
    stop                             tasks are to end soon
    closed                           pilots are to leave
    driver                           who waits for answers, until the run is over
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from stores.lazy_dataclass import dataclass

_PART = ".part"


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder of one run.

    Attributes:
        folder: Where it is.
        is_kept: Whether what the pilots have written is kept.
    """

    folder: Path
    is_kept: bool = True

    @property
    def logs(self) -> Path:
        """The folder for what submitit and the pilots write."""
        return self.folder / "logs"

    def make(self) -> None:
        """Make it, for this user only: jobs hold passwords of stores, and are run as they are."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("waiting", "taken", "answers", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def leave(self) -> None:
        """The driver has no more to do with it."""
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, request: str, name: str, data: bytes) -> None:
        """Lay a job down."""
        place = self.folder / "waiting" / request
        place.mkdir(exist_ok=True)
        _write(place / name, data)

    def withdraw(self, request: str, name: str) -> bool:
        """Take a job back; whether nobody has taken it."""
        try:
            (self.folder / "waiting" / request / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def withdraw_all(self) -> None:
        """Take all jobs back that nobody has taken."""
        for place in (self.folder / "waiting").glob("*/*"):
            place.unlink(missing_ok=True)

    def take(self, request: str, pilot: str) -> tuple[str, bytes] | None:
        """The first job that nobody else has taken, and its name; None if there is none."""
        for name in _names(self.folder / "waiting" / request):
            taken = self.folder / "taken" / f"{name}@{pilot}"
            try:
                (self.folder / "waiting" / request / name).rename(taken)
            except FileNotFoundError:
                if not taken.exists():  # on NFS a rename may succeed, and say it has not
                    continue
            with contextlib.suppress(FileNotFoundError):
                return name, taken.read_bytes()
        return None

    def answer(self, name: str, pilot: str, data: bytes) -> None:
        """Lay down the outcome of a job."""
        _write(self.folder / "answers" / f"{name}@{pilot}", data)
        self.forget(name, pilot)

    def answers(self) -> Iterator[tuple[str, str, bytes]]:
        """Name, pilot and outcome of each answer; it is gone then."""
        for entry in _names(self.folder / "answers"):
            place = self.folder / "answers" / entry
            name, _, pilot = entry.partition("@")
            data = place.read_bytes()
            place.unlink()
            yield name, pilot, data

    def taken(self) -> dict[str, str]:
        """The jobs that are taken, and by whom."""
        entries = [entry.partition("@") for entry in _names(self.folder / "taken")]
        return {name: pilot for name, _, pilot in entries}

    def forget(self, name: str, pilot: str) -> None:
        """Nobody works on a job any more."""
        (self.folder / "taken" / f"{name}@{pilot}").unlink(missing_ok=True)

    def say(self, word: str) -> None:
        """Tell all pilots: `stop` or `closed`."""
        with contextlib.suppress(OSError):
            (self.folder / word).touch()

    def is_said(self, word: str) -> bool:
        """Whether that was told, or there is no run any more."""
        try:
            return (self.folder / word).exists() or not self.folder.is_dir()
        except OSError:  # the disk is away for a while
            return False


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each for each in os.listdir(folder) if not each.endswith(_PART))  # noqa: PTH208  # names are all that is needed
    except FileNotFoundError:
        return []


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing."""
    part = path.with_name(path.name + _PART)
    part.write_bytes(data)
    part.rename(path)
