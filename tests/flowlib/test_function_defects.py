"""Do calls keep the promises that other libraries of lazy functions have broken?"""

from __future__ import annotations

import multiprocessing
import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib import Flow, GraphError, InMemoryStore, SpecError, task
from flowlib.fingerprint import Fingerprints
from flowlib.input_values import value_of
from stores import LocalFileStore
from tests.flowlib.function_tasks import (
    add,
    big_and_small,
    fit,
    gives,
    killed_once,
    load,
    lock_once,
    nothing,
    told,
    told_by,
    total,
)

METHODS = ["fork", "spawn", "forkserver"]


@pytest.mark.parametrize("method", METHODS)
def test_a_decorated_function_is_sent_by_its_name(method: str) -> None:
    """Under each start method of multiprocessing it is the same thing on the other side."""
    assert pickle.loads(pickle.dumps(load)) is load
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        assert pool.submit(told_by, load).result(60) == ([0, 1, 2], {"n": 5}, True)


@pytest.mark.parametrize("method", METHODS)
def test_calls_run_in_processes_of_each_kind(method: str) -> None:
    """With the values that they give in this process."""
    flow = Flow([total([load(2), add(load(3)[2], 5)])])
    run = flow.run(num_workers=2, start_method=method, results_store=InMemoryStore())
    assert run["total"][0]["result"] == [[0, 1], 7]


def test_a_local_function_is_sent_by_value() -> None:
    """It needs a name for its results; then it runs in a worker process, too."""
    offset = 10

    @task(name="shifted")
    def shifted(x: int) -> int:
        return x + offset

    with pytest.raises(SpecError, match="no stable name"):
        task(lambda x: x)
    run = Flow([shifted(add(1, 2))]).run(num_workers=2, results_store=InMemoryStore())
    assert run["shifted"][0]["result"] == 13


def test_changed_arguments_give_another_value() -> None:
    """The identity is not the name."""
    store = InMemoryStore()
    found = [
        Flow([add(n)]).run(num_workers=1, results_store=store)["add"][0]["result"] for n in (1, 2)
    ]
    assert found == [2, 3]


def test_functions_of_one_name_never_read_each_others_values() -> None:
    """Two lambdas, closures or functions of two modules: told, and nothing is run."""
    one, other = task(name="same")(lambda x: x), task(name="same")(lambda x: -x)
    with pytest.raises(GraphError, match="two tasks are called 'same'"):
        Flow([total([one(1), other(1)])])


@pytest.mark.parametrize("broken", [killed_once, lock_once])
def test_what_breaks_once_does_not_break_later_runs(broken: Any, tmp_path: Path) -> None:
    """A worker that was killed, a value that cannot be stored: the next run computes it."""
    flow = Flow([broken(str(tmp_path))])
    store = LocalFileStore(tmp_path / "store")
    first = flow.run(num_workers=2, exit_on_error=False, results_store=store)
    assert first.counts in ({"failed": 1}, {"killed": 1})
    second = flow.run(num_workers=2, results_store=store)
    assert second[broken.__name__][0]["result"] in ("alive", "stored")


class CountingStore(InMemoryStore):
    """Knows what was loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def load_artifact(self, address: Any, attempt: int, artifact: Any, **how: Any) -> Any:
        """Note it."""
        self.loaded.append(artifact.name)
        return super().load_artifact(address, attempt, artifact, **how)


def test_only_what_is_read_is_loaded() -> None:
    """Of a dict one item, once however often it stands there; of what is cached nothing."""
    store = CountingStore()
    part = big_and_small()["small"]
    flow = Flow([total([part, part])])
    assert flow.run(num_workers=1, results_store=store).counts == {"finished": 2}
    assert store.loaded == ["small"]
    assert flow.run(num_workers=1, results_store=store).counts == {"cached": 2}
    assert store.loaded == ["small"]


@pytest.mark.parametrize(
    "value", [None, 1, [1], {}, {"a": 1}, {"result": 1}, {1: 2}, {"a": {"b": None}}]
)
def test_a_value_is_what_was_returned(value: Any) -> None:
    """Also None and {}, and beside artifacts that the task has saved."""
    store = InMemoryStore()
    flow = Flow([total([gives(value)])])
    run = flow.run(num_workers=1, results_store=store)
    expected = {"saved": [1]} if value is None else value
    assert run["total"][0]["result"] == [expected]
    [result] = run["gives"]
    status = store.statuses([result.address])[result.address.key]
    assert value_of(store, result.address, status, []) == expected


def test_none_is_cached() -> None:
    """A function that gives nothing is not computed again."""
    store = InMemoryStore()
    flow = Flow([total([nothing()])])
    assert flow.run(num_workers=1, results_store=store)["total"][0]["result"] == [None]
    assert flow.run(num_workers=1, results_store=store).counts == {"cached": 2}


def test_arguments_are_taken_as_they_are_at_the_call() -> None:
    """A list that grows afterwards makes no other task, and no wrong value."""
    values: list[int] = []
    calls = []
    for n in range(3):
        values.append(n)
        calls.append(total(values))
    run = Flow(calls).run(num_workers=1, results_store=InMemoryStore())
    assert [each["result"] for each in run["total"]] == [[0], [0, 1], [0, 1, 2]]


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(nested, min_size=2, max_size=2), st.booleans(), st.booleans())
def test_equal_calls_have_equal_keys(
    given_values: list[Any], by_name: bool, with_spec: bool
) -> None:
    """However they are written, with and without specs inside."""
    first, note = given_values
    inner = {"s": load(2), "v": first} if with_spec else first
    other = {"v": first, "s": load(2)} if with_spec else first
    written = total(values=inner) if by_name else total(inner)
    assert key(written) == key(total(other))
    assert key(total([first, note])) == key(total([*given_values]))
    assert (key(total([first])) == key(total((first,)))) is False


def key(spec: Any) -> str:
    """The key of a call's only task."""
    [node] = Flow([spec]).graph.by_spec[spec.name]
    return node.key


def test_a_key_is_the_same_on_every_machine_and_day() -> None:
    """Golden values."""
    assert [key(each) for each in GOLDEN] == list(GOLDEN.values())


GOLDEN: dict[Any, str] = {
    load(3): "7e8eca630855b60590a3d729508c0b14",
    fit(load(3), lr=0.5): "79cc3a7a7dbf4cb4ace7ea5336ece9ff",
    total({"a": [load(1), (fit([1])["model"], None)]}): "4a3f0c1ecf71635ed28db8fc701994df",
    told(1, 2, 3, note="x", extra=load(2)): "2c5ffdcb40291e38d7875a201d510908",
    total.reduce([load(1), 2]): "8136c47f7c572f9c40777630372564dc",
}


def seconds(size: int) -> float:
    """CPU time of building a fan and what gathers it."""
    began = time.process_time()
    data = load(3)
    Flow([total([fit(data, lr=float(n)) for n in range(size)])])
    return time.process_time() - began


def test_a_fan_out_is_never_quadratic() -> None:
    """Eight times as many calls cost about eight times as much."""
    small = min(seconds(500) for _ in range(3))
    assert min(seconds(4000) for _ in range(3)) < 30 * small


def test_the_code_behind_a_decorated_name_is_known() -> None:
    """With the functions that it uses, as for other tasks; what the decorator makes is not."""
    found = Fingerprints().of(using_another)
    assert found is not None
    assert [part.name for part in found.parts][:2] == ["using_another", "helper"]


def helper(x: int) -> int:
    """Used below."""
    return x + 1


@task
def using_another(x: int) -> int:
    """Uses the function above."""
    return helper(x)
