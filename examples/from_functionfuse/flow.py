"""
What is connected with what? Calls of functions, and parts of what they give.

    functionfuse                              flowlib
    @workflow                                 @task
    dataset()[0]                              dataset()[0]
    LocalWorkflow(model, workflow_name="w")   Flow([model]); open_store(…, project="w")
    storage_factory({"kind": "file", …})      open_store({"kind": "file", …})
    workflow.set_storage(s); workflow.run()   flow.run(results_store=s)
    storage.list_tasks("w", "data*")          store.records("data*")
    storage.read_task("w", "model")           model.result(store)
    storage.remove_task("w", "model")         store.delete_records("model")
"""

from __future__ import annotations

from typing import Any

from examples.from_functionfuse.tasks import dataset, dataset_split, model
from flowlib import Call, ResultsStore
from stores import open_store


def pipeline() -> tuple[Call[dict[str, Any]], Call[Any]]:
    """The split and the model."""
    data = dataset()
    split = dataset_split(data[0], data[1], train_samples=1000, test_size=500)
    return split, model(split["x_train"], split["y_train"])


def store_in(folder: str, workflow_name: str) -> ResultsStore:
    """Where the results of one workflow are kept."""
    options = {"kind": "file", "options": {"base_dir": folder}}
    return open_store(options, project=workflow_name)
