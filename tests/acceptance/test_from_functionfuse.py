"""Does functionfuse's basic example give what its source states?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.from_functionfuse.flow import pipeline, store_in
from examples.from_functionfuse.tasks import dataset, dataset_split, model
from flowlib import Flow, ResultsStore
from tests.acceptance.scripts import run_python

NAMES = ["dataset", "dataset_split", "model"]


@pytest.fixture
def store(tmp_path: Path) -> ResultsStore:
    """Of one workflow; the example needs its library."""
    pytest.importorskip("sklearn")
    return store_in(str(tmp_path / "storage"), "classifier")


def names(store: ResultsStore, pattern: str = "*") -> list[str]:
    """Whose results are stored."""
    return sorted(each.address.task for each in store.records(pattern))


@pytest.mark.slow
def test_the_pipeline_trains_a_model_and_runs_once(store: ResultsStore) -> None:
    """All nodes are stored, and what is read from the store judges the model."""
    split, trained = pipeline()
    for counts in ({"finished": 3}, {"cached": 3}):
        assert Flow([trained]).run(num_workers=1, results_store=store).counts == counts
    assert names(store) == NAMES
    sizes = [len(split[name].result(store)) for name in ("x_train", "x_test")]
    assert sizes == [1000, 500]
    x_test, y_test = (split[name].result(store) for name in ("x_test", "y_test"))
    fitted = trained.result(store)
    assert 0.8 < fitted.score(x_test, y_test) < 1
    assert 0.1 < (fitted[-1].coef_ == 0).mean() < 0.9


def test_results_are_listed_read_and_removed_by_name(store: ResultsStore) -> None:
    """Or by glob; afterwards only what is missing runs."""
    trained = pipeline()[1]
    Flow([trained]).run(num_workers=1, results_store=store)
    assert names(store, "data*") == ["dataset", "dataset_split"]
    store.delete_records("mod*")
    assert names(store) == ["dataset", "dataset_split"]
    again = Flow([trained]).run(num_workers=1, results_store=store)
    assert again.counts == {"cached": 2, "finished": 1}


def test_only_what_the_asked_nodes_need_runs(store: ResultsStore) -> None:
    """A difference: there, all that reads from their roots ran, too."""
    split, trained = pipeline()
    assert Flow([split]).run(num_workers=1, results_store=store).counts == {"finished": 2}
    assert names(store) == ["dataset", "dataset_split"]
    assert not trained.exists(store)


def test_other_arguments_are_another_model(store: ResultsStore) -> None:
    """There, the old one was read again: the identity was the name."""
    data = dataset(seed=1)
    split = dataset_split(data[0], data[1], train_samples=200, test_size=10)
    small = model(split["x_train"], split["y_train"])
    first = pipeline()[1].result(store)
    assert (small.result(store)[-1].coef_ != first[-1].coef_).any()
    assert names(store) == sorted(NAMES * 2)


def test_workflows_keep_their_results_apart(store: ResultsStore, tmp_path: Path) -> None:
    """In one folder, under their names."""
    dataset().result(store)
    other = store_in(str(tmp_path / "storage"), "other")
    assert (names(store), names(other)) == (["dataset"], [])
    assert not dataset().exists(other)


@pytest.mark.slow
def test_as_a_command_it_prints_what_the_notebook_prints(tmp_path: Path) -> None:
    """The names are those of its source; the figures are those of other images."""
    pytest.importorskip("sklearn")
    done = run_python(["-m", "examples.from_functionfuse", "--store", "storage"], tmp_path)
    assert done.code == 0, done.err
    run, title, found, *scores = done.out.splitlines()
    assert (run, title) == ("run: {'finished': 3}", "All graph node names:")
    assert found == "['dataset', 'dataset_split', 'model']"
    pattern = r"Sparsity with L1 penalty: \d+\.\d\d%\nTest score with L1 penalty: 0\.\d{4}"
    assert re.fullmatch(pattern, "\n".join(scores))
