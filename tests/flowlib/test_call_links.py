"""What calls that read the same specs have in common, and what tells others from them."""

from __future__ import annotations

import gc
import pickle
import weakref

from flowlib import Flow, task
from stores import InMemoryStore


@task
def base(x: int) -> int:
    """A source."""
    return x


@task
def both(x: int, y: int = 0, lr: float = 0.1) -> float:
    """Reads from up to two specs."""
    return 100 * x + 10 * y + lr


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


def test_a_call_is_a_handful_of_objects():
    """The collector looks at all of them again and again: that was a third of a fan-out's time."""
    source = base(1)
    assert tracked_per_call(lambda number: both(number)) <= 8
    assert tracked_per_call(lambda number: both(source, lr=number * 0.5)) <= 8


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
