"""Which network divides the spirals best? Run: `python -m examples.torch_gpu`."""

from __future__ import annotations

import argparse

from examples.torch_gpu.flow import build
from stores import LocalFileStore


def main() -> None:
    """Train one network per device at a time and print the best."""
    parser = argparse.ArgumentParser(prog="python -m examples.torch_gpu", description=__doc__)
    parser.add_argument("--store", default="runs/torch_gpu", help="folder of the results")
    store = LocalFileStore(parser.parse_args().store)
    run = build().run(num_workers=len(devices()), resources=devices(), results_store=store)
    for result in run["TrainNet"]:
        print(f"{result.task_unique_name} on {result['device']}: {result['accuracy']:.3f}")
    best = run["BestNet"][0]
    print(f"best: {best['best']} with {best['accuracy']:.3f}")


def devices() -> list[str]:
    """Every GPU by its name, or `cpu` once for each of two workers."""
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu", "cpu"]


if __name__ == "__main__":
    main()
