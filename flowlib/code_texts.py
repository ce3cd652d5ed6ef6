"""
What did the code say that has made results? Its texts are kept by fingerprint.

    <fact>.json      the parts of one task, with names, places and texts

They are written once, when something is computed with this code, and never changed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from flowlib.fingerprint import CodePart, Fingerprint

SCHEMA: Final = 1


def keep_texts(folder: Path, fingerprints: Iterable[Fingerprint]) -> None:
    """Write down what some code says, unless that is known already.

    Args:
        folder: `run_folders.code_folder` of the store.
        fingerprints: Of the tasks.

    Raises:
        OSError: it cannot be written.
    """
    for each in fingerprints:
        path = folder / f"{each.fact}.json"
        if path.exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.new")
        new.write_text(json.dumps(_to_dict(each), separators=(",", ":")), encoding="ascii")
        new.replace(path)


def kept_texts(folder: Path, fact: str) -> Fingerprint | None:
    """The code that a fact of a record names; None if nobody has kept it.

    Args:
        folder: `run_folders.code_folder` of the store.
        fact: What the record says.
    """
    if not fact or "/" in fact:
        return None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return _from_dict(json.loads((folder / f"{fact}.json").read_text("ascii")))
    return None


def _to_dict(code: Fingerprint) -> dict[str, Any]:
    parts = [
        {
            "name": part.name,
            "module": part.module,
            "path": part.path,
            "line": part.line,
            "digest": part.digest,
            "text": part.text,
            "uses": dict(part.uses),
        }
        for part in code.parts
    ]
    packages = dict(code.packages)
    return {"schema": SCHEMA, "fact": code.fact, "parts": parts, "packages": packages}


def _from_dict(found: Mapping[str, Any]) -> Fingerprint:
    names = ("name", "module", "path", "line", "digest", "text", "uses")
    parts = tuple(CodePart(*(each[name] for name in names)) for each in found["parts"])
    return Fingerprint(found["fact"], parts, found["packages"])
