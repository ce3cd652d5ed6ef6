"""
What can go wrong in a store.

* StoreError
  + UnknownPlugin        a name in a URI or option that no module and no entry point serves
  + CodecNotFound        no codec takes this value, or the codec it was written with is unknown
  + Unencodable          a value has no canonical text, so it cannot be part of an identity
  + Unpicklable          a value cannot be written as bytes
  + PickleRefused        a pickle would have to be loaded from a store that does not allow it
  + RecordMissing        nothing is known under that address
  + RecordDamaged        a record cannot be read
  + RecordTooNew         a record or a store was written by a newer flowlib
  + ArtifactMissing      nothing of that name was saved
  + ArtifactDamaged      the bytes of an artifact are gone or are not what was saved
  + AmbiguousConfig      a plain dict fits no record, or several
  + QueryError           a query names a state, a time or a parameter that there is not
  + DependentsExist      other records were computed from what would be deleted
  + LeaseHeld            another process is computing this key
  + LeaseLost            the attempt was taken over by another process; nothing was committed
  + StoreWithoutFiles    a store that keeps no files was asked for one
  + StoreUnwritable      the disk is full, read-only or forbidden
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable


class StoreError(Exception):
    """Base class: `except StoreError` catches everything a store raises on purpose."""


class UnknownPlugin(StoreError, LookupError):
    """A name that no module and no entry point serves."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        choices = sorted(known)
        super().__init__(
            f"unknown {kind} {name!r}; choose one of: {', '.join(choices)}.{nearest(name, choices)}"
        )
        self.facts = (kind, name, choices)

    def __reduce__(self) -> tuple[object, ...]:
        return UnknownPlugin, self.facts


class CodecNotFound(StoreError):
    """No codec takes this value, or the codec it was written with is unknown here."""


class Unencodable(StoreError, TypeError):
    """A value has no canonical text, so it cannot be part of an identity.

    Args:
        fault: What is wrong with it, and the cure: "is a Lock, …".
        path: Where it is: `layers[2].init`; empty for the value itself.
    """

    def __init__(self, fault: str, path: str = "") -> None:
        super().__init__(f"{path.removeprefix('.') or 'the value'} {fault}")
        self.facts = (fault, path)

    def inside(self, step: str) -> Unencodable:
        """The same fault, seen from the value around: `[2].init` inside `layers`."""
        fault, path = self.facts
        return Unencodable(fault, f"{step}{path}")

    def __reduce__(self) -> tuple[object, ...]:
        return Unencodable, self.facts


class Unpicklable(StoreError, TypeError):
    """A value cannot be written as bytes."""


class PickleRefused(StoreError):
    """A pickle would have to be loaded from a store that does not allow it."""


class RecordMissing(StoreError, LookupError):
    """Nothing is known under that address."""


class RecordDamaged(StoreError):
    """A record cannot be read."""


class RecordTooNew(StoreError):
    """A record or a store was written by a newer flowlib."""


class ArtifactMissing(StoreError, LookupError):
    """Nothing of that name was saved."""

    def __init__(self, address: object, name: str, present: Iterable[str] = ()) -> None:
        known = sorted(present)
        super().__init__(
            f"{address} has no artifact {name!r}; it holds: {', '.join(known) or 'nothing'}."
            f"{nearest(name, known)}"
        )
        self.facts = (address, name, known)

    def __reduce__(self) -> tuple[object, ...]:
        return ArtifactMissing, self.facts


class ArtifactDamaged(StoreError):
    """The bytes of an artifact are gone, or are not what was saved."""


class AmbiguousConfig(StoreError, LookupError):
    """A plain dict fits no record, or several."""


class QueryError(StoreError, ValueError):
    """A query names a state, a time or a parameter that there is not."""


class DependentsExist(StoreError):
    """Other records were computed from what would be deleted."""


class LeaseHeld(StoreError):
    """Another process is computing this key."""


class LeaseLost(StoreError):
    """The attempt was taken over by another process; nothing was committed."""


class StoreWithoutFiles(StoreError):
    """A store that keeps no files was asked for one."""


class StoreUnwritable(StoreError, OSError):
    """The disk is full, read-only or forbidden."""


_CURES = {
    errno.ENOSPC: "the disk is full: free some space, or use a store on another disk",
    errno.EDQUOT: "the quota is used up: free some space, or use a store on another disk",
    errno.EROFS: "the file system is read-only: use a store in another place",
    errno.EACCES: "this user may not write there: change the rights, or use another folder",
    errno.EPERM: "this user may not write there: change the rights, or use another folder",
    errno.ENOTDIR: "a file stands where a folder is needed: use another folder",
    errno.EFBIG: "the file is larger than the system allows: use a store on another disk",
}


def unwritable(error: OSError, path: str) -> StoreError | None:
    """The error to raise for a failed write, or None if the failure is of another kind."""
    cure = _CURES.get(error.errno or 0)
    if cure is None:
        return None
    return StoreUnwritable(f"{path} cannot be written: {cure} ({os.strerror(error.errno or 0)})")


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint like ` Did you mean file?`, or an empty string when nothing is near."""
    import difflib  # few programs need a hint

    by_lower = {each.casefold(): each for each in known}
    matches = difflib.get_close_matches(name.casefold(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[matches[0]]}?" if matches else ""
