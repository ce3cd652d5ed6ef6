"""Which networks are trained, and what does each need while it runs?"""

from __future__ import annotations

from examples.torch_gpu.tasks import BestNet, Spirals, TrainNet
from flowlib import Flow, TaskSpec


def build(steps: int = 300) -> Flow:
    """Return the pipeline: six networks; each takes one resource, the rest takes none."""
    data = TaskSpec(Spirals, resources={})
    train = TaskSpec(
        TrainNet,
        config={"hidden": [8, 32, 64], "learning_rate": [1e-2, 1e-3], "steps": steps},
        expand="product",
        resources={"gpu": 1},
    )
    best = TaskSpec(BestNet, reduce=True, resources={})
    train.requires(data)
    best.requires(train)
    return Flow([data, train, best])
