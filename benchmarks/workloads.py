"""What is computed, and which facts tell that it was computed rightly?

Every case imports this module, so it imports almost nothing itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

Config = dict[str, object]
Facts = dict[str, int]

# Part of every value. Stores are filled under another salt than they are read under, so a value
# tells whether it was stored or computed anew.
SALT_VARIABLE = "FLOWLIB_BENCH_SALT"
SALT_OF_FILLING = 1_000
SALT_OF_READING = 2_000
# How long each task of "tasks that take time" keeps its CPU busy.
BUSY_VARIABLE = "FLOWLIB_BENCH_BUSY_MS"
MODULUS = 1_000_003


class Case:
    """One case, as its own process gets it.

    Attributes:
        size: The number of tasks; for shapes the length of the chain or the width of a layer.
        workers: How many workers may run at once.
        folder: Where the system may write; what an earlier case left there is the filled store.
        variant: Which of the shapes.
        round: The number of the repetition; the new task of W4 and W6 is another in each.
        fsync: Whether results survive a power failure.
        speeds: What the adapter measures itself, in MB/s; W5 only.
    """

    __slots__ = ("folder", "fsync", "round", "size", "speeds", "variant", "workers")

    def __init__(
        self,
        size: int,
        folder: str,
        workers: int = 1,
        variant: str = "",
        round: int = 0,  # noqa: A002
        fsync: bool = False,
    ) -> None:
        self.size = size
        self.folder = folder
        self.workers = workers
        self.variant = variant
        self.round = round
        self.fsync = fsync
        self.speeds: dict[str, float] = {}


# --- W1: prep (2) -> train (half of the nodes) -> evaluate (one per train) -> one reduce


def prep_grid() -> Config:
    """Two configs."""
    return {"source": "digits", "scale": {"method": ["standard", "minmax"], "clip": True}}


def search_grid(size: int) -> Config:
    """A quarter of `size` configs over four nested parameters."""
    a, b, c, d = _factors(max(1, size // 4), 4)
    return {
        "model": {"kind": "mlp", "width": _ints(a, 16), "depth": _ints(b, 1)},
        "optimizer": {"lr": [0.5 / (i + 1) for i in range(c)], "name": "adam"},
        "data": {"seed": _ints(d, 0), "shuffle": True},
    }


def _ints(count: int, first: int) -> list[int]:
    return list(range(first, first + count))


def _factors(number: int, count: int) -> list[int]:
    """`count` factors of `number`, as even as a greedy choice makes them."""
    factors = [1] * count
    for prime in reversed(list(_primes(number))):
        factors.sort()
        factors[0] *= prime
    return sorted(factors)


def _primes(number: int) -> Iterator[int]:
    divisor = 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            yield divisor
            number //= divisor
        divisor += 1
    if number > 1:
        yield number


# --- W2-W4, W6: many tasks that do nothing, each with a nested config of ten leaves


def train_grid(seeds: Sequence[int]) -> Config:
    """One config per seed; ten leaves in three groups."""
    return {
        "model": {"kind": "mlp", "width": 64, "depth": 3, "dropout": 0.1},
        "optimizer": {"name": "adam", "lr": 0.001, "decay": 0.0},
        "data": {"seed": list(seeds), "split": "train", "shuffle": True},
    }


def seeds(case: Case) -> list[int]:
    """The seeds of a cold or a warm run."""
    return list(range(case.size))


def seeds_and_one_more(case: Case) -> list[int]:
    """The seeds of the store and one that is new in every round."""
    return [*range(case.size), case.size + case.round]


def train(model: Mapping[str, object], data: Mapping[str, int]) -> dict[str, object]:
    """The result of a task: small, and different for every seed."""
    busy_ms = os.environ.get(BUSY_VARIABLE)
    if busy_ms:
        _stay_busy(float(busy_ms) / 1000)
    value = _value(data["seed"], int(os.environ.get(SALT_VARIABLE, "0")))
    return {"value": value, "loss": 0.25, "kind": model["kind"]}


def _value(seed: int, salt: int) -> int:
    return 3 * seed + salt


def _stay_busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


# --- W5: arrays


ARRAY_BYTES = {"small": 1_000_000, "big": 100_000_000}


def payload(case: Case, save: Callable[[int, int], None], load: Callable[[int], object]) -> Facts:
    """Save and load `case.size` arrays, one after the other.

    Args:
        case: Its speeds are filled in.
        save: Makes the array of a number (`array_of`) and stores it.
        load: Returns the array of a number, as it was stored.
    """
    size_bytes = ARRAY_BYTES[case.variant]
    began = time.perf_counter()
    for number in range(case.size):
        save(number, size_bytes)
    saved = time.perf_counter()
    found = {"count": 0, "bytes": 0, "total": 0}
    for number in range(case.size):
        array = load(number)
        found["count"] += 1
        found["bytes"] += array.nbytes  # type: ignore[attr-defined]
        found["total"] += int(array[-1])  # type: ignore[index]
    ended = time.perf_counter()
    megabytes = case.size * size_bytes / 1e6
    case.speeds.update(save=megabytes / (saved - began), load=megabytes / (ended - saved))
    return found


def array_of(number: int, size_bytes: int) -> object:
    """An array that holds its number."""
    import numpy as np  # W5 only

    return np.full(size_bytes // 8, float(number))


# --- W8: shapes


def layers(case: Case) -> list[int]:
    """The width of each layer; every node reads from all nodes of the layer before."""
    if case.variant == "chain":
        return [1] * case.size
    return [case.size] * (2 if case.variant == "dense" else 10)


def step(index: int, upstream: Sequence[int]) -> int:
    """The value of a node, made of the values it reads from."""
    return (sum(upstream) + index + 1) % MODULUS


# --- expansion for the systems that have none


def expand(grid: Config) -> Iterator[Config]:
    """All combinations of the lists of a config, the last one fastest."""
    for choices in product(*_lists(grid)):
        yield _filled(grid, iter(choices))


def _lists(grid: Mapping[str, object]) -> Iterator[list[object]]:
    for value in grid.values():
        if isinstance(value, list):
            yield value
        elif isinstance(value, dict):
            yield from _lists(value)


def _filled(grid: Mapping[str, object], choices: Iterator[object]) -> Config:
    return {
        name: next(choices)
        if isinstance(value, list)
        else _filled(value, choices)
        if isinstance(value, dict)
        else value
        for name, value in grid.items()
    }


# --- what must come out


def _expanded(case: Case) -> Facts:
    count = 4 * max(1, case.size // 4) + 3
    return {"nodes": count, "keys": count}


def _finished(case: Case) -> Facts:
    return {"finished": case.size}


def _stored(case: Case) -> Facts:
    return {"count": case.size, "total": _total(case)}


def _stored_and_one(case: Case) -> Facts:
    new = _value(case.size + case.round, SALT_OF_READING)
    return {"count": case.size + 1, "total": _total(case) + new}


def _gathered(case: Case) -> Facts:
    return {"total": _total(case)}


def _total(case: Case) -> int:
    return sum(_value(seed, SALT_OF_FILLING) for seed in range(case.size))


def _loaded(case: Case) -> Facts:
    size_bytes = case.size * ARRAY_BYTES[case.variant]
    return {"count": case.size, "bytes": size_bytes, "total": sum(range(case.size))}


def _shaped(case: Case) -> Facts:
    values: list[int] = []
    for width in layers(case):
        values = [step(index, values) for index in range(width)]
    return {"count": sum(layers(case)), "total": sum(values)}


EXPECTED: dict[str, Callable[[Case], Facts]] = {
    "expand": _expanded,
    "cold": _finished,
    "busy": _finished,
    "warm": _stored,
    "one_more": _stored_and_one,
    "gather": _gathered,
    "payload": _loaded,
    "shape": _shaped,
}


def expected(function: str, case: Case) -> Facts:
    """The facts that an adapter's function must return."""
    return EXPECTED[function](case)
