"""With which command is a result computed again? That of its run: a document, or a script."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from flowlib.origin_texts import AGAIN
from flowlib.stored_runs import stored_runs
from stores import Attempt, ResultsStore

_HIDDEN: Final = "***"
_WITH_VALUE: Final = ("-W", "-X", "--check-hash-based-pycs")
"""Options of Python that take the next word."""

_NO_SCRIPTS: Final = {"ipykernel_launcher", "flowlib"}
"""Modules that run something of the user's which the command does not name."""


def document_words(store: ResultsStore, attempt: Attempt) -> tuple[str, ...]:
    """The words of the command that ran the document; empty if it was none, or held a secret."""
    recorded = attempt.provenance.get(AGAIN)
    if isinstance(recorded, list) and recorded:
        words = tuple(map(str, recorded))
        return () if _HIDDEN in " ".join(words) else words
    made_by = attempt.run
    for run in stored_runs(store) if made_by is not None else ():
        if run.driver is not None and made_by is not None:
            is_it = (run.driver.run_name, run.project) == (made_by.run_name, made_by.project_name)
            if is_it and run.driver.again:
                return run.driver.again
    return ()


def is_script_or_run(words: Sequence[str]) -> bool:
    """Whether a command names its document, or is a script; else the graph was submitted."""
    return script_at(words) is not None or tuple(words[1:2]) == ("run",)


def without_options(words: Sequence[str]) -> tuple[str, ...]:
    """The words without those that name a store, or tell with what the document is run."""
    return tuple(takewhile(lambda word: not word.startswith("-"), words))


def script_words(origin: Mapping[str, Any]) -> tuple[str, ...]:
    """The words of the command that ran a script; empty if it was none, or held a secret."""
    try:
        words = shlex.split(str(origin.get("command") or ""))
    except ValueError:
        return ()
    at = script_at(words)
    return tuple(words) if at is not None and _HIDDEN not in " ".join(words) else ()


def script_at(words: Sequence[str]) -> int | None:
    """Where a script, or `-m`, stands in a command of Python; None if there is none."""
    if not words or not Path(words[0]).name.startswith(("python", "pypy")):
        return None
    at = 1
    while at < len(words):
        if words[at] == "-m":
            return at if set(words[at + 1 : at + 2]) - _NO_SCRIPTS else None
        if not words[at].startswith("-"):
            return at
        if words[at] in ("-", "-c"):
            return None
        at += 2 if words[at] in _WITH_VALUE else 1
    return None
