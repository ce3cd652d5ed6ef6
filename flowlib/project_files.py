"""
Which files are the project's own, and not data, environments or results?

Those that git tracks, and those that it neither tracks nor ignores. Without git those below the
folder of the code, but none that a `.gitignore` names, that is hidden or large, or that lies in an
environment of Python or among modules of Node. Nothing of a store counts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from flowlib.errors import RunError
from flowlib.ignore_rules import NAME, Rule, is_left_out, rules_in
from flowlib.source_tree import files_of
from stores import ResultsStore
from stores.lazy_dataclass import dataclass

MOST_BYTES: Final = 64 << 20
"""Of all files together: data has no place among code."""

MOST_FILES: Final = 20_000
"""More than so many are no project, but a folder of all things, such as a home."""

LARGE_BYTES: Final = 4 << 20
"""What is larger is left out where git does not tell that it belongs to the project."""

_LARGEST_TOLD: Final = 3
_FOREIGN: Final = frozenset({"__pycache__", ".flowlib", "node_modules"})


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """The files of a project.

    Attributes:
        paths: By their names below its folder.
        large: Names of those that are left out because they are large, with their bytes.
    """

    paths: dict[str, Path]
    large: dict[str, int]


def project_files(root: Path, store: ResultsStore, *, has_git: bool) -> ProjectFiles:
    """The files below a folder.

    Args:
        root: It.
        store: What belongs to it is left out.
        has_git: Whether git knows the folder.

    Raises:
        RunError: they are too many, or too large.
    """
    own = _own_places(store)
    found = files_of(str(root)) if has_git else _files_below(root, own)
    paths = {name: root / name for name in found if _is_wanted(root, name, own)}
    sizes = {name: path.stat().st_size for name, path in paths.items()}
    large = {} if has_git else {n: size for n, size in sizes.items() if size > LARGE_BYTES}
    for name in large:
        del paths[name], sizes[name]
    _refuse_large(root, sizes)
    return ProjectFiles(paths, large)


def _files_below(root: Path, own: Iterable[Path]) -> list[str]:
    """The files that count where git cannot tell."""
    found: list[str] = []
    for name in _walked(root, "", [], set(own)):
        found.append(name)
        if len(found) > MOST_FILES:
            _refuse_many(root, found)
    return sorted(found)


def _walked(root: Path, below: str, rules: list[tuple[str, Rule]], own: set[Path]) -> Iterator[str]:
    """The files of a folder and of those in it; no link leads to other ones."""
    folder = root / below
    rules = [*rules, *((below, rule) for rule in _rules_of(folder))]
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name, is_folder = f"{below}/{entry.name}".lstrip("/"), entry.is_dir()
            if entry.name.startswith(".") or is_left_out(name, rules, is_folder=is_folder):
                continue
            if not is_folder:
                yield name
            elif not (entry.is_symlink() or _is_foreign(Path(entry.path), own)):
                yield from _walked(root, name, rules, own)


def _rules_of(folder: Path) -> Iterator[Rule]:
    try:
        text = (folder / NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return iter(())
    return rules_in(text)


def _is_foreign(folder: Path, own: set[Path]) -> bool:
    """Whether a folder is of others: an environment, modules of Node, results, or not for us."""
    if folder.name in _FOREIGN or (folder / "pyvenv.cfg").exists():
        return True
    return (folder / "conda-meta").is_dir() or folder.resolve() in own or not os.access(folder, 5)


def _own_places(store: ResultsStore) -> list[Path]:
    """The folders and files of a store, and of all that it consists of."""
    found: list[Path] = []
    for each in store.shelves():
        if each.runs_dir is not None:
            found.append(each.runs_dir.parent.resolve())
        found += getattr(each, "files", ())  # of SQLite, which is not always installed
    return found


def _is_wanted(root: Path, name: str, own: Iterable[Path]) -> bool:
    """Whether it is a file, and none of the store itself."""
    path = root / name
    if not _FOREIGN.isdisjoint(Path(name).parts) or not path.is_file():
        return False
    return not any(map(path.resolve().is_relative_to, own))


def _refuse_large(root: Path, sizes: dict[str, int]) -> None:
    total = sum(sizes.values())
    if total > MOST_BYTES:
        largest = sorted(sizes, key=lambda name: -sizes[name])[:_LARGEST_TOLD]
        told = ", ".join(f"{name} ({sizes[name]:,} bytes)" for name in largest)
        raise RunError(
            f"the files below {root} have {total:,} bytes, and a snapshot has at most "
            f"{MOST_BYTES:,}, so nothing was run. The largest: {told}. What .gitignore names is "
            f"left out"
        )


def _refuse_many(root: Path, names: list[str]) -> None:
    counts = Counter(name.partition("/")[0] if "/" in name else "." for name in names)
    told = ", ".join(f"{name} ({n:,})" for name, n in counts.most_common(_LARGEST_TOLD))
    raise RunError(
        f"there are more than {MOST_FILES:,} files below {root}, and a snapshot has at most so "
        f"many, so nothing was run. Most of those seen so far: {told}. What .gitignore names is "
        f"left out; or give the code a folder of its own"
    )
