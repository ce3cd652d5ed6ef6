"""
Does a stored result come out again? Its code is checked out, run, and the results are compared.

    <folder>/code        a work tree at the commit, with the patch and what else was kept
    <folder>/results     the store that the run writes to; what the task reads was copied there
    <folder>/output.log  what the run printed

The record itself, its store and its repository are only read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final

from flowlib.code_snapshot import unpack
from flowlib.errors import RunError
from flowlib.fingerprint import CODE
from flowlib.recipe import Recipe, recipe_of
from flowlib.redirection import redirection
from flowlib.rerun import script_at
from flowlib.result_comparison import ComparedArtifact, Comparison, Tolerance
from flowlib.source_tree import apply_patch, make_tree, write_files
from stores import Address, LocalFileStore, Record, ResultsStore
from stores.lazy_dataclass import dataclass

_TREE: Final = "code"
_RESULTS: Final = "results"
_OUTPUT: Final = "output.log"
_LAST_LINES: Final = 12
_ALONE: Final = ("-w", "1", "--progress", "none", "--on-code-change", "ignore")
_HIDDEN: Final = "***"
_OF_DEVICES: Final = frozenset({"CUDA_VISIBLE_DEVICES"})


class Verdict(Enum):
    """What came of it."""

    EQUAL = "equal"
    DIFFERS = "differs"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of computing a result again.

    Attributes:
        recipe: How it was done, with what differs between the environments.
        verdict: Whether the results are equal.
        artifacts: Each of them compared.
        same_code: Whether the code that ran is, by its fingerprint, that of the record; None if
            that is not known.
        words: The command that was run.
        folder: Where the work tree, the new results and the output are; None if deleted.
        error: Why there is no result, if there is none.
    """

    recipe: Recipe
    verdict: Verdict
    artifacts: tuple[ComparedArtifact, ...]
    same_code: bool | None
    words: tuple[str, ...]
    folder: str | None
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            **recipe_document(self.recipe),
            "verdict": self.verdict.value,
            "artifacts": [each.to_dict() for each in self.artifacts],
            "same_code": self.same_code,
            "words": list(self.words),
            "folder": self.folder,
            "error": self.error,
        }


def recipe_document(recipe: Recipe) -> dict[str, Any]:
    """How a result would be computed again, as plain values."""
    return {
        "id": str(recipe.address),
        "commit": recipe.commit,
        "snapshot": recipe.snapshot,
        "repository": recipe.repository,
        "command": list(recipe.words),
        "environment": [
            {"name": name, "then": then, "now": now} for name, then, now in recipe.environment
        ],
        "obstacles": list(recipe.obstacles),
        "doubts": list(recipe.doubts),
    }


def reproduce(
    store: ResultsStore,
    address: Address,
    *,
    recipe: Recipe | None = None,
    folder: str | Path | None = None,
    rtol: Tolerance = 0.0,
    may_unpickle: bool = False,
    upstream: bool = False,
    run_options: Sequence[str] = (),
) -> Reproduction:
    """Compute a stored result again, from the code of that time, and compare.

    The command that the record names is run: trust the store as you would trust the code.

    Args:
        store: Where the result is; it is only read.
        address: Where its record lies.
        recipe: How it is done; None asks `recipe_of`.
        folder: A new or empty folder for all of it, which is kept. None is a temporary one, which
            is kept where something differs.
        rtol: How far numbers may differ, relative to the larger one: for all types of values, or by
            the name of the type, `{"numpy": 1e-6}`.
        may_unpickle: Whether pickles are loaded to compare values where bytes differ.
        upstream: Whether what the task reads is computed again, too, rather than copied.
        run_options: More words for `flowlib run`, or for the script.

    Raises:
        RecordMissing: there is no such result.
        RunError: something is in the way: nothing was run.
    """
    known = recipe or recipe_of(store, address)
    if known.obstacles:
        raise RunError(f"{address} cannot be reproduced: {'; '.join(known.obstacles)}")
    place, is_kept = _new_folder(folder), folder is not None
    try:
        _prepare(store, known, place, upstream=upstream)
        words, output = _run(known, place, run_options)
        after = LocalFileStore(place / _RESULTS)
        record = after.record(address)
        compared: list[ComparedArtifact] = []
        if record is not None and record.finished is not None:
            comparison = Comparison(store, after, rtol=rtol, may_unpickle=may_unpickle)
            compared = comparison.of(address)
        verdict = _verdict(record, compared)
        is_kept = is_kept or verdict is not Verdict.EQUAL
        return Reproduction(
            known,
            verdict,
            tuple(compared),
            _same_code(known, record),
            words,
            str(place) if is_kept else None,
            _error(record, output) if verdict is Verdict.FAILED else "",
        )
    finally:
        if not is_kept:
            shutil.rmtree(place, ignore_errors=True)


def _new_folder(given: str | Path | None) -> Path:
    if given is None:
        return Path(tempfile.mkdtemp(prefix="flowlib-reproduce-"))
    folder = Path(given).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} is not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _prepare(store: ResultsStore, recipe: Recipe, place: Path, *, upstream: bool) -> None:
    """The work tree, and what the task reads."""
    tree = place / _TREE
    if recipe.snapshot:
        unpack(store, recipe.snapshot, tree)
        _copy_inputs(store, recipe, place, upstream=upstream)
        return
    make_tree(tree, recipe.repository, recipe.commit)
    try:
        apply_patch(tree, recipe.patch)
    except RunError as error:
        raise RunError(f"the patch does not fit, so nothing was run: {error}") from error
    write_files(tree, recipe.contents)
    _copy_inputs(store, recipe, place, upstream=upstream)


def _copy_inputs(store: ResultsStore, recipe: Recipe, place: Path, *, upstream: bool) -> None:
    read = [each.address for each in recipe.attempt.inputs]
    if read and not upstream:
        transfer = store.copy(read, LocalFileStore(place / _RESULTS))
        if transfer.damaged or transfer.busy:
            raise RunError(f"what the task reads cannot be copied, so nothing was run: {transfer}")


def _run(recipe: Recipe, place: Path, more: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Run the command of that time; its words, and the end of what it printed."""
    tree = place / _TREE
    folder = tree / recipe.folder
    if not folder.is_dir():
        raise RunError(f"{recipe.folder} is no folder of the commit, so nothing was run")
    address, uri = recipe.address, f"file:{place / _RESULTS}"
    only = f"{address.task}/{address.key}"
    environment = _environment(recipe, tree)
    moved = tuple(_moved(word, recipe.root, tree) for word in recipe.words)
    if recipe.is_script:
        options = moved[1 : script_at(moved)]
        words = (sys.executable, *options, *moved[1 + len(options) :], *more)
        environment |= redirection(uri, address.task, address.key)
    else:
        run = (*moved[1:], "--store", uri, "--only", only, *_ALONE, *more)
        words = (sys.executable, "-m", "flowlib", *run)
    with (place / _OUTPUT).open("w+b") as output:
        subprocess.run(
            words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").splitlines()
    return words, "\n".join(lines[-_LAST_LINES:])


def _moved(word: str, root: str, tree: Path) -> str:
    """A word of a command, with the new work tree in place of the old one."""
    is_below = root and (word == root or word.startswith(f"{root}/"))
    return f"{tree}{word[len(root) :]}" if is_below else word


def _environment(recipe: Recipe, tree: Path) -> dict[str, str]:
    """The variables of the run: those here, those recorded, and imports from the work tree."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    recorded = recipe.attempt.provenance.get("environment")
    for name, value in recorded.items() if isinstance(recorded, Mapping) else ():
        if value != _HIDDEN and name not in _OF_DEVICES:
            kept[name] = str(value)
    ours = str(Path(__file__).parents[1])
    roots = [each for each in (recipe.root, recipe.repository) if each]
    path = [
        _moved(each, root, tree)
        for each in dict.fromkeys(sys.path)
        for root in roots
        if _moved(each, root, tree) != each and not _is_installed(each)
    ]
    path += [str(each) for each in (tree / "src", tree) if each.is_dir()]
    kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([*path, *_python_path(roots), ours]))
    return kept


def _python_path(roots: Sequence[str]) -> list[str]:
    """What stands in PYTHONPATH here, but for the work trees of old."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [each for each in given if each and not any(Path(each).is_relative_to(r) for r in roots)]


def _is_installed(folder: str) -> bool:
    return Path(folder).is_relative_to(sys.prefix)


def _verdict(record: Record | None, compared: Sequence[ComparedArtifact]) -> Verdict:
    if record is None or record.finished is None:
        return Verdict.FAILED
    is_equal = all(each.match.is_good for each in compared)
    return Verdict.EQUAL if is_equal else Verdict.DIFFERS


def _same_code(recipe: Recipe, record: Record | None) -> bool | None:
    """Whether the same code ran: a project that is installed by reference might bring another."""
    now = None if record is None or record.finished is None else record.finished.facts.get(CODE)
    then = recipe.attempt.facts.get(CODE)
    return None if not now or not then else now == then


def _error(record: Record | None, output: str) -> str:
    error = None if record is None else record.latest.error
    if error is not None:
        return f"{error.type_}: {error.message}"
    return f"the command has not computed it; it printed:\n{output}"
