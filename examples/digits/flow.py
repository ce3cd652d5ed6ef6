"""Which grid does the digits pipeline search?"""

from __future__ import annotations

from examples.digits.tasks import Evaluate, Features, Load, Select, Split, Summarise, Train
from flowlib import Flow, TaskSpec, sweep

MODELS = [
    {"family": "logistic", "C": [0.1, 1.0, 10.0]},
    {
        "family": "svm",
        "C": [1.0, 10.0],
        "kernel": ["linear", "rbf"],
        "gamma": sweep(0.02, 0.1).when(kernel="rbf"),  # a linear kernel has no gamma
    },
    {"family": "forest", "trees": [10, 40, "@size"], "depth": [6, 12, "@size"]},  # in lockstep
]
"""The families, each with a grid of its own: 3 + 6 + 2 = 11 models."""


def specs() -> list[TaskSpec]:
    """Return the seven steps, linked; `configs/digits.yaml` says the same."""
    load = TaskSpec(Load, config={"samples": 600})
    split = TaskSpec(Split, config={"seed": [0, 1, 2]}, expand="product")
    features = TaskSpec(
        Features,
        config={"method": sweep("pixels", "pca"), "components": sweep(16, 32).when(method="pca")},
    )
    train = TaskSpec(Train, config={"model": MODELS}, expand="product", config_group_prefix="@")
    evaluate = TaskSpec(Evaluate)
    summarise = TaskSpec(Summarise, reduce=["seed"])
    select = TaskSpec(Select, reduce=True)

    split.requires(load)
    features.requires(load, split)
    train.requires(features)
    evaluate.requires(train, features)
    summarise.requires(evaluate)
    select.requires(summarise)
    return [load, split, features, train, evaluate, summarise, select]


def build() -> Flow:
    """Return the pipeline, ready to be planned, drawn and run."""
    return Flow(specs())
