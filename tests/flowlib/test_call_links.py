"""What calls that read the same specs have in common, and what tells others from them."""

from __future__ import annotations

import gc
import pickle
import weakref
from typing import Literal

import pytest

from flowlib import Flow, SpecError, TaskSpec, task
from stores import InMemoryStore, canonical


@task
def base(x: int) -> int:
    """A source."""
    return x


@task
def both(x: int, y: int = 0, lr: float = 0.1) -> float:
    """Reads from up to two specs."""
    return 100 * x + 10 * y + lr


@task
def fit(kind: Literal["a", "b"] | int, x: int = 0) -> object:
    """Takes some texts, and others not."""
    return kind, x


def tracked_per_call(make, count=500):
    """How many objects the garbage collector has to look at for each call that is kept."""
    make(0)
    gc.collect()
    before = len(gc.get_objects())
    kept = [make(number) for number in range(1, count + 1)]
    gc.collect()
    found = len(gc.get_objects()) - before
    assert len(kept) == count
    return round(found / count)


def test_a_call_is_one_object():
    """The collector looks at all of them again and again: that was half of a fan-out's time."""
    source = base(1)
    assert tracked_per_call(lambda number: both(number)) == 1
    assert tracked_per_call(lambda number: both(source, lr=number * 0.5)) == 1


def test_texts_are_made_with_the_nodes_and_once(monkeypatch):
    """A call of which the types are known to fit encodes nothing, nor does a second flow."""
    both(5, lr=0.5)
    encoded = []
    encode = canonical.encode
    monkeypatch.setattr(canonical, "encode", lambda *given: encoded.append(given) or encode(*given))
    calls = [both(1000 + number, lr=0.5 + number) for number in range(20)]
    assert encoded == []
    keys = list(Flow(calls).graph.nodes)
    count = len(encoded)
    assert 20 <= count <= 2 * 20 + 2  # the values, and the defaults once
    assert list(Flow(calls).graph.nodes) == keys
    assert [call.key for call in calls] == keys
    assert len(encoded) == count


def test_what_depends_on_the_value_is_checked_by_each_call():
    """A type that has fitted before is no proof where an annotation lists values."""
    assert fit("a").key != fit("b").key
    with pytest.raises(SpecError, match="kind is 'c'"):
        fit("c")
    with pytest.raises(SpecError, match="x is 'one'"):
        fit("a", "one")


def test_the_config_of_a_call_holds_what_was_given():
    """Also where it shares what it reads with other calls; in the order of the arguments."""
    source = base(1)
    call = both(7, source, lr=0.5)
    assert {**call.config, "y": None} == {"x": 7, "y": None, "lr": 0.5}
    assert list(call.config) == ["x", "y", "lr"]
    assert call.config["y"].source is source
    assert (call.name, call.reduce, call.version) == ("both", False, None)
    assert (call.additional_kwargs, call.predecessors) == ({}, [source])


def test_copies_of_specs_have_readers_of_their_own():
    """They come from one pickle, where nothing has read from any of them yet."""
    one, two = pickle.loads(pickle.dumps([base(1), base(2)]))
    reader = TaskSpec(both, name="reader").requires(one)
    assert (one.successors, two.successors) == ([reader], [])


def test_each_call_reads_what_it_was_given():
    """The same specs, others, more, fewer, in other places: every value is the right one."""
    one, two = base(1), base(2)
    calls = [
        *(both(one), both(one), both(two), both(one, two), both(two, one), both(one, one)),
        *(both(one, 3), both(3, one), both(y=one, x=two), both(x=two, y=one), both(one)),
    ]
    store = InMemoryStore()
    Flow({f"c{at}": call for at, call in enumerate(calls)}).run(results_store=store)
    expected = [100.1, 100.1, 200.1, 120.1, 210.1, 110.1, 130.1, 310.1, 210.1, 210.1, 100.1]
    assert [round(call.result(store), 6) for call in calls] == expected
    assert calls[0].key == calls[1].key == calls[10].key
    assert len({call.key for call in calls}) == 7


def test_specs_are_not_kept_alive_by_later_calls():
    """When the calls that read it are gone, so is the spec."""
    source = base(1)
    call = both(source)
    gone = weakref.ref(source)
    del source, call
    gc.collect()
    assert gone() is None


def test_a_copy_of_a_call_reads_the_same():
    """Calls travel to other processes."""
    call = both(base(1), base(2))
    assert pickle.loads(pickle.dumps(call)).key == call.key
