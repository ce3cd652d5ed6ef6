"""What type checkers must refuse: each line that ends on `# error: CODE`."""

from flowlib import Flow, task


@task
def load(n: int) -> list[float]:
    return [float(n)]


@task(version=2)
def fit(data: list[float], lr: float = 0.1) -> dict[str, float]:
    return {"score": sum(data) * lr}


load("three")  # error: arg-type
load()  # error: call-arg
load(m=3)  # error: call-arg
fit(load(1), lr="fast")  # error: arg-type
fit(load(1), 0.1, True)  # error: call-arg
load.fn(3).keys()  # error: attr-defined
task(version=[1])  # error: call-overload
fit(load(1)).named(3)  # error: arg-type
Flow([load])  # error: list-item
