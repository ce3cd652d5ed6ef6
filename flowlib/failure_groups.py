"""Which failures are the same? Those of one type at one place of the user's code."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final, Generic, TypeVar

import stores
from stores import ErrorDetails
from stores.lazy_dataclass import dataclass

Member = TypeVar("Member")

_BEGINNING: Final = re.compile(r"(Exception Group )?Traceback \(most recent call last\):$")
_FRAME: Final = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d+)(, in (?P<function>.+))?$')
_MARKERS: Final = re.compile(r"[\s~^]+$")
_OF_A_GROUP: Final = re.compile(r"^  [+|] ", re.MULTILINE)
_NOT_THE_USERS: Final = re.compile(r"/(site|dist)-packages/|/lib/python3\.\d+t?/|/python3\d+\.zip/")


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a traceback.

    Attributes:
        file: Path of the source.
        line: Number of the line, from 1.
        function: The function it stands in; empty at the top of a module that does not compile.
        code: The line itself, as far as the traceback tells.
    """

    file: str
    line: int
    function: str = ""
    code: str = ""

    @property
    def place(self) -> str:
        """`train.py:12`, with the whole path."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class FailureGroup(Generic[Member]):
    """Failures of one type at one place.

    Attributes:
        error: Type, message and traceback of the first; messages may differ within a group.
        frames: The frames of the first that are the user's, outermost first.
        members: Who failed, in the order given.
    """

    error: ErrorDetails
    frames: tuple[Frame, ...] = ()
    members: list[Member] = field(default_factory=list)

    @property
    def place(self) -> str | None:
        """File and line of the user's innermost frame; None if there is no traceback."""
        return self.frames[-1].place if self.frames else None


def grouped(failures: Iterable[tuple[Member, ErrorDetails]]) -> list[FailureGroup[Member]]:
    """Put equal failures together, in the order in which their first members come.

    Those without a place, such as timeouts, are equal when type and message are.
    """
    groups: dict[tuple[str, str], FailureGroup[Member]] = {}
    frames_of: dict[str, tuple[Frame, ...]] = {}  # tracebacks of a sweep are often the same text
    for member, error in failures:
        if error.traceback not in frames_of:
            frames_of[error.traceback] = tuple(user_frames(error.traceback))
        frames = frames_of[error.traceback]
        group = groups.setdefault(sameness(error, frames), FailureGroup(error, frames))
        group.members.append(member)
    return list(groups.values())


def sameness(error: ErrorDetails, frames: Sequence[Frame]) -> tuple[str, str]:
    """What failures have in common that are the same.

    Args:
        error: Type, message and traceback.
        frames: The user's frames of that traceback.
    """
    place = f"at {frames[-1].place}" if frames else f"saying {error.message}"
    return error.type_, place


def user_frames(traceback: str) -> list[Frame]:
    """The frames of the user's own code, outermost first.

    Left out are flowlib, the standard library and installed packages. Of exceptions that were
    raised while others were handled it is those of the last one that has any.
    """
    of_last: list[Frame] = []
    for frames in _blocks(traceback):
        of_last = [frame for frame in frames if _is_of_the_user(frame.file)] or of_last
    return of_last


def _blocks(traceback: str) -> Iterator[list[Frame]]:
    """The frames of each traceback in a text; messages are no part of it, whatever they say."""
    if traceback.startswith("  + "):
        traceback = _OF_A_GROUP.sub("", traceback)
    lines = traceback.splitlines()
    for number, line in enumerate(lines):
        if _BEGINNING.match(line):
            yield list(_frames(lines, number + 1))


def _frames(lines: Sequence[str], first: int) -> Iterator[Frame]:
    for number in range(first, len(lines)):
        if not lines[number].startswith("  "):
            return
        if found := _FRAME.match(lines[number]):
            code = _code(lines, number + 1)
            yield Frame(found["file"], int(found["line"]), found["function"] or "", code)


def _code(lines: Sequence[str], number: int) -> str:
    line = lines[number] if number < len(lines) else ""
    is_code = line.startswith("    ") and not _MARKERS.match(line)
    return line.strip() if is_code else ""


def _is_of_the_user(file: str) -> bool:
    path = file.replace("\\", "/")
    is_generated = path.startswith("<frozen ")
    return not (is_generated or _NOT_THE_USERS.search(path) or path.startswith(_own_folders()))


@functools.cache
def _own_folders() -> tuple[str, ...]:
    packages = (Path(__file__).parent, Path(stores.__file__).parent)
    return tuple(f"{package}/".replace("\\", "/") for package in packages)
