"""What was started for a run does not outlive a start that fails, or an end that does."""

from __future__ import annotations

import contextlib
import importlib
from unittest import mock

import pytest

from flowlib import DaskExecutor, Flow, RayExecutor, RunError, TaskSpec
from stores import LocalFileStore
from tests.executors import contract_tasks


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


@pytest.fixture
def cluster(monkeypatch):
    """Stands for clusters that the run starts; gives what has become of them."""
    ends = []

    @contextlib.contextmanager
    def started(*_):
        try:
            yield mock.MagicMock()
        finally:
            ends.append("closed")

    monkeypatch.setattr(DaskExecutor, "_own_client", started)
    monkeypatch.setattr(importlib.import_module("flowlib.executors.ray"), "connected", started)
    return ends


def refused(*_, **__):
    raise RunError("the store cannot be pickled")


@pytest.mark.parametrize("kind", [DaskExecutor, RayExecutor])
def test_a_cluster_is_closed_when_its_workers_cannot_be_made(kind, store, cluster, monkeypatch):
    """The run has nobody else who would do it."""
    monkeypatch.setattr(f"{kind.__module__}.RemoteJobs", refused)
    with pytest.raises(RunError, match="cannot be pickled"):
        run(TaskSpec(contract_tasks.raises, {"n": 1}), store, kind())
    assert cluster == ["closed"]


@pytest.mark.parametrize("kind", [DaskExecutor, RayExecutor])
def test_a_cluster_is_closed_when_it_cannot_do_what_a_spec_asks_for(kind, store, cluster):
    """That is known when there are workers."""
    spec = TaskSpec(contract_tasks.raises, {"n": 1}, timeout=5)
    with pytest.raises(RunError, match="cannot end a running task"):
        run(spec, store, kind())
    assert cluster == ["closed"]


def test_a_ray_that_has_gone_is_left_all_the_same(store, cluster):
    """It cancels nothing any more."""
    setup = mock.MagicMock(store=store, num_workers=1, output=None)
    both = {"RemoteJobs": mock.DEFAULT, "replace": mock.DEFAULT}
    with mock.patch.multiple("flowlib.executors.ray", **both):
        workers = RayExecutor().start(setup)
    workers._ray.cancel.side_effect = ConnectionError("gone")
    workers._sent["a"] = object()
    with pytest.raises(ConnectionError):
        workers.close()
    assert cluster == ["closed"]


def run(spec, store, executor):
    """Run it there."""
    Flow([spec]).run(executor=executor, num_workers=1, results_store=store, progress=None)
