"""
Graphs whose pictures are kept in golden/graphs.

`python -m tests.flowlib.graph_cases` writes the pictures anew; look at them before committing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from flowlib.console_graph import charset, graph_lines
from flowlib.console_text import plain
from flowlib.graph_summary import GraphFacts, TaskFacts, Wish

FOLDER = Path(__file__).parent / "golden" / "graphs"


class Builder:
    """Adds task by task."""

    def __init__(self) -> None:
        self.tasks: list[TaskFacts] = []
        self.sources: list[Sequence[int]] = []

    def spec(
        self,
        name: str,
        details: Sequence[str],
        sources: Sequence[Sequence[int]],
        state_of: Callable[[int], str | None] = lambda _: None,
    ) -> list[int]:
        """A spec with a task for each detail and each combination of sources; their numbers."""
        rows = [(near, detail) for near in sources for detail in details]
        first = len(self.tasks)
        for number, (near, detail) in enumerate(rows):
            unique = f"{name}-{number + 1}" if len(rows) > 1 else name
            key = f"{first + number + 1:032x}"
            self.tasks.append(TaskFacts(name, unique, key, detail, state_of(number)))
            self.sources.append(near)
        return [*range(first, len(self.tasks))]

    def facts(self) -> GraphFacts:
        """All that was added."""
        return GraphFacts(self.tasks, self.sources)


def sweep(lrs: int, seeds: int = 1, *, is_run: bool = True) -> GraphFacts:
    """Fetch, Clean, two kinds of features, Train over learning rates and seeds, Eval, Select."""

    def states(state_of: Callable[[int], str]) -> Callable[[int], str | None]:
        return state_of if is_run else lambda _: None

    def train(number: int) -> str:
        return "failed" if number == 0 else "running" if number % 5 == 4 else "finished"

    def evaluate(number: int) -> str:
        return {"failed": "upstream_failed", "running": "pending"}.get(train(number), "finished")

    build = Builder()
    (fetch,) = build.spec("Fetch", [""], [()], states(lambda _: "cached"))
    (clean,) = build.spec("Clean", [""], [(fetch,)], states(lambda _: "cached"))
    tfidf = build.spec(
        "Tfidf",
        ["min_df=1", "min_df=3"],
        [(clean,)],
        states(lambda number: "cached" if number == 0 else "finished"),
    )
    glove = build.spec("Glove", ["dim=50", "dim=100"], [(clean,)], states(lambda _: "finished"))
    details = [
        f"lr={10 ** -(lr + 1):g}" + (f" seed={seed}" if seeds > 1 else "")
        for lr in range(lrs)
        for seed in range(seeds)
    ]
    trained = build.spec("Train", details, [(t, g) for t in tfidf for g in glove], states(train))
    evaluated = build.spec("Eval", [""], [(each,) for each in trained], states(evaluate))
    build.spec("Select", [""], [tuple(evaluated)], states(lambda _: "pending"))
    return build.facts()


def parts() -> GraphFacts:
    """Connected parts of several forms, and nodes alone."""
    build = Builder()
    first = build.spec("Load", ["size=1", "size=2"], [()])
    build.spec("Fit", ["degree=1", "degree=2"], [(each,) for each in first])
    build.spec("Alone", [""], [()])
    (long,) = build.spec("Long", [""], [()])
    (middle,) = build.spec("Middle", [""], [(long,)])
    build.spec("End", [""], [(long, middle)])
    build.spec("Other", ["x=1", "x=2"], [()])
    return build.facts()


def long_names() -> GraphFacts:
    """Specs whose names do not fit in a narrow terminal."""
    build = Builder()
    (corpus,) = build.spec("DownloadTheWholeCorpus", [""], [()], lambda _: "cached")
    parts = build.spec("SplitIntoTrainingParts", ["n=1", "n=2"], [(corpus,)], lambda _: "running")
    build.spec("EvaluateAllOfTheParts", [""], [tuple(parts)], lambda _: "pending")
    return build.facts()


SIX_SPECS = Wish(tasks=False)
CASES: dict[str, tuple[GraphFacts, Wish]] = {
    "specs": (sweep(3), SIX_SPECS),
    "31-tasks": (sweep(3), Wish()),
    "31-tasks-before": (sweep(3, is_run=False), Wish()),
    "expanded": (sweep(3), Wish(expand=["Train"])),
    "around": (sweep(3), Wish(around="Train-4")),
    "495-tasks": (sweep(61), Wish()),
    "495-tasks-all": (sweep(61), Wish(tasks=True)),
    "2007-tasks": (sweep(5, 50), Wish()),
    "2007-tasks-around": (sweep(5, 50), Wish(around="Glove-2")),
    "parts": (parts(), Wish()),
    "long-names": (long_names(), Wish()),
}
WIDTHS = (60, 100, 200)


def names_of_pictures() -> list[str]:
    """The names of the golden files."""
    return [
        f"{case}-{width}-{chars}.txt"
        for case in CASES
        for width in WIDTHS
        for chars in ("unicode", "ascii")
    ]


def picture(name: str) -> str:
    """What stands in a golden file."""
    case, width, chars = name.removesuffix(".txt").rsplit("-", 2)
    facts, wish = CASES[case]
    return plain(graph_lines(facts, int(width), charset(chars == "unicode"), wish))


if __name__ == "__main__":
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for name in names_of_pictures():
        (FOLDER / name).write_text(picture(name))
