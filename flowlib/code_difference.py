"""What was changed in the code of a task? The parts that differ, line by line."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flowlib.fingerprint import CodePart, Fingerprint
from stores.lazy_dataclass import dataclass

_CONTEXT: Final = 1
"""Lines that are shown before and after those that differ."""


@dataclass(frozen=True, slots=True)
class ChangedPart:
    """A function, method, class or constant that differs.

    Attributes:
        name: `Train.run`.
        change: "changed", "added" or "removed".
        path: The file in which it stands now, or stood; relative below the working directory.
        line: Where in it.
        lines: The difference, each line with `-`, `+` or a space before it; what names of packages
            and of Python mean comes first.
    """

    name: str
    change: str
    path: str
    line: int
    lines: tuple[str, ...]

    @property
    def place(self) -> str:
        """`my/tasks.py:41`."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class CodeDifference:
    """What differs between the code that made a result and the present one.

    Attributes:
        parts: The parts that differ; empty if the old text is not known.
        packages: Name, version then and version now; one is empty where it was not used.
        is_known: Whether the old text is known.
    """

    parts: tuple[ChangedPart, ...] = ()
    packages: tuple[tuple[str, str, str], ...] = ()
    is_known: bool = True

    def texts(self) -> list[str]:
        """The difference as lines: the place and name of each part, then its lines."""
        if not self.is_known:
            return ["the text of the old code is not there any more"]
        found = []
        for part in self.parts:
            found += [f"{part.place} {part.name} {part.change}", *part.lines]
        for name, old, new in self.packages:
            found.append(f"package {name} {old or 'unused'} → {new or 'unused'}")
        return found or ["the same parts are put together in another way"]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "is_known": self.is_known,
            "parts": [
                {
                    "name": part.name,
                    "change": part.change,
                    "path": part.path,
                    "line": part.line,
                    "lines": list(part.lines),
                }
                for part in self.parts
            ],
            "packages": [list(each) for each in self.packages],
        }


def code_difference(old: Fingerprint | None, new: Fingerprint) -> CodeDifference:
    """What differs between two versions of the code of a task.

    Args:
        old: The code that made the result; None if its text is not known.
        new: The present code.
    """
    if old is None:
        return CodeDifference(is_known=False)
    before, after = _by_name(old.parts), _by_name(new.parts)
    paired = _moved(before, after)
    return CodeDifference(
        tuple(_changed(before, after, paired)), tuple(_versions(old.packages, new.packages))
    )


_Name = tuple[str, str, int]


def _by_name(parts: Iterable[CodePart]) -> dict[_Name, CodePart]:
    """Parts by module, name, and number among those of the same name."""
    found: dict[_Name, CodePart] = {}
    for part in parts:
        number = 0
        while (part.module, part.name, number) in found:
            number += 1
        found[part.module, part.name, number] = part
    return found


def _moved(before: Mapping[_Name, CodePart], after: Mapping[_Name, CodePart]) -> dict[_Name, _Name]:
    """Which part of now is which one of then; a module that was renamed is no difference."""
    paired = {name: name for name in after if name in before}
    left = {name[1:]: name for name in before if name not in after}
    for name in after:
        if name not in paired and name[1:] in left:
            paired[name] = left.pop(name[1:])
    return paired


def _changed(
    before: Mapping[_Name, CodePart],
    after: Mapping[_Name, CodePart],
    paired: Mapping[_Name, _Name],
) -> Iterator[ChangedPart]:
    for name, part in after.items():
        old = before[paired[name]] if name in paired else None
        if old is None:
            yield _part(part, "added", "", _shown(part))
        elif old.digest != part.digest:
            yield _part(part, "changed", _shown(old), _shown(part))
    for name, part in before.items():
        if name not in paired.values():
            yield _part(part, "removed", _shown(part), "")


def _part(part: CodePart, change: str, old: str, new: str) -> ChangedPart:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=_CONTEXT)
    shown = [line for line in [*lines][2:] if not line.startswith("@@ ")]  # no names of files
    return ChangedPart(part.name, change, _relative(part.path), part.line, tuple(shown))


def _shown(part: CodePart) -> str:
    uses = "".join(f"{name} is {meaning}\n" for name, meaning in sorted(part.uses.items()))
    return uses + textwrap.dedent(part.text)


def _versions(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield name, old.get(name, ""), new.get(name, "")


def _relative(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path
