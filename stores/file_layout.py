"""
Where does a file store keep what?

    <base>/.flowlib-store                   marker: this folder is a store, and of which schema
    <base>/<task>/<key>.json                the record; its rename into place is the commit
    <base>/<task>/<key>/<attempt>/…         files of an attempt, made when something is written
    <base>/<task>/<key>/checkpoint/…        what attempts hand on, until one has finished
    <base>/<task>/.index/<host>-<pid>.jsonl what listings need, one file per writing process
    <base>/<task>/.shared/…                 what all configs of a task share; never collected
    <base>/.leases/<task>/<key>.<attempt>   who is computing a key
    <base>/.leases/…/<key>.<attempt>.over   a number that is used up without a record
    <base>/.leases/.clock                   touched to read the time of the file system
    <base>/.runs/<run name>/…               what a run leaves behind: events, logs; never collected
    <base>/.<name>/                         another store for what is no result: `beside(name)`

Names of tasks and artifacts may hold any characters: they are percent-encoded, long ones cut.
"""

from __future__ import annotations

import errno
import json
import os
import re
import string
from collections.abc import Collection
from pathlib import Path
from typing import Final

from stores.digests import blake2b
from stores.errors import RecordTooNew, StoreError, unwritable
from stores.held_lease import KeyPaths
from stores.record import SCHEMA, Address

MARKER: Final = ".flowlib-store"
LEASES: Final = ".leases"
INDEX: Final = ".index"
SHARED: Final = ".shared"
CHECKPOINT: Final = "checkpoint"
RUNS: Final = ".runs"
SUFFIX: Final = ".json"

_SAFE: Final = frozenset(string.ascii_letters + string.digits + "_-.+=@,")
_LONGEST: Final = 120
is_plain_key: Final = re.compile(r"[0-9a-z]{1,120}").fullmatch
"""Whether a key is its own name: a digest, as flowlib makes the keys."""
_find_other: Final = re.compile(r"[^0-9a-z]").search


def are_plain_keys(keys: Collection[str]) -> bool:
    """Whether all are their own names; of thousands many times as fast as one by one."""
    lengths = set(map(len, keys))
    return not lengths or (
        min(lengths) > 0 and max(lengths) <= _LONGEST and _find_other("".join(keys)) is None
    )


class Layout:
    """Paths of one store, as plain strings: they are needed often."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._folders: dict[str, str] = {}
        self._made: set[str] = set()
        self._ignores_case: bool | None = None

    def prepare(self, task: str) -> None:
        """Mark the store and make the folder of a task, once in this process.

        Raises:
            RecordTooNew: it is a store of a newer flowlib.
            StoreUnwritable: neither can be written.
        """
        folder = self.task_folder(task)
        if folder not in self._made:
            write_marker(self.base)
            make_folder(folder)
            self._made.add(folder)

    def task_folder(self, task: str) -> str:
        """The folder of a task."""
        folder = self._folders.get(task)
        if folder is None:
            folder = f"{self.base}/{self._name(task)}"
            if self._ignores_case is not None:
                self._folders[task] = folder
        return folder

    def paths(self, address: Address) -> KeyPaths:
        """All that is wanted for an attempt; one by one they take several times as long."""
        folder, key = self.task_folder(address.task), self._key(address.key)
        own = f"{folder}/{key}"
        lease = f"{self.base}/{LEASES}/{own[len(self.base) + 1 :]}"
        return KeyPaths(f"{own}{SUFFIX}", lease, own)

    def record(self, address: Address) -> str:
        """The file of a record."""
        return f"{self.task_folder(address.task)}/{self._key(address.key)}{SUFFIX}"

    def record_name(self, key: str) -> str:
        """The name of the file of a record."""
        return f"{self._key(key)}{SUFFIX}"

    def key_folder(self, address: Address) -> str:
        """The folder with the attempts of a key."""
        return f"{self.task_folder(address.task)}/{self._key(address.key)}"

    def leases(self, task: str) -> str:
        """The folder with the leases of a task."""
        return f"{self.base}/{LEASES}/{self.task_folder(task)[len(self.base) + 1 :]}"

    def lease(self, address: Address) -> str:
        """The path of the leases of a key, without the number of the attempt."""
        return f"{self.leases(address.task)}/{self._key(address.key)}"

    def index(self, task: str) -> str:
        """The folder with the index of a task."""
        return f"{self.task_folder(task)}/{INDEX}"

    def task_folders(self) -> list[str]:
        """The folders of all tasks."""
        try:
            names = os.listdir(self.base)
        except FileNotFoundError:
            return []
        return [f"{self.base}/{name}" for name in names if not name.startswith(".")]

    def task_of(self, folder: str) -> str | None:
        """The task that a folder belongs to; None if only its records can tell."""
        name = folder.rpartition("/")[2]
        return None if name != self._name(name) else name

    def key_of(self, name: str) -> str | None:
        """The key of the file of a record; None if only the record can tell."""
        key = name.removesuffix(SUFFIX)
        return None if key != self._key(key) else key

    def _name(self, name: str) -> str:
        if self._ignores_case is None and os.path.exists(f"{self.base}/{MARKER}"):
            # is `Train` the same file as `train` here, as on most Macs?
            self._ignores_case = os.path.exists(f"{self.base}/{MARKER.upper()}")
        return encoded(name, ignores_case=bool(self._ignores_case))

    def _key(self, key: str) -> str:
        if is_plain_key(key):
            return key
        return self._name(key).replace(".", "%2E")

    @staticmethod
    def is_number(name: str) -> bool:
        """Whether a name is that of an attempt: other digits than these, such as `²`, make none."""
        return name.isascii() and name.isdigit()


def encoded(name: str, *, ignores_case: bool = False) -> str:
    """A name as one path component, different for different names.

    A leading dot is encoded, so that no name is hidden or means a folder above. Where case does
    not count, capitals are followed by a tilde.
    """
    parts = [c if c in _SAFE else _percent(c) for c in name]
    if parts and parts[0] == ".":
        parts[0] = "%2E"
    if ignores_case:
        parts = [f"{part}~" if part.isupper() and len(part) == 1 else part for part in parts]
    text = "".join(parts) or "%"
    if len(text) <= _LONGEST:
        return text
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{text[: _LONGEST - 20]}~~{digest}"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def check_marker(base: str) -> bool:
    """See that a folder is no store of a newer schema, and whether it is marked; does not write.

    Raises:
        RecordTooNew: it is newer.
    """
    try:
        with open(f"{base}/{MARKER}", encoding="utf-8") as file:
            schema = json.load(file)["schema"]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # no store yet, or a marker that was damaged: records have their own schema
    if isinstance(schema, int) and schema > SCHEMA:
        raise RecordTooNew(
            f"{base} is a store of schema {schema}, this flowlib knows up to {SCHEMA}: "
            f"use the flowlib that wrote it, or another folder. Nothing was changed"
        )
    return isinstance(schema, int)


def write_marker(base: str) -> None:
    """Mark a folder as a store, if it is not.

    Raises:
        RecordTooNew: it is a store of a newer flowlib.
        StoreUnwritable: it cannot be written.
    """
    if check_marker(base):
        return
    path = f"{base}/{MARKER}"
    make_folder(base)
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA}, file)
    except OSError as error:
        raise as_store_error(error, path) from error


def make_folder(path: str) -> None:
    """Make a folder and those above it.

    Raises:
        StoreUnwritable: it cannot be made.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise as_store_error(error, path) from error


def common_folder(layout: Layout, task: str) -> Path:
    """The folder that all configs of a task share, made if it is not there.

    Raises:
        StoreUnwritable: it cannot be made.
    """
    write_marker(layout.base)
    folder = f"{layout.task_folder(task)}/{SHARED}"
    make_folder(folder)
    return Path(folder)


def as_store_error(error: OSError, path: str) -> Exception:
    """The error to raise for a failed write."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, FileExistsError):  # a file where a folder has to be made
        error = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return unwritable(error, path) or StoreError(f"{path} cannot be written: {error}")
