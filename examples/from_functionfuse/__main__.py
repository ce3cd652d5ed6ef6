"""Run it: python -m examples.from_functionfuse --store FOLDER."""

from __future__ import annotations

import argparse

from examples.from_functionfuse.flow import pipeline, store_in
from flowlib import Flow


def main() -> None:
    """Train, list what is stored, and judge the model by what is stored."""
    parser = argparse.ArgumentParser(description="functionfuse's basic example, in flowlib")
    parser.add_argument("--store", default="runs/from_functionfuse", help="folder of the results")
    store = store_in(parser.parse_args().store, "classifier")

    split, model = pipeline()
    run = Flow([model]).run(num_workers=1, results_store=store, progress="none")
    print("run:", run.counts)
    print("All graph node names:")
    print(sorted(each.address.task for each in store.records("*")))

    trained = model.result(store)
    zeros = 100 * (trained[-1].coef_ == 0).mean()
    score = trained.score(split["x_test"].result(store), split["y_test"].result(store))
    print(f"Sparsity with L1 penalty: {zeros:.2f}%")
    print(f"Test score with L1 penalty: {score:.4f}")


if __name__ == "__main__":
    main()
