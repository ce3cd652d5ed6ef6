"""What does the manifest of a run say of its nodes? Reads what `flowlib.runlog` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flowlib.errors import SelectorError
from flowlib.run_folders import MANIFEST

CACHED: Final = "cached"
"""The state of nodes that had their results before."""

LEFT_OUT: Final = "left_out"
"""The state of nodes that were not asked for; they stand there for the numbers of the others."""


def states_of_run(folder: Path) -> dict[str, str]:
    """How the nodes that a run was asked for ended, or are when it was cut off, by key.

    Raises:
        SelectorError: there is no manifest that can be read.
    """
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
        return dict(states_in(found["nodes"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SelectorError(f"what run {folder.name} wanted cannot be read: {error}") from error


def states_in(nodes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and states of the nodes of a manifest that the run was asked for."""
    for each in nodes.values():
        keys, states = each["keys"], each["states"]
        states = [states] * len(keys) if isinstance(states, str) else states
        yield from ((k, s) for k, s in zip(keys, states, strict=True) if s != LEFT_OUT)
