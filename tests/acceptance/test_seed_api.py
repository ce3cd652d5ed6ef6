"""Does a script written for fluidml run after changing its imports?"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from tests.acceptance.scripts import run_script

FLOWLIB = [
    "Flow",
    "Task",
    "TaskInfo",
    "TaskResults",
    "TaskSpec",
    "TaskState",
    "configure_logging",
    "visualize_graph_in_console",
    "visualize_graph_interactive",
]
STORES = [
    "File",
    "FilePromise",
    "InMemoryStore",
    "LazySweep",
    "LocalFileStore",
    "Promise",
    "ResultsStore",
    "StoreContext",
    "Sweep",
    "TypeInfo",
]
LATER = ["MongoDBStore"]

FLOW_RUN = [
    "num_workers",
    "resources",
    "start_method",
    "exit_on_error",
    "log_to_tmux",
    "max_panes_per_window",
    "force",
    "project_name",
    "run_name",
    "results_store",
    "return_results",
]
ADDRESSED = ["name", "task_name", "task_unique_config"]
OPENED = [*ADDRESSED, "mode", "promise", "type_", "sub_dir"]
ASKED_FOR = ["task_name", "task_unique_config"]
SAVED = ["obj", "name", "type_", "task_name", "task_unique_config"]
FILE_OPTIONS = ["sub_dir", "mode", "open_kwargs", "load_kwargs"]

PARAMETERS = {
    "flowlib:Flow": ["tasks", "config_ignore_prefix", "config_group_prefix"],
    "flowlib:Flow.run": FLOW_RUN,
    "flowlib:TaskSpec": [
        "task",
        "config",
        "additional_kwargs",
        "name",
        "reduce",
        "expand",
        "config_ignore_prefix",
        "config_group_prefix",
    ],
    "flowlib:TaskSpec.expand": [],
    "flowlib:Task.save": ["obj", "name", "type_"],
    "flowlib:Task.load": ADDRESSED,
    "flowlib:Task.delete": ADDRESSED,
    "flowlib:Task.delete_run": ASKED_FOR,
    "flowlib:Task.open": OPENED,
    "flowlib:Task.get_store_context": ASKED_FOR,
    "flowlib:configure_logging": ["level", "rich_logging", "rich_traceback"],
    "flowlib:visualize_graph_in_console": ["graph", "use_pager", "use_unicode"],
    "flowlib:visualize_graph_interactive": [
        "graph",
        "plot_width",
        "plot_height",
        "node_width",
        "node_height",
        "scale_width",
        "browser",
    ],
    "stores:File": ["path", "mode", "save_fn", "load_fn", "open_fn", "load_kwargs"],
    "stores:File.read": ["size"],
    "stores:File.readline": ["size"],
    "stores:File.readlines": ["hint"],
    "stores:File.write": ["obj"],
    "stores:File.writelines": ["lines"],
    "stores:File.seek": ["offset", "whence"],
    "stores:File.truncate": ["size"],
    "stores:File.save": ["obj"],
    "stores:File.from_promise": ["promise"],
    "stores:FilePromise": ["name", "path", "save_fn", "load_fn", "open_fn", "mode", "load_kwargs"],
    "stores:InMemoryStore": ["manager"],
    "stores:InMemoryStore.save": SAVED,
    "stores:LocalFileStore": ["base_dir"],
    "stores:LocalFileStore.save": SAVED,
    "stores:LocalFileStore.load": [*ADDRESSED, "lazy"],
    "stores:LocalFileStore.open": OPENED,
    "stores:LazySweep": ["value", "config"],
    "stores:Sweep": ["value", "config"],
    "stores:StoreContext": ["run_dir", "sweep_counter"],
    "stores:TypeInfo": [
        "save_fn",
        "load_fn",
        "extension",
        "is_binary",
        "open_fn",
        "needs_path",
    ],
    "stores:ResultsStore.save": SAVED,
    "stores:ResultsStore.load": ADDRESSED,
    "stores:ResultsStore.delete": ADDRESSED,
    "stores:ResultsStore.delete_run": ASKED_FOR,
    "stores:ResultsStore.get_context": ASKED_FOR,
    "stores:ResultsStore.get_results": ASKED_FOR,
    "stores:ResultsStore.is_finished": ASKED_FOR,
    "stores:ResultsStore.open": OPENED,
}
DEFAULTS = {
    "flowlib:Flow.run": {
        "num_workers": None,
        "resources": None,
        "exit_on_error": True,
        "log_to_tmux": False,
        "max_panes_per_window": 4,
        "force": None,
        "project_name": "uncategorized",
        "run_name": None,
        "results_store": None,
    },
    "flowlib:TaskSpec": {
        "config": None,
        "additional_kwargs": None,
        "name": None,
        "reduce": None,
        "expand": None,
        "config_ignore_prefix": None,
        "config_group_prefix": None,
    },
    "flowlib:configure_logging": {"rich_logging": True},  # else the settings
    "flowlib:visualize_graph_in_console": {"use_pager": True, "use_unicode": False},
    "stores:StoreContext": {"run_dir": None, "sweep_counter": None},
    "stores:TypeInfo": {
        "extension": None,
        "is_binary": None,
        "open_fn": None,
        "needs_path": False,
    },
}
TASK_ATTRIBUTES = [
    "config",
    "duration",
    "ended",
    "expects",
    "force",
    "id",
    "info",
    "name",
    "predecessors",
    "project_name",
    "reduce",
    "resource",
    "results_store",
    "run_history",
    "run_name",
    "started",
    "state",
    "successors",
    "sweep_counter",
    "unique_config",
    "unique_config_hash",
    "unique_name",
]
FILE_METHODS = [
    "close",
    "closed",
    "flush",
    "from_promise",
    "load",
    "read",
    "readable",
    "readline",
    "readlines",
    "save",
    "seek",
    "seekable",
    "tell",
    "truncate",
    "writable",
    "write",
    "writelines",
]


def resolved(path: str) -> object:
    """The object that `module:Class.method` names."""
    module, _, qualified = path.partition(":")
    found: object = importlib.import_module(module)
    for part in qualified.split("."):
        found = getattr(found, part)
    return found


def parameters_of(path: str) -> dict[str, inspect.Parameter]:
    """The parameters a caller gives; `self` is left out."""
    found = inspect.signature(resolved(path)).parameters  # type: ignore[arg-type]  # callables only
    return {name: p for name, p in found.items() if name != "self"}


@pytest.mark.parametrize("name", FLOWLIB)
def test_name_of_fluidml_is_in_flowlib(name: str) -> None:
    """Every public name of fluidml, fluidml.task and fluidml.visualization is in flowlib."""
    module = importlib.import_module("flowlib")
    assert getattr(module, name).__name__ == name
    assert name in module.__all__


@pytest.mark.parametrize("name", STORES)
def test_name_of_storage_is_in_stores_and_in_flowlib(name: str) -> None:
    """Every public name of fluidml.storage is in stores, and flowlib passes it on."""
    stores, flowlib = importlib.import_module("stores"), importlib.import_module("flowlib")
    assert getattr(stores, name).__name__ == name
    assert getattr(flowlib, name) is getattr(stores, name)


@pytest.mark.parametrize("path", sorted(PARAMETERS))
def test_parameters_of_the_seed_are_accepted_in_its_order(path: str) -> None:
    """Positional and keyword calls of the seed fit: same names, same places."""
    accepted = parameters_of(path)
    expected = PARAMETERS[path]
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in accepted.values())
    named = [name for name in accepted if name in expected]
    assert named == expected or (takes_any and expected[: len(named)] == named)
    positional = [
        name for name, p in accepted.items() if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    assert positional[: len(named)] == named


@pytest.mark.parametrize("path", sorted(DEFAULTS))
def test_defaults_of_the_seed_are_kept(path: str) -> None:
    """A parameter that a script leaves out means what it meant."""
    accepted = parameters_of(path)
    found = {name: accepted[name].default for name in DEFAULTS[path]}
    assert found == DEFAULTS[path]


@pytest.mark.parametrize("option", FILE_OPTIONS)
def test_file_store_takes_the_options_of_save(option: str, tmp_path: Path) -> None:
    """`sub_dir`, `mode`, `open_kwargs` and `load_kwargs` of LocalFileStore.save are accepted."""
    from stores import LocalFileStore

    value = {"sub_dir": "inner", "mode": "w", "open_kwargs": {}, "load_kwargs": {}}[option]
    store = LocalFileStore(str(tmp_path))
    where = {"task_name": "T", "task_unique_config": {"T": {"x": 1}}}
    store.save([1], "value", "json", **where, **{option: value})
    assert store.load("value", **where) == [1]


@pytest.mark.parametrize("name", TASK_ATTRIBUTES)
def test_task_has_the_attributes_of_the_seed(name: str) -> None:
    """Every documented attribute of a task is there to read."""
    from flowlib import Task

    assert hasattr(Task, name)


@pytest.mark.parametrize("name", FILE_METHODS)
def test_file_has_the_methods_of_the_seed(name: str) -> None:
    """Every documented method of a file is there."""
    from stores import File

    assert hasattr(File, name)


def test_task_states_are_those_of_the_seed() -> None:
    """The states are strings of the seed's words."""
    from flowlib import TaskState

    words = {"failed", "finished", "killed", "pending", "running", "scheduled", "upstream_failed"}
    assert words <= {state.value for state in TaskState}
    assert TaskState("finished") == "finished"
    assert all(TaskState[word.upper()].value == word for word in words)


def test_task_info_has_the_fields_of_the_seed() -> None:
    """TaskInfo is a pydantic model; two fields are required."""
    from flowlib import TaskInfo

    fields = {name: field.is_required() for name, field in TaskInfo.model_fields.items()}
    optional = [
        "duration",
        "ended",
        "id",
        "run_history",
        "started",
        "state",
        "sweep_counter",
        "unique_config_hash",
    ]
    assert fields == {"project_name": True, "run_name": True, **dict.fromkeys(optional, False)}


def test_spec_links_both_ways() -> None:
    """`requires` and `required_by` are the two ends of one edge."""
    from flowlib import TaskSpec
    from tests.acceptance.tasks import Add, Number

    number, add, other = TaskSpec(Number), TaskSpec(Add), TaskSpec(Add, name="Other")
    add.requires([number])
    number.required_by(other)
    assert [spec.name for spec in number.successors] == ["Add", "Other"]
    assert add.predecessors == other.predecessors == [number]


def test_num_tasks_is_a_property() -> None:
    """`flow.num_tasks` counts the expanded tasks."""
    from flowlib import Flow, TaskSpec
    from tests.acceptance.tasks import Number

    flow = Flow(tasks=[TaskSpec(task=Number, config={"x": [1, 2, 3]}, expand="product")])
    assert flow.num_tasks == 3


SCRIPT = """
from typing import Dict, List

from flowlib import Flow, Task, TaskSpec, configure_logging
from stores import LocalFileStore, Sweep, TypeInfo


class Parse(Task):
    def __init__(self, in_dir: str):
        super().__init__()
        self.in_dir = in_dir

    def run(self):
        self.save(obj={"sentences": ["a b", "c"]}, name="res1", type_="json")


def process(res1: Dict, pipeline: List[str], task: Task):
    task.save(obj=[pipeline, len(res1["sentences"])], name="res2", type_="json")


class Encode(Task):
    def __init__(self, encoder: Dict):
        super().__init__()
        self.encoder = encoder

    def run(self, res2: List):
        self.save(self.encoder["kind"] + str(res2[1]), "res3", type_="shout")


class Pick(Task):
    def run(self, res3: List[Sweep]):
        self.save([(sweep.value, sweep.config.Encode.encoder.kind) for sweep in res3], "res4",
                  type_="pickle")


class MyStore(LocalFileStore):
    def __init__(self, base_dir: str):
        super().__init__(base_dir=base_dir)
        self.type_registry["shout"] = TypeInfo(save_shout, load_shout, extension="up")


def save_shout(obj, file):
    file.write(obj.upper())


def load_shout(file):
    return file.read()


def main():
    configure_logging(level="INFO", rich_logging=True, rich_traceback=True)
    parse = TaskSpec(task=Parse, config={"in_dir": "/some/dir"})
    proc = TaskSpec(task=process, config={"pipeline": [["lemma", "upper"]]}, expand="product")
    encode = TaskSpec(
        task=Encode, config={"encoder": [{"kind": "tf"}, {"kind": "glove"}]}, expand="product"
    )
    pick = TaskSpec(task=Pick, reduce=True)
    proc.requires(parse)
    encode.requires([proc])
    pick.requires(encode)
    flow = Flow(tasks=[parse, proc, encode, pick], config_ignore_prefix="_", config_group_prefix="@")
    results = flow.run(
        num_workers=WORKERS,
        resources=["cpu:0", "cpu:1"],
        start_method="spawn",
        exit_on_error=True,
        project_name="proj",
        run_name="demo",
        results_store=MyStore(base_dir="cache"),
        return_results="all",
    )
    print("NODES", flow.num_tasks, sorted(flow.task_graph.nodes))
    print("PROCESS", results["process"][0].results["res2"])
    print("PICK", results["Pick"][0].results["res4"])
    print("NAMES", [result.task_unique_name for result in results["Encode"]])
    print("CONFIG", results["Encode"][1].unique_config["Encode"])


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_script_in_the_style_of_the_seed_runs(workers: int, tmp_path: Path) -> None:
    """Class tasks, a function task, a reduce, own types, resources, spawn: as it was written."""
    done = run_script(SCRIPT.replace("WORKERS", str(workers)), tmp_path)
    assert done.code == 0, done.err
    lines = [line for line in done.out.splitlines() if line.split(" ")[0].isupper()]
    assert lines == [
        "NODES 5 ['Encode-1', 'Encode-2', 'Parse', 'Pick', 'process']",
        "PROCESS [['lemma', 'upper'], 2]",
        "PICK [('TF2', 'tf'), ('GLOVE2', 'glove')]",
        "NAMES ['Encode-1', 'Encode-2']",
        "CONFIG {'encoder': {'kind': 'glove'}}",
    ]
