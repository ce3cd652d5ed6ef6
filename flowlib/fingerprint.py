"""
Has the code of a task changed? Its fingerprint covers all of the project that the task reaches.

Definitions are numbered as they are reached, and each is hashed with the numbers of those that it
uses. So the digest depends on what the code says and how it hangs together, but neither on lines
and files nor on the names of modules: what was moved is the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from flowlib.bulk import paused_collection
from flowlib.code_loaded import is_as_written
from flowlib.code_modules import versions_of
from flowlib.code_reach import Outside, Reach, SourceUnknown, Target, Unit
from stores import canonical
from stores.lazy_dataclass import dataclass

CODE: Final = "code"
"""The fact of an attempt that tells which code has made it."""

_FORM: Final = "1"
"""Of fingerprints: those of another form cannot be compared."""

_DIGITS: Final = 16

_EDITED: Final = "what is computed with it has no fingerprint of its code until it is imported anew"
_told: set[str] = set()

_log = logging.getLogger("flowlib")


@dataclass(frozen=True, slots=True)
class CodePart:
    """A function, method, class or constant that a task reaches.

    Attributes:
        name: `Train.run`, in its module.
        module: The module.
        path: The file.
        line: Where it begins.
        digest: Of what it says.
        text: As it is written.
        uses: What names in it mean that are not of the project.
    """

    name: str
    module: str
    path: str
    line: int
    digest: str
    text: str
    uses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The code of one task.

    Attributes:
        fact: What records keep of it, and plans compare.
        parts: What it reaches of the project, the task first.
        packages: Version by name of the installed packages that these parts use.
    """

    fact: str
    parts: tuple[CodePart, ...]
    packages: Mapping[str, str]


class Fingerprints:
    """The fingerprints of tasks, found out when they are asked for and kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[Callable[..., object], ...], Fingerprint | None] = {}
        self._reach = Reach()

    def of(self, *code: Callable[..., object]) -> Fingerprint | None:
        """The fingerprint of a task; None if some of its source is not to be had.

        Args:
            *code: The task, and the functions and classes that it is given.
        """
        if code not in self._known:
            with paused_collection():  # else the collector takes most of the time
                self._known[code] = self._found(code)
        return self._known[code]

    def _found(self, code: tuple[Callable[..., object], ...]) -> Fingerprint | None:
        if _is_ours(code[0]):
            return None
        try:
            return _Walk(self._reach).fingerprint(code)
        except (SourceUnknown, RecursionError):
            return None

    def fact(self, *code: Callable[..., object]) -> str:
        """What records keep of a task's code; empty if it is not known."""
        found = self.of(*code)
        return "" if found is None else found.fact


def _is_ours(task: object) -> bool:
    """Whether a task is one of flowlib's own, as that of `sh`: it holds no code of the user's."""
    module = getattr(task, "__module__", None) or ""
    return str(module).partition(".")[0] == __name__.partition(".")[0]


def differs(recorded: str, present: str) -> bool:
    """Whether two facts are surely those of different code; what is not known never is."""
    if not recorded or not present or recorded == present:
        return False
    return recorded.partition(".")[0] == present.partition(".")[0]


class _Walk:
    """From a task to everything that it reaches."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._numbers: dict[tuple[str, str], int] = {}
        self._units: list[Unit] = []
        self._packages: set[str] = set()

    def fingerprint(self, code: tuple[Callable[..., object], ...]) -> Fingerprint:
        """The fingerprint of a task and of what it is given."""
        task, *given = code
        said: list[object] = [self._numbered(self._reach.of_task(task))]
        targets = [target for each in given for target in self._reach.of_object(each)]
        inside = [each for each in targets if isinstance(each, Unit) or each.package]
        said += [self._numbered(inside)] if inside else []
        parts: list[CodePart] = []
        for unit in self._units:  # grows meanwhile
            links, uses = self._links(unit)
            definition = unit.definition
            said.append([[each.canonical for each in definition.pieces], links])
            parts += _parts(unit, uses)
        self._check_loaded()
        versions: dict[str, str] = {}
        for module in sorted(self._packages):
            versions |= versions_of(module)
        packages = dict(sorted(versions.items()))
        text = json.dumps([said, packages])
        return Fingerprint(f"{_FORM}.{_digest(text)}", tuple(parts), packages)

    def _check_loaded(self) -> None:
        """Refuse files that were edited after they were loaded: what runs is something else."""
        names: dict[str, list[str]] = {}
        spaces = {unit.space.key: unit.space for unit in self._units}
        for unit in self._units:
            names.setdefault(unit.space.key, []).append(unit.name)
        for key, space in spaces.items():
            source = space.source
            if source is None or is_as_written(space.place.name, source, names[key]):
                continue
            if source.path not in _told:
                _told.add(source.path)
                _log.warning("%s was edited after it was imported: %s", source.path, _EDITED)
            raise SourceUnknown(source.path)

    def _links(self, unit: Unit) -> tuple[list[object], dict[str, str]]:
        """Where the names of a definition lead, in order; and those that lead outside."""
        links: list[object] = []
        uses: dict[str, str] = {}
        for reference in unit.definition.references:
            targets = self._reach.of_reference(unit, reference)
            if targets:
                links.append([reference.chain[0], self._numbered(targets)])
            for each in targets:
                if isinstance(each, Outside):
                    uses[".".join(reference.chain)] = each.label
        return links, uses

    def _numbered(self, targets: list[Target]) -> list[int | str]:
        found: list[int | str] = []
        for each in targets:
            if isinstance(each, Outside):
                if each.package:
                    self._packages.add(each.package)
                found.append(each.label)
                continue
            if each.key not in self._numbers:
                self._numbers[each.key] = len(self._units)
                self._units.append(each)
            found.append(self._numbers[each.key])
        return found


def _parts(unit: Unit, uses: Mapping[str, str]) -> list[CodePart]:
    module, path = unit.space.place.name, unit.definition.path
    parts = []
    for piece in unit.definition.pieces:
        digest = _digest(json.dumps([piece.canonical, dict(uses)]))
        parts.append(CodePart(piece.name, module, path, piece.line, digest, piece.text, dict(uses)))
        uses = {}  # what the names mean is told once
    return parts


def _digest(text: str) -> str:
    return canonical.digest(text)[:_DIGITS]
