"""When is a run looked after that waits for others? Times are given, nothing sleeps."""

from __future__ import annotations

import pytest

from flowlib.parking import Parking

NEVER = float("inf")


def test_nobody_waits_for_nothing():
    """A run that waits for no other driver is never woken."""
    parking = Parking(10.0, 10.0)
    assert parking.wake_at == NEVER
    assert parking.told(1e9) is None
    assert parking.overdue(1e9) == []


def test_pauses_between_looks_grow_up_to_the_longest():
    """From a fifth of a second on, and never longer than is asked for."""
    parking, now, pauses = Parking(1.0, NEVER), 100.0, []
    for _ in range(7):
        parking.park("a", "them", now, None)
        pauses.append(round(parking.look_at - now, 3))
        now = parking.look_at
        parking.looked()
        assert parking.look_at == NEVER
    assert pauses == [0.2, 0.3, 0.45, 0.675, 1.0, 1.0, 1.0]
    assert Parking(0.05, NEVER).wake_at == NEVER


def test_pauses_begin_anew_when_others_get_on():
    """The end of their work is not overslept."""
    parking = Parking(10.0, NEVER)
    parking.park("b", "them", 100.0, None)
    for _ in range(4):
        parking.park("a", "them", 100.0, None)
        parking.looked()
    parking.park("a", "them", 100.0, None)
    assert parking.look_at > 100.9
    parking.leave("b")
    parking.looked()
    parking.park("a", "them", 100.0, None)
    assert parking.look_at == 100.2


def test_the_first_pause_is_no_longer_than_the_longest():
    """Who asks for quick looks gets them from the start."""
    parking = Parking(0.05, NEVER)
    parking.park("a", "them", 100.0, None)
    assert parking.look_at == 100.05


def test_a_wait_is_new_once():
    """A node that was tried again and is still busy waits on."""
    parking = Parking(1.0, 10.0)
    assert parking.park("a", "them", 1.0, None)
    parking.looked()
    assert not parking.park("a", "them", 2.0, None)
    parking.leave("a")
    assert parking.park("a", "them", 3.0, None)


def test_the_wait_is_told_again_and_again():
    """The longest one, with the number of the others."""
    parking = Parking(1.0, 10.0)
    parking.park("a", "one", 100.0, None)
    parking.park("b", "two", 104.0, None)
    assert parking.told(109.9) is None
    assert parking.told(110.0) == ("a", "one", 10.0, 1)
    assert parking.told(119.9) is None
    parking.leave("a")
    assert parking.told(120.0) == ("b", "two", 16.0, 0)
    parking.leave("b")
    assert parking.told(200.0) is None
    assert parking.wake_at == 100.2


def test_nothing_is_told_of_what_is_tried_again():
    """Between a look and the answer nobody knows whether it is still busy; nor is it woken for."""
    parking = Parking(1.0, 10.0)
    parking.park("a", "one", 100.0, 5.0)
    parking.looked()
    assert parking.overdue(105.0) == []
    assert parking.told(110.0) is None
    assert parking.wake_at == 120.0
    parking.park("a", "one", 111.0, 5.0)
    assert parking.overdue(111.0) == [("a", "one", 11.0)]


def test_a_wait_ends_after_its_limit():
    """Counted from its beginning, for each node by itself; others wait on."""
    parking = Parking(1000.0, NEVER)
    parking.park("a", "one", 100.0, 50.0)
    parking.park("b", "two", 110.0, 20.0)
    parking.park("c", "three", 100.0, None)
    parking.looked()
    for key, owner, limit_s in (("a", "one", 50.0), ("b", "two", 20.0), ("c", "three", None)):
        parking.park(key, owner, 115.0, limit_s)
    assert parking.wake_at == min(130.0, parking.look_at)
    assert parking.overdue(129.9) == []
    assert parking.overdue(130.0) == [("b", "two", 20.0)]
    parking.leave("b")
    assert parking.overdue(150.0) == [("a", "one", 50.0)]


@pytest.mark.parametrize("count", [20_000])
def test_many_waits_cost_little(count):
    """Asking when to wake does not look through all of them."""
    parking = Parking(1.0, 10.0)
    for number in range(count):
        parking.park(str(number), "them", 100.0, 50.0)
        assert parking.wake_at == 100.2
