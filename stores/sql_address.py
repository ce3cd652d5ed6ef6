"""What does the address of a SQL database say, and is a file of SQLite shared by hosts?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from stores.errors import StoreError

_NETWORK: Final = frozenset(
    "nfs nfs4 cifs smb3 9p lustre gpfs beegfs ceph afs fuse.sshfs fuse.glusterfs".split()
)
"""File systems without the shared memory that SQLite's write-ahead log needs."""


def parsed_url(url: str) -> URL:
    """The address of a database.

    Raises:
        StoreError: it is none, or of a kind that is not served.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(
            "this is no address of a database: write sqlite:///runs.db or "
            "postgresql://user:password@host/name"
        ) from None
    kind = found.get_backend_name()
    if kind == "postgres":
        kind, found = "postgresql", found.set(drivername="postgresql")
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(f"{kind} is not served: use sqlite:///runs.db or postgresql://…")
    if kind == "postgresql":
        return _of_postgres(found)
    if kind == "sqlite":
        if found.database in (None, "", ":memory:"):
            raise StoreError("a SQLite store needs a file, sqlite:///runs.db; see also memory:")
        return found.set(database=str(Path(str(found.database)).absolute()))
    return found


def _of_postgres(url: URL) -> URL:
    """With its driver, and with the password where nobody shows it."""
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    password = url.query.get("password")
    if isinstance(password, str):
        url = url.set(password=password)
    return url.difference_update_query(["password"])


def on_network(path: str, mounts: str | None = None) -> bool:
    """Whether a file lies on a network file system, as far as the system tells."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text()
        except OSError:
            return False
    folder, best, kind = str(Path(path).resolve().parent), "", ""
    for line in mounts.splitlines():
        _, point, type_ = line.split(" ")[:3]
        point = point.replace("\\040", " ")
        is_above = folder == point or folder.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(best):
            best, kind = point, type_
    return kind in _NETWORK
