"""The specs: single ones, and a collection of experiments with names."""

from __future__ import annotations

from examples.from_furu.tasks import TrainModel, VersionedConfig
from flowlib import Flow


def my_experiments() -> Flow:
    """The experiments of `MyExperiments`, those of its dict among them."""
    configs = {
        "tiny": TrainModel.spec(lr=1e-3, steps=100),
        "huge": TrainModel.spec(lr=1e-4, steps=100000),
    }
    return Flow(
        {
            "baseline": TrainModel.spec(lr=1e-3, steps=1000),
            "fast_lr": TrainModel.spec(lr=1e-2, steps=1000),
            "long_run": TrainModel.spec(lr=1e-3, steps=10000),
            **configs,
        }
    )


def versioned() -> Flow:
    """A task whose results lie in another store."""
    return Flow({"config": VersionedConfig.spec().options(store="git")})
