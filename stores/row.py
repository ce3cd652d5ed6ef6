"""What do a store and its database tell each other about the row of a key?"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from stores.lazy_dataclass import dataclass
from stores.lease import Owner
from stores.record import Record


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim.

    Attributes:
        is_ours: Whether the lease was taken.
        number: Of the attempt, if it was.
        owner: Who has the lease, if it was not.
        token: Of the lease in force.
        record: The text of the record in force.
    """

    is_ours: bool
    number: int
    owner: Owner
    token: str
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What a commit writes: the record, and what it is found by.

    Attributes:
        record: The record as text.
        status: What `statuses` needs of it, as JSON.
        parsed: The record itself.
    """

    record: str
    status: str
    parsed: Record


class Told(NamedTuple):
    """What a database says of a record without showing it.

    Attributes:
        key: Of the record.
        status: What `Row.status` was; None if it is not there.
        record_bytes: How long the text of the record is; None if nobody can tell.
    """

    key: str
    status: str | None
    record_bytes: int | None


@dataclass(slots=True)
class Hold:
    """What a process remembers of its lease.

    Attributes:
        token: Proves that the lease is still its own.
        inlined: Bytes of artifacts that will be part of the record.
        count: Values written beside the record.
        has_pieces: Whether something was written beside the record.
    """

    token: str
    inlined: int = 0
    count: int = 0
    has_pieces: bool = False


def holder(parts: Any) -> Owner:
    """Who has a lease, by `Owner.to_list` or its JSON; of a damaged one nobody can tell.

    So it lasts until it expires.
    """
    try:
        found = json.loads(parts) if isinstance(parts, str) else parts
        return Owner.from_list(list(found))
    except (ValueError, TypeError):
        return Owner("an unknown host", "", 0, 0)


def storable(name: str) -> str:
    """A name as text that every database takes: no NUL, no half of a surrogate pair."""
    return "".join(
        f"%{ord(each):04x}" if each in "%\0" or "\ud800" <= each <= "\udfff" else each
        for each in name
    )


def readable(name: str) -> str:
    """The name that `storable` was given."""
    return re.sub("%([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), name)
