"""Tasks around a large value; in a module of their own, so that workers can import them."""

from __future__ import annotations

import os
from pathlib import Path


def large(kilobytes: int) -> dict[str, object]:
    """Many bytes."""
    return {"content": os.urandom(kilobytes << 10)}


def reads(content: bytes, n: int) -> dict[str, object]:
    """Read them."""
    return {"length": len(content)}


def reads_and_hides(content: bytes, folder: str, n: int) -> dict[str, object]:
    """Read them, and damage the file they were in."""
    was_hidden = [each.stat().st_size == 0 for each in files_of(folder)]
    for each in files_of(folder):
        each.write_bytes(b"")
    return {"length": len(content), "was_hidden": bool(was_hidden) and all(was_hidden)}


def takes_away(folder: str) -> dict[str, object]:
    """Remove the file they were in."""
    for each in files_of(folder):
        each.unlink()
    return {"gone": True}


def files_of(folder: str) -> list[Path]:
    """Those of `large`."""
    found = Path(folder, "large").glob("*/*/*")
    return [each for each in found if each.is_file()]


def lost_values(told: bytes, address: object) -> object:
    """Stands for an engine that loses what it keeps."""
    raise RuntimeError("the node with the values is gone")
