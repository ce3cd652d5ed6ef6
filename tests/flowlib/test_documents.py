"""Does a document mean the specs that it mirrors, and does every error name its line?"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib import Flow, TaskSpec, integers, sweep, uniform, union, zipped
from flowlib.document_model import FlowDocument, OptionsDocument, SpecDocument, json_schema
from flowlib.documents import load
from flowlib.errors import ConfigError
from stores import LocalFileStore
from tests.flowlib import document_tasks as tasks

HEAD = "import: tests.flowlib.document_tasks\n"
DOCUMENT = (
    HEAD
    + """\
project: demo
specs:
  Fetch:
  Train:
    requires: Fetch
    config: {lr: [1e-3, 1e-4], layers: [[64, 64], [8]], model: {kind: mlp}}
    expand: product
    retries: {oom: 1}
    timeout: 2h
  Select:
    task: select
    requires: [Train]
    reduce: true
"""
)


def flow_in_python():
    """The same by specs."""
    fetch = TaskSpec(tasks.Fetch)
    config = {"lr": [1e-3, 1e-4], "layers": [[64, 64], [8]], "model": {"kind": "mlp"}}
    train = TaskSpec(
        tasks.Train, config, expand="product", retries={"oom": 1}, timeout="2h"
    ).requires(fetch)
    select = TaskSpec(tasks.select, name="Select", reduce=True).requires(train)
    return Flow([fetch, train, select])


def read(tmp_path, text, overrides=(), name="x.yaml"):
    """The flow of a text."""
    path = tmp_path / name
    path.write_text(text)
    return Flow.from_file(path, overrides)


def keys(flow):
    """The keys of all nodes."""
    return [node.key for node in flow.graph]


def configs(flow, spec="Train"):
    """The configs of the nodes of a spec."""
    return [dict(node.config) for node in flow.graph.by_spec[spec]]


def test_a_document_is_the_flow_in_python(tmp_path):
    """Nodes, keys, options; and it runs."""
    flow = read(tmp_path, DOCUMENT)
    assert keys(flow) == keys(flow_in_python())
    options = flow.graph.by_spec["Train"][0].declaration.options
    assert options == flow_in_python().graph.by_spec["Train"][0].declaration.options
    run = flow.run(num_workers=1)
    assert run["Select"][0]["best"] == [pytest.approx(0.01)]


def test_toml_and_json_say_the_same(tmp_path):
    """Each by its ending."""
    from flowlib.sources import parse

    value = parse(DOCUMENT, "x").value
    value["specs"]["Fetch"] = {}
    (tmp_path / "x.json").write_text(json.dumps(value))
    (tmp_path / "x.toml").write_text(
        'import = "tests.flowlib.document_tasks"\nproject = "demo"\n[specs.Fetch]\n[specs.Train]\n'
        'requires = "Fetch"\nexpand = "product"\ntimeout = "2h"\nretries = {oom = 1}\n'
        "[specs.Train.config]\nlr = [1e-3, 1e-4]\nlayers = [[64, 64], [8]]\n"
        'model = {kind = "mlp"}\n[specs.Select]\ntask = "select"\nrequires = ["Train"]\n'
        "reduce = true\n"
    )
    for name in ("x.json", "x.toml"):
        assert keys(Flow.from_file(tmp_path / name)) == keys(flow_in_python())


def test_every_parameter_of_a_spec_can_be_written():
    """But for callables, which have no text."""
    import inspect

    from flowlib.spec_options import OptionArguments

    parameters = {*inspect.signature(TaskSpec).parameters, *OptionArguments.__annotations__}
    parameters -= {"name", "before", "options"}
    assert set(SpecDocument.model_fields) == parameters | {"requires"}


def test_the_document_round_trips(tmp_path):
    """Through YAML's subset JSON, with the same keys; also typed values and all sweeps."""
    config = {
        "lr": sweep(0.1, 0.2).when(kind=("a", 1)),
        "kind": ["a", 1, 1.0],
        "layers": sweep([1, 2], (3, [4]), {"x": zipped(1, 2), "y": zipped(3, 4)}),
        "model": {
            "path": Path("a/b"),
            "price": Decimal("1.50"),
            "nan": float("nan"),
            "set": {3, 1},
            "bytes": b"\0a",
            "keys": {1: "one", "$x": 2},
            "long": 10**50,
        },
    }

    flow = Flow(
        [
            fetch := TaskSpec(tasks.Fetch, version=0),
            TaskSpec(any_config, config, name="T", expand="product", resources={}).requires(fetch),
            TaskSpec(
                any_config,
                {"g": union({"a": 1}, {"b": 3}), "@z": 1},
                name="U",
                expand="zip",
                config_ignore_prefix="@",
                min_ok=0.5,
                reduce=None,
                on_failure="pass",
                tags=["a"],
                priority=3,
                retries=2,
                retry_pause=1.5,
                fresh_process=True,
            ),
        ]
    )
    (tmp_path / "x.json").write_text(json.dumps(flow.to_document()))
    again = Flow.from_file(tmp_path / "x.json")
    assert keys(again) == keys(flow)
    assert again.to_document() == flow.to_document()
    for spec in ("Fetch", "T", "U"):
        one, other = (each.graph.by_spec[spec][0].declaration for each in (flow, again))
        assert one.options == other.options
        assert one.version == other.version


def any_config(**config):
    """Takes all."""


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=5)
    | st.decimals(allow_nan=False),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(max_size=20), inner)
        | st.tuples(inner)
        | st.builds(lambda values: sweep(*values), st.lists(inner, min_size=1))
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), VALUES, max_size=3))
def test_any_config_round_trips(config):
    """With the same keys, by the text of JSON."""
    from flowlib.documents import build
    from flowlib.sources import parse

    flow = Flow([TaskSpec(any_config, config, name="T")])
    text = json.dumps(flow.to_document())
    loaded = build(parse(text, "x", ".json"), Path())
    assert keys(Flow(list(loaded.specs))) == keys(flow)


def test_markers(tmp_path, monkeypatch):
    """Sweeps, ranges, environment, home: only where they are asked for."""
    monkeypatch.setenv("SIZE", "8")
    monkeypatch.setenv("HOME", "/home/me")
    text = (
        HEAD
        + """\
specs:
  Train:
    config:
      lr: {$sweep: {log: [0.001, 0.1, 3]}, $when: {layers: [8]}}
      layers: {$env: SIZE}
      model: {a: {$env: [NO_SUCH, ~]}, b: {$home: data}, c: $SIZE, d: ~/x, e: {$tuple: [1]}}
"""
    )
    found = configs(read(tmp_path, text + "    requires: Fetch\n  Fetch:\n"))
    assert [each["lr"] for each in found] == [0.001, 0.01, 0.1]
    assert found[0]["layers"] == 8
    assert found[0]["model"] == {
        "a": None,
        "b": "/home/me/data",
        "c": "$SIZE",
        "d": "~/x",
        "e": (1,),
    }


def test_samples_can_be_written(tmp_path):
    """`$loguniform` and `$integers` mean what Python's functions mean."""
    text = f"""\
specs:
  T:
    task: {__name__}:any_config
    config: {{a: {{$loguniform: [0.1, 1]}}, b: {{$integers: [1, 9]}}}}
"""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    [spec] = load(path).specs
    assert spec.config == {"a": uniform(0.1, 1, log=True), "b": integers(1, 9)}
    path.write_text(text + "    expand: {random: {n: 3, seed: 1}}\n")
    flow = Flow.from_file(path)
    assert len({each["a"] for each in configs(flow, "T")}) == 3
    path.with_suffix(".json").write_text(json.dumps(flow.to_document()))
    assert keys(Flow.from_file(path.with_suffix(".json"))) == keys(flow)


def test_includes_and_defaults(tmp_path):
    """The document wins over what it includes; options of a spec win over defaults."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "a.yaml").write_text(DOCUMENT + "defaults: {priority: 3, timeout: 5}\n")
    text = "include: base/a.yaml\nspecs:\n  Train:\n    config: {lr: 0.5}\n"
    flow = read(tmp_path, text)
    assert [each["lr"] for each in configs(flow)] == [0.5, 0.5]
    options = {n: nodes[0].declaration.options for n, nodes in flow.graph.by_spec.items()}
    assert [options[n].priority for n in ("Fetch", "Train", "Select")] == [3, 3, 3]
    assert [options[n].timeout_s for n in ("Fetch", "Train")] == [5.0, 7200.0]
    with pytest.raises(
        ConfigError, match=r"base/a\.yaml:7: Train\.lrr is not a parameter of Train"
    ):
        (tmp_path / "base" / "a.yaml").write_text(DOCUMENT.replace("{lr:", "{lrr:"))
        Flow.from_file(tmp_path / "x.yaml")
    (tmp_path / "base" / "a.yaml").write_text("include: ../x.yaml\n")
    with pytest.raises(ConfigError, match="includes itself"):
        Flow.from_file(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["train.lr=1e-2"], [{"lr": 0.01}] * 2),
        (["Train.lr=1,2,3"], [{"lr": 1.0}] * 2 + [{"lr": 2.0}] * 2 + [{"lr": 3.0}] * 2),
        (["train.layers=[1,2]"], [{"layers": [1, 2]}] * 2),
        (["train.model.kind=cnn,mlp"], [{"model": {"kind": k}} for k in ("cnn", "mlp")] * 4),
        (["+train.model.depth.max=3"], [{"model": {"kind": "mlp", "depth": {"max": 3}}}] * 4),
        (["~train.model", "~train.layers"], [{}, {}]),
        (["~train.model", "train.model=on"], [{"model": "on"}] * 4),
        (
            ["@train.lr=1,2", "@train.layers=[8],[9]"],
            [{"lr": 1.0, "layers": [8]}, {"lr": 2.0, "layers": [9]}],
        ),
        ({"train.lr": sweep(5, 6)}, [{"lr": 5.0}] * 2 + [{"lr": 6.0}] * 2),
        ({"Train.layers": [[1], [2]]}, [{"layers": [1]}, {"layers": [2]}] * 2),
    ],
)
def test_overrides(tmp_path, overrides, expected):
    """Of what is there, by text or by value."""
    found = configs(read(tmp_path, DOCUMENT, overrides))
    assert len(found) == len(expected)
    for each, wanted in zip(found, expected, strict=True):
        assert {name: each[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("trian.lr=1", "there is no spec trian. Did you mean Train?"),
        ("train.lrr=1", "Train has no lrr. Did you mean lr? There are: "),
        ("train.model.kin=1", "Train has no kin. Did you mean kind?"),
        ("train.lr.x=1", "Train.lr is no mapping"),
        ("+train.lr=1", "lr is there already: leave out the +"),
        ("~train.x", "Train has no x."),
        ("train.model={$sweeep: [1]}", "there is no such marker. Did you mean $sweep?"),
    ],
)
def test_overrides_that_fit_nowhere(tmp_path, override, reason):
    """With the override, the nearest name, and what else could be done."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, DOCUMENT, [override])
    assert str(caught.value).startswith(f"override {override!r}: ")
    assert reason in str(caught.value)


def test_names_that_differ_by_case_are_written_exactly(tmp_path):
    """An override of either in other letters is refused."""
    text = DOCUMENT + "  TRAIN: {task: Train, requires: Fetch}\n"
    assert configs(read(tmp_path, text, ["TRAIN.lr=7"]), "TRAIN")[0]["lr"] == 7.0
    with pytest.raises(ConfigError, match="train may be Train or TRAIN"):
        read(tmp_path, text, ["train.lr=7"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{lr:", "{lrr:", "x.yaml:7: Train.lrr is not a parameter of Train"),
        ("requires: Fetch", "requires: Fech", "x.yaml:6: Train requires Fech, no spec. Did you mean Fetch?"),
        ("    reduce:", "    redcue:", "x.yaml:14: specs.Select.redcue is not known. Did you mean reduce?"),
        ("project: demo", "projct: demo", "x.yaml:2: projct is not known. Did you mean project?"),
        ("timeout: 2h", "timeout: 2x", "x.yaml:5: Train: timeout is '2x'"),
        ("timeout: 2h", "timeout: [2]", "x.yaml:10: specs.Train.timeout"),
        ("task: select", "task: selct", "x.yaml:12: tests.flowlib.document_tasks has no selct. Did you mean select?"),
        ("task: select", "task: no.such:x", "x.yaml:12: there is no module no.such"),
        ("expand: product", "expand: produkt", "x.yaml:8: Train.expand"),
        ("specs:", "spec:", "x.yaml: specs is missing"),
        ("import: tests.flowlib.document_tasks", "import: nothing.here", "x.yaml:1: there is no module nothing.here"),
        ("import: tests.flowlib.document_tasks", "import: gone.py", "x.yaml:1: there is no file"),
        ("lr: [1e-3, 1e-4]", "lr: {$swep: [1]}", "x.yaml:7: \\$swep: there is no such marker. Did you mean \\$sweep?"),
        ("lr: [1e-3, 1e-4]", "lr: {$env: NO_SUCH}", "x.yaml:7: \\$env: the environment has no variable NO_SUCH"),
        ("lr: [1e-3, 1e-4]", "lr: []", "x.yaml:7: Train.lr"),
        ("task: select", "task: tests.flowlib.document_tasks:Any", "x.yaml:12: .* is a .*, no class derived from Task"),
        ("retries: {oom: 1}", "retries: {omm: 1}", "x.yaml:5: Train: retries names 'omm'"),
    ],
)  # fmt: skip
def test_errors_begin_with_the_line(tmp_path, monkeypatch, old, new, message):
    """What is wrong, where, what was expected, the nearest name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH", raising=False)
    assert old in DOCUMENT
    Path("x.yaml").write_text(DOCUMENT.replace(old, new))
    with pytest.raises(ConfigError, match=f"^{message}"):
        Flow.from_file("x.yaml")


def test_a_file_beside_the_document(tmp_path):
    """Its tasks are found by name, in workers too; another module of that name is told."""
    (tmp_path / "mine_only_here.py").write_text("def double(x):\n    return 2 * x\n")
    text = "import: mine_only_here.py\nspecs:\n  double: {config: {x: [1, 2]}, expand: product}\n"
    run = read(tmp_path, text).run(num_workers=2)
    assert [each.results["result"] for each in run["double"]] == [2, 4]
    (tmp_path / "json.py").write_text("def double(x):\n    return 2 * x\n")
    with pytest.raises(ConfigError, match="json is .*, not .*rename"):
        read(tmp_path, text.replace("mine_only_here", "json"))


def test_project_and_store_of_the_document_hold(tmp_path, monkeypatch):
    """A relative folder lies in the project of the document, wherever it is run from."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "configs").mkdir()
    text = HEAD + "project: demo\nstore: file:.flowlib\nspecs: {Fetch: }\n"
    monkeypatch.chdir("/")
    flow = read(tmp_path / "configs", text)
    flow.run(num_workers=1)
    store = LocalFileStore(tmp_path / ".flowlib")
    [address] = store.addresses()
    assert store.record(address).latest.run.project_name == "demo"
    assert flow.plan().to_run == []
    assert flow.run(num_workers=1, results_store=LocalFileStore(tmp_path / "other")).counts == {
        "finished": 1
    }
    with pytest.raises(ConfigError, match=r"x\.yaml:3: "):
        read(tmp_path / "configs", text.replace("file:.flowlib", "fil:x"))


def test_what_has_no_text_is_refused(tmp_path):
    """A function without a name, an object without a text: with the path."""
    with pytest.raises(ConfigError, match="T: .*inside a function"):
        Flow([TaskSpec(lambda x: x, {"x": 1}, name="T")]).to_document()
    spec = TaskSpec(any_config, {}, {"a": object()}, name="T")
    with pytest.raises(ConfigError, match=r"T\.a"):
        Flow([spec]).to_document()


def test_the_schema_describes_documents():
    """It is JSON, knows every key, and an editor finds what is not known."""
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert set(schema["properties"]) == {
        field.alias or name for name, field in FlowDocument.model_fields.items()
    } | {"include"}
    assert schema["additionalProperties"] is False
    assert set(schema["$defs"]["OptionsDocument"]["properties"]) == set(
        OptionsDocument.model_fields
    )


def test_the_working_directory_is_left_alone(tmp_path):
    """And the search path of modules grows at its end only."""
    import sys

    before, folder = list(sys.path), Path.cwd()
    read(tmp_path, DOCUMENT)
    assert (sys.path[: len(before)], Path.cwd()) == (before, folder)
