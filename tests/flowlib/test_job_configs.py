"""Whose objects are in the config of a task? Its own: it may write in them."""

from __future__ import annotations

import pytest

from flowlib import Flow, Task, TaskSpec, jobs, labels
from flowlib.identity import own_copy
from stores import LocalFileStore


class Write(Task):
    """Writes into what it was given, which others were given, too."""

    def __init__(self, options: dict, number: int) -> None:
        self.options = options

    def run(self) -> None:
        self.save(len(self.options["names"]), "before")
        self.options["names"]["mine"] = 1


def written(workers, folder):
    """What four tasks find, and the config of their spec afterwards."""
    config = {"options": {"names": {"a": 1}}, "number": [1, 2, 3, 4]}
    flow = Flow([TaskSpec(Write, config, expand="product")])
    run = flow.run(num_workers=workers, results_store=LocalFileStore(folder, fsync=False))
    return [each.results["before"] for each in run["Write"]], config["options"]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_writes_into_its_config_reaches_no_other_one(tmp_path, workers):
    assert written(workers, tmp_path) == ([1, 1, 1, 1], {"names": {"a": 1}})


@pytest.mark.parametrize(("workers", "copied"), [(1, 8), (2, 0)])
def test_a_config_is_copied_once_on_its_way(tmp_path, monkeypatch, workers, copied):
    """For a task in this process; the pickle for another one is the copy."""
    values = []
    monkeypatch.setattr(jobs, "own_copy", lambda each: values.append(each) or own_copy(each))
    written(workers, tmp_path)
    assert len(values) == copied


def test_a_run_describes_each_spec_once(tmp_path, monkeypatch):
    """Its log and its views show the same labels."""
    described, describe = [], labels._texts
    monkeypatch.setattr(labels, "_texts", lambda nodes: described.append(1) or describe(nodes))
    written(1, tmp_path)
    assert len(described) == 1
