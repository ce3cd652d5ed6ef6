"""Do furu's examples, written for flowlib, come out as its page says?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from examples.from_furu.flow import my_experiments, versioned
from examples.from_furu.tasks import (
    Dataset,
    LargeDataProcessor,
    ModelWithValidation,
    TrainModel,
    TrainTextModel,
    VersionedConfig,
)
from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.acceptance.scripts import run_python


@pytest.fixture
def store(tmp_path: Path) -> LocalFileStore:
    """An empty store."""
    return LocalFileStore(tmp_path / "data")


def test_the_quickstart_computes_once_and_loads_then(store: LocalFileStore) -> None:
    """First call: run; second call with the same config: loaded."""
    first = TrainModel.spec(lr=3e-4, steps=5000).result(store)
    second = TrainModel.spec(steps=5000, lr=3e-4).result(store)
    assert first == second
    assert first.read_bytes() == b"..."
    assert json.loads((first.parent / "metrics.json").read_text()) == {"lr": 0.0003, "steps": 5000}
    (record,) = store.records("TrainModel")
    assert record.latest.number == 1
    assert str(first).startswith(f"{store.base_dir}/TrainModel/")


def test_the_state_is_told_without_loading(store: LocalFileStore) -> None:
    """Whether it is there, its key, its folder, what is known of it."""
    spec = TrainModel.spec(lr=3e-4, steps=5000)
    assert not spec.exists(store) and spec.record(store) is None
    spec.result(store)
    record = spec.record(store)
    assert spec.exists(store) and record is not None
    assert record.address.key == spec.key
    assert store.record_folder(record.address) == spec.result(store).parent
    assert record.latest.provenance["host"]


def test_a_spec_is_written_down_and_made_again() -> None:
    """As plain values and as Python, with the same key."""
    spec = TrainModel.spec(lr=3e-4, steps=5000)
    assert TaskSpec.from_dict(spec.to_dict()).key == spec.key
    assert "lr=0.0003, steps=5000" in spec.to_python()


def test_the_nested_pipeline_has_a_result_for_each_part(store: LocalFileStore) -> None:
    """The dataset is computed by the way, once, and read by its value."""
    assert TrainTextModel.spec().result(store) == "trained on:\nhello\nworld\n"
    assert {each.task for each in store.addresses()} == {"Dataset", "TrainTextModel"}
    assert Dataset.spec().result(store) == "hello\nworld\n"
    assert store.record(next(store.addresses("Dataset"))).latest.number == 1
    other = TrainTextModel.spec(Dataset.spec(title="other"))
    assert other.key != TrainTextModel.spec().key
    other.result(store)
    assert store.count("Dataset") == store.count("TrainTextModel") == 2


def test_the_collection_has_all_members(store: LocalFileStore) -> None:
    """Those of the dict, too; by name, as pairs, as a list."""
    experiments = my_experiments()
    assert list(experiments) == ["baseline", "fast_lr", "long_run", "tiny", "huge"]
    assert [name for name, spec in experiments.items() if spec.exists(store)] == []
    for spec in experiments.values():
        spec.result(store)
    assert all(spec.exists(store) for spec in experiments.values())
    assert experiments["baseline"].key == TrainModel.spec().key
    run = experiments.run(num_workers=1, results_store=store)
    assert run.counts == {"cached": 5}
    metrics = run["huge"][0].unwrap().parent / "metrics.json"
    assert json.loads(metrics.read_text()) == {"lr": 0.0001, "steps": 100000}


def test_validation_makes_a_damaged_result_run_again(store: LocalFileStore) -> None:
    """An empty checkpoint does not count."""
    spec = ModelWithValidation.spec()
    checkpoint = spec.result(store)
    assert spec.exists(store)
    checkpoint.write_bytes(b"")
    assert not spec.exists(store)
    assert [each.value for each in Flow([spec]).plan(results_store=store).reasons.values()] == [
        "invalid"
    ]
    assert spec.result(store).read_bytes() == b"weights"


def test_large_files_lie_in_a_folder_for_all_configs(store: LocalFileStore) -> None:
    """Each config makes a folder of its own in it."""
    paths = [LargeDataProcessor.spec(part=part).result(store) for part in (1, 2)]
    assert [path.read_bytes()[:1] for path in paths] == [b"\1", b"\2"]
    assert {path.parents[1] for path in paths} == {
        Path(store.base_dir, "LargeDataProcessor/.shared")
    }


def test_versioned_results_lie_apart(store: LocalFileStore, tmp_path: Path) -> None:
    """In the store that the spec names."""
    git = LocalFileStore(tmp_path / "git")
    run = versioned().run(num_workers=1, results_store=store, stores={"git": git})
    assert run["config"][0].unwrap() == {"size": 3}
    assert list(store.addresses()) == []
    assert VersionedConfig.spec().exists(git)


@pytest.mark.slow
def test_the_example_runs(tmp_path: Path) -> None:
    """It prints what was made and what was loaded."""
    done = run_python(["-m", "examples.from_furu", "--store", str(tmp_path / "s")], tmp_path)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].endswith("(missing->create)") and lines[2].endswith("(success->load)")
    assert lines[1] == lines[3] and lines[1].endswith("/1/checkpoint.bin")
    assert lines[4:7] == ["trained on:", "hello", "world"]
    assert lines[7:] == [
        "experiments: {'finished': 5}",
        "again: {'cached': 5}",
        "in git: ['VersionedConfig']",
    ]
