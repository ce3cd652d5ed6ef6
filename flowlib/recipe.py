"""What does it take to compute a stored result again, and what stands in the way?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flowlib.code_snapshot import ROOT, SNAPSHOT
from flowlib.git_state import work_tree
from flowlib.machine import machine
from flowlib.origin_texts import contents_of, packages_of, patch_of, untracked_of
from flowlib.packages import installed_packages, packages_in
from flowlib.rerun import document_words, is_script_or_run, script_words, without_options
from flowlib.source_tree import has_commit
from stores import Address, Attempt, RecordMissing, ResultsStore
from stores.lazy_dataclass import dataclass
from stores.text_shelf import read

_COMPARED: Final = ("python", "platform", "cpu", "gpus", "gpu_driver")
_FEW: Final = 5
_STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a stored result is computed again.

    Attributes:
        address: Where its record lies.
        attempt: The attempt that counts.
        commit: The commit of the code that made it.
        repository: A repository on this machine that has the commit; empty if none is known.
        patch: What differed from the commit.
        contents: Files that git did not track, by name, as far as they were kept.
        words: The command of its run.
        is_script: Whether that is a script, rather than a document.
        root: The work tree of that time.
        folder: Where in the work tree the command was given.
        environment: Name, then, and now, of what differs: Python, packages, machine.
        obstacles: Why it cannot be computed again.
        doubts: Why the result may be another one.
        snapshot: The snapshot of the code that made it, if it is there: then neither repository
            nor patch are needed.
    """

    address: Address
    attempt: Attempt
    commit: str
    repository: str
    patch: bytes
    contents: Mapping[str, bytes]
    words: tuple[str, ...]
    is_script: bool
    root: str
    folder: str
    environment: tuple[tuple[str, str, str], ...]
    obstacles: tuple[str, ...]
    doubts: tuple[str, ...]
    snapshot: str = ""


def recipe_of(store: ResultsStore, address: Address, repository: str | None = None) -> Recipe:
    """How a result is computed again; nothing is run or written.

    Args:
        store: Where it is.
        address: Where its record lies.
        repository: A folder with the repository; None tries the one around the working directory,
            then the one of that time.

    Raises:
        RecordMissing: there is no record, or it has no result.
    """
    record = store.record(address)
    if record is None or record.finished is None:
        raise RecordMissing(f"{address} has no result in {store!r}")
    return _Reader(store, address, record.finished).recipe(repository)


class _Reader:
    """Reads what a record and the texts beside it tell."""

    def __init__(self, store: ResultsStore, address: Address, attempt: Attempt) -> None:
        self._store = store
        self._address = address
        self._attempt = attempt
        self._origin: Mapping[str, Any] = attempt.provenance

    def recipe(self, repository: str | None) -> Recipe:
        """All of it."""
        origin = self._origin
        snapshot = self._snapshot()
        commit, root = self._text("git_commit"), self._text(ROOT) or self._text("git_root")
        root = root or work_tree(self._text("folder") or "/")
        found = self._repository(commit, repository, root) if commit else ""
        patch = patch_of(self._store, origin)
        contents = contents_of(self._store, origin)
        document = without_options(document_words(self._store, self._attempt))
        words = document or script_words(origin)
        return Recipe(
            self._address,
            self._attempt,
            commit,
            found,
            patch or b"",
            contents,
            words,
            not document,
            root,
            _below(self._text("folder"), root),
            tuple(self._environment()),
            tuple(
                self._of_command(words)
                if snapshot
                else self._obstacles(commit, found, patch, words)
            ),
            () if snapshot else tuple(self._doubts(contents)),
            snapshot,
        )

    def _snapshot(self) -> str:
        digest = self._text(SNAPSHOT)
        return digest if digest and read(self._store, SNAPSHOT, digest) is not None else ""

    def _text(self, name: str) -> str:
        return str(self._origin.get(name) or "")

    def _repository(self, commit: str, given: str | None, root: str) -> str:
        tried = [given] if given else [work_tree(os.getcwd()), root]  # noqa: PTH109  # as text
        return next((each for each in tried if each and has_commit(each, commit)), "")

    def _obstacles(
        self, commit: str, repository: str, patch: bytes | None, words: tuple[str, ...]
    ) -> Iterator[str]:
        if not commit:
            yield f"no commit was recorded: {'; '.join(self._notes()) or 'nobody knows why'}"
        elif not repository:
            yield (
                f"commit {commit[:8]} is not in the repository here: give --repository FOLDER with "
                f"a clone of {self._text('git_remote') or self._text('git_root') or 'it'}, which "
                f"has the whole history (git fetch --unshallow)"
            )
        if self._origin.get("git_dirty") and patch is None:
            yield "the code differed from the commit, and the patch was not recorded, or is gone"
        yield from (note for note in self._notes() if note.startswith("the patch is cut"))
        yield from self._of_command(words)

    def _of_command(self, words: tuple[str, ...]) -> Iterator[str]:
        if not words:
            yield (
                "no document and no script is known from which it was run, or its command held a "
                "secret"
            )
        elif not is_script_or_run(words):
            yield f"it was run by `flowlib {words[1]}`, which names no document"
        elif _STDIN in words[2:3]:
            yield "its document came from stdin"

    def _doubts(self, contents: Mapping[str, bytes]) -> Iterator[str]:
        names = [
            each for each in untracked_of(self._store, self._origin)
            if not any(kept == each or kept.startswith(each) for kept in contents)
        ]  # fmt: skip
        count = len(names) if names or contents else self._origin.get("git_untracked")
        if count:
            listed = ", ".join(names[:_FEW]) + ", …" * (len(names) > _FEW)
            yield f"files that git did not track will be missing, {count}: {listed}".rstrip(": ")
        yield from (note for note in self._notes() if not note.startswith(_HARMLESS))

    def _notes(self) -> list[str]:
        notes = self._origin.get("notes")
        return [str(each) for each in notes] if isinstance(notes, list) else []

    def _environment(self) -> Iterator[tuple[str, str, str]]:
        """What differs between the environment of that time and the one here."""
        now = machine()
        for name in _COMPARED:
            then = self._origin.get(name)
            if then and then != now.get(name):
                yield name, _shown(then), _shown(now.get(name))
        packages = packages_of(self._store, self._origin)
        if packages is None:
            yield "packages", "unknown", ""
            return
        here = packages_in(installed_packages())
        for name in sorted(packages.keys() | here.keys()):
            if packages.get(name) != here.get(name):
                yield name, packages.get(name, ""), here.get(name, "")


_HARMLESS: Final = ("the patch is cut", "the clone is shallow", "there is no git repository")


def _below(folder: str, root: str) -> str:
    """A folder relative to the work tree; the work tree itself if it lies elsewhere."""
    if root and Path(folder).is_relative_to(root):
        return str(Path(folder).relative_to(root))
    return "."


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
