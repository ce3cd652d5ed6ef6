"""Functions that fail on demand, and functions that take that; in a module of their own."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import Annotated, Any

from flowlib import Failure, Ignore, Promise, Sweep, Task, task

Switch = Annotated[str, Ignore]


@task
def part(n: int, broken: Switch = "") -> int:
    """Fail while the file `broken` names this number."""
    if broken and str(n) in Path(broken).read_text().split():
        raise ValueError(f"{n} is broken")
    return n


@task
def one_more(value: int) -> int:
    """Take values only."""
    return value + 1


@task
def or_zero(value: Failure | int) -> int:
    """Do without."""
    return 0 if isinstance(value, Failure) else value


@task
def seen(values: list[Failure | int]) -> list[object]:
    """Say what has arrived."""
    return [
        f"{each.kind}: {each.message}" if isinstance(each, Failure) else each for each in values
    ]


@task
def seen_at(values: "dict[str, 'Failure | int']") -> list[str]:  # noqa: UP037  # as users write it
    """The same with an annotation that is text inside of text."""
    return [f"{name}: {isinstance(each, Failure)}" for name, each in values.items()]


@task
def mixed(value: Failure | int, strict: int) -> tuple[bool, int]:
    """One may fail, the other may not."""
    return isinstance(value, Failure), strict


@task
def lazily(value: Failure | Promise) -> str:
    """Ask for the value itself."""
    return value.kind if isinstance(value, Failure) else f"value {value.load()}"


class Told(Task):
    """A class takes failures, too."""

    def __init__(self, extra: Failure | int = 0) -> None:
        self.extra = extra

    def run(self, value: Failure | int) -> Any:
        """Say what has arrived."""
        return [isinstance(value, Failure), isinstance(self.extra, Failure)]


def gathered(result: list[Failure | Sweep]) -> list[bool]:
    """A reduce by name."""
    return [isinstance(each.value, Failure) for each in result]


def by_name(result: Failure | int) -> str:
    """A task that reads by name."""
    return result.message if isinstance(result, Failure) else f"value {result}"


@task
def locked(n: int) -> Any:
    """Give what cannot be kept."""
    return threading.Lock()


@task
def killed(n: int) -> int:
    """End like a process that was killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    return n


@task
def left(n: int) -> int:
    """End the process itself."""
    os._exit(3)


@task
def slow(n: int) -> int:
    """Take too long."""
    threading.Event().wait(60)
    return n


@task
def hungry(n: int) -> int:
    """Want more memory than there is."""
    raise MemoryError("no more")


@task
def joined(parts: list[str]) -> str:
    """Concatenate."""
    return "".join(parts)


@task
def cut(lines: list[str]) -> list[str]:
    """Without the first and the last."""
    return lines[1:-1]


@task
def matches(lines: list[str], pattern: str) -> list[str]:
    """Those that match."""
    return [each for each in lines if re.search(pattern, each)]


@task
def not_empty(rows: list[int]) -> list[int]:
    """Stop if there is nothing."""
    if not rows:
        raise ValueError("no rows")
    return rows


@task
def after(value: int, *others: object) -> int:
    """Wait for all."""
    return value


@task
def first(found: list[Failure | int]) -> int:
    """The first that there is."""
    return next(each for each in found if not isinstance(each, Failure))
