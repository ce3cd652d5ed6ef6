"""Tasks of the tests of class tasks."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Annotated, ClassVar

from flowlib import Ignore, Task, task

COUNT: dict[str, int] = {}


def count(name):
    COUNT[name] = COUNT.get(name, 0) + 1


class Dataset(Task[str]):
    kind: str = "toy"
    sizes: list[int] = field(default_factory=lambda: [1, 2])

    def run(self) -> str:
        self.sizes.append(3)  # its own list
        (self.run_dir / "data.txt").write_text(f"{self.kind} {self.sizes}")
        return "ready"

    def restore(self) -> str:
        count("restore dataset")
        return (self.run_dir / "data.txt").read_text()


class Model(Task[Path]):
    dataset: str = field(default_factory=Dataset.spec)
    lr: float = 0.1

    def run(self) -> Path:
        path = self.run_dir / "model.txt"
        path.write_text(f"{self.lr} on {self.dataset}")
        return path

    def restore(self) -> Path:
        return self.run_dir / "model.txt"


class Constructed(Task[str]):
    def __init__(self, dataset: str = Dataset.spec(kind="made"), lr: float = 0.1) -> None:
        self.text = f"{lr} on {dataset}"

    def run(self) -> None:
        self.save(self.text, "text")

    def restore(self) -> str:
        return self.text + " " + self.load("text")[:3]


SEVEN = Dataset.spec(kind="seven")


@task
def size(of=SEVEN):
    return len(of)


@task
def read(model):
    return Path(model).read_text()


@task
def gather(models):
    return [Path(each).read_text() for each in models]


class Checked(Task):
    """Counts as long as its file is there and says so."""

    lr: float = 0.1
    source: str = "x"

    def run(self):
        (self.run_dir / "checkpoint").write_text(f"good {self.source}")
        return {"lr": self.lr}

    def validate(self) -> bool:
        count("validate")
        if self.lr == 9.0:
            raise OSError("no disk")
        path = self.run_dir / "checkpoint"
        return path.exists() and path.read_text() == f"good {self.source}" and self.load("lr") > 0


class Shared(Task):
    x: int = 0

    def run(self):
        path = self.shared_dir / "all.txt"
        before = path.read_text() if path.exists() else ""
        path.write_text(f"{before}{self.x}")
        return {"seen": before, "folder": str(self.shared_dir)}


class Clean(Task):
    """A task that has nothing to say about its results."""

    x: int = 0

    def run(self):
        return {"y": self.x}


class Forbidden(Task[str]):
    what: str = "save"

    def run(self) -> None:
        self.save(1, "one")

    def restore(self) -> str:
        if self.what == "save":
            self.save(2, "two")
        if self.what == "delete":
            self.delete("one")
        if self.what == "open":
            self.open("one", mode="w")
        return str(self.checkpoint_dir)


def reads_text(text):
    return {"length": len(text)}


class Hidden(Task):
    logger: str = "a"

    def run(self):
        return 1


class Marked(Task):
    lr: float = 0.1
    verbose: Annotated[bool, Ignore] = False
    shared: ClassVar[int] = 1

    def run(self):
        return {"lr": self.lr}
