"""A store in a SQL database, SQLite or PostgreSQL, shared by many processes and hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final, Self
from urllib.parse import unquote

from stores.database import INLINE_LIMIT_BYTES, DatabaseStore
from stores.lease import Owner
from stores.listing import Listing
from stores.patience import PATIENCE_S
from stores.query import Query
from stores.record import Address
from stores.row import Claim, Row, Told, readable
from stores.sql_address import parsed_url
from stores.sql_database import Database
from stores.sql_listing import SqlListing
from stores.sql_pieces import SqlPieces
from stores.sql_rows import SqlRows
from stores.sql_search import SqlSearch

_SQLITE_ENDS: Final = ("", "-wal", "-shm", "-journal")


class SQLStore(DatabaseStore):
    """Keeps results in tables; any number of processes may use it at once.

    Args:
        url: `sqlite:///runs.db` (a relative path), `sqlite:////tmp/runs.db`, or
            `postgresql://user:password@host/database`.
        project: Records, queries and deletions see only those of this project.
        fsync: Whether a result in SQLite survives a loss of power, and not only of every
            process, once it is reported as finished. PostgreSQL has its own setting.
        lease_s: Seconds after which silent work on another host is taken over; 60 if not given.
        inline_limit: Bytes up to which an artifact is part of the record.
        allow_pickle: Whether pickles are loaded. Who can write to the store can then run code.
        patience_s: So long to wait for a server that has gone away.

    Raises:
        StoreError: the URL is none of these.
        RecordTooNew: at the first question, if the tables are those of a newer flowlib.
    """

    can_page: ClassVar[bool] = True

    def __init__(
        self,
        url: str,
        *,
        project: str = "",
        fsync: bool = True,
        lease_s: float | None = None,
        inline_limit: int = INLINE_LIMIT_BYTES,
        allow_pickle: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        super().__init__(
            lease_s=lease_s, inline_limit=inline_limit, allow_pickle=allow_pickle, project=project
        )
        self._options: dict[str, Any] = {"fsync": fsync, "patience_s": patience_s}
        self._database = Database(parsed_url(url), fsync=fsync, patience_s=patience_s)
        self._rows = SqlRows(self._database, project, self.lease_times)
        self._search = SqlSearch(self._database, project)
        self._listing = SqlListing(self._database, project)
        self._pieces = SqlPieces(self._database, project)

    def __repr__(self) -> str:
        project = f", project={self.project!r}" if self.project else ""
        return f"SQLStore({self._database.name!r}{project})"

    @property
    def shown_uri(self) -> str:
        name = unquote(self._database.name) if self._database.is_sqlite else self._database.name
        return name + (f", project {self.project}" if self.project else "")

    @property
    def files(self) -> tuple[Path, ...]:
        """The file of SQLite and those that it makes beside; none of a server."""
        if not self._database.is_sqlite:
            return ()
        path = Path(str(self._database.url.database)).resolve()
        return tuple(path.with_name(f"{path.name}{end}") for end in _SQLITE_ENDS)

    def beside(self, name: str) -> Self:
        url = self._database.url.render_as_string(hide_password=False)
        return type(self)(url, **self._options, **self._options_beside(name))

    def close(self) -> None:
        self._database.close()

    def _claim(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> Claim:
        return self._rows.claim(address, owner, token, at_least, instead_of)

    def _commit(self, address: Address, token: str, row: Row) -> bool:
        return self._rows.commit(address, token, row)

    def _release(self, address: Address, token: str) -> None:
        self._rows.release(address, token)

    def _renew(self, keys: Sequence[str], host: str) -> None:
        self._rows.renew(keys, host)

    def _clear(self, address: Address, token: str) -> bool:
        return self._rows.clear(address, token)

    def _record_text(self, key: str) -> str | None:
        return self._rows.record_text(key)

    def _told_of(self, keys: Sequence[str]) -> Iterable[Told]:
        return self._rows.told(keys)

    def _addresses(self, task: str | None) -> Iterator[Address]:
        return self._search.addresses(task)

    def _leases(self) -> list[tuple[Address, Owner]]:
        return self._search.leases()

    def all_pieces(self) -> Iterator[tuple[Address, str, int]]:
        found = self._pieces.all()
        named = ((Address(readable(task), key), name, size) for task, key, name, size in found)
        return iter(sorted(named))

    def _texts(self, task: str, query: Query) -> Iterator[tuple[str, str]]:
        return self._search.texts(task, query)

    def _pulse(self) -> object:
        return self._search.pulse()

    def _marks(self) -> Iterator[tuple[Address, object]]:
        return self._search.marks()

    def _listed(self, wanted: Listing) -> tuple[list[tuple[Address, str | None]], int]:
        return self._listing.listed(wanted)

    def _tasks(self) -> list[str]:
        return self._search.tasks()

    def _piece_sizes(self, keys: Sequence[str]) -> Mapping[tuple[str, str], int]:
        return self._pieces.sizes(keys)

    def put_pieces(self, key: str, name: str, source: BinaryIO, size: int) -> None:
        self._pieces.put(key, name, source, size)

    def open_pieces(self, key: str, name: str) -> BinaryIO:
        return self._pieces.open(key, name)

    def drop_pieces(self, key: str, names: Sequence[str]) -> None:
        self._pieces.drop(key, names)
