"""Does a store used without a flow behave as the parity page describes? (its section 8)"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, TaskSpec
from stores import (
    File,
    InMemoryStore,
    LocalFileStore,
    Promise,
    ResultsStore,
    StoreError,
    TypeInfo,
)
from tests.acceptance import tasks

WHERE: dict[str, Any] = {"task_name": "T", "task_unique_config": {"T": {"x": 1}}}


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ResultsStore:
    """Both stores of the core."""
    return InMemoryStore() if request.param == "memory" else LocalFileStore(str(tmp_path / "s"))


@pytest.fixture
def files(tmp_path: Path) -> LocalFileStore:
    """A file store."""
    return LocalFileStore(str(tmp_path / "s"))


def test_save_load_delete(store: ResultsStore, caplog: pytest.LogCaptureFixture) -> None:
    """What is saved is loaded until it is deleted; a missing name is None, with a warning."""
    store.save({"a": [1, None]}, "value", "json", **WHERE)
    assert store.load("value", **WHERE) == {"a": [1, None]}
    store.delete("value", **WHERE)
    assert caplog.records == []
    assert store.load("value", **WHERE) is None
    [warning] = caplog.records
    assert warning.levelname == "WARNING"
    assert "'value'" in warning.getMessage()


def test_other_configs_are_other_places(store: ResultsStore) -> None:
    """Every (task, config) has its own artifacts."""
    for x in (1, 2):
        store.save(x, "value", None, "T", {"T": {"x": x}})
    assert [store.load("value", "T", {"T": {"x": x}}) for x in (1, 2)] == [1, 2]
    store.delete_run("T", {"T": {"x": 1}})
    assert store.load("value", "T", {"T": {"x": 1}}) is None
    assert store.load("value", "T", {"T": {"x": 2}}) == 2


def test_results_of_a_finished_task(store: ResultsStore) -> None:
    """`get_results` gives all artifacts, `is_finished` whether they count."""
    Flow([TaskSpec(tasks.Number, {"x": 5})]).run(num_workers=1, results_store=store)
    config = {"Number": {"x": 5}}
    assert store.is_finished("Number", config)
    assert store.get_results("Number", config) == {"value": 5}
    store.delete_run("Number", config)
    assert not store.is_finished("Number", config)


def test_lazy_load_gives_a_promise(store: ResultsStore) -> None:
    """In every store; the value comes with `.load()`."""
    store.save([1, 2], "value", None, **WHERE)
    promise = store.load("value", **WHERE, lazy=True)
    assert isinstance(promise, Promise)
    assert promise.load() == [1, 2]


def test_lock_is_a_context(store: ResultsStore) -> None:
    """`with store.lock:` works, as scripts have it."""
    with store.lock:
        store.save(1, "value", None, **WHERE)
    assert store.load("value", **WHERE) == 1


@pytest.mark.parametrize(
    ("type_", "extension", "value"),
    [
        ("json", ".json", {"a": "v" * 20_000}),
        ("pickle", ".p", {1: "v" * 20_000}),
        ("text", ".txt", "v" * 20_000),
    ],
)
def test_types_of_the_seed_have_its_extensions(
    type_: str, extension: str, value: object, files: LocalFileStore, tmp_path: Path
) -> None:
    """json, pickle and text, where an artifact is a file of its own."""
    files.save(value, "value", type_, **WHERE)
    assert files.load("value", **WHERE) == value
    assert [path.name for path in (tmp_path / "s").rglob("value*")] == [f"value{extension}"]


def test_sub_dir_holds_the_file(files: LocalFileStore, tmp_path: Path) -> None:
    """`save(..., sub_dir=)` puts the artifact into a folder of the attempt."""
    files.save("v" * 20_000, "value", "text", **WHERE, sub_dir="inner")
    assert files.load("value", **WHERE) == "v" * 20_000
    assert [path.parent.name for path in (tmp_path / "s").rglob("value*")] == ["inner"]


class Folders(LocalFileStore):
    """Registers types of its own, as a user does."""

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self.type_registry["folder"] = TypeInfo(save_folder, load_folder, needs_path=True)
        self.type_registry["indented"] = TypeInfo(json.dump, json.load, extension="json")


def save_folder(value: dict[str, str], path: str) -> None:
    """Save a folder of texts."""
    Path(path).mkdir()
    for name, text in value.items():
        (Path(path) / name).write_text(text)


def load_folder(path: str) -> dict[str, str]:
    """Load it."""
    return {file.name: file.read_text() for file in sorted(Path(path).iterdir())}


def test_own_types(tmp_path: Path) -> None:
    """A folder through its path, options of `save` through to the user's function."""
    store = Folders(str(tmp_path))
    store.save({"a": "one", "b": "two"}, "texts", "folder", **WHERE)
    assert store.load("texts", **WHERE) == {"a": "one", "b": "two"}
    store.save({"b": 1, "a": [2]}, "value", "indented", **WHERE, indent=4, sort_keys=True)
    with store.open("value", **WHERE, mode="r") as file:
        assert file.read() == '{\n    "a": [\n        2\n    ],\n    "b": 1\n}'


def save_line(value: str, file: Any) -> None:
    """Save a line."""
    file.write(value)


def load_line(file: Any, times: int = 1) -> str:
    """Load it, several times over."""
    return str(file.read()) * times


class Lines(LocalFileStore):
    """Has a type of text."""

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self.type_registry["line"] = TypeInfo(save_line, load_line, extension="line")


LATIN = {"encoding": "latin-1"}


@pytest.mark.parametrize(
    ("type_", "value", "options", "content"),
    [
        ("text", "é\r\n", {}, b"\xe9\r\n"),
        ("json", ["é"], {"ensure_ascii": False}, b'["\xe9"]'),
        ("line", "é", {}, b"\xe9"),
    ],
)
def test_a_file_is_read_as_it_was_opened_when_it_was_saved(
    type_: str, value: object, options: dict[str, Any], content: bytes, tmp_path: Path
) -> None:
    """`open_kwargs` hold for loading, for promises and for `open`; in other stores, too."""
    store = Lines(str(tmp_path / "s"))
    store.save(value, "value", type_, **WHERE, open_kwargs=LATIN, **options)
    assert [path.read_bytes() for path in (tmp_path / "s").rglob("value*")] == [content]
    again = Lines(str(tmp_path / "s"))
    assert again.load("value", **WHERE) == value
    assert again.load("value", **WHERE, lazy=True).load() == value
    with again.open("value", **WHERE, mode="r") as file:
        assert file.read() == content.decode("latin-1")
    with again.open("value", **WHERE, mode="rb") as file:
        assert file.read() == content
    if type_ != "line":  # other stores know nothing of a type of the user's
        other = InMemoryStore()
        again.copy("T", other)
        assert other.load("value", **WHERE) == value


@pytest.mark.parametrize("type_", ["text", "line"])
def test_a_file_that_was_opened_is_read_as_it_was_written(type_: str, tmp_path: Path) -> None:
    """Whoever adds to it later need not name its type and its encoding again."""
    store = Lines(str(tmp_path))
    with store.open("value", **WHERE, mode="w", type_=type_, **LATIN) as file:
        file.write("é")
    assert store.load("value", **WHERE) == "é"
    with store.open("value", **WHERE, mode="a") as file:
        file.write("ü")
    assert store.load("value", **WHERE) == "éü"
    assert [path.read_bytes() for path in tmp_path.rglob("value*")] == [b"\xe9\xfc"]


def test_options_of_loading_are_kept_and_may_be_overridden(tmp_path: Path) -> None:
    """`load_kwargs` of `save` reach the function that loads; those of `load` win."""
    store = Lines(str(tmp_path))
    store.save("a", "value", "line", **WHERE, load_kwargs={"times": 2})
    assert store.load("value", **WHERE) == "aa"
    assert store.load("value", **WHERE, times=3) == "aaa"
    assert store.load("value", **WHERE, lazy=True).load() == "aa"


def test_saving_never_adds_to_what_was_saved(store: ResultsStore) -> None:
    """`mode="a"` would be taken for something that no store does: the message names `open`."""
    with pytest.raises(StoreError, match=r"open\('value', mode='a'\)"):
        store.save("more", "value", "text", **WHERE, mode="a")
    assert store.load("value", **WHERE) is None


def test_unknown_type_names_the_known_ones(files: LocalFileStore) -> None:
    """With the nearest."""
    with pytest.raises(StoreError, match="Did you mean json"):
        files.save(1, "value", "jsn", **WHERE)


def test_files_of_all_modes(files: LocalFileStore) -> None:
    """w, a, r and r+ as Python has them; reading what is not there is an error."""
    with files.open("notes", **WHERE, mode="w", type_="text") as file:
        assert isinstance(file, File)
        assert file.writable()
        assert not file.readable()
        file.writelines(["one\n", "two\n"])
    with files.open("notes", **WHERE, mode="a", type_="text") as file:
        file.write("three\n")
    with files.open("notes", **WHERE, mode="r") as file:
        assert file.readline() == "one\n"
        assert list(file) == ["two\n", "three\n"]
        assert file.seek(0) == 0
        assert file.readlines() == ["one\n", "two\n", "three\n"]
        assert file.tell() == 14
    assert file.closed
    assert files.load("notes", **WHERE) == "one\ntwo\nthree\n"


def test_promise_opens_a_file(files: LocalFileStore) -> None:
    """`store.open(promise=...)` reads what the promise stands for."""
    files.save("v" * 20_000, "text", "text", **WHERE)
    promise = files.load("text", **WHERE, lazy=True)
    with files.open(promise=promise, mode="r") as file:
        assert file.read(3) == "vvv"


def test_file_saves_and_loads_objects(files: LocalFileStore) -> None:
    """`File.save` appends, `File.load` reads one after the other: data that fits no memory."""
    with files.open("many", **WHERE, mode="wb", type_="pickle") as file:
        for number in range(3):
            file.save({"number": number})
    with files.open("many", **WHERE, mode="rb") as file:
        assert [file.load()["number"] for _ in range(3)] == [0, 1, 2]


def test_context_of_the_file_store(files: LocalFileStore) -> None:
    """`get_context` names the folder of what counts, and the counter of its task."""
    Flow([TaskSpec(tasks.Number, {"x": "v" * 20_000})]).run(num_workers=1, results_store=files)
    context = files.get_context("Number", {"Number": {"x": "v" * 20_000}})
    assert context.run_dir is not None
    assert [path.name for path in Path(context.run_dir).iterdir()] == ["value.txt"]
    assert context.sweep_counter == "000"


def test_stores_are_picklable(files: LocalFileStore) -> None:
    """A store travels to workers."""
    files.save(1, "value", None, **WHERE)
    assert pickle.loads(pickle.dumps(files)).load("value", **WHERE) == 1


def test_values_of_the_memory_store_are_copies() -> None:
    """Changing what was saved or loaded changes nothing in the store."""
    store, value = InMemoryStore(), [1]
    store.save(value, "value", None, **WHERE)
    value.append(2)
    store.load("value", **WHERE).append(3)
    assert store.load("value", **WHERE) == [1]
