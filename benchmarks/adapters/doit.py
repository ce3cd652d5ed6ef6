"""How does doit compute the workloads? Tasks are dicts, values live in its database (dbm)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from doit.cmd_base import ModuleTaskLoader
from doit.control import TaskControl
from doit.dependency import Dependency, MD5Checker
from doit.doit_cmd import DoitMain
from doit.loader import generate_tasks
from doit.tools import config_changed

from benchmarks import workloads
from benchmarks.workloads import Case, Config, Facts

TaskDict = dict[str, Any]
TaskDicts = Iterator[TaskDict]


def train(config: Config) -> dict[str, object]:
    """A small task; doit keeps the dict it returns."""
    return workloads.train(config["model"], config["data"])  # type: ignore[arg-type]


def total(values: dict[str, int]) -> dict[str, int]:
    """A task over many results."""
    return {"total": sum(values.values())}


def step(index: int, **upstream: Any) -> dict[str, int]:
    """A node of a shape."""
    values: list[int] = []
    for given in upstream.values():
        values += given.values() if isinstance(given, dict) else [given]
    return {"value": workloads.step(index, values)}


def _task(name: str, function: Any, config: Any, **more: Any) -> TaskDict:
    text = json.dumps(config, sort_keys=True)
    return {"name": name, "actions": [function], "uptodate": [config_changed(text)], **more}


def _train_tasks(seeds: list[int]) -> TaskDicts:
    for config in workloads.expand(workloads.train_grid(seeds)):
        name = str(config["data"]["seed"])  # type: ignore[index]
        yield _task(name, (train, [config]), config)


def _database(case: Case) -> str:
    return f"{case.folder}/doit.db"


def _run(case: Case, **creators: Any) -> None:
    """Run the tasks of some creators as the command does."""
    tasks = {f"task_{name}": creator for name, creator in creators.items()}
    options = ["run", "--db-file", _database(case), "--verbosity", "0"]
    if case.workers > 1:
        options += ["-n", str(case.workers)]
    reporter = ["--reporter", "zero"]
    if code := DoitMain(ModuleTaskLoader(tasks)).run([*options, *reporter]):
        sys.exit(code)


def _values(case: Case, names: list[str]) -> list[dict[str, Any]]:
    from doit.dependency import DbmDB  # the default store

    database = Dependency(DbmDB, _database(case), MD5Checker)
    return [database.get_values(name) for name in names]


def _train_values(case: Case, seeds: list[int]) -> list[int]:
    return [each["value"] for each in _values(case, [f"train:{seed}" for seed in seeds])]


def _collected(case: Case, seeds: list[int]) -> Facts:
    _run(case, train=lambda: _train_tasks(seeds))
    values = _train_values(case, seeds)
    return {"count": len(values), "total": sum(values)}


def expand(case: Case) -> Facts:
    """W1: tasks with names and dependencies."""
    search = list(workloads.expand(workloads.search_grid(case.size)))
    preps = list(workloads.expand(workloads.prep_grid()))
    names = [(p, n) for p in range(len(preps)) for n in range(len(search))]

    def task_prep() -> TaskDicts:
        for at, config in enumerate(preps):
            yield _task(str(at), (train, [config]), config)

    def task_search() -> TaskDicts:
        for at, n in names:
            config = search[n]
            yield _task(f"{at}-{n}", (train, [config]), config, task_dep=[f"prep:{at}"])

    def task_evaluate() -> TaskDicts:
        for at, n in names:
            upstream = [f"search:{at}-{n}"]
            yield _task(f"{at}-{n}", (train, [{}]), {"metric": "f1"}, task_dep=upstream)

    def task_report() -> TaskDict:
        return {"actions": None, "task_dep": ["evaluate"]}

    creators = (task_prep, task_search, task_evaluate, task_report)
    tasks = [
        task for make in creators for task in generate_tasks(make.__name__[len("task_") :], make())
    ]
    control = TaskControl(tasks)
    nodes = [name for name, task in control.tasks.items() if not task.has_subtask]
    return {"nodes": len(nodes), "keys": len(set(nodes))}


def cold(case: Case) -> Facts:
    """W2: run tasks into an empty store."""
    seeds = workloads.seeds(case)
    _run(case, train=lambda: _train_tasks(seeds))
    return {"finished": len(_train_values(case, seeds))}


busy = cold


def warm(case: Case) -> Facts:
    """W3: collect the results of tasks that have run."""
    return _collected(case, workloads.seeds(case))


def one_more(case: Case) -> Facts:
    """W4: the same and one new task."""
    return _collected(case, workloads.seeds_and_one_more(case))


def gather(case: Case) -> Facts:
    """W6: one new task that reads all results."""
    seeds, name = workloads.seeds(case), f"gather{case.round}"

    def task_gather() -> TaskDict:
        reads = {"values": ("train", "value")}
        return {"actions": [(total,)], "getargs": reads, "uptodate": [True]}

    _run(case, train=lambda: _train_tasks(seeds), **{name: task_gather})
    return {"total": _values(case, [name])[0]["total"]}


def shape(case: Case) -> Facts:
    """W8: tasks that read from other tasks."""
    widths = workloads.layers(case)

    def task_layer() -> Iterator[TaskDict]:
        for depth, width in enumerate(widths):
            upstream = [f"layer:{depth - 1}-{i}" for i in range(widths[depth - 1])] if depth else []
            reads = {f"from{i}": (name, "value") for i, name in enumerate(upstream)}
            for i in range(width):
                yield _task(f"{depth}-{i}", (step, [i]), [depth, i], getargs=reads)

    _run(case, layer=task_layer)
    names = [f"layer:{depth}-{i}" for depth, width in enumerate(widths) for i in range(width)]
    values = [each["value"] for each in _values(case, names)]
    return {"count": len(values), "total": sum(values[-widths[-1] :])}
