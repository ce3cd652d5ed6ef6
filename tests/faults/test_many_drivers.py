"""Do many drivers share the work of one store of every kind, and outlive each other?"""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from stores import open_store
from tests.faults.drivers import (
    chain,
    check_results,
    driver,
    executions,
    finished,
    kill,
    wait_until,
)

COUNT = 500
PAUSE_S = 0.02
LIMIT_S = 200.0

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [2, 8])
def test_drivers_compute_every_key_once(tmp_path, shared_uri, number):
    """Started at once on the same flow of 500 tasks; all of them end with all results."""
    log = tmp_path / "log"
    with ExitStack() as stack:
        drivers = []
        for index in range(number):
            folder = tmp_path / f"driver-{index}"
            folder.mkdir()
            workers = 2 if number == 2 else 1
            start = driver(folder, shared_uri, log, COUNT, workers, PAUSE_S)
            drivers.append(stack.enter_context(start))
        endings = [each.end(LIMIT_S) for each in drivers]
        assert [code for code, _ in endings] == [0] * number, endings
        assert [each.others() for each in drivers] == [[]] * number
    begun = executions(log)
    half = COUNT // 2
    assert sorted(begun) == sorted(f"{name} {x}" for name in ("Make", "Use") for x in range(half))
    owners = {line.rpartition(" ")[2] for line in log.read_text().splitlines()}
    assert len(owners) > 1, "the work was shared"
    check_all(shared_uri, log)


def test_a_killed_driver_is_taken_over(tmp_path, shared_uri):
    """SIGKILL in the middle: the others end with all results, and only its own work is redone."""
    log = tmp_path / "log"
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        drivers = [
            stack.enter_context(driver(folder, shared_uri, log, COUNT, 2, PAUSE_S))
            for folder in folders
        ]
        wait_until(lambda: len(executions(log)) >= COUNT // 5)
        time.sleep(0.01)
        done = finished(open_store(shared_uri))
        kill(drivers[0].process.pid)
        before = len(executions(log))
        endings = [each.end(LIMIT_S) for each in drivers[1:]]
        assert [code for code, _ in endings] == [0, 0], endings
        wait_until(lambda: not drivers[0].others(), limit_s=10.0)
    begun = executions(log)
    assert not done & set(begun[before:]), "what was finished is not computed again"
    assert len(begun) - len(set(begun)) <= 2, "only what was running at the kill runs again"
    check_all(shared_uri, log)


def check_all(uri, log):
    """Every value is right, nothing is left over, and one more run computes nothing."""
    store = open_store(uri)
    run = chain(COUNT, log).run(results_store=store)
    check_results(run, COUNT)
    assert run.counts == {"cached": COUNT}
    assert list(store.leftovers()) == []
    assert store.keys_in_work() == []
    assert {status.attempt for status in store.statuses(list(store.addresses())).values()} <= {1, 2}
    store.close()
