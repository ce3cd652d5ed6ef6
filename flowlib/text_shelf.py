"""
Where do long texts lie that many records name? Once for a store, by their digest.

    <store>/.origins/<digest>.<kind>     a store that is a folder: files, for people and programs
    store.beside("origins")              any other: a record `<kind>/<digest>` with one artifact

They are written when something is computed, and never changed.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stores import (
    Address,
    Artifact,
    Attempt,
    Identity,
    LeaseHeld,
    ResultsStore,
    StoreError,
    TaskState,
)

FOLDER: Final = ".origins"
_BESIDE: Final = "origins"
_TEXT: Final = "text"


def keep(store: ResultsStore, texts: Mapping[tuple[str, str], bytes]) -> str:
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


def read(store: ResultsStore, kind: str, digest: object) -> bytes | None:
    """A text; None if it is not there.

    Args:
        store: Beside whose records it lies.
        kind: Its kind.
        digest: What a record says.
    """
    if not isinstance(digest, str) or not digest.isalnum():
        return None
    path = file_of(store, kind, digest)
    try:
        if _folder(store) is not None:
            return None if path is None else path.read_bytes()
        with contextlib.closing(store.beside(_BESIDE)) as beside:
            found = beside.get(Address(kind, digest), _TEXT)
    except (OSError, StoreError):
        return None
    return found if isinstance(found, bytes) else None


def file_of(store: ResultsStore, kind: str, digest: object) -> Path | None:
    """The file of a text, if it is in one."""
    folder = _folder(store)
    if folder is None or not isinstance(digest, str) or not digest.isalnum():
        return None
    path = folder / f"{digest}.{kind}"
    return path if path.is_file() else None


def _folder(store: ResultsStore) -> Path | None:
    return None if store.runs_dir is None else store.runs_dir.with_name(FOLDER)


def _write(path: Path, text: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_bytes(text)
    new.replace(path)


def _put(beside: ResultsStore, texts: Mapping[Address, bytes]) -> None:
    known = beside.statuses(texts)
    for address, text in texts.items():
        status = known.get(address.key)
        if status is not None and status.state is TaskState.FINISHED and not status.missing:
            continue
        try:
            attempt = beside.begin(address)
        except LeaseHeld:
            continue  # another run is keeping the same
        try:
            attempt.take(Artifact(_TEXT, "bytes", size_bytes=len(text)), io.BytesIO(text))
            now = time.time()
            attempt.commit(
                Identity(address), Attempt(0, TaskState.FINISHED, started=now, ended=now)
            )
        except BaseException:
            attempt.abandon()
            raise
