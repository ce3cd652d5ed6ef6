"""The resource pool is pure: leases are exclusive, amounts never go below nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib import ResourceError
from flowlib.resources import NOTHING, Demand, pool_of


def test_objects_are_leased_exclusively_and_in_order():
    """Two objects serve two tasks at once, never three."""
    pool = pool_of(["cuda:0", "cuda:1"])
    one = pool.demand("Train", None)
    first, second = pool.take(one), pool.take(one)

    assert [pool.resource(first), pool.resource(second)] == ["cuda:0", "cuda:1"]
    assert not pool.fits(one)
    pool.give_back(first)
    assert pool.resource(pool.take(one)) == "cuda:0"


def test_equal_objects_are_told_apart():
    """A list of two equal objects holds two resources."""
    pool = pool_of(["gpu", "gpu"])
    one = pool.demand("Train", None)

    assert {pool.take(one).objects, pool.take(one).objects} == {(0,), (1,)}


def test_a_spec_may_ask_for_several_objects_or_none():
    """`{"gpu": 2}` takes two objects, `{}` takes none, None takes one."""
    pool = pool_of(["a", "b", "c"])

    assert pool.resource(pool.take(pool.demand("T", {"gpu": 2}))) == ["a", "b"]
    assert pool.demand("T", {}) == NOTHING
    assert pool.resource(pool.take(pool.demand("T", None))) == "c"


def test_amounts_are_counted_and_may_be_fractions():
    """Ten tenths fit, eleven do not."""
    pool = pool_of({"gpu": 1, "cpu": 8})
    tenth = pool.demand("T", {"gpu": 0.1})
    grants = [pool.take(tenth) for _ in range(10)]

    assert not pool.fits(tenth)
    for grant in grants:
        pool.give_back(grant)
    assert pool.fits(Demand(amounts=(("gpu", 1.0),)))


def test_without_resources_nothing_is_demanded():
    """A run without resources starts every task."""
    assert pool_of(None).demand("T", None) == NOTHING


@pytest.mark.parametrize(
    ("resources", "wanted", "message"),
    [
        (["a"], {"gpu": 2}, "T needs 2 gpu, but the run has 1"),
        ({"cpu": 4}, {"cpus": 1}, r"no such resource \(it has: cpu\). Did you mean cpu"),
        (None, {"gpu": 1}, "no such resource"),
        ({"cpu": 4}, {"cpu": 5}, "could never start"),
    ],
)
def test_a_demand_that_can_never_be_met_is_an_error(resources, wanted, message):
    """The plan is refused, with what is wanted and what there is."""
    with pytest.raises(ResourceError, match=message):
        pool_of(resources).demand("T", wanted)


def test_anything_but_a_list_is_one_object():
    """A string is one resource, not its letters; so is a tuple."""
    assert pool_of(("a", "b")).objects == (("a", "b"),)
    assert pool_of("cuda:0").objects == ("cuda:0",)


@given(st.lists(st.integers(0, 3), max_size=30))
def test_nothing_is_lost_and_nothing_is_shared(wishes):
    """Whatever is taken and given back, in the end all objects are free again."""
    pool = pool_of(["a", "b", "c"])
    held = []
    for wish in wishes:
        demand = Demand(objects=wish)
        if pool.fits(demand):
            held.append(pool.take(demand))
        elif held:
            pool.give_back(held.pop(0))
        leased = [index for grant in held for index in grant.objects]
        assert len(leased) == len(set(leased)) <= 3
    for grant in held:
        pool.give_back(grant)
    assert pool.take(Demand(objects=3)).objects == (0, 1, 2)
