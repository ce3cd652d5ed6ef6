"""How do joblib's Memory and Parallel compute the workloads? It has no graph of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from joblib import Memory, Parallel, delayed

from benchmarks import workloads
from benchmarks.workloads import Case, Config, Facts


def train(config: Config) -> dict[str, object]:
    """A small task."""
    return workloads.train(config["model"], config["data"])  # type: ignore[arg-type]


def add_up(round_: int, results: Sequence[dict[str, int]]) -> int:
    """A task over many results."""
    return sum(result["value"] for result in results)


def step(index: int, layer: int, upstream: Sequence[int]) -> int:
    """A node of a shape."""
    return workloads.step(index, upstream)


def _cached(case: Case, function: Callable[..., Any]) -> Callable[..., Any]:
    return Memory(f"{case.folder}/cache", verbose=0).cache(function)


def _trained(case: Case, seeds: list[int]) -> list[dict[str, int]]:
    cached = _cached(case, train)
    configs = workloads.expand(workloads.train_grid(seeds))
    if case.workers == 1:
        return [cached(config) for config in configs]
    return Parallel(n_jobs=case.workers)(delayed(cached)(config) for config in configs)


def _collected(results: list[dict[str, int]]) -> Facts:
    return {"count": len(results), "total": sum(result["value"] for result in results)}


def cold(case: Case) -> Facts:
    """W2: run tasks into an empty store."""
    return {"finished": len(_trained(case, workloads.seeds(case)))}


busy = cold


def warm(case: Case) -> Facts:
    """W3: collect the results of tasks that have run."""
    return _collected(_trained(case, workloads.seeds(case)))


def one_more(case: Case) -> Facts:
    """W4: the same and one new task."""
    return _collected(_trained(case, workloads.seeds_and_one_more(case)))


def gather(case: Case) -> Facts:
    """W6: one new task that reads all results."""
    results = _trained(case, workloads.seeds(case))
    return {"total": _cached(case, add_up)(case.round, results)}


def shape(case: Case) -> Facts:
    """W8: calls whose arguments are the results of other calls."""
    cached, values, count = _cached(case, step), [], 0
    for layer, width in enumerate(workloads.layers(case)):
        values = [cached(index, layer, values) for index in range(width)]
        count += width
    return {"count": count, "total": sum(values)}


def payload(case: Case) -> Facts:
    """W5: arrays that a cached function returns."""
    cached = _cached(case, workloads.array_of)
    size_bytes = workloads.ARRAY_BYTES[case.variant]
    return workloads.payload(case, cached, lambda number: cached(number, size_bytes))
