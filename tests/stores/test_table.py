"""Do records become rows: configs, single values, times; nothing big, no pickle?"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from types import ModuleType

import pytest

from flowlib import Flow, TaskSpec
from stores import (
    Attempt,
    InMemoryStore,
    LocalFileStore,
    QueryError,
    RunInfo,
    StoreError,
    TaskState,
)
from stores.record import Address
from stores.testing import done, put

A, B, C = (Address("Train", digit * 32) for digit in "abc")
LOAD = Address("Load", "f" * 32)


class Trap:
    """Whoever unpickles it leaves a trace."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_row_tells_who_what_with_and_how_long(any_store):
    """Every column, in order: who, configs with those upstream, times, values."""
    put(any_store, LOAD, {}, n=3)
    run = RunInfo("project", "calm-finch-7", "Train-1", "000")
    inputs = done(inputs=[LOAD]).inputs
    outcome = Attempt(0, TaskState.FINISHED, 10.0, 12.5, inputs=inputs, run=run)
    put(any_store, A, {"acc": 0.5, "note": "good"}, outcome, lr=0.1, model={"depth": 2})
    (row,) = any_store.records("Train").to_dicts()
    assert list(row.items()) == [
        ("id", "Train/aaaaaaaa"),
        ("task", "Train"),
        ("key", "a" * 32),
        ("state", "finished"),
        ("Load.n", 3),
        ("Train.lr", 0.1),
        ("Train.model.depth", 2),
        ("duration_s", 2.5),
        ("ended", datetime(1970, 1, 1, 0, 0, 12, 500_000, UTC)),
        ("run", "calm-finch-7"),
        ("acc", 0.5),
        ("note", "good"),
    ]


def test_only_single_values_become_cells(any_store):
    """Numbers also of numpy, words, True, None; no lists, no bytes, nothing long."""
    np = pytest.importorskip("numpy")
    values = {
        "float": 0.5,
        "int": 7,
        "true": True,
        "none": None,
        "word": "ü",
        "numpy": np.float32(0.5),
        "count": np.int64(3),
        "list": [1],
        "dict": {"a": 1},
        "bytes": b"x",
        "long": "x" * 5000,
        "array": np.zeros(3),
        "complex": np.complex128(1j),
    }
    put(any_store, A, values)
    (row,) = any_store.records().to_dicts()
    found = {name: row[name] for name in values if name in row}
    assert found == {
        "float": 0.5,
        "int": 7,
        "true": True,
        "none": None,
        "word": "ü",
        "numpy": 0.5,
        "count": 3,
    }
    assert [type(found[name]) for name in ("numpy", "count")] == [float, int]


def test_nothing_is_unpickled(any_store, tmp_path):
    """Not for listing, counting, searching or tables, however small the pickle is."""
    trap = tmp_path / "unpickled"
    put(any_store, A, {"trap": Trap(trap), "acc": 1.0}, lr=1)
    assert any_store.count(where={"lr": 1}, text="train") == 1
    (row,) = any_store.records().to_dicts()
    assert (row["acc"], "trap" in row, trap.exists()) == (1.0, False, False)
    any_store.get(A, "trap").close()
    assert trap.exists()


def test_big_values_are_not_read(any_store, monkeypatch):
    """Only small ones are asked for."""
    asked = []
    stream = any_store.artifact_stream
    monkeypatch.setattr(
        any_store,
        "artifact_stream",
        lambda address, artifact: asked.append(artifact.name) or stream(address, artifact),
    )
    put(any_store, A, {"big": "x" * 100_000, "small": "x", "pickle": {1, 2}})
    any_store.records().to_dicts()
    assert asked == ["small"]


def test_columns_that_never_vary_can_be_left_out(any_store):
    """What is absent somewhere varies; a single row keeps all."""
    put(any_store, A, {}, lr=0.1, epochs=10, seed=1)
    assert {"Train.epochs", "Train.lr"} <= any_store.records().to_dicts("varying")[0].keys()
    put(any_store, B, {}, lr=0.2, epochs=10, seed=1)
    put(any_store, C, {}, lr=0.2, epochs=10)
    rows = any_store.records().to_dicts(columns="varying")
    configs = [{path: v for path, v in row.items() if path.startswith("Train.")} for row in rows]
    assert configs == [
        {"Train.lr": 0.1, "Train.seed": 1},
        {"Train.lr": 0.2, "Train.seed": 1},
        {"Train.lr": 0.2},
    ]
    assert any_store.records("Nobody").to_dicts("varying") == []
    with pytest.raises(QueryError, match='"varying"'):
        any_store.records().to_dicts("some")


def test_an_artifact_never_hides_a_column(any_store):
    """It has a prefix where its name is taken."""
    put(any_store, A, {"state": "liquid", "Train.lr": 5}, lr=0.1)
    (row,) = any_store.records().to_dicts()
    assert (row["state"], row["artifact.state"]) == ("finished", "liquid")
    assert (row["Train.lr"], row["artifact.Train.lr"]) == (0.1, 5)


def test_what_was_saved_by_hand_is_there_too(any_store):
    """Beside the results, and alone."""
    put(any_store, A, {"acc": 1})
    any_store.save(2, "note", task_name="Train", task_unique_config={"Train": {}})
    (row,) = any_store.records("Train").to_dicts()
    assert (row["state"], row["acc"], row["note"]) == ("finished", 1, 2)


def test_a_damaged_value_is_no_cell(tmp_path):
    """The row is there, with the others."""
    store = LocalFileStore(tmp_path, fsync=False, inline_limit=0)
    put(store, A, {"cut": 1, "gone": 2, "good": 3})
    for path in (tmp_path / "Train" / A.key / "1").iterdir():
        if path.stem == "gone":
            path.unlink()
        elif path.stem == "cut":
            path.write_text("{")
    (row,) = store.records().to_dicts()
    assert (row["good"], "cut" in row, "gone" in row) == (3, False, False)


def test_a_table_is_a_frame_where_pandas_is(any_store, monkeypatch):
    """It is made of the rows; without pandas one line says what to install."""
    put(any_store, A, {"acc": 0.5}, lr=0.1)
    fake = ModuleType("pandas")
    fake.DataFrame = lambda rows: ("frame", rows)
    monkeypatch.setitem(sys.modules, "pandas", fake)
    assert any_store.records().to_pandas("varying") == (
        "frame",
        any_store.records().to_dicts("varying"),
    )
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(StoreError, match=r"flowlib-runner\[pandas\].*to_dicts") as caught:
        any_store.records().to_pandas()
    assert "\n" not in str(caught.value)


def test_a_dict_of_plain_values_becomes_columns(any_store):
    """Nested ones too; what is in it and is no number or word has no cell."""
    metrics = {"acc": 0.5, "per": {"cat": 1, "dog": None}, "curve": [1, 2]}
    put(any_store, A, {"metrics": metrics, "empty": {}}, lr=0.1)
    (row,) = any_store.records().to_dicts()
    assert {name: row[name] for name in row if "m" in name and "." in name} == {
        "metrics.acc": 0.5,
        "metrics.per.cat": 1,
        "metrics.per.dog": None,
    }


def test_no_two_columns_share_a_name(any_store):
    """Dots in keys are quoted where two paths would look the same, for all rows alike."""
    put(any_store, A, {"m": {"a": {"b": 1}, "a.b": 2}, "Train.lr": 3}, lr=1, **{"x.y": 1})
    put(any_store, B, {"Train.lr": 4, "id": 5}, x={"y": 2})
    first, second = any_store.records().to_dicts()
    assert _cells(first) == {
        "Train.lr": 1,
        'Train."x.y"': 1,
        "m.a.b": 1,
        'm."a.b"': 2,
        "artifact.Train.lr": 3,
    }
    assert _cells(second) == {
        "Train.x.y": 2,
        "artifact.Train.lr": 4,
        "artifact.id": 5,
    }


def _cells(row):
    fixed = {"id", "task", "key", "state", "duration_s", "ended", "run"}
    return {name: value for name, value in row.items() if name not in fixed}


def test_a_table_describes_its_columns(any_store):
    """Who, configs, times, results, in this order."""
    put(any_store, A, {"acc": 0.5}, Attempt(0, TaskState.FINISHED, 10.0, 12.5), lr=0.1)
    put(any_store, B, {"note": "x"}, lr=0.1)
    kinds = [(each.name, each.kind) for each in any_store.records().grid().columns]
    assert kinds == [
        ("id", "identity"),
        ("task", "identity"),
        ("key", "identity"),
        ("state", "identity"),
        ("Train.lr", "config"),
        ("duration_s", "time"),
        ("ended", "time"),
        ("acc", "value"),
        ("note", "value"),
    ]


def train(lr, seed=0):
    if lr < 0:
        raise ValueError("negative")
    return {"acc": 1 - lr, "model": {lr}}


def test_the_results_of_a_run_are_the_same_table(tmp_path, monkeypatch):
    """Also with a node that failed; columns, pandas and its absence behave as for records."""
    flow = Flow([TaskSpec(train, {"lr": [0.25, 0.5, -1.0]}, expand="product")])
    store = InMemoryStore()
    run = flow.run(num_workers=1, results_store=store, exit_on_error=False)
    rows = run["train"].to_dicts("varying")
    assert [(row["state"], row["train.lr"], row.get("acc")) for row in rows] == [
        ("finished", 0.25, 0.75),
        ("finished", 0.5, 0.5),
        ("failed", -1.0, None),
    ]
    of_store = {row["key"]: row for row in store.records("train").to_dicts("varying")}
    for row in rows:
        assert row.pop("cached") is False
        assert row.items() <= of_store[row["key"]].items()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(StoreError, match="pandas"):
        run["train"].to_pandas()
