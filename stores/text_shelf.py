"""
Where do long texts lie that many records name? Once for a store, by their digest.

    <store>/.origins/<digest>.<kind>     a store that is a folder: files, for people and programs
    store.beside("origins")              any other: a record `<kind>/<digest>` with one artifact

They are written when something is computed, and never changed. A record names them in the
provenance of its attempts; whoever copies the record takes them along.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from stores.attempt import OpenAttempt
from stores.errors import LeaseHeld, StoreError
from stores.lease import Owner
from stores.primitives import StorePrimitives
from stores.record import Address, Artifact, Attempt, Identity, Record, TaskState

_log = logging.getLogger("stores")

FOLDER: Final = ".origins"
_BESIDE: Final = "origins"
_TEXT: Final = "text"
_NEW: Final = ".new"

_FRESH_S: Final = 60.0
"""A text that was written so recently is not written again where that takes more than a touch."""


def keep(store: StorePrimitives, texts: Mapping[tuple[str, str], bytes]) -> str:
    """Keep texts that are not there yet; why that cannot be done, if it cannot.

    Args:
        store: Beside whose records they are to lie.
        texts: By kind and digest.
    """
    folder = _folder(store)
    try:
        if folder is not None:
            for (kind, digest), text in texts.items():
                _write(folder / f"{digest}.{kind}", text)
        else:
            with contextlib.closing(store.beside(_BESIDE)) as beside:
                _put(beside, {Address(*named): text for named, text in texts.items()})
    except OSError as error:
        return error.strerror or str(error)
    except StoreError as error:
        return str(error)
    return ""


def read(store: StorePrimitives, kind: str, digest: object) -> bytes | None:
    """A text; None if it is not there.

    Args:
        store: Beside whose records it lies.
        kind: Its kind.
        digest: What a record says.
    """
    if not isinstance(digest, str) or not digest.isalnum():
        return None
    shelves = [*store.shelves()] * 2  # once more: it may just have been written anew
    found = (_read(each, kind, digest) for each in shelves)
    return next((text for text in found if text is not None), None)


def file_of(store: StorePrimitives, kind: str, digest: object) -> Path | None:
    """The file of a text, if it is in one."""
    if not isinstance(digest, str) or not digest.isalnum():
        return None
    folders = (_folder(each) for each in store.shelves())
    paths = (folder / f"{digest}.{kind}" for folder in folders if folder is not None)
    return next((path for path in paths if path.is_file()), None)


def named_in(record: Record) -> set[str]:
    """What may be digests of texts in a record: words of where its results come from."""
    told = [] if record.finished is None else [*record.finished.provenance.values()]
    told += record.latest.provenance.values()
    return {each for each in told if isinstance(each, str) and each.isalnum()}


def carry(source: StorePrimitives, target: StorePrimitives, digests: Collection[str]) -> None:
    """Copy those texts of a store to another one that are meant; what cannot be kept is told."""
    if not digests:
        return
    for shelf in source.shelves():
        try:
            for kind, digest in _names(shelf):
                text = _read(shelf, kind, digest) if digest in digests else None
                if text is not None and (why := keep(target, {(kind, digest): text})):
                    _log.warning("where results come from is not copied in full: %s", why)
                    return
        except StoreError as error:  # a store that keeps nothing but results has no texts
            _log.debug("%s", error)


def unnamed(
    store: StorePrimitives, kind: str, named: Collection[str], before: float
) -> dict[str, int]:
    """Texts of a kind that nobody names, with their sizes in bytes, by digest.

    Args:
        store: Beside whose records they lie.
        kind: Their kind.
        named: Digests of those that are needed.
        before: Those that were written at this Unix time or later may yet be.
    """
    found = {}
    with contextlib.suppress(StoreError):  # a store that keeps nothing but results has none
        for each, digest in list(_names(store)):
            if each == kind and digest not in named:
                written, size = _told(store, kind, digest)
                if written < before:
                    found[digest] = size
    return found


def drop(store: StorePrimitives, kind: str, digests: Collection[str]) -> None:
    """Delete texts."""
    folder = _folder(store)
    if folder is not None:
        for each in digests:
            (folder / f"{each}.{kind}").unlink(missing_ok=True)
    elif digests:
        with contextlib.closing(store.beside(_BESIDE)) as beside:
            for each in digests:
                beside.remove(Address(kind, each))


def _told(shelf: StorePrimitives, kind: str, digest: str) -> tuple[float, int]:
    """When a text was written, and its size; of one that is gone, that it is new."""
    folder = _folder(shelf)
    if folder is not None:
        with contextlib.suppress(OSError):
            found = (folder / f"{digest}.{kind}").stat()
            return found.st_mtime, found.st_size
        return math.inf, 0
    with contextlib.closing(shelf.beside(_BESIDE)) as beside:
        record = beside.record(Address(kind, digest))
    if record is None:
        return math.inf, 0
    return record.latest.ended or 0.0, sum(each.size_bytes for each in record.latest.artifacts)


def _names(shelf: StorePrimitives) -> Iterator[tuple[str, str]]:
    """Kind and digest of all texts."""
    folder = _folder(shelf)
    if folder is None:
        with contextlib.closing(shelf.beside(_BESIDE)) as beside:
            yield from [(each.task, each.key) for each in beside.addresses()]
        return
    with contextlib.suppress(OSError):
        for name in sorted(each.name for each in folder.iterdir()):
            digest, _, kind = name.partition(".")
            if kind and not kind.endswith(_NEW):
                yield kind, digest


def _read(shelf: StorePrimitives, kind: str, digest: str) -> bytes | None:
    folder = _folder(shelf)
    try:
        if folder is not None:
            path = folder / f"{digest}.{kind}"
            return path.read_bytes() if path.is_file() else None
        with contextlib.closing(shelf.beside(_BESIDE)) as beside:
            address = Address(kind, digest)
            record = beside.record(address)
            if record is None or record.finished is None:
                return None
            for artifact in record.finished.artifacts:
                if artifact.name == _TEXT:
                    number = record.finished.number
                    found = beside.load_artifact(address, number, artifact)
                    return found if isinstance(found, bytes) else None
    except (OSError, StoreError):
        pass
    return None


def _folder(store: StorePrimitives) -> Path | None:
    return None if store.runs_dir is None else store.runs_dir.with_name(FOLDER)


def _write(path: Path, text: bytes) -> None:
    if path.exists():
        with contextlib.suppress(OSError):  # of another user
            os.utime(path)  # it is needed again: no collection takes it for an old one
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.urandom(4).hex()}{_NEW}")
    new.write_bytes(text)
    new.replace(path)


def _is_fresh(beside: StorePrimitives, address: Address) -> bool:
    record = beside.record(address)
    ended = None if record is None else record.latest.ended
    return ended is not None and time.time() - ended < _FRESH_S


def _put(beside: StorePrimitives, texts: Mapping[Address, bytes]) -> None:
    known = beside.statuses(texts)
    for address, text in texts.items():
        status = known.get(address.key)
        is_there = status is not None and status.state is TaskState.FINISHED
        if status is not None and is_there and not status.missing and _is_fresh(beside, address):
            continue  # an older one is needed again: no collection takes it for an old one
        try:
            lease, previous = beside.acquire(address, Owner.of_this_process())
        except LeaseHeld:
            continue  # another run is keeping the same
        attempt = OpenAttempt(beside, lease, previous)
        try:
            attempt.take(Artifact(_TEXT, "bytes", size_bytes=len(text)), io.BytesIO(text))
            now = time.time()
            attempt.commit(
                Identity(address), Attempt(0, TaskState.FINISHED, started=now, ended=now)
            )
        except BaseException:
            attempt.abandon()
            raise
