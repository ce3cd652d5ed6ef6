"""Does flowlib differ from fluidml where section 1 of the parity page says so, and how?"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, Task, TaskSpec
from stores import InMemoryStore, LocalFileStore, StoreWithoutFiles
from tests.acceptance import tasks
from tests.acceptance.scripts import run_script
from tests.acceptance.tasks import noted


class Maybe(Task):
    """Has a parameter whose default is not None, and one whose default is."""

    def __init__(self, a: int | None = 5, b: int | None = None, log: str | None = None) -> None:
        self.seen = [a, b]
        self.log = log

    def run(self) -> dict[str, Any]:
        """Return both."""
        tasks.note(self.log, self.unique_name)
        return {"seen": self.seen}


def nodes(spec: TaskSpec) -> list[Any]:
    """The nodes of one spec."""
    return [data["task"] for _, data in Flow([spec]).task_graph.nodes(data=True)]


def keys(*specs: TaskSpec) -> list[str]:
    """The shown keys of specs with one node each."""
    return [node.unique_config_hash for spec in specs for node in nodes(spec)]


def test_key_is_shown_as_eight_characters_of_the_identity() -> None:
    """`unique_config_hash` begins the key, which is a 128-bit digest in hexadecimal."""
    (node,) = nodes(TaskSpec(tasks.Number, {"x": 1}))
    assert len(node.unique_config_hash) == 8
    assert node.key.startswith(node.unique_config_hash)
    assert len(node.key) == 32
    assert set(node.key) <= set("0123456789abcdef")


def test_values_equal_to_the_default_are_no_part_of_the_identity() -> None:
    """A parameter added with a default keeps old results; None is a value elsewhere."""
    plain, default, none, number = keys(
        TaskSpec(Maybe, {}),
        TaskSpec(Maybe, {"a": 5, "b": None}),
        TaskSpec(Maybe, {"a": None}),
        TaskSpec(Maybe, {"b": 5}),
    )
    assert plain == default
    assert len({plain, none, number}) == 3


def test_none_and_defaults_stay_in_the_unique_config() -> None:
    """It shows what the user gave."""
    (node,) = nodes(TaskSpec(Maybe, {"a": 5, "b": None}))
    assert node.unique_config["Maybe"] == {"a": 5, "b": None}


@pytest.mark.parametrize("workers", [1, 2])
def test_configs_keep_their_types(workers: int, tmp_path: Path) -> None:
    """Tuples, int keys, sets, paths, enums and dates arrive as what they were."""
    config = {
        "pair": (1, 2),
        "by_number": {1: "one"},
        "some": {3, 4},
        "path": Path("a/b"),
        "colour": tasks.Colour.RED,
        "kind": tasks.Opaque,
        "day": date(2026, 11, 21),
    }
    spec = TaskSpec(tasks.Anything, config)
    for _ in range(2):
        store = LocalFileStore(str(tmp_path / "s"))
        run = Flow([spec]).run(num_workers=workers, results_store=store, return_results="all")
        assert run["Anything"][0].results["out"] == {"name": "Anything", **config}


def test_only_lists_are_choices() -> None:
    """Tuples, ranges and sets are values, under `expand` too."""
    values = {"pair": (1, 2), "numbers": range(3), "some": {1, 2}, "bytes": b"ab", "text": "ab"}
    for expand in ("product", "zip"):
        found = nodes(TaskSpec(tasks.Anything, {**values, "x": [1, 2]}, expand=expand))
        shown = [dict(node.unique_config["Anything"]) for node in found]
        assert shown == [{**values, "x": 1}, {**values, "x": 2}]


def test_marker_needs_a_prefix() -> None:
    """`"@x"` is an ordinary choice unless `config_group_prefix` is given, also under zip."""
    found = nodes(TaskSpec(tasks.Anything, {"x": [1, "@x"]}, expand="zip"))
    assert [node.unique_config["Anything"]["x"] for node in found] == [1, "@x"]


def test_equal_choices_are_one_node() -> None:
    """`[1, 1]` is one task."""
    found = nodes(TaskSpec(tasks.Number, {"x": [1, 1, 2]}, expand="product"))
    assert [node.unique_name for node in found] == ["Number-1", "Number-2"]


def test_local_functions_and_lambdas_work_with_a_name(tmp_path: Path) -> None:
    """They are sent by value; where the name is not stable one is asked for."""

    def local(x: int) -> dict[str, int]:
        return {"y": x + 1}

    with pytest.raises(ValueError, match="name"):
        TaskSpec(local, {"x": 1})
    with pytest.raises(ValueError, match="name"):
        TaskSpec(lambda x: {"y": x}, {"x": 1})
    specs = [
        TaskSpec(local, {"x": [1, 2]}, expand="product", name="local"),
        TaskSpec(lambda x: {"y": x * 10}, {"x": 1}, name="tenfold"),
    ]
    for workers in (1, 2):
        run = Flow(specs).run(num_workers=workers, return_results="all")
        assert [each.results for each in run["local"]] == [{"y": 2}, {"y": 3}]
        assert run["tenfold"][0].results == {"y": 10}


def test_layout_of_the_file_store(tmp_path: Path) -> None:
    """`<task>/<key>.json` and `<task>/<key>/<attempt>/`."""
    store = LocalFileStore(str(tmp_path))
    flow = Flow([TaskSpec(tasks.Number, {"x": "v" * 50_000})])
    flow.run(num_workers=1, results_store=store)
    key = flow.task_graph.nodes["Number"]["task"].key
    assert (tmp_path / "Number" / f"{key}.json").is_file()
    attempts = [path.name for path in (tmp_path / "Number" / key).iterdir()]
    assert attempts == ["1"]


@pytest.mark.parametrize("workers", [1, 2])
def test_small_results_have_no_folder_even_if_they_are_forced(workers: int, tmp_path: Path) -> None:
    """They are in their records; what was looked for on the way is gone."""
    flow = Flow([TaskSpec(tasks.Number, {"x": [1, 2]}, expand="product")])
    for force in (None, "all"):
        store = LocalFileStore(str(tmp_path))
        flow.run(num_workers=workers, results_store=store, force=force)
        left = [path.name for path in (tmp_path / "Number").iterdir() if path.is_dir()]
        assert set(left) <= {".index"}


def test_the_folder_of_a_run_has_readable_links_to_files(tmp_path: Path) -> None:
    """By the names of its tasks; they go where the store goes, and cached tasks have none."""
    spec = TaskSpec(tasks.Number, {"x": ["v" * 50_000, "w" * 50_000, "small"]}, expand="product")
    odd = TaskSpec(tasks.Number, {"x": "u" * 50_000}, name="a/b")
    for flow, expected in (
        (Flow([spec]), {"Number-1", "Number-2"}),
        (Flow([spec, odd]), {"a%2Fb"}),
    ):
        run = flow.run(num_workers=1, results_store=LocalFileStore(str(tmp_path / "store")))
        moved = Path(run.folder).relative_to(tmp_path / "store")
        (tmp_path / "store").rename(tmp_path / "moved")
        links = list((tmp_path / "moved" / moved / "results").iterdir())
        assert {each.name for each in links} == expected
        assert all(each.is_symlink() for each in links)
        for each in links:
            (file,) = each.glob("1/value*")
            assert file.stat().st_size == 50_000
        (tmp_path / "moved").rename(tmp_path / "store")


def test_open_in_a_store_without_files_is_an_error() -> None:
    """Not a silent None: the message names the stores that have files."""
    with pytest.raises(StoreWithoutFiles, match="LocalFileStore"):
        InMemoryStore().open("x", task_name="T", task_unique_config={"T": {}}, mode="w")


def test_arguments_of_save_are_in_one_order_in_all_stores(tmp_path: Path) -> None:
    """`save(obj, name, type_, task_name, task_unique_config)`, positionally."""
    for store in (InMemoryStore(), LocalFileStore(str(tmp_path))):
        store.save([1, 2], "value", None, "T", {"T": {"x": 1}})
        assert store.load("value", "T", {"T": {"x": 1}}) == [1, 2]


def test_type_is_inferred_and_can_be_overridden(tmp_path: Path) -> None:
    """`save` needs no `type_` in the file store."""
    store = LocalFileStore(str(tmp_path))
    where = {"task_name": "T", "task_unique_config": {"T": {"x": 1}}}
    for value in ({"a": 1}, (1, 2), "text", b"bytes", {1, 2}):
        store.save(value, "value", **where)
        assert store.load("value", **where) == value
    store.save((1, 2), "value", type_="json", **where)
    assert store.load("value", **where) == [1, 2]


def test_plain_dict_is_matched_exactly(tmp_path: Path) -> None:
    """No subset is a hit."""
    store = LocalFileStore(str(tmp_path))
    Flow([TaskSpec(tasks.Number, {"x": 1})]).run(num_workers=1, results_store=store)
    assert store.load("value", "Number", {"Number": {"x": 1}}) == 1
    assert store.is_finished("Number", {"Number": {"x": 1}})
    for other in ({"Number": {}}, {"Number": {"x": 1}, "P": {}}, {"Number": {"x": True}}):
        assert not store.is_finished("Number", other)


def test_save_outside_a_run_is_no_finished_result(tmp_path: Path) -> None:
    """What a notebook saves by hand is never a cache hit."""
    store, log = LocalFileStore(str(tmp_path / "s")), tmp_path / "log"
    store.save(9, "value", None, "Number", {"Number": {"x": 1}})
    assert not store.is_finished("Number", {"Number": {"x": 1}})
    spec = TaskSpec(tasks.Number, {"x": 1}, {"log": str(log)})
    run = Flow([spec]).run(num_workers=1, results_store=store, return_results="all")
    assert noted(log) == ["Number"]
    assert run["Number"][0].results == {"value": 1}


def test_task_made_by_hand_says_that_it_is_not_running() -> None:
    """A Task exists only while it runs; another has no store and no name."""
    with pytest.raises(RuntimeError, match="TaskSpec"):
        tasks.Number(1).save(1, "x")


FAILING_SCRIPT = """
from flowlib import Flow, TaskSpec
from tests.acceptance.tasks import Failing

if __name__ == "__main__":
    Flow([TaskSpec(Failing)]).run(num_workers=1)
"""


def test_failing_script_exits_with_an_error(tmp_path: Path) -> None:
    """`exit_on_error` acts with one worker too: the script ends with code 1."""
    done = run_script(FAILING_SCRIPT, tmp_path)
    assert done.code == 1
    assert "failed on purpose" in done.err


SUBCLASS = """
from flowlib import Flow, Task, TaskSpec
from stores import LocalFileStore, TypeInfo

def write(obj, file):
    file.write(obj[::-1])

def read(file):
    return file.read()[::-1]

class Reversed(LocalFileStore):
    def __init__(self, base_dir):
        super().__init__(base_dir)
        self.type_registry["reversed"] = TypeInfo(write, read, extension="rev", is_binary=True)

class Save(Task):
    def run(self):
        self.save(b"x" * 20_000 + b"y", "value", type_="reversed")

class Check(Task):
    def run(self, value):
        return {"end": value[-1:].decode()}

if __name__ == "__main__":
    save, check = TaskSpec(Save), TaskSpec(Check)
    check.requires(save)
    for _ in range(2):
        run = Flow([save, check]).run(num_workers=2, results_store=Reversed("s"),
                                      return_results="all")
        print(run["Check"][0].results, len(run["Save"][0].results["value"]))
"""


def test_subclass_of_the_file_store_with_own_types_works(tmp_path: Path) -> None:
    """Types registered in `__init__`, in workers and afterwards."""
    done = run_script(SUBCLASS, tmp_path)
    assert done.out.splitlines() == ["{'end': 'y'} 20001"] * 2, done.err
    assert len(list((tmp_path / "s" / "Save").rglob("*.rev"))) == 1
