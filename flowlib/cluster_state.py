"""
What is known of the cluster of this machine, between its start and its end?

    $XDG_STATE_HOME/flowlib/cluster/<host>.json         its processes, and the way in
    $XDG_STATE_HOME/flowlib/cluster/<host>.lock         held while one is started or ended
    $XDG_STATE_HOME/flowlib/cluster/<host>.redis.log    what they have said; also .workers.log

Only the user may read them: whoever knows the password can run code here. A home that several hosts
share has these files for each.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from flowlib.errors import RunError
from flowlib.state_home import state_home
from stores import Owner
from stores.lazy_dataclass import dataclass

QUEUE: Final = "flowlib"
"""The queue that the workers listen to."""

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class KnownCluster:
    """A Redis and its workers, which go on when the command that has started them is over.

    Attributes:
        url: Of Redis, with its password.
        workers: How many workers there are to be.
        started: When, in seconds since 1970-01-01 UTC.
        redis: The process of the server.
        pool: The process that starts the workers, and replaces those that die.
    """

    url: str = field(repr=False)
    workers: int
    started: float
    redis: Owner
    pool: Owner

    @property
    def is_running(self) -> bool:
        """Whether both processes are there."""
        return all(each.is_alive() is not False for each in (self.redis, self.pool))

    @property
    def address(self) -> str:
        """Host and port of Redis."""
        return self.url.rpartition("@")[2]


def state_file(ending: str) -> Path:
    """A file of this host's cluster, in a folder that only the user can enter."""
    folder = state_home() / "flowlib" / "cluster"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder / f"{socket.gethostname()}.{ending}"


def known_cluster() -> KnownCluster | None:
    """What was started on this host and not ended; its processes may have died since."""
    path = state_home() / "flowlib" / "cluster" / f"{socket.gethostname()}.json"
    try:
        found: Any = json.loads(path.read_text())
        if found["schema"] != _SCHEMA or path.stat().st_uid != os.getuid():
            return None
        return KnownCluster(
            url=str(found["url"]),
            workers=int(found["workers"]),
            started=float(found["started"]),
            redis=Owner.from_list(found["redis"]),
            pool=Owner.from_list(found["pool"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def usable_cluster() -> KnownCluster | None:
    """The cluster of this host; None if none was started, or it was ended.

    Raises:
        RunError: it has died: somebody else may listen where its Redis did.
    """
    known = known_cluster()
    if known is not None and not known.is_running:
        raise RunError("the cluster has died: `flowlib cluster start` starts one")
    return known


def keep_cluster(cluster: KnownCluster) -> None:
    """Let other commands find it; in one step, for the user only."""
    told = {
        "schema": _SCHEMA,
        "url": cluster.url,
        "workers": cluster.workers,
        "started": cluster.started,
        "redis": cluster.redis.to_list(),
        "pool": cluster.pool.to_list(),
    }
    path, new = state_file("json"), state_file("json.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(told, stream)
    new.replace(path)


def forget_cluster() -> None:
    """Nobody is to find it any more."""
    state_file("json").unlink(missing_ok=True)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Held by whoever starts or ends a cluster; a second one waits."""
    with state_file("lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
