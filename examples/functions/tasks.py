"""What does each step compute? Plain functions: parameters from the config, the rest upstream."""

from __future__ import annotations

import importlib.util
import tokenize
from pathlib import Path
from typing import Any

from flowlib import Task
from stores import Sweep


def read(module: str) -> dict[str, str]:
    """Return the `source` of a module of the standard library."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise LookupError(f"there is no source of {module}")
    return {"source": Path(spec.origin).read_text(encoding="utf-8")}


def measure(source: str, unit: str, task: Task) -> None:
    """Save the `size` of a source in lines or in tokens; `task` gives save, load, names, ..."""
    size = len(source.splitlines()) if unit == "lines" else _tokens(source)
    task.save(size, "size")
    task.logger.info("%s has %d %s", task.unique_config["read"]["module"], size, unit)


def compare(size: list[Sweep]) -> dict[str, Any]:
    """Return for each unit the modules, the largest first."""
    largest: dict[str, list[tuple[int, str]]] = {}
    for sweep in size:
        unit, module = sweep.config["measure"]["unit"], sweep.config["read"]["module"]
        largest.setdefault(unit, []).append((sweep.value, module))
    return {
        unit: [name for _, name in sorted(found, reverse=True)] for unit, found in largest.items()
    }


def _tokens(source: str) -> int:
    lines = iter(source.splitlines(keepends=True))
    return sum(1 for _ in tokenize.generate_tokens(lambda: next(lines, "")))
