"""What type checkers must accept; read by tests/flowlib/test_function_types.py."""

from typing import Any, assert_type

from flowlib import Call, Flow, TaskFunction, sweep, task


@task
def load(n: int, *, name: str = "a") -> list[float]:
    return [float(n)]


@task(version=2, ignore=["verbose"], retries=3)
def fit(data: list[float], lr: float, verbose: bool = False) -> dict[str, float]:
    return {"score": sum(data) * lr}


@task
def pick(scores: list[float]) -> float:
    return max(scores)


assert_type(load(3), Call[list[float]])
assert_type(fit.fn([1.0], 0.1), dict[str, float])
data = load(n=3, name="b")
models = fit(data, lr=sweep(0.1, 0.2)).named("model").options(priority=1)
assert_type(models, Call[dict[str, float]])
assert_type(pick.reduce(models["score"]), Call[float])
assert_type(load.map([1, 2]), list[Call[list[float]]])
pick([1.0, models["score"]])
Flow([pick(models["score"])])
known: TaskFunction[[list[float]], float] = pick
anything: Any = known
