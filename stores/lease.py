"""Who is computing a key? Owners, and whether they are still alive."""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from stores.lazy_dataclass import dataclass

LEASE_S: Final = 60.0
"""Seconds after which a lease that nobody has renewed may be taken over."""

BEAT_S: Final = 10.0
"""Seconds between two renewals."""

_LARGEST_PID: Final = (1 << 31) - 1
"""No system has room for a larger one."""


class LeaseTimes:
    """When leases end and how often they are renewed; all parts of one store share one of these.

    Args:
        lease_s: As whoever made the store wants it; None leaves it to `prefer`.

    Attributes:
        lease_s: Seconds after which a lease that nobody has renewed may be taken over.
        beat_s: Seconds between two renewals.
    """

    __slots__ = ("_is_given", "beat_s", "lease_s")

    def __init__(self, lease_s: float | None = None) -> None:
        self._is_given = lease_s is not None
        self.lease_s = LEASE_S if lease_s is None else lease_s
        self.beat_s = min(BEAT_S, self.lease_s / 6)

    def prefer(self, lease_s: float, beat_s: float) -> None:
        """Use these from now on, unless whoever made the store has given some."""
        if not self._is_given:
            self.lease_s, self.beat_s = lease_s, beat_s


@dataclass(frozen=True, slots=True)
class Owner:
    """One process on one host, told apart from any other that has or had the same number.

    Attributes:
        host: Name of the host.
        boot_id: Changes when the host starts anew; followed by a colon and the namespace of
            process numbers, in which containers differ.
        pid: Process number.
        started: Start of the process in clock ticks after boot (field 22 of /proc/<pid>/stat);
            0 where the system does not tell.
    """

    host: str
    boot_id: str
    pid: int
    started: int

    @classmethod
    def of_this_process(cls) -> Owner:
        """The process that asks, also after a fork."""
        return _owner(os.getpid())

    @classmethod
    def of_process(cls, pid: int) -> Owner:
        """The process of this host that has this number now."""
        return replace(cls.of_this_process(), pid=pid, started=_start_of(pid))

    def is_alive(self) -> bool | None:
        """Whether the process is running; None if nobody here can tell.

        That is so on another host, in another container of this host, and where the system does
        not tell when a process was started: then its number may be that of another one by now.
        """
        here = Owner.of_this_process()
        boot, _, space = self.boot_id.partition(":")
        boot_here, _, space_here = here.boot_id.partition(":")
        if self.host != here.host:
            return None
        if boot != boot_here:
            return False
        if space != space_here:
            return None
        if not _exists(self.pid):
            return False
        started = _start_of(self.pid)
        return None if 0 in (self.started, started) else self.started == started

    def to_list(self) -> list[Any]:
        """For JSON."""
        return [self.host, self.boot_id, self.pid, self.started]

    @classmethod
    def from_list(cls, parts: list[Any]) -> Owner:
        """Read what `to_list` made.

        Raises:
            ValueError: it is not that; TypeError, too.
        """
        host, boot_id, pid, started = parts
        try:
            found = cls(str(host), str(boot_id), int(pid), int(started))
        except OverflowError as error:  # JSON has numbers without an end
            raise ValueError(f"{parts} is no owner") from error
        if not 0 <= found.pid <= _LARGEST_PID:
            raise ValueError(f"{pid} is the number of no process")
        return found

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@functools.lru_cache(maxsize=4)
def _owner(pid: int) -> Owner:
    return Owner(os.uname().nodename, _boot_id(), pid, _start_of(pid))


def _boot_id() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _start_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    is_dead = fields[0] in ("Z", "X")  # it has ended, but nobody has asked for its exit code yet
    return -1 if is_dead else int(fields[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
