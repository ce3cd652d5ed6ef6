"""Tasks that return specs: split-apply-combine, recursion, and what is wrong; for workers."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from flowlib import Call, Failure, Ignore, Task, TaskSpec, task

Switch = Annotated[str, Ignore]


def note(counter: str, word: str) -> None:
    """Count that something was computed."""
    if counter:
        with Path(counter).open("a") as file:
            file.write(f"{word} ")


@task
def load(n: int) -> list[int]:
    """The data."""
    return list(range(n))


@task
def square(x: int, counter: Switch = "", broken: Switch = "") -> int:
    """One part of it; fails while the file `broken` names it."""
    note(counter, f"square{x}")
    words = Path(broken).read_text().split() if broken else []
    if str(x) in words:
        raise ValueError(f"{x} is broken")
    if f"kill{x}" in words:
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x


@task
def total(parts: list[int], counter: Switch = "") -> int:
    """All parts together."""
    note(counter, "total")
    return sum(parts)


@task
def known(parts: list[Failure | int]) -> int:
    """All parts that there are."""
    return sum(each for each in parts if not isinstance(each, Failure))


@task
def split(data: list[int], counter: Switch = "", broken: Switch = "") -> Call[int]:
    """Nobody knows how many parts there are before the data is there."""
    note(counter, "split")
    return total([square(x, counter, broken) for x in data], counter)


@task
def parts(data: list[int], broken: Switch = "") -> Any:
    """A dict with lists, tuples, items and values in it."""
    squares = [square(x, broken=broken) for x in data]
    return {"list": squares, "pair": (squares[0], 1), "nested": {"x": [pair(7)["double"]]}, "n": 3}


@task
def pair(x: int) -> dict[str, int]:
    """Two results."""
    return {"double": 2 * x, "triple": 3 * x}


@task
def add(one: int, other: int) -> int:
    """Two numbers."""
    return one + other


@task
def fibonacci(n: int, counter: Switch = "") -> Any:
    """By recursion; each number is computed once."""
    note(counter, f"f{n}")
    return n if n < 2 else add(fibonacci(n - 1, counter), fibonacci(n - 2, counter))


@task
def for_ever(n: int) -> Any:
    """There is no end."""
    return for_ever(n + 1)


@task
def itself(n: int) -> Any:
    """It needs its own result."""
    return [itself(n)]


@task
def after(value: Any) -> Any:
    """What reads the result of all that."""
    return ["after", value]


@task
def reader_of(n: int) -> Any:
    """It returns what reads its own result."""
    return after(reader_of(n))


@dataclass(frozen=True)
class Both:
    """A result with specs in it."""

    one: Any
    other: Any = 5


@task
def dataclasses(n: int) -> Any:
    """Specs in dataclasses, in lists."""
    return [Both(square(n)), {"deep": Both([square(n + 1)], 6)}]


@task
def set_of_specs(n: int) -> Any:
    """Nobody could put a list there."""
    return [{square(n)}]


@task
def keys_of_specs(n: int) -> Any:
    """Nor here."""
    return {square(n): 1}


@task
def sweeps(n: int) -> Any:
    """A spec with several tasks."""
    from flowlib import sweep  # noqa: PLC0415

    return square(sweep(*range(n)))


@task
def many(n: int) -> list[Call[int]]:
    """A lot of tasks."""
    return [square(x) for x in range(n)]


@task
def tolerant(data: list[int], broken: Switch = "") -> Any:
    """What it returns takes failures."""
    return known([square(x, broken=broken) for x in data])


@task
def nothing() -> None:
    """Give None."""


@task
def gives_nothing(n: int) -> Any:
    """Its value is None."""
    return nothing()


@task
def demanding(n: int) -> Any:
    """It returns what this run cannot do."""
    return square(n).options(timeout=5)


@task
def both(n: int, task: Any = None) -> Any:
    """It saves something and returns specs."""
    task.save(1, "mine")
    return square(n)


@task
def labelled(n: int) -> list[Call[int]]:
    """Specs with names and options of their own."""
    return [square(n).named("big").options(retries=4), add(n, 1).options(tags=["odd"])]


@task
def empty(n: int) -> Any:
    """Specs that do not need to be there."""
    return [square(x) for x in range(n)]


@task(name="square")
def other_square(x: int) -> int:
    """Another task of a name that there is."""
    return -x


@task
def clash(n: int) -> Any:
    """It returns a task whose name another one has."""
    return other_square(n)


class Train(Task):
    """A class, by name."""

    def __init__(self, lr: float) -> None:
        self.lr = lr

    def run(self, numbers: list[int]) -> dict[str, float]:
        """Learn."""
        return {"score": self.lr * len(numbers)}


class Search(Task):
    """A class that returns specs: a grid that depends on the data, and what gathers it."""

    def __init__(self, counter: str = "") -> None:
        self.counter = counter

    def run(self, numbers: list[int]) -> Any:
        """Choose."""
        data = TaskSpec(make, {"count": len(numbers)})
        train = TaskSpec(Train, {"lr": [0.1 * n for n in range(1, 3)]}, expand="product")
        train.requires(data)
        best = TaskSpec(pick, reduce=True)
        best.requires(train)
        return {"best": best["best"], "all": train}


def make(count: int) -> dict[str, list[int]]:
    """Data for the search."""
    return {"numbers": list(range(count))}


def pick(score: list[Any]) -> dict[str, float]:
    """The best of all."""
    return {"best": max(each.value for each in score)}
