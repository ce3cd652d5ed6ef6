"""What is kept in memory of each record, so that 100,000 are searched in a moment?"""

from __future__ import annotations

import math
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

from stores import Address
from stores.config_paths import ABSENT
from stores.lazy_dataclass import dataclass

_NUMBERS: Final = Struct("=3d2q")
_TIME: Final = Struct("=d")
_MOST_DIGITS: Final = 18
_NO_TIME: Final = math.nan
NO_NUMBER: Final = -1
"""No mark is -1, nor is the number in a name."""


class Common(NamedTuple):
    """What many records have in common, so that all of them share it.

    Attributes:
        task: Name of the task.
        state: The value of its `TaskState`; empty if there is no record.
        last_state: That of the last attempt.
        attempt: Number of the last attempt.
        run: Name of the run that made it.
        error: Type of the error of the last attempt.
        host: Where it was made.
        user: Whose run made it.
        executor: What executed it.
        given: The parameters that the user gave.
        paths: Dotted paths of the config.
    """

    task: str
    state: str
    last_state: str
    attempt: int
    run: str
    error: str
    host: str
    user: str
    executor: str
    given: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One record. Its config is flat: values by the paths that all records of its kind share.

    Attributes:
        common: What it shares with others.
        key: Its key.
        inputs: Keys of what it has read, with the names of their tasks.
        values: What stands at the paths of the config.
        name: What it was called in its run; empty if that is the task with a number.
        numbers: Its times, the mark of its version and that number, which as objects would take
            twice the memory.
    """

    common: Common
    key: str
    inputs: tuple[tuple[str, str], ...]
    values: tuple[object, ...]
    name: str
    numbers: bytes

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.common.task

    @property
    def state(self) -> str:
        """The value of its `TaskState`; empty if there is no record."""
        return self.common.state

    @property
    def last_state(self) -> str:
        """That of the last attempt."""
        return self.common.last_state

    @property
    def started(self) -> float | None:
        """When the attempt began that counts, else the last one."""
        return _time(self.numbers, 0)

    @property
    def ended(self) -> float | None:
        """When it ended."""
        return _time(self.numbers, 8)

    @property
    def updated(self) -> float | None:
        """When the last attempt ended, or at least began."""
        return _time(self.numbers, 16)

    @property
    def attempt(self) -> int:
        """Number of the last attempt."""
        return self.common.attempt

    @property
    def run(self) -> str:
        """Name of the run that made it."""
        return self.common.run

    @property
    def unique_name(self) -> str:
        """What it was called there."""
        number: int = _NUMBERS.unpack(self.numbers)[-1]
        return self.name if number == NO_NUMBER else f"{self.common.task}-{number}"

    @property
    def error(self) -> str:
        """Type of the error of the last attempt."""
        return self.common.error

    @property
    def host(self) -> str:
        """Where it was made."""
        return self.common.host

    @property
    def user(self) -> str:
        """Whose run made it."""
        return self.common.user

    @property
    def executor(self) -> str:
        """What executed it."""
        return self.common.executor

    @property
    def given(self) -> tuple[str, ...]:
        """The parameters that the user gave."""
        return self.common.given

    @property
    def paths(self) -> tuple[str, ...]:
        """Dotted paths of the config."""
        return self.common.paths

    @property
    def mark(self) -> int | None:
        """What the store tells of this version of the record."""
        found: int = _NUMBERS.unpack(self.numbers)[3]
        return None if found == NO_NUMBER else found

    @property
    def address(self) -> Address:
        """Where it lies."""
        return Address(self.common.task, self.key)

    @property
    def id(self) -> str:
        """`Train/9a7a08b2`."""
        return f"{self.common.task}/{self.key[:8]}"

    @property
    def duration_s(self) -> float | None:
        """How long the attempt took that counts."""
        started, ended = self.started, self.ended
        return None if started is None or ended is None else ended - started

    @property
    def when(self) -> float | None:
        """When that attempt ended, or at least began."""
        ended = self.ended
        return self.started if ended is None else ended

    @property
    def config(self) -> dict[str, object]:
        """The values by their paths."""
        return dict(zip(self.common.paths, self.values, strict=True))

    def value(self, path: str) -> object:
        """What stands at a path of the config; ABSENT if nothing does."""
        try:
            return self.values[self.common.paths.index(path)]
        except ValueError:
            return ABSENT


def planned_row(address: Address, run: str, name: str) -> Row:
    """The row of a task for which nothing was committed yet.

    Args:
        address: Of the task.
        run: Name of the run that is to make it.
        name: What it is called there.
    """
    return Row(_to_come(address.task, run), address.key, (), (), name, _UNKNOWN)


@lru_cache(maxsize=1_000)
def _to_come(task: str, run: str) -> Common:
    return Common(task, "", "", 0, run, "", "", "", "", (), ())


def numbers_of(
    started: float | None, ended: float | None, updated: float | None, mark: int | None, number: int
) -> bytes:
    """The numbers of a row.

    Args:
        started: When the attempt began that counts.
        ended: When it ended.
        updated: When the last one ended.
        mark: Of its version.
        number: That in its name, or NO_NUMBER.
    """
    times = [_NO_TIME if each is None else each for each in (started, ended, updated)]
    return _NUMBERS.pack(*times, NO_NUMBER if mark is None else mark, number)


_UNKNOWN: Final = numbers_of(None, None, None, None, NO_NUMBER)


def _time(numbers: bytes, at: int) -> float | None:
    found: float = _TIME.unpack_from(numbers, at)[0]
    return found if found == found else None


def number_in(name: str, task: str) -> int:
    """The number in the name of a task, 12 in `Train-12`; NO_NUMBER if it has another name."""
    before, _, digits = name.rpartition("-")
    if before != task or len(digits) > _MOST_DIGITS or not (digits.isascii() and digits.isdigit()):
        return NO_NUMBER
    number = int(digits)
    return number if str(number) == digits else NO_NUMBER
