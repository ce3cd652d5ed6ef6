"""What is left of an attempt that has finished? Its folder and its artifacts, for reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from flowlib.errors import RunError
from stores import Address, Artifact, File, Promise, ResultsStore, Status, StoreWithoutFiles


class StoredAttempt:
    """Stands for the attempt of a task whose `restore` or `validate` is asked.

    Args:
        store: Where its record lies.
        address: Of the record.
        status: Of the record.
    """

    def __init__(self, store: ResultsStore, address: Address, status: Status) -> None:
        self._store = store
        self._status = status
        self.address = address
        self.number = status.attempt

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its artifacts."""
        return tuple(each.name for each in self._status.artifacts)

    @property
    def run_dir(self) -> Path:
        """The folder in which it has written; perhaps it is not there.

        Raises:
            StoreWithoutFiles: the store keeps no files.
        """
        folder = self._store.record_folder(self.address)
        if folder is None:
            raise StoreWithoutFiles(self._store.without_files("run_dir"))
        return folder

    def load(self, name: str, *, lazy: bool = False, **options: Any) -> Any:
        """What it has saved under `name`.

        Raises:
            ArtifactMissing: nothing.
        """
        return self._store.get(self.address, name, lazy=lazy, **options)

    def open(
        self,
        name: str | None,
        mode: str = "r",
        type_: str | None = None,
        *,
        sub_dir: str | None = None,
        promise: Promise | None = None,
        **open_kwargs: Any,
    ) -> File:
        """Open one of its artifacts for reading.

        Raises:
            RunError: it is to be written.
            StoreWithoutFiles: the store keeps no files.
        """
        if not set(mode) <= set("rbt"):
            self._refuse("open(…) for writing")
        wanted = self.load(name or "", lazy=True) if promise is None else promise
        return self._store.open_promise(wanted, mode, **open_kwargs)

    @property
    def checkpoint_dir(self) -> NoReturn:
        """Refused: it is gone when an attempt has finished.

        Raises:
            RunError: always.
        """
        self._refuse("checkpoint_dir")

    def save(self, value: object, name: str, type_: str | None = None, **options: Any) -> NoReturn:
        """Refused.

        Raises:
            RunError: always.
        """
        self._refuse(f"save({name!r})")

    def take(self, artifact: Artifact, stream: BinaryIO) -> NoReturn:
        """Refused.

        Raises:
            RunError: always.
        """
        self._refuse(f"take({artifact.name!r})")

    def delete(self, name: str) -> NoReturn:
        """Refused.

        Raises:
            RunError: always.
        """
        self._refuse(f"delete({name!r})")

    def _refuse(self, what: str) -> NoReturn:
        raise RunError(
            f"{self.address} has finished: its restore() and validate() may read what is stored, "
            f"but {what} does not work there"
        )
