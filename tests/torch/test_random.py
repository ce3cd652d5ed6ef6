"""Does one task see the random numbers of another?"""

from __future__ import annotations

import os

import pytest

from flowlib import Flow, TaskSpec

pytest.importorskip("torch")


def draw_torch(x: int, seeds: bool) -> dict[str, object]:
    """Draw from the global generator, seeded or not."""
    import torch

    if seeds:
        torch.manual_seed(0)
    return {"drawn": float(torch.rand(1)), "pid": os.getpid()}


def test_random_numbers_do_not_depend_on_earlier_tasks() -> None:
    """A seed that one task sets is unknown to the next; without one all draw different numbers."""
    spec = TaskSpec(draw_torch, {"x": [0, 1, 2], "seeds": [True, False]}, expand="product")
    run = Flow([spec]).run(num_workers=1, executor="processes")
    found = [each.results for each in run["draw_torch"]]
    seeded = {each["drawn"] for each in found[::2]}
    free = [each["drawn"] for each in found[1::2]]

    assert len(seeded) == 1
    assert len({*free, *seeded}) == 4
    assert len({each["pid"] for each in found}) == 1
