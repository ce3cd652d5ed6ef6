"""
What do the digests in a record stand for? Patches and lists of packages, kept once for all.

    patch        what differed from the commit, for `git apply`
    packages     what was installed, a line each
    untracked    names of files that git did not track
    contents     their contents, if they were asked for: JSON, in base 85
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from flowlib.configuration import settings
from flowlib.credentials import without_secret_words
from flowlib.packages import packages_in
from flowlib.provenance import (
    CONTENTS,
    DIGESTS,
    PACKAGES,
    PATCH,
    UNTRACKED,
    origin_of_process,
)
from stores import Attempt, ResultsStore
from stores.lazy_dataclass import dataclass
from stores.text_shelf import file_of, keep, read

MOST_CHARACTERS: Final = 4_000
"""Of a patch in a record, where the store cannot keep texts."""

_CUT: Final = "# cut by flowlib: "
_DIFF: Final = "git_diff"
_NOTES: Final = "notes"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
AGAIN: Final = "again"
"""The field of a record that has the words of the command which runs its document."""


def recorded_origin(
    store: ResultsStore,
    executor: str = "",
    again: Sequence[str] = (),
    more: Mapping[str, str] = _NOTHING,
) -> dict[str, Any]:
    """Where the results come from that this process computes, as records tell it.

    It asks git, so it is done once for a run. The texts are kept beside the records; where that
    cannot be done, the records hold the beginning of the patch themselves.

    Args:
        store: Where the results will be.
        executor: The module of what runs the tasks; the last part is told.
        again: Words of the command that runs the document, if there is one.
        more: What else records are to tell.
    """
    known = settings()
    origin = origin_of_process(
        with_diff=not known.ignore_diff,
        with_contents=known.keep_untracked,
        names=known.recorded_variables,
    )
    name = executor.rpartition(".")[2]
    optional = {"executor": name, AGAIN: without_secret_words(list(again))}
    facts = {**origin.facts, **{name: value for name, value in optional.items() if value}, **more}
    texts = {(kind, str(facts[DIGESTS[kind]])): text for kind, text in origin.texts.items()}
    if why := keep(store, texts):
        facts[_NOTES] = [*facts.get(_NOTES, ()), f"the patch and packages are not kept: {why}"]
        facts[_DIFF] = _cut(origin.texts.get(PATCH, b"").decode("utf-8", "replace"))
    return facts


def with_executor(origin: Mapping[str, Any], executor: str) -> dict[str, Any]:
    """Where results come from, with what executes them: its module, of which the end is told."""
    return {**origin, "executor": executor.rpartition(".")[2]}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside the records of where one result comes from.

    Attributes:
        patch: The file with what differed from the commit; None if it is not there.
        packages: Versions of what was installed, by name; None if they are not known.
        untracked: Names of the files that git did not track, as far as they are known.
    """

    patch: str | None = None
    packages: Mapping[str, str] | None = None
    untracked: tuple[str, ...] = ()


def kept_texts(store: ResultsStore, attempt: Attempt) -> Kept:
    """What is kept of where the result of an attempt comes from."""
    origin = attempt.provenance
    patch = file_of(store, PATCH, origin.get(DIGESTS[PATCH]))
    return Kept(
        None if patch is None else str(patch),
        packages_of(store, origin),
        tuple(untracked_of(store, origin)),
    )


def patch_of(store: ResultsStore, origin: Mapping[str, Any]) -> bytes | None:
    """The whole patch of a result, as it was kept; None if it is not there, or not whole."""
    found = _text(store, origin, PATCH)
    if found is not None:
        return found
    inline = str(origin.get(_DIFF) or "")
    return inline.encode() if inline and f"\n{_CUT}" not in inline else None


def packages_of(store: ResultsStore, origin: Mapping[str, Any]) -> dict[str, str] | None:
    """Versions of the packages that were installed, by name; None if they are not known."""
    found = _text(store, origin, PACKAGES)
    return None if found is None else packages_in(found.decode("utf-8", "replace"))


def untracked_of(store: ResultsStore, origin: Mapping[str, Any]) -> list[str]:
    """Names of the files that git did not track, as far as they are known."""
    return os.fsdecode(_text(store, origin, UNTRACKED) or b"").splitlines()


def contents_of(store: ResultsStore, origin: Mapping[str, Any]) -> dict[str, bytes]:
    """The files that git did not track, by name, as far as they were kept."""
    with contextlib.suppress(ValueError, AttributeError, TypeError):
        found = json.loads(_text(store, origin, CONTENTS) or b"{}")
        return {name: base64.b85decode(text) for name, text in found.items()}
    return {}


def _text(store: ResultsStore, origin: Mapping[str, Any], kind: str) -> bytes | None:
    return read(store, kind, origin.get(DIGESTS[kind]))


def _cut(patch: str) -> str:
    """A patch of bearable length, which tells what is missing."""
    if len(patch) <= MOST_CHARACTERS:
        return patch
    kept = patch[:MOST_CHARACTERS].rpartition("\n")[0]
    left = patch.count("\n") - kept.count("\n")
    return f"{kept}\n{_CUT}{left} more lines, {len(patch):,} characters in all\n"
