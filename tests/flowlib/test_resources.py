"""The resource pool is pure: leases are exclusive, amounts never go below nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib import ResourceError, SpecError, TaskSpec
from flowlib.amounts import PARTS
from flowlib.demands import NOTHING, Demand
from flowlib.resources import as_text, pool_of


def taken(pool, wanted):
    """What a task sees that asks for `wanted` now."""
    return pool.resource(pool.take(pool.demand("T", wanted)))


def test_objects_are_leased_exclusively_and_in_order():
    """Two objects serve two tasks at once, never three."""
    pool = pool_of(["cuda:0", "cuda:1"])
    one = pool.demand("Train", None)
    first, second = pool.take(one), pool.take(one)

    assert [pool.resource(first), pool.resource(second)] == ["cuda:0", "cuda:1"]
    assert not pool.fits(one)
    pool.give_back(first)
    assert pool.resource(pool.take(one)) == "cuda:0"


class Odd:
    """No truth, no hash, no equality."""

    __hash__ = None

    def __bool__(self):
        raise TypeError("neither true nor false")

    def __eq__(self, other):
        raise TypeError("not comparable")


@pytest.mark.parametrize("objects", [["gpu", "gpu"], [{}, {}], [0, None], [Odd(), Odd()]])
def test_objects_of_any_type_are_told_apart_by_their_place(objects):
    """Equal ones, unhashable ones, those that count as nothing."""
    pool = pool_of(objects)
    first, second = taken(pool, None), taken(pool, None)

    assert first is objects[0]
    assert second is objects[1]


def test_anything_but_a_list_is_one_object():
    """A string is one resource, not its letters; so is a tuple."""
    for one in (("a", "b"), "cuda:0", Odd()):
        assert taken(pool_of(one), None) is one


def test_a_spec_may_ask_for_several_objects_or_none():
    """`{"gpu": 2}` takes two objects, `{}` takes none, None takes one."""
    pool = pool_of(["a", "b", "c"])

    assert taken(pool, {"gpu": 2}) == ["a", "b"]
    assert pool.demand("T", {}) == NOTHING
    assert taken(pool, None) == "c"


def test_amounts_are_counted_and_may_be_fractions():
    """Ten tenths fit, eleven do not."""
    pool = pool_of({"licence": 1, "cpu": 8})
    tenth = pool.demand("T", {"licence": 0.1})
    grants = [pool.take(tenth) for _ in range(10)]

    assert pool.resource(grants[0]) == {"licence": 0.1}
    assert not pool.fits(tenth)
    for grant in grants:
        pool.give_back(grant)
    assert pool.fits(pool.demand("T", {"licence": 1}))


def test_sizes_of_memory_are_written_as_text():
    """A task sees bytes."""
    pool = pool_of({"mem": "32GB", "gpu_mem": "24GiB"})
    grant = pool.take(pool.demand("T", {"mem": "20GB", "gpu_mem": "512MiB"}))

    assert pool.resource(grant) == {"mem": 20 * 10**9, "gpu_mem": 512 * 2**20}
    assert pool.label(grant) == "gpu_mem=512MiB mem=20GB"
    assert pool.fits(pool.demand("T", {"mem": "12G"}))
    assert not pool.fits(pool.demand("T", {"mem": "13GB"}))


def test_lists_and_amounts_stand_side_by_side():
    """Objects by kind go to those who ask for them, and to nobody else."""
    pool = pool_of({"gpu": ["cuda:0", "cuda:1"], "host": ["a", "b"], "cpu": 8})

    assert pool.demand("T", None) == NOTHING
    assert taken(pool, {"gpu": 1, "cpu": 2}) == "cuda:0"
    assert taken(pool, {"gpu": 1, "host": 2}) == {"gpu": "cuda:1", "host": ["a", "b"]}
    assert taken(pool, {"cpu": 6}) == {"cpu": 6}
    assert not pool.fits(pool.demand("T", {"cpu": 0.5}))


def test_two_halves_share_one_object():
    """A fraction goes to the fullest object with room, so that whole ones are left."""
    pool = pool_of(["a", "b"])
    half, whole = pool.demand("T", {"gpu": 0.5}), pool.demand("T", None)
    first, second = pool.take(half), pool.take(half)

    assert [pool.resource(first), pool.resource(second)] == ["a", "a"]
    assert pool.resource(pool.take(whole)) == "b"
    pool.give_back(first)
    assert not pool.fits(whole)
    pool.give_back(second)
    assert pool.fits(whole)


def test_devices_are_seen_by_the_names_they_have_in_the_process():
    """The label for people tells which they are."""
    pool = pool_of({"gpu": [2, 3]}, {"CUDA_VISIBLE_DEVICES": "4,5,6,7"})
    one = pool.take(pool.demand("T", {"gpu": 1}))

    assert (pool.resource(one), pool.label(one)) == ("cuda:0", "gpu 6")
    assert dict(pool.environment(one))["CUDA_VISIBLE_DEVICES"] == "6"
    pool.give_back(one)
    both = pool.take(pool.demand("T", {"gpu": 2}))
    assert (pool.resource(both), pool.label(both)) == (["cuda:0", "cuda:1"], "gpu 6,gpu 7")
    assert dict(pool.environment(both))["CUDA_VISIBLE_DEVICES"] == "6,7"


def test_a_number_of_gpus_means_the_first_devices():
    """They are counted and told apart."""
    pool = pool_of({"gpu": 2})
    grants = [pool.take(pool.demand("T", {"gpu": 0.5})) for _ in range(4)]

    seen = [dict(pool.environment(grant))["CUDA_VISIBLE_DEVICES"] for grant in grants]
    assert seen == ["0", "0", "1", "1"]
    assert not pool.fits(pool.demand("T", {"gpu": 0.5}))


def test_objects_alone_change_no_environment():
    """Devices and threads do, and nothing else."""
    plain = pool_of({"gpu": ["cuda:0"], "mem": "8GB", "cpu": 8})
    leased = plain.take(plain.demand("T", {"gpu": 1, "mem": "8GB"}))

    assert plain.environment(leased) == ()
    assert dict(plain.environment(plain.take(plain.demand("T", {"cpu": 2}))))
    assert dict(pool_of({"gpu": 1}).environment(plain.take(NOTHING)))


def test_without_resources_nothing_is_demanded():
    """A run without resources starts every task."""
    for nothing in (None, [], {}):
        assert pool_of(nothing).demand("T", None) == NOTHING


@pytest.mark.parametrize(
    ("resources", "wanted", "message"),
    [
        (["a"], {"gpu": 2}, "T needs 2 gpu, but the run has 1: it could never start"),
        ({"cpu": 4}, {"cpus": 1}, r"no such resource \(it has: cpu\). Did you mean cpu"),
        (None, {"gpu": 1}, "no such resource"),
        ([], {"gpu": 1}, "no such resource"),
        ({"gpu": 0}, {"gpu": 1}, "the run has 0"),
        ({"cpu": 4}, {"cpu": 5}, "could never start"),
        ({"mem": "8GB"}, {"mem": "9GB"}, "T needs 9GB mem, but the run has 8GB"),
        ({"mem": "8GB"}, {"mem": 4}, "T needs 4 mem.*has 8GB of it: write both"),
        ({"mem": 8}, {"mem": "4GB"}, "T needs 4GB mem.*has 8 of it: write both"),
        (["a", "b"], {"gpu": 1.5}, "a whole number of them, or for a fraction of one"),
    ],
)
def test_a_demand_that_can_never_be_met_is_an_error(resources, wanted, message):
    """The plan is refused, with what is wanted and what there is."""
    with pytest.raises(ResourceError, match=message):
        pool_of(resources).demand("T", wanted)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"cpu": -1}, r"resources\['cpu'\] is -1; give a number of 0 or more"),
        ({"mem": "8 gigs"}, "or a size such as 32GB"),
        ({"gpu": 1.5}, "a whole number of devices"),
        ({"gpu": -1}, "a whole number of devices"),
        ({"gpu": "24GB"}, "a whole number of devices"),
        ({"gpu": True}, "a whole number of devices"),
        ({3: 1}, "words such as 'cpu', not 3"),
    ],
)
def test_resources_that_are_none_are_refused(resources, message):
    """With the kind and what is allowed."""
    with pytest.raises(ResourceError, match=message):
        pool_of(resources)


@pytest.mark.parametrize("wrong", [-1, True, "much", None, float("nan")])
def test_a_demand_that_is_no_amount_is_refused_with_its_spec(wrong):
    """As soon as the spec is made."""
    with pytest.raises(SpecError, match=r"dict: resources\['cpu'\] is .*; give a number"):
        TaskSpec(lambda: None, name="dict", resources={"cpu": wrong})


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (None, ""),
        ("cuda:0", "cuda:0"),
        (["a", "b"], "a,b"),
        ({"cpu": 0.5, "gpu": ["a", "b"]}, "cpu=0.5 gpu=a,b"),
        ("two\nlines", "two lines"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_leases_are_told_in_a_few_words(resource, text):
    """On one line."""
    assert as_text(resource) == text


wishes = st.lists(st.tuples(st.sampled_from([0.25, 0.5, 1, 2, 3]), st.integers(0, 3)), max_size=40)


@given(wishes)
def test_nothing_is_lost_and_nothing_is_shared_beyond_its_whole(steps):
    """Whatever is taken and given back: no object is leased twice over, and all come back."""
    pool = pool_of({"gpu": ["a", "b", "c"], "cpu": 2})
    held = []
    for objects, cpus in steps:
        demand = Demand((("cpu", cpus * PARTS // 3), ("gpu", int(objects * PARTS))))
        if pool.fits(demand):
            held.append(pool.take(demand))
        elif held:
            pool.give_back(held.pop(0))
        leased = dict.fromkeys(range(3), 0)
        for grant in held:
            wish = dict(grant.demand.parts)["gpu"]
            for index in dict(grant.objects)["gpu"]:
                leased[index] += min(wish, PARTS)
        assert max(leased.values()) <= PARTS
        assert sum(dict(grant.demand.parts)["cpu"] for grant in held) <= 2 * PARTS
    for grant in held:
        pool.give_back(grant)
    assert taken(pool, {"gpu": 3, "cpu": 2}) == ["a", "b", "c"]
