"""Tasks and values of many types for tests of specs that are written down."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flowlib import Task, task


class Color(enum.Enum):
    """Two of them."""

    RED = 1
    BLUE = "blue"


class Mode(enum.Flag):
    """Those that can be joined."""

    READ = enum.auto()
    WRITE = enum.auto()


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: float = 0.0


@dataclass(frozen=True)
class Outer:
    """With a class inside, and values of many types."""

    @dataclass(frozen=True)
    class Inner:
        """Nested."""

        colors: tuple[Color, ...] = (Color.RED,)

    when: datetime = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    inner: Any = field(default_factory=Inner)

    class Net(Task):
        """A task in a class."""

        def __init__(self, value: Any) -> None:
            self.value = value

        def run(self) -> None:
            """Nothing."""


class Prepare(Task):
    """Without parameters that matter."""

    def __init__(self, value: Any = None, note: Any = "") -> None:
        self.value = value

    def run(self) -> dict[str, Any]:
        """What it was given."""
        return {"data": self.value}


class Train(Task):
    """Reads two."""

    def __init__(self, lr: float = 0.1, layers: Any = None, activation: Any = None) -> None:
        self.lr = lr

    def run(self, data: Any = None) -> dict[str, Any]:
        """A score."""
        return {"score": self.lr}


def score(data: Any, weight: float = 1.0) -> dict[str, float]:
    """A function of a TaskSpec."""
    return {"score": weight}


@task
def give(value: Any, /, *rest: Any, note: str = "", **more: Any) -> Any:
    """All kinds of parameters."""
    return value


@task(version=2, retries=1)
def join(values: Any) -> Any:
    """Of a version, with options."""
    return values


@task(eager=True)
def eager(x: int) -> int:
    """Plain calls compute."""
    return x


def before_it(task: Task) -> None:
    """A hook."""
