"""What type checkers must accept; read by tests/flowlib/test_function_types.py."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import field
from pathlib import Path
from typing import Any, assert_type

from flowlib import Call, Flow, Task, TaskFunction, TaskSpec, sweep, task, wrap_executor


@task
def load(n: int, *, name: str = "a") -> list[float]:
    return [float(n)]


@task(version=2, ignore=["verbose"], retries=3)
def fit(data: list[float], lr: float, verbose: bool = False) -> dict[str, float]:
    return {"score": sum(data) * lr}


@task
def pick(scores: list[float]) -> float:
    return max(scores)


@task(eager=True)
def twice(x: int) -> int:
    return 2 * x


assert_type(load(3), Call[list[float]])
assert_type(fit.fn([1.0], 0.1), dict[str, float])
data = load(n=3, name="b")
models = fit(data, lr=sweep(0.1, 0.2)).named("model").options(priority=1)
assert_type(models, Call[dict[str, float]])
assert_type(pick.reduce(models["score"]), Call[float])
assert_type(load.map([1, 2]), list[Call[list[float]]])
assert_type(load(3).result("memory:"), list[float])
assert_type(load.call(3, force=True), list[float])
assert_type(load.bind(store="memory:")(3), list[float])
assert_type(load.key(3), str)
assert_type(twice(2), int)
assert_type(twice.spec(2), Call[int])
pick([1.0, models["score"]])
Flow([pick(models["score"])])


@task(future=True)
def later(x: int) -> Future[int]:
    return ThreadPoolExecutor().submit(twice, x)


pool = wrap_executor(ThreadPoolExecutor(2), "memory:")
assert_type(pool.submit(load, 3), Future[list[float]])
assert_type(pool.submit(len, "abc"), Future[int])
assert_type(pool.map(load, [1, 2]), Iterator[list[float]])
assert_type(load(3).submit("memory:", executor=pool), Future[list[float]])
assert_type(later.call(3), Future[int])
as_usual: Executor = pool


class Train(Task[Path]):
    lr: float = 0.1
    sizes: list[int] = field(default_factory=list)
    data: list[float] = field(default_factory=lambda: load(3))

    def run(self) -> Path:
        return self.run_dir / "model"

    def restore(self) -> Path:
        return self.shared_dir

    def validate(self) -> bool:
        return self.restore().exists()


class Plain(Task):
    def run(self, data: list[float]) -> dict[str, float]:
        return {"sum": sum(data)}


assert_type(Train.spec(lr=0.2), Call[Path])
assert_type(Plain.spec(load(1)), Call[Any])
named = Flow({"one": Train.spec(), "more": [Plain.spec(load(1)), TaskSpec(Train, retries=2)]})
named.defaults(retries=2).query("one", tags="big").set(store="git", executor_options={"ray": {}})
assert_type(list(named), list[str])
known: TaskFunction[[list[float]], float] = pick
anything: Any = known
