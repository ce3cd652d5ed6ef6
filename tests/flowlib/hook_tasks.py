"""Hooks and tasks for tests; in a module of their own, so that workers can import them."""

from __future__ import annotations

import os
import random

from flowlib import Task

STATE: dict[str, object] = {}


def seeded(task):
    """Seed what the task uses."""
    random.seed(task.node_seed)


def noted(task):
    """Keep what the hook saw of its task."""
    STATE.update(
        name=task.unique_name,
        config=dict(task.config),
        resource=task.resource,
        device=os.environ.get("CUDA_VISIBLE_DEVICES"),
        order=[*STATE.get("order", []), "noted"],
    )


def ordered(task):
    """Be the second."""
    STATE["order"] = [*STATE.get("order", []), "ordered"]


def refuses(task):
    """Fail."""
    raise LookupError(f"no licence for {task.unique_name}")


def drawn(n):
    """A number that depends on the seed."""
    return {"number": random.random(), "state": dict(STATE)}


class Drawn(Task):
    """Draws in its constructor already."""

    def __init__(self, n: int):
        self.number = random.random()

    def run(self):
        """Tell what was drawn."""
        return {"number": self.number, "seed": self.node_seed}
