"""An executor whose packages are not installed is refused before there is a run."""

from __future__ import annotations

import os
import sys

import pytest

from flowlib import Flow, MissingExtra, TaskSpec
from flowlib.errors import refuse_missing
from stores import LocalFileStore
from tests.architecture.sources import ROOT
from tests.cli.calls import flowlib, project
from tests.executors.contract_tasks import square

NEEDED = {
    "dask": ("Dask", "distributed"),
    "ray": ("Ray", "ray"),
    "rq": ("RQ", "redis"),
    "slurm": ("submitit", "submitit"),
}

HIDING = """
import sys


class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "distributed":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hidden())
"""


def words(name: str) -> str:
    """What is told of an executor."""
    return f"executor=\"{name}\" needs {NEEDED[name][0]}: pip install 'flowlib-runner[{name}]'"


@pytest.mark.parametrize("name", NEEDED)
def test_a_run_without_the_extra_leaves_nothing(name, tmp_path, monkeypatch):
    """No run, no record; what is stored is still found, as nobody is needed for it."""
    store = LocalFileStore(tmp_path / "store", fsync=False)
    flow = Flow([TaskSpec(square, {"n": 3})])
    monkeypatch.setitem(sys.modules, NEEDED[name][1], None)
    with pytest.raises(MissingExtra) as caught:
        flow.run(executor=name, results_store=store, progress=None)
    assert str(caught.value) == words(name)
    assert not (tmp_path / "store" / ".runs").exists()
    assert not list(store.records())

    flow.run(results_store=store, progress=None)
    again = flow.run(executor=name, results_store=store, progress=None)
    assert again.counts == {"cached": 1}


@pytest.mark.slow
def test_no_interrupted_run_is_shown_after_a_command_without_the_extra(tmp_path):
    """As where the package was never installed: it cannot be imported by a process of its own."""
    folder = project(tmp_path / "p")
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(HIDING)
    path = os.pathsep.join([str(hiding), str(ROOT)])
    called = flowlib("run", "flow.yaml", "--executor", "dask", folder=folder, PYTHONPATH=path)
    assert words("dask") in called.err
    assert "Traceback" not in called.err
    assert "there is no store" in flowlib("status", folder=folder).err


def test_a_folder_of_that_name_is_not_the_package(tmp_path, monkeypatch):
    """An empty folder can be imported, and has nothing."""
    (tmp_path / "vexillology").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtra, match="needs Vexillology"):
        refuse_missing("vexillology", "Vexillology", "vexillology")
    (tmp_path / "vexillology" / "__init__.py").touch()
    refuse_missing("vexillology", "Vexillology", "vexillology")
