"""Do the examples run, and show what they promise?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from examples.digits import flow as digits
from examples.digits.tables import varying
from examples.digits.tasks import Select, Summarise
from examples.from_fleche import cells as fleche
from examples.functions import flow as functions
from flowlib import Flow, TaskSpec, sweep
from stores import MetaDict, Sweep
from tests.acceptance.scripts import ROOT, run_python


def demo_output(tmp_path: Path) -> str:
    """What the demo prints; it must succeed."""
    pytest.importorskip("sklearn")
    arguments = ["-m", "examples.digits", "--store", str(tmp_path / "store"), "--workers", "2"]
    done = run_python(arguments, tmp_path, COLUMNS="120")
    assert done.code == 0, done.err
    return done.out


@pytest.mark.slow
def test_demo_runs_caches_and_forces(tmp_path: Path) -> None:
    """Plan, ranking and place; then all cached; then exactly the forced part."""
    out = demo_output(tmp_path)
    sweep_part, cached_part, forced_part = re.split(r"\n[123]\. .*", out)[1:]
    assert re.search(r"total +245 +245", sweep_part)
    assert "245 finished" in sweep_part
    assert "the best 10 of 33 models" in sweep_part
    assert len(re.findall(r"0\.\d{4} ± 0\.\d{4}", sweep_part)) == 10
    assert f"stored in {tmp_path / 'store'}" in sweep_part
    assert "all is cached" in cached_part
    assert "ran: Evaluate ×99, Summarise ×33, Select ×1" in forced_part
    assert "112 cached, 133 finished" in forced_part


def test_demo_has_a_hundred_nodes_and_more() -> None:
    """1 + 3 + 9 + 99 + 99 + 33 + 1, without running anything."""
    flow = digits.build()
    counts = {name: len(nodes) for name, nodes in flow.graph.by_spec.items()}
    assert counts == {
        "Load": 1,
        "Split": 3,
        "Features": 9,
        "Train": 99,
        "Evaluate": 99,
        "Summarise": 33,
        "Select": 1,
    }


def test_demo_has_conditional_and_grouped_parameters() -> None:
    """Components only with pca, gamma only with rbf, trees and depth in lockstep."""
    nodes = [data["task"] for _, data in digits.build().task_graph.nodes(data=True)]
    features = {tuple(n.config.items()) for n in nodes if n.name == "Features"}
    models = [n.config["model"] for n in nodes if n.name == "Train"]
    assert len(features) == 3
    assert all(("components" in dict(each)) == (dict(each)["method"] == "pca") for each in features)
    assert all(("gamma" in each) == (each.get("kernel") == "rbf") for each in models)
    forests = {(each["trees"], each["depth"]) for each in models if each["family"] == "forest"}
    assert forests == {(10, 6), (40, 12)}


def test_columns_that_do_not_vary_are_left_out() -> None:
    """A parameter that only some rows have varies."""
    rows: list[dict[str, Any]] = [
        {"family": "svm", "C": 1.0, "gamma": 0.1, "mean": 0.9, "std": 0.1, "seeds": 3},
        {"family": "svm", "C": 2.0, "mean": 0.8, "std": 0.1, "seeds": 3},
    ]
    assert varying(rows) == ["C", "gamma"]


def test_summary_is_the_mean_and_the_spread_over_seeds() -> None:
    """Mean and sample standard deviation, beside the parameters of the model."""
    model = {"family": "svm", "C": 1.0}
    config = MetaDict({"Features": {"method": "pixels"}, "Train": {"model": model}})
    row = Summarise().run([Sweep(0.9, config), Sweep(1.0, config)])["row"]
    assert row == {
        "features": "pixels",
        "components": None,
        "family": "svm",
        "C": 1.0,
        "mean": pytest.approx(0.95),
        "std": pytest.approx(0.0707106781),
        "seeds": 2,
    }


def test_ranking_prefers_the_steadier_of_equals() -> None:
    """Best mean first, then the smaller spread."""
    rows = [{"mean": 0.8, "std": 0.0}, {"mean": 0.9, "std": 0.2}, {"mean": 0.9, "std": 0.1}]
    ranking = Select().run([Sweep(row, MetaDict()) for row in rows])["ranking"]
    assert ranking == [rows[2], rows[1], rows[0]]


def specs_of(document: Mapping[str, Any]) -> list[TaskSpec]:
    """The specs of a document, whose entries mirror the parameters of TaskSpec."""
    import importlib

    module = importlib.import_module(document["import"])
    specs: dict[str, TaskSpec] = {}
    for name, entry in document["specs"].items():
        options = {key: value for key, value in (entry or {}).items() if key != "requires"}
        options["config"] = swept(options.get("config", {}))
        specs[name] = TaskSpec(getattr(module, name), **options)
    for name, entry in document["specs"].items():
        required = entry.get("requires", [])
        for each in [required] if isinstance(required, str) else required:
            specs[name].requires(specs[each])
    return list(specs.values())


def swept(value: Any) -> Any:
    """`value` with every `{$sweep: [...], when: {...}}` as a sweep."""
    if isinstance(value, dict) and "$sweep" in value:
        return sweep(*swept(value["$sweep"])).when(**value.get("when", {}))
    if isinstance(value, dict):
        return {key: swept(inner) for key, inner in value.items()}
    return [swept(inner) for inner in value] if isinstance(value, list) else value


def keys(flow: Flow) -> dict[str, list[str]]:
    """The keys of all nodes by spec, in expansion order."""
    return {name: [node.key for node in nodes] for name, nodes in flow.graph.by_spec.items()}


def test_document_describes_the_same_grid() -> None:
    """configs/digits.yaml gives the same nodes, with the same keys, as the Python flow."""
    from ruamel.yaml import YAML

    document = YAML(typ="safe").load(ROOT / "configs" / "digits.yaml")
    assert document["store"] == "file:runs/digits"
    assert keys(Flow(specs_of(document))) == keys(digits.build())


@pytest.mark.parametrize("workers", [1, 2])
def test_functions_example(workers: int) -> None:
    """Functions with and without `task`, a sweep and a reduce."""
    run = functions.build().run(num_workers=workers, return_results="all")
    assert run["compare"][0].results == {
        "lines": ["argparse", "tokenize", "json"],
        "tokens": ["argparse", "tokenize", "json"],
    }
    assert [each.task_unique_name for each in run["measure"]] == [
        f"measure-{number}" for number in range(1, 7)
    ]


def test_functions_example_as_a_command(tmp_path: Path) -> None:
    """It prints one line per unit."""
    done = run_python(["-m", "examples.functions"], tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "lines: argparse > tokenize > json",
        "tokens: argparse > tokenize > json",
    ]


def test_torch_example_is_built_without_torch() -> None:
    """Building a flow imports nothing of the tasks' own libraries; six networks, one demand."""
    from examples.torch_gpu.flow import build

    flow = build()
    demands = {n.name: n.declaration.options.resources for n in flow.graph}
    assert flow.num_tasks == 8
    assert demands == {"Spirals": {}, "TrainNet": {"gpu": 1}, "BestNet": {}}


FLECHE = {
    "1a": ["Results: [1, 3, 5, 7]", "In the store: True"],
    "1b": ["Results: [1, 3, 5, 7]", "In the store: True"],
    "1c": ["Results: [0, 1, 8, 27, 64]", "Cached: True"],
    "1d": ["Results: [0, 1, 8, 27, 64]", "In the store: True"],
    "2": [
        "First call returns a Future: True",
        "Result: 16",
        "Cached: True",
        "Second call is the cached value, not a Future: 16",
    ],
    "3a": [
        "First-pass results: [0, 3, 6, 9]",
        "All already done? True",
        "Cached results: [0, 3, 6, 9]",
    ],
    "3b": ["Results: [0, 1, 8, 27, 64]", "Cached: True"],
    "3c": ["Result: 125", "Cached: True"],
}
"""What the cells of the notebook print, as their comments say."""


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(each, marks=[pytest.mark.slow] if each in ("1d", "3c") else [])
        for each in FLECHE
    ],
)
def test_cells_of_the_notebook_of_fleche(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each gives the values of its source."""
    if number in ("1d", "3c"):
        pytest.importorskip("executorlib")
    fleche.CELLS[number]()
    assert capsys.readouterr().out.splitlines() == FLECHE[number]


def test_cells_of_the_notebook_of_fleche_as_a_command(tmp_path: Path) -> None:
    """Those that are named, with their numbers."""
    done = run_python(["-m", "examples.from_fleche", "1c", "2"], tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines() == ["[1c]", *FLECHE["1c"], "[2]", *FLECHE["2"]]
