"""One attempt at one key: collects artifacts, and counts when it is committed, or never."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from stores.attempt_store import AttemptStore, Lease, SaveOptions
from stores.disk import remove_tree
from stores.encoding import check_is_json
from stores.errors import ArtifactMissing, StoreError, StoreWithoutFiles
from stores.files import File
from stores.open_options import open_options, with_open_options
from stores.record import Address, Artifact, Attempt, Identity, Record, TaskState
from stores.values import Promise


class OpenAttempt:
    """Made by `ResultsStore.begin`. Readers see nothing of it before `commit`.

    Attributes:
        lease: The right to commit.
        previous: The record as it was when the lease was taken.
    """

    def __init__(self, store: AttemptStore, lease: Lease, previous: Record | None) -> None:
        self.lease = lease
        self.previous = previous
        self._store = store
        self._artifacts: dict[str, Artifact] = {}
        self._names_by_file: dict[str, str] = {}
        self._opened: dict[str, Path] = {}
        self._written: dict[str, tuple[str | None, Mapping[str, Any]]] = {}
        self._files: list[File] = []
        self._is_over = False

    @property
    def address(self) -> Address:
        """The key it computes."""
        return self.lease.address

    @property
    def number(self) -> int:
        """Its number."""
        return self.lease.attempt

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what has been saved so far."""
        known = self._artifacts
        return (*known, *[n for n in self._opened if n not in known]) if self._opened else (*known,)

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """What has been saved so far; what was opened as a file is added by the commit."""
        return tuple(self._artifacts.values())

    @property
    def run_dir(self) -> Path:
        """A folder of its own, made when first asked for.

        Raises:
            StoreWithoutFiles: the store keeps no files.
        """
        return self._store.attempt_folder(self.lease)

    @property
    def checkpoint_dir(self) -> Path:
        """A folder that is handed on to later attempts, until one of them has finished.

        Raises:
            StoreWithoutFiles: the store keeps no files.
        """
        return self._store.checkpoint_folder(self.lease)

    def drop_checkpoint(self) -> None:
        """Drop what earlier attempts have handed on."""
        if self._store.supports_files:
            folder = self._store.checkpoint_folder(self.lease)
            remove_tree(str(folder))
            with contextlib.suppress(OSError):
                folder.parent.rmdir()  # only if nothing else is in it

    def save(
        self,
        value: object,
        name: str,
        type_: str | None = None,
        *,
        sub_dir: str | None = None,
        mode: str | None = None,
        open_kwargs: Mapping[str, Any] | None = None,
        load_kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Artifact:
        """Save `value` under `name`; what was saved under it in this attempt is replaced.

        Raises:
            CodecNotFound: there is no such type, or none for this value.
            StoreError: the value cannot be written, or the attempt is over.
        """
        self._check_is_open(f"save({name!r})")
        if not isinstance(name, str) or not name:
            raise StoreError(f"{self.address}: an artifact needs a name, not {name!r}")
        name = str.__str__(name)  # a text of another class may not reach another process
        if load_kwargs or open_kwargs:
            for what, given in (("load_kwargs", load_kwargs), ("open_kwargs", open_kwargs)):
                check_is_json(f"{self.address}/{name}", what, given)
        if mode is not None and "a" in mode:
            raise StoreError(
                f"{self.address}/{name}: mode={mode!r}, but what is saved replaces what was there: "
                f"open({name!r}, mode='a') adds to a file"
            )
        how = SaveOptions(type_, sub_dir, mode, open_kwargs, load_kwargs, options)
        return self._replace(name, self._store.write_artifact(self.lease, value, name, how))

    def take(self, artifact: Artifact, stream: BinaryIO) -> Artifact:
        """Save the bytes of an artifact of another store; they are not decoded.

        Args:
            artifact: What `portable` of the other store says of the bytes.
            stream: What its `artifact_stream` gives.
        """
        self._check_is_open(f"take({artifact.name!r})")
        taken = self._store.take_artifact(self.lease, artifact, stream)
        return self._replace(artifact.name, taken)

    def load(self, name: str, *, lazy: bool = False, **options: Any) -> Any:
        """What this attempt has saved under `name`.

        Raises:
            ArtifactMissing: nothing.
        """
        if name in self._opened:
            self._adopt_opened(name)
        if name not in self._artifacts:
            raise ArtifactMissing(self.address, name, self.names)
        artifact = self._artifacts[name]
        return self._store.load_artifact(self.address, self.number, artifact, lazy=lazy, **options)

    def delete(self, name: str) -> None:
        """Forget what was saved under `name`; do nothing if that is nothing."""
        path = self._opened.pop(name, None)
        if path is not None:
            path.unlink(missing_ok=True)
        artifact = self._artifacts.pop(name, None)
        if artifact is not None:
            self._drop(artifact)

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
        """Open an artifact as a file; what is written is part of the attempt.

        Raises:
            StoreWithoutFiles: the store keeps no files.
            ArtifactMissing: it is to be read, but there is nothing of that name.
        """
        if not self._store.supports_files:
            raise StoreWithoutFiles(self._store.without_files("open()"))
        if promise is not None:
            return self._store.open_promise(promise, mode, **open_kwargs)
        if name is None:
            raise StoreError(f"{self.address}: open() needs a name or a promise")
        if name in self._opened:
            self._adopt_opened(name)
        known = self._artifacts.get(name)
        if known is None and "r" in mode:
            raise ArtifactMissing(self.address, name, self.names)
        check_is_json(f"{self.address}/{name}", "options of open()", open_kwargs)
        path, file = self._store.open_in_attempt(
            self.lease, name, known, mode, type_, sub_dir, **open_kwargs
        )
        if mode not in ("r", "rb", "rt"):
            self._opened[name] = path
            self._written[name] = _as_written(known, type_, open_kwargs)
            self._files.append(file)
        return file

    def commit(
        self,
        identity: Identity,
        outcome: Attempt,
        *,
        keeps_finished: bool = True,
        finished_facts: Mapping[str, str] | None = None,
    ) -> Record:
        """Make the attempt count. Fills in its number, artifacts and owner.

        An attempt that did not finish leaves the one before it in force, unless
        `keeps_finished` is False; that has other facts from then on, if `finished_facts` is given.

        Raises:
            LeaseLost: another process has taken over; nothing was written.
            StoreError: the attempt is over already.
        """
        self._check_is_open("commit()")
        for file in self._files:  # what is written after the commit would damage it
            file.close()
        for name in tuple(self._opened):
            self._adopt_opened(name)
        artifacts, owner = self.artifacts, self.lease.owner
        known = outcome.number, outcome.artifacts
        is_whole = outcome.owner is owner and known == (self.number, artifacts)
        attempt = outcome if is_whole else outcome.made_by(self.number, artifacts, owner)
        before = self.previous.finished if self.previous and keeps_finished else None
        if before is not None and finished_facts is not None:
            before = replace(before, facts=dict(finished_facts))
        is_success = attempt.state is TaskState.FINISHED
        record = Record(identity, attempt if is_success else before, attempt)
        self._is_over = True
        self._store.commit_attempt(self.lease, record, self.previous)
        return record

    def abandon(self) -> None:
        """Give up: nothing of the attempt remains. Harmless when it is over."""
        if not self._is_over:
            self._is_over = True
            self._store.release_attempt(self.lease)

    def carry_over(self, artifacts: Mapping[str, Artifact]) -> None:
        """Take artifacts of an earlier attempt as if they had been saved in this one."""
        self._artifacts.update(artifacts)

    def _replace(self, name: str, artifact: Artifact) -> Artifact:
        """Note an artifact; what was saved under its name before is dropped."""
        before = self._artifacts.pop(name, None)
        self._opened.pop(name, None)
        self._take(name, artifact)
        if before is not None and before.file != artifact.file:
            self._drop(before)
        return artifact

    def _adopt_opened(self, name: str) -> None:
        """An opened file becomes an artifact; one the user has deleted does not."""
        path = self._opened[name]
        for file in self._files:
            if file.path == str(path) and not file.closed:
                file.flush()
        if path.exists():
            type_, load_kwargs = self._written.get(name, (None, {}))
            found = self._store.adopt_file(self.lease, name, path, type_)
            self._take(name, replace(found, load_kwargs=load_kwargs))

    def _take(self, name: str, artifact: Artifact) -> None:
        """Note an artifact, unless it has overwritten the file of another one."""
        file = artifact.file
        if file is not None:
            other = self._names_by_file.setdefault(file, name)
            known = self._artifacts.get(other)
            if other != name and known is not None and known.file == file:
                del self._artifacts[other]
                clash = f"{name!r} and {other!r} would be the same file, {file}"
                raise StoreError(f"{self.address}: {clash}: choose another name for one of them")
            self._names_by_file[file] = name
        self._artifacts[name] = artifact

    def _drop(self, artifact: Artifact) -> None:
        """Remove the file of an artifact; those of earlier attempts are still in force."""
        if artifact.file is not None and artifact.file.startswith(f"{self.number}/"):
            self._store.drop_artifact(self.lease, artifact)

    def _check_is_open(self, what: str) -> None:
        if self._is_over:
            raise StoreError(f"{self.address}: {what} after the end of attempt {self.number}")


def _as_written(
    known: Artifact | None, type_: str | None, open_kwargs: Mapping[str, Any]
) -> tuple[str | None, Mapping[str, Any]]:
    """The type of an opened file, and how it is read; plain bytes need no options."""
    if known is None or type_ not in (None, known.type_):
        return type_, {} if type_ is None else with_open_options({}, open_kwargs)
    before = open_options(known.load_kwargs)
    return known.type_, with_open_options(known.load_kwargs, {**before, **open_kwargs})
