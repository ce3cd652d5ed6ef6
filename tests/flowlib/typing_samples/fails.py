"""What type checkers must refuse: each line that ends on `# error: CODE`."""

from pathlib import Path

from flowlib import Flow, Task, task


@task
def load(n: int) -> list[float]:
    return [float(n)]


@task(version=2)
def fit(data: list[float], lr: float = 0.1) -> dict[str, float]:
    return {"score": sum(data) * lr}


class Train(Task[Path]):
    def run(self) -> str:  # error: override
        return "model"

    def restore(self) -> int:  # error: override
        return 3

    def validate(self) -> str:  # error: override
        return "yes"


class Good(Task[Path]):
    def run(self) -> Path:
        return self.run_dir


Flow({"good": Good})  # error: dict-item
Flow({"good": Good.spec()}).query("good").set(retry=2)  # error: call-arg
load("three")  # error: arg-type
load()  # error: call-arg
load(m=3)  # error: call-arg
fit(load(1), lr="fast")  # error: arg-type
fit(load(1), 0.1, True)  # error: call-arg
load.fn(3).keys()  # error: attr-defined
task(version=[1])  # error: call-overload
fit(load(1)).named(3)  # error: arg-type
fit(load(1)).result(7)  # error: arg-type
load.bind()("three")  # error: arg-type
load.key()  # error: call-arg
load.call(3).keys()  # error: attr-defined
Flow([load])  # error: list-item
