"""How does fluidml 0.3.4 compute the workloads?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluidml import Flow, Task, TaskSpec
from fluidml.storage import LocalFileStore
from fluidml.utils import create_unique_hash_from_config

from benchmarks import workloads
from benchmarks.workloads import Case, Facts


class Prep(Task):
    def __init__(self, source: str, scale: dict[str, Any]) -> None:
        super().__init__()

    def run(self) -> None:
        raise NotImplementedError


class Search(Task):
    def __init__(
        self, model: dict[str, Any], optimizer: dict[str, Any], data: dict[str, Any]
    ) -> None:
        super().__init__()

    def run(self, features: object) -> None:
        raise NotImplementedError


class Evaluate(Task):
    def __init__(self, metric: str) -> None:
        super().__init__()

    def run(self, model: object) -> None:
        raise NotImplementedError


class Report(Task):
    def run(self, score: list[object]) -> None:
        raise NotImplementedError


class Train(Task):
    def __init__(
        self, model: dict[str, Any], optimizer: dict[str, Any], data: dict[str, Any]
    ) -> None:
        super().__init__()
        self.model, self.data = model, data

    def run(self) -> None:
        self.save(workloads.train(self.model, self.data), "result", type_="json")


class Gather(Task):
    def __init__(self, round: int) -> None:  # noqa: A002
        super().__init__()

    def run(self, result: list[Any]) -> None:
        self.save(sum(each.value["value"] for each in result), "total", type_="json")


class First(Task):
    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def run(self) -> None:
        self.save(workloads.step(self.index, []), "value", type_="json")


class Step(Task):
    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def run(self, value: int) -> None:
        self.save(workloads.step(self.index, [value]), "value", type_="json")


class Join(Task):
    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def run(self, value: list[Any]) -> None:
        upstream = [each.value for each in value]
        self.save(workloads.step(self.index, upstream), "value", type_="json")


def _train(seeds: list[int], name: str = "Train") -> TaskSpec:
    return TaskSpec(Train, config=workloads.train_grid(seeds), expand="product", name=name)


def _run(specs: list[TaskSpec], case: Case, results: str | None = "all") -> Any:
    store = LocalFileStore(f"{case.folder}/store")
    return Flow(specs).run(
        num_workers=case.workers, results_store=store, run_name="bench", return_results=results
    )


def _collected(results: Any) -> Facts:
    values = [each.results["result"]["value"] for each in results["Train"]]
    return {"count": len(values), "total": sum(values)}


def expand(case: Case) -> Facts:
    """W1: nodes with their hashes, which fluidml computes when it runs them."""
    prep = TaskSpec(Prep, config=workloads.prep_grid(), expand="product")
    search = TaskSpec(Search, config=workloads.search_grid(case.size), expand="product")
    evaluate = TaskSpec(Evaluate, config={"metric": "f1"})
    report = TaskSpec(Report, reduce=True)
    search.requires(prep)
    evaluate.requires(search)
    report.requires(evaluate)
    flow = Flow([prep, search, evaluate, report])
    tasks = flow.task_graph.nodes(data="task")
    keys = {(task.name, create_unique_hash_from_config(task.unique_config)) for _, task in tasks}
    return {"nodes": flow.num_tasks, "keys": len(keys)}


def cold(case: Case) -> Facts:
    """W2: run tasks into an empty store."""
    _run([_train(workloads.seeds(case))], case, results=None)
    return {"finished": len(list(Path(case.folder, "store", "Train").iterdir()))}


busy = cold


def warm(case: Case) -> Facts:
    """W3: collect the results of tasks that have run."""
    return _collected(_run([_train(workloads.seeds(case))], case))


def one_more(case: Case) -> Facts:
    """W4: the same and one new task."""
    return _collected(_run([_train(workloads.seeds_and_one_more(case))], case))


def gather(case: Case) -> Facts:
    """W6: one new task that reads all results."""
    train = _train(workloads.seeds(case))
    total = TaskSpec(Gather, config={"round": case.round}, reduce=True)
    total.requires(train)
    results = _run([train, total], case, "latest")
    return {"total": results["Gather"][0].results["total"]}


def shape(case: Case) -> Facts:
    """W8: tasks that read from other tasks."""
    widths = workloads.layers(case)
    specs = [[TaskSpec(First, config={"index": i}, name=f"L0N{i}") for i in range(widths[0])]]
    task, reduce = (Step, None) if case.variant == "chain" else (Join, True)
    for depth, width in enumerate(widths[1:], 1):
        layer = [
            TaskSpec(task, config={"index": i}, name=f"L{depth}N{i}", reduce=reduce)
            for i in range(width)
        ]
        for spec in layer:
            spec.requires(specs[-1])
        specs.append(layer)
    results = _run([spec for layer in specs for spec in layer], case)
    last = [results[spec.name][0].results["value"] for spec in specs[-1]]
    return {"count": len(results), "total": sum(last)}


def payload(case: Case) -> Facts:
    """W5: arrays, by the store alone."""
    store = LocalFileStore(f"{case.folder}/store")

    def config_of(number: int) -> dict[str, Any]:
        return {"Make": {"number": number}}

    def save(number: int, size_bytes: int) -> None:
        array = workloads.array_of(number, size_bytes)
        store.save(array, "array", "pickle", "Make", config_of(number))

    return workloads.payload(
        case, save, lambda number: store.load("array", "Make", config_of(number))
    )
