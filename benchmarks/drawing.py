"""
How long do graphs take to be placed and painted?

`python -m benchmarks.drawing` prints the best of five, in seconds of the processor, so that what
else is at work on the machine counts less.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from flowlib.console_graph import charset, graph_lines
from flowlib.graph_summary import GraphFacts, TaskFacts, Wish
from flowlib.layout import layout

REPEATS = 5


def sweep(points: int) -> list[list[int]]:
    """One node, 100 that read from it, so many that read from one of these, one that reads all."""
    middle = [[101 + i for i in range(first, points, 100)] for first in range(100)]
    return [[*range(1, 101)], *middle, *[[101 + points]] * points, []]


def irregular(layers: int, size: int, lines: int) -> list[list[int]]:
    """Layers of one size, with random lines to the next."""
    chance = random.Random(0)
    targets = [
        sorted({(layer + 1) * size + chance.randrange(size) for _ in range(lines)})
        for layer in range(layers - 1)
        for _ in range(size)
    ]
    return [*targets, *([] for _ in range(size))]


GRAPHS = {
    "sweep of 400": sweep(298),
    "sweep of 10,000": sweep(9898),
    "ten random layers, 490": irregular(10, 49, 2),
    "ten random layers, 10,000": irregular(10, 1000, 2),
    "chain of 10,000": [*([n + 1] for n in range(9999)), []],
}


def facts_of(targets: list[list[int]]) -> GraphFacts:
    """A graph whose tasks are specs of their own."""
    sources: list[list[int]] = [[] for _ in targets]
    for node, near in enumerate(targets):
        for each in near:
            sources[each].append(node)
    return GraphFacts([TaskFacts(f"n{n}", f"n{n}") for n in range(len(targets))], sources)


def fastest(action: Callable[[], object]) -> float:
    """CPU seconds of the fastest of a few calls."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print a row for each graph."""
    print("| graph | placed | shown in 200 cells |\n|---|---|---|")
    for name, targets in GRAPHS.items():
        facts = facts_of(targets)
        placed = fastest(lambda targets=targets: layout(targets))
        shown = fastest(
            lambda facts=facts: graph_lines(facts, 200, charset(True), Wish(tasks=True))
        )
        print(f"| {name} | {placed:.3f} | {shown:.3f} |", flush=True)


if __name__ == "__main__":
    main()
