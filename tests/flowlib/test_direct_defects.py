"""Do direct calls keep the promises that other libraries of remembered functions have broken?"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import flowlib.single_results
from flowlib import InMemoryStore, RunError, SpecError, task, use_store
from flowlib.cli.main import main
from stores import ArtifactDamaged, LocalFileStore
from tests.flowlib import moved_tasks
from tests.flowlib.direct_callers import key_of_a_set
from tests.flowlib.direct_tasks import count, fails, nothing, parts, square, total

METHODS = ["fork", "spawn", "forkserver"]


@dataclass(frozen=True)
class Options:
    """Of the same name as one in `moved_tasks`."""

    depth: int = 1


@pytest.fixture(autouse=True)
def _untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said once per process was not said yet."""
    monkeypatch.setattr(total, "_told", set())
    monkeypatch.setattr(flowlib.single_results, "_told", set())


@pytest.fixture
def store(tmp_path: Path) -> LocalFileStore:
    """In a folder of the test."""
    return LocalFileStore(tmp_path / "runs", fsync=False)


@pytest.mark.parametrize(
    ("one", "other"), [(-1.0, -2.0), (math.inf, 314159), (2.0**61, 1.0), (1, True), (0.0, -0.0)]
)
def test_numbers_whose_hashes_are_equal_are_two(
    one: float, other: float, store: LocalFileStore
) -> None:
    """Each has a key and a result of its own."""
    assert square.key(one) != square.key(other)
    assert [square.call(each, store=store) for each in (one, other)] == [one * one, other * other]
    assert store.count("square") == 2


def test_a_set_has_one_key_in_every_process() -> None:
    """Whatever the seed of hashes is."""
    code = "from tests.flowlib.direct_callers import key_of_a_set; print(key_of_a_set())"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert found == {key_of_a_set()}


def test_a_generator_is_computed_every_time_and_not_consumed_before(
    store: LocalFileStore, caplog: pytest.LogCaptureFixture
) -> None:
    """With one warning, which has the cure; so is an object of an unknown class."""

    def numbers() -> Iterator[float]:
        yield from (0.5, 10.0)

    assert [total.call(numbers(), store=store) for _ in range(3)] == [10.5, 10.5, 10.5]
    assert store.count() == 0
    [warning] = [each.getMessage() for each in caplog.records]
    assert warning == (
        "total: values is an iterator (generator), which can be read only once: make it a list or "
        "a tuple; so calls of total are computed every time"
    )


def test_what_is_said_of_a_function_is_not_said_of_another_one(
    store: LocalFileStore, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is defined anew, as in a notebook, tells again; the same one does not."""
    for _ in range(2):
        again = task(total.fn, name="total")
        assert [again.call(iter([1.0]), store=store) for _ in range(2)] == [1.0, 1.0]
    assert len(caplog.records) == 2


def test_an_unknown_object_beside_a_spec_is_refused(store: LocalFileStore) -> None:
    """The value of the spec could not be put in its place."""
    with pytest.raises(SpecError, match="is an iterator"):
        total.call([square(1), (x for x in "a")], store=store)


def test_dataclasses_of_one_name_in_two_modules_are_two() -> None:
    """Their module counts."""
    assert square.key(Options()) != square.key(moved_tasks.Options())
    assert square.key(Options(1)) == square.key(Options())


def test_a_function_that_has_moved_finds_its_results(
    store: LocalFileStore, folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The name counts, not the module; as the code is another one, one line says so."""
    assert square.call(3, folder, store=store) == 9
    assert [moved_tasks.square.call(3, store=store) for _ in range(2)] == [9, 9]
    [warning] = [each.getMessage() for each in caplog.records]
    assert warning.startswith("the code of square ×1 has changed since the results were computed")


def test_none_is_kept_and_an_error_is_told_and_tried_again(
    store: LocalFileStore, folder: str
) -> None:
    """An error is no result, but its record tells of it."""
    assert [nothing.call(1, folder, store=store) for _ in range(2)] == [None, None]
    assert count(folder) == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="no 1"):
            fails.call(1, folder, store=store)
    assert count(folder) == 3
    assert not fails.exists(1, folder, store=store)
    record = fails(1, folder).record(store)
    assert record is not None
    assert record.latest.error is not None
    assert (record.latest.error.type_, record.latest.error.message) == ("ValueError", "no 1")


def cut(path: Path) -> None:
    """Another size."""
    path.write_bytes(path.read_bytes()[:-7])


def spoil(path: Path) -> None:
    """The same size, and no JSON."""
    path.write_bytes(b"x" * path.stat().st_size)


@pytest.mark.parametrize("damage", [Path.unlink, cut, spoil])
def test_a_damaged_value_is_computed_again(
    damage: Callable[[Path], object], store: LocalFileStore, folder: str
) -> None:
    """Whether it is gone, has another length, or other bytes."""
    assert parts.call(5000, folder, store=store)["count"] == 5000
    record = parts(5000).record(store)
    assert record is not None
    base = store.record_folder(record.address)
    assert base is not None
    [path] = base.glob("numbers*")
    damage(path)
    assert parts.call(5000, folder, store=store)["numbers"] == [*range(5000)]
    assert parts(5000)["numbers"].result(store) == [*range(5000)]
    assert count(folder) == 2


def test_a_damaged_value_is_told_when_nothing_may_be_computed(
    store: LocalFileStore, folder: str
) -> None:
    """`load` never computes."""
    parts.call(5000, folder, store=store)
    record = parts(5000).record(store)
    assert record is not None
    base = store.record_folder(record.address)
    assert base is not None
    spoil(next(base.glob("numbers*")))
    with pytest.raises(ArtifactDamaged):
        parts.load(5000, store=store)


def test_a_damaged_record_counts_as_none(store: LocalFileStore, folder: str) -> None:
    """It is healed by the next call."""
    square.call(3, folder, store=store)
    path = Path(store.base_dir, "square", f"{square.key(3)}.json")
    path.write_text("{")
    again = LocalFileStore(store.base_dir)
    assert square.call(3, folder, store=again) == 9
    assert square.call(3, folder, store=again) == 9
    assert count(folder) == 2


@pytest.mark.parametrize("method", METHODS)
def test_a_bound_function_runs_in_processes_of_each_kind(
    method: str, store: LocalFileStore, folder: str
) -> None:
    """By its name, with its store; a second call finds what the first has computed."""
    with use_store(store):
        bound = square.bind()
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        found = [pool.submit(bound, 5, folder).result(60) for _ in range(2)]
        assert [*pool.map(bound, range(4))] == [0, 1, 4, 9]
    assert found == [25, 25]
    assert count(folder) == 1
    assert square.call(5, folder, store=store) == 25
    assert count(folder) == 1


def test_a_bound_function_with_a_memory_store_stays_in_its_process(folder: str) -> None:
    """Its threads share it; for other processes there is the cure."""
    bound = square.bind(store=InMemoryStore())
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(bound, [3] * 8, [folder] * 8)] == [9] * 8
    assert count(folder) == 1
    with pytest.raises(RunError, match=r"cannot be sent to another process.*file:FOLDER"):
        pickle.dumps(bound)


def test_a_bound_function_that_forces(store: LocalFileStore, folder: str) -> None:
    """Every call computes."""
    bound = square.bind(store=store, force=True)
    assert [pickle.loads(pickle.dumps(bound))(3, folder) for _ in range(2)] == [9, 9]
    assert count(folder) == 2


def test_the_address_of_a_part_is_what_cat_takes(
    store: LocalFileStore, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """`KEY:name`."""
    part = parts(3)["numbers"]
    assert part.result(store) == [0, 1, 2]
    assert part.key == f"{parts.key(3)}:numbers"
    assert main(["cat", part.key, "--store", f"file:{store.base_dir}"]) == 0
    assert capfdbinary.readouterr().out == b"[0, 1, 2]\n"
    with pytest.raises(SpecError, match="which has no address of its own"):
        _ = part[0].key


def test_of_a_part_only_what_is_asked_for_is_loaded(store: LocalFileStore) -> None:
    """A part that is not there is no result."""
    assert not parts(3)["numbers"].exists(store)
    parts.call(3, store=store)
    assert parts(3)["numbers"].exists(store)
    assert not parts(3)["other"].exists(store)
    assert parts(3)["numbers"][1].result(store) == 1
