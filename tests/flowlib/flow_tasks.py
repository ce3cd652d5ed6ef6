"""Tasks of the tests of flows as collections of specs."""

from __future__ import annotations

from flowlib import Task, task


@task
def load(n):
    return list(range(n))


@task
def fit(data, lr=0.1):
    return {"score": lr * sum(data)}


@task(tags=["late"])
def pick(scores):
    return max(scores)


class Train(Task):
    lr: float = 0.1
    steps: int = 10

    def run(self):
        return {"loss": self.lr * self.steps}


def double(x):
    return {"y": 2 * x}


def total(y):
    return {"sum": sum(each.value for each in y)}
