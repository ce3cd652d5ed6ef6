"""Do two drivers share the work of one store, and does one finish what the other left?"""

from __future__ import annotations

import random
import time

import pytest

from stores import LocalFileStore
from tests.faults.drivers import (
    chain,
    check_results,
    driver,
    executions,
    finished,
    kill,
    leftovers,
    wait_until,
)

COUNT = 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_two_drivers_compute_every_key_once(tmp_path, seed):
    """Started at once on the same flow, with one worker and with two: both end with all results."""
    base, log = tmp_path / "store", tmp_path / "log"
    with (
        driver(tmp_path, base, log, COUNT, 1, 0.01) as one,
        driver(tmp_path, base, log, COUNT, 2, 0.01) as two,
    ):
        assert [each.end()[0] for each in (one, two)] == [0, 0]
        assert one.others() == two.others() == []
    begun = executions(log)
    assert sorted(begun) == sorted(f"{name} {x}" for name in ("Make", "Use") for x in range(50))
    run = chain(COUNT, log).run(results_store=LocalFileStore(base))
    check_results(run, COUNT)
    assert run.counts == {"cached": COUNT}
    assert leftovers(base) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_one_driver_takes_over_what_the_killed_one_left(tmp_path, seed):
    """SIGKILL of one in the middle: the other ends with all results."""
    rng, base, log = random.Random(seed), tmp_path / "store", tmp_path / "log"
    with (
        driver(tmp_path, base, log, COUNT, 1 + seed % 2, 0.02) as one,
        driver(tmp_path, base, log, COUNT, 2, 0.02) as two,
    ):
        at = rng.randrange(5, 60)
        wait_until(lambda: len(executions(log)) >= at)
        time.sleep(rng.random() * 0.02)
        done = finished(LocalFileStore(base))
        kill(one.process.pid)
        before = len(executions(log))
        code, err = two.end()
        assert code == 0, err
        wait_until(lambda: not one.others() and not two.others(), limit_s=10.0)
    assert not done & set(executions(log)[before:])
    begun = executions(log)
    assert len(begun) - len(set(begun)) <= 2, "only what was running at the kill runs again"
    run = chain(COUNT, log).run(results_store=LocalFileStore(base))
    check_results(run, COUNT)
    assert run.counts == {"cached": COUNT}
    check_left(base)


def check_left(base):
    """Nothing stays but what the killed driver held at that very moment, and the store knows that.

    It may have looked at a key that the other one had just finished: then its lease of the next
    attempt lies there until somebody collects it. The number stays marked as used.
    """
    left = leftovers(base)
    store = LocalFileStore(base)
    known = {
        f".leases/{each.address.task}/{each.address.key}.{each.attempt}"
        for each in store.leftovers()
    }
    assert set(left) == known, "everything that is left is known"
    assert len(left) <= 1, "a driver looks at one key at a time"
    store.drop_leftovers(list(store.leftovers()))
    assert list(store.leftovers()) == []
    assert leftovers(base) == [f"{each}.over" for each in left]
