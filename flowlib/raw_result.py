"""What are the stored bytes of one result? They are checked on their way, and never decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowlib.errors import NothingSelected, SelectorError, nearest
from flowlib.stored_selection import select_record
from stores import Address, Artifact, Record, ResultsStore, StoreError
from stores.codec import codecs
from stores.housekeeping.checked_stream import CheckedStream
from stores.lazy_dataclass import dataclass
from stores.matching import artifacts_in_force
from stores.transfer import CHUNK_BYTES

_NAMED: Final = re.compile(r"((?:[^\[:]|\[[^\]]*\])+):(.+)", re.DOTALL)
"""`Train/9a7a08b2:model`; what stands in brackets may hold colons of its own."""

_LONGEST: Final = 200
"""So much of the message of an error is shown."""

_USUAL: Final = ("result", "stdout")
"""What is meant where a task has several results and none is named."""


@dataclass(frozen=True, slots=True)
class RawResult:
    """The bytes of one artifact, as a store keeps them.

    Attributes:
        store: Where they are.
        address: Of the record.
        artifact: What they are; a folder has the encoding "tar".
    """

    store: ResultsStore
    address: Address
    artifact: Artifact

    @classmethod
    def find(cls, store: ResultsStore, selector: str, name: str | None = None) -> RawResult:
        """The artifact of the one record that is selected.

        Args:
            store: Where it is.
            selector: Of the record.
            name: Of the artifact; None: the only one, else `result`, else `stdout`.

        Raises:
            NothingSelected: there is no such record, or it has no such artifact.
            SelectorError: the selector is none, or selects several records or artifacts.
        """
        address = select_record(store, selector)
        record = store.record(address)
        artifacts = {} if record is None else artifacts_in_force(record)
        if not artifacts:
            raise NothingSelected(f"{address} has no results{_why(record)}")
        listed = ", ".join(artifacts)
        if name is None:
            usual = (
                list(artifacts) if len(artifacts) == 1 else [n for n in _USUAL if n in artifacts]
            )
            if not usual:
                raise SelectorError(f"{address} has several results, so name one of them: {listed}")
            name = usual[0]
        elif name not in artifacts:
            raise NothingSelected(
                f"{address} has no result {name!r}.{nearest(name, artifacts)} It has: {listed}"
            )
        return cls(store, address, artifacts[name][1])

    @property
    def is_text(self) -> bool:
        """Whether a terminal can show it."""
        try:
            return codecs.find(self.artifact.type_).is_text
        except StoreError:  # of a type that is not known here
            return False

    def chunks(self) -> Iterator[bytes]:
        """The bytes, piece by piece; of a folder as a tar.

        Raises:
            ArtifactDamaged: they are gone, or at the end: they are not what was saved.
        """
        portable, opened = self.store.portable_stream(self.address, self.artifact)
        with opened as stream:
            checked = CheckedStream(stream, self.address, portable)
            while data := checked.read(CHUNK_BYTES):
                yield data
            checked.check()


def _why(record: Record | None) -> str:
    """What became of the last attempt, if that is why there are no results."""
    if record is None or record.latest.error is None:
        return ""
    error, address = record.latest.error, record.address
    first = next(iter(error.message.splitlines()), "")
    words = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"
    state = record.latest.state.value.replace("_", " ")
    return f" ({state}: {error.type_}: {words}): `flowlib show {address}` tells more"


def split_name(text: str) -> tuple[str, str] | None:
    """The selector and the name of an artifact in `Train/9a7a08b2:model`; None if it has none."""
    found = _NAMED.fullmatch(text)
    return None if found is None else (found[1], found[2])
