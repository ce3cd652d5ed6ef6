"""What do the tests of leases share? Owners, commits, and a store with one key."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from stores import Address, Attempt, LocalFileStore, OpenAttempt, Owner, TaskState
from stores.record import Identity

ADDRESS = Address("Train", "ab" * 16)


def identity(address: Address = ADDRESS) -> Identity:
    """An identity with an empty config."""
    return Identity(address, None, "{}", "{}")


def outcome(state: TaskState = TaskState.FINISHED) -> Attempt:
    """An attempt that has ended in a state."""
    return Attempt(
        number=0,
        state=state,
        started=1.0,
        ended=2.0,
        artifacts=(),
        inputs=(),
        error=None,
        facts={},
        run=None,
        owner=None,
        provenance={},
    )


def commit(attempt: OpenAttempt, state: TaskState = TaskState.FINISHED) -> None:
    """Commit an attempt at its own address."""
    attempt.commit(identity(attempt.address), outcome(state))


def dead_owner() -> Owner:
    """A process of this host that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    process.kill()
    process.wait()
    process.stdin.close()
    return replace(Owner.of_this_process(), pid=process.pid, started=int(stat[19]))


def owner_elsewhere(host: str = "elsewhere") -> Owner:
    """A process of another host."""
    return Owner(host, "its-boot", 1234, 5678)


def lease_files(store: LocalFileStore, address: Address = ADDRESS) -> list[str]:
    """What is left in the folder of the leases, sorted."""
    folder = Path(store.lease_folder(address))
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


def lease_path(store: LocalFileStore, number: int, address: Address = ADDRESS) -> Path:
    """The file of a lease."""
    return Path(store.lease_folder(address)) / f"{address.key}.{number}"


def set_age(path: Path, seconds: float) -> None:
    """Make a file look as if it had been renewed that long ago."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))
