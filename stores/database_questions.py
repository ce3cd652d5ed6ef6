"""The questions to one kind of database, from which `DatabaseStore` derives all else."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from stores.errors import RecordTooNew
from stores.lease import Owner
from stores.listing import Listing, Page
from stores.query import Query
from stores.record import Address
from stores.row import Claim, Row, Told
from stores.store import ResultsStore
from stores.summary import Summary, summary_in, summary_of

_log = logging.getLogger("stores")


class DatabaseQuestions(ResultsStore):
    """Each decides by one atomic statement, and may be asked twice when an answer was lost."""

    @abstractmethod
    def _claim(
        self, address: Address, owner: Owner, token: str, at_least: int, instead_of: str
    ) -> Claim:
        """Take the lease if it is free, expired, or `instead_of` is its token."""

    @abstractmethod
    def _commit(self, address: Address, token: str, row: Row) -> bool:
        """Put a record in force, if the lease still has this token."""

    @abstractmethod
    def _release(self, address: Address, token: str) -> None:
        """Free the lease, if it still has this token."""

    @abstractmethod
    def _renew(self, keys: Sequence[str], host: str) -> None:
        """Move the expiry of the leases that processes of this host have."""

    @abstractmethod
    def _clear(self, address: Address, token: str) -> bool:
        """Remove the record and free the lease, if it still has this token."""

    @abstractmethod
    def _record_text(self, key: str) -> str | None:
        """The record of a key."""

    @abstractmethod
    def _told_of(self, keys: Sequence[str]) -> Iterable[Told]:
        """What those keys that have a record say of it."""

    @abstractmethod
    def _addresses(self, task: str | None) -> Iterator[Address]:
        """The addresses of all records."""

    @abstractmethod
    def _tasks(self) -> list[str]:
        """The names of all tasks that have records, sorted."""

    @abstractmethod
    def _pulse(self) -> object:
        """Cheap, and nearly always different when a record was written or removed."""

    @abstractmethod
    def _marks(self) -> Iterator[tuple[Address, object]]:
        """The addresses of all records, with what is another after each commit."""

    @abstractmethod
    def _texts(self, task: str, query: Query) -> Iterator[tuple[str, str]]:
        """Key and record of those of a task that may fit a query, sorted by key."""

    def _listed(self, wanted: Listing) -> tuple[list[tuple[Address, str | None]], int]:
        """Addresses and records (None if one is too large) of a page.

        And how many records fit. Only those are asked that say `can_page`.
        """
        raise NotImplementedError

    def page(self, wanted: Listing) -> Page:
        if not self.can_page:
            return super().page(wanted)
        listed, total = self._listed(wanted)
        found = [self._summary(address, text) for address, text in listed]
        return Page([each for each in found if each is not None], total)

    def _summary(self, address: Address, text: str | None) -> Summary | None:
        """What a list shows of a record; None if it cannot be read."""
        found = None if text is None else summary_in(text, is_long=True)
        if found is not None:
            return found
        try:
            record = self.record(address)
        except RecordTooNew as error:
            _log.warning("%s", error)
            return None
        return None if record is None else summary_of(record)

    @abstractmethod
    def _leases(self) -> list[tuple[Address, Owner]]:
        """All leases that have not expired."""

    @abstractmethod
    def all_pieces(self) -> Iterator[tuple[Address, str, int]]:
        """Address, name and size of all values beside records, sorted by address."""

    @abstractmethod
    def _piece_sizes(self, keys: Sequence[str]) -> Mapping[tuple[str, str], int]:
        """The sizes of all values beside the records of some keys, by key and name."""

    def _piece_names(self, key: str) -> list[str]:
        """The names of all values beside the record of a key, also of incomplete ones."""
        return [name for _, name in self._piece_sizes([key])]

    @abstractmethod
    def put_pieces(self, key: str, name: str, source: BinaryIO, size: int) -> None:
        """Write a large value; it counts only when it is complete."""

    @abstractmethod
    def open_pieces(self, key: str, name: str) -> BinaryIO:
        """A seekable stream of a large value.

        Raises:
            FileNotFoundError: there is none.
        """

    @abstractmethod
    def drop_pieces(self, key: str, names: Sequence[str]) -> None:
        """Delete large values."""
