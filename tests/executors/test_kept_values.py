"""Large values that many tasks read are loaded once, where the engine is told to keep them."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec
from flowlib.executors.dask import DaskExecutor
from flowlib.executors.ray import RayExecutor
from flowlib.kept_values import KeptValues, limit_of
from flowlib.lent_values import BorrowingStore, LentValue, lent_by
from stores import Address, InMemoryStore, Input, LocalFileStore
from stores.testing import put
from tests.executors import kept_tasks as tasks
from tests.executors.cases import CASES, named

A, B, C = (Address("Load", f"{number:032x}") for number in range(3))


class _Reading:
    """A job, as far as it says what it reads."""

    def __init__(self, *addresses, attempt=1):
        self.inputs = [Input("data", each, attempt) for each in addresses]


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


@pytest.fixture(params=[named("dask"), named("ray")])
def keeping(request):
    """An executor that keeps values, on an engine with two workers."""
    [case] = [case for case in CASES if case.name == request.param]
    with case.given(2) as executor:
        if request.param == "dask":
            yield DaskExecutor(executor.cluster, keep_values="100MB")
        else:
            yield RayExecutor(keep_values=100_000_000)


def test_what_was_read_longest_ago_is_let_go_first():
    """Values are loaded once while they are kept; small ones never are."""
    store, loaded = InMemoryStore(), []
    for address, size in ((A, 100_000), (B, 100_000), (C, 10)):
        put(store, address, {"data": b"x" * size})
    kept = KeptValues(store, 150_000, lambda each: loaded.append(each) or each.key)

    assert kept.of(_Reading(A, C)) == [A.key]
    assert kept.of(_Reading(A, C)) == [A.key]
    assert loaded == [A]
    assert kept.of(_Reading(B)) == [B.key]
    assert kept.of(_Reading(A)) == [A.key]
    assert loaded == [A, B, A]
    assert kept.of(_Reading(A, attempt=2)) == [A.key]
    assert loaded == [A, B, A, A]
    kept.clear()
    assert kept.of(_Reading(A, attempt=2)) == [A.key]
    assert loaded == [A, B, A, A, A]


def test_nothing_is_asked_where_nothing_is_kept():
    """Neither the store nor the engine."""
    kept = KeptValues(None, 0, None)
    assert kept.of(_Reading(A)) == []


def test_a_value_that_is_larger_than_all_that_is_kept_is_read_from_the_store():
    """It would throw out all others, and then itself."""
    store = InMemoryStore()
    put(store, A, {"data": b"x" * 100_000})
    assert KeptValues(store, 70_000, None).of(_Reading(A)) == []


def test_sizes_are_numbers_or_texts():
    """What is neither is an error of whoever makes the executor."""
    assert (limit_of(7), limit_of("4GB"), limit_of("1MiB")) == (7, 4 * 10**9, 1 << 20)
    for made in (DaskExecutor, RayExecutor):
        with pytest.raises(ValueError, match="keep_values is 'many'"):
            made(keep_values="many")


def test_lent_values_are_what_the_store_gives(store):
    """Bytes, arrays as lists, pickles; what was not lent, and promises, come from the store."""
    values = {
        "bytes": random.Random(1).randbytes(100_000),  # noqa: S311  # any bytes
        "json": [list(range(30_000))],
        "pickle": set(range(30_000)),
        "small": 1,
    }
    put(store, A, values)
    lent = pickle.loads(pickle.dumps(lent_by(store, A), protocol=5))  # noqa: S301  # our own
    assert len(lent) == 3
    status = store.statuses([A])[A.key]
    for path in _files_of(store):
        path.write_bytes(b"damaged")
    reading = BorrowingStore(store, lent)
    for artifact in status.artifacts:
        found = reading.load_artifact(A, status.attempt, artifact)
        assert found == values[artifact.name]
        assert type(found) is type(values[artifact.name])
    assert lent_by(store, B) == {}


def _files_of(store):
    return [each for each in (Path(store.base_dir) / "Load" / A.key).rglob("*") if each.is_file()]


def test_buffers_need_no_copy():
    """An engine with memory of its own is given the bytes apart from the pickle."""
    apart = []
    value = LentValue(None, b"x" * 100_000)
    text = pickle.dumps(value, protocol=5, buffer_callback=apart.append)
    assert len(text) < 1000
    again = pickle.loads(text, buffers=apart)  # noqa: S301  # our own
    assert bytes(again.data) == value.data
    assert pickle.loads(pickle.dumps(value, protocol=4)).data == value.data  # noqa: S301  # our own


def test_many_tasks_read_a_value_that_was_loaded_once(keeping, store, tmp_path):
    """The file of the value is taken away after the first has read it; all others get it."""
    spec = TaskSpec(tasks.large, {"kilobytes": 300})
    reads = TaskSpec(
        tasks.reads_and_hides, {"folder": store.base_dir, "n": list(range(12))}, expand="product"
    )
    reads.requires(spec)
    done = Flow([spec, reads]).run(
        executor=keeping, num_workers=2, results_store=store, progress=None
    )

    assert {each.results["length"] for each in done["reads_and_hides"]} == {300 << 10}
    assert sum(each.results["was_hidden"] for each in done["reads_and_hides"]) >= 8


def test_values_that_are_gone_are_told_as_from_the_store(keeping, store):
    """What nobody can load was lent to nobody: the error names the value and the cure."""
    spec = TaskSpec(tasks.large, {"kilobytes": 300})
    Flow([spec]).run(results_store=store, progress=None)
    gone = TaskSpec(tasks.takes_away, {"folder": store.base_dir})
    reads = TaskSpec(tasks.reads, {"n": [1, 2]}, expand="product")
    reads.requires(spec, gone)
    counts = (
        Flow([spec, gone, reads])
        .run(executor=keeping, results_store=store, progress=None, exit_on_error=False)
        .counts
    )

    assert counts == {"cached": 1, "finished": 1, "failed": 2}
    messages = [record.latest.error.message for record in store.records("reads")]
    assert all("cannot read 'content' of large" in each for each in messages)


def test_a_run_keeps_values_of_earlier_runs_too(keeping, store):
    """They are cached, and read by new tasks; results are the same as without."""
    spec = TaskSpec(tasks.large, {"kilobytes": 300})
    Flow([spec]).run(results_store=store, progress=None)
    reads = TaskSpec(tasks.reads, {"n": list(range(6))}, expand="product")
    reads.requires(spec)
    done = Flow([spec, reads]).run(executor=keeping, results_store=store, progress=None)

    assert done.counts == {"cached": 1, "finished": 6}
    assert {each.results["length"] for each in done["reads"]} == {300 << 10}


def test_a_value_that_the_engine_has_lost_is_read_from_the_store(keeping, store, monkeypatch):
    """Whatever it was lost by; nothing of that is to be seen."""
    monkeypatch.setattr(f"{type(keeping).__module__}.values_of", tasks.lost_values)
    spec = TaskSpec(tasks.large, {"kilobytes": 300})
    reads = TaskSpec(tasks.reads, {"n": [1, 2, 3]}, expand="product")
    reads.requires(spec)
    done = Flow([spec, reads]).run(executor=keeping, results_store=store, progress=None)

    assert done.counts == {"finished": 4}
    assert {each.results["length"] for each in done["reads"]} == {300 << 10}
