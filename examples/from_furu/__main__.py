"""Run it: python -m examples.from_furu --store FOLDER."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.from_furu.flow import my_experiments, versioned
from examples.from_furu.tasks import TrainModel, TrainTextModel
from stores import LocalFileStore


def main() -> None:
    """Compute the quickstart, the nested pipeline and the collection, twice."""
    parser = argparse.ArgumentParser(description="furu's examples, in flowlib")
    parser.add_argument("--store", default="runs/from_furu", help="folder of the results")
    folder = Path(parser.parse_args().store)
    store = LocalFileStore(folder / "data")

    quickstart = TrainModel.spec(lr=3e-4, steps=5000)
    for _ in range(2):
        decision = "success->load" if quickstart.exists(store) else "missing->create"
        print(f"load_or_create TrainModel {quickstart.key[:8]} ({decision})")
        print(f"  {quickstart.result(store).relative_to(folder.resolve())}")

    print(TrainTextModel.spec().result(store), end="")
    print("experiments:", my_experiments().run(num_workers=1, results_store=store).counts)
    print("again:", my_experiments().run(num_workers=1, results_store=store).counts)
    git = LocalFileStore(folder / "git")
    versioned().run(num_workers=1, results_store=store, stores={"git": git})
    print("in git:", sorted(each.task for each in git.addresses()))


if __name__ == "__main__":
    main()
