"""No task computes with something else than its key was made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from pydantic import BaseModel

from flowlib import Flow, InMemoryStore, SpecError, TaskSpec
from tests.flowlib.function_tasks import total


class Model(BaseModel):
    """An object that is not copied."""

    size: int = 1


@dataclass
class Held:
    """An object that is."""

    values: list[int] = field(default_factory=list)


def changed_array():
    np = pytest.importorskip("numpy")
    array = np.zeros(3)
    spec = total({"deep": [array]})
    array[1] = 5
    return spec


def changed_model():
    model = Model()
    spec = total(model)
    model.size = 2
    return spec


def changed_bytes():
    data = bytearray(b"12")
    spec = total(data)
    data += b"3"
    return spec


@pytest.mark.parametrize("made", [changed_array, changed_model, changed_bytes])
def test_what_was_changed_after_the_call_is_refused(made):
    """Before anything runs, in flows, in direct use and where it is submitted; stored is stored."""
    spec, store = made(), InMemoryStore()
    refused = r"total\.values was changed after the call.* of total \(total/.* copy"
    with pytest.raises(SpecError, match=refused):
        Flow([spec]).run(num_workers=1, results_store=store)
    with pytest.raises(SpecError, match=refused):
        spec.result(store)
    with pytest.raises(SpecError, match=refused):
        Flow([spec]).submit(store)
    assert store.count() == 0


def test_the_config_of_a_task_spec_is_refused_too():
    """A flow takes it as it is when the flow is made; a new flow takes it anew."""
    values = [1, 2]
    spec = TaskSpec(total.fn, {"values": values})
    flow = Flow([spec])
    values.append(3)
    with pytest.raises(SpecError, match="was changed after the flow was made"):
        flow.run(num_workers=1)
    assert Flow([spec]).run(num_workers=1)["total"][0]["result"] == [1, 2, 3]


def test_lists_dicts_and_dataclasses_are_copied_at_the_call():
    """So what becomes of them does not matter."""
    values, held = [1], Held([2])
    spec = total({"list": values, "held": [held]})
    values.append(2)
    held.values.append(3)
    assert spec.result(InMemoryStore()) == {"list": [1], "held": [Held([2])]}


def test_a_counter_is_copied_as_it_is():
    """Its update() adds, so that every count was doubled once."""
    counter = Counter("aab")
    assert total([counter]).result(InMemoryStore()) == [{"a": 2, "b": 1}]
    assert total([counter]).key == total([Counter("aba")]).key


def test_a_result_that_is_stored_is_that_of_what_the_argument_was():
    """The key was made of that."""
    np, store = pytest.importorskip("numpy"), InMemoryStore()
    array = np.ones(2)
    spec = total(array)
    spec.result(store)
    array[0] = 7
    assert list(spec.result(store)) == [1, 1]


def test_values_of_every_kind_stay_what_they_are():
    """Whatever has a text has the same one again, also what annotations convert."""
    np = pytest.importorskip("numpy")
    kinds = [{1, 2}, (1, [float("nan")]), np.float32(2), Model, len, {"a": b"x"}, Held([1]), 2 + 3j]

    def scaled(x: float, kinds: object) -> object:
        return x

    for each in kinds:
        assert TaskSpec(scaled, {"x": 3, "kinds": each}, name="scaled").result(InMemoryStore()) == 3
