"""Does the example train one network per device?"""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.torch_gpu.__main__ import devices
from examples.torch_gpu.flow import build
from stores import LocalFileStore

pytest.importorskip("torch")


def test_networks_are_trained_on_the_devices_of_their_resources(tmp_path: Path) -> None:
    """Six networks, each on a device of the list; the best one divides most points."""
    resources = devices()
    store = LocalFileStore(str(tmp_path))
    run = build(steps=150).run(num_workers=len(resources), resources=resources, results_store=store)
    assert {result["device"] for result in run["TrainNet"]} <= set(resources)
    assert run["BestNet"][0]["accuracy"] > 0.8
    assert run["BestNet"][0]["accuracy"] == max(each["accuracy"] for each in run["TrainNet"])


def test_second_run_trains_nothing(tmp_path: Path) -> None:
    """Weights and scores come from the store, on whatever device they were made."""
    store = LocalFileStore(str(tmp_path))
    for _ in range(2):
        run = build(steps=5).run(num_workers=1, resources=devices()[:1], results_store=store)
    assert run.counts == {"cached": 8}
    assert run["TrainNet"][0]["weights"]["0.weight"].shape == (8, 2)
