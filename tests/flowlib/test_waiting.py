"""When does `wait` take a task that has failed for one that has ended?"""

from __future__ import annotations

import threading
import time

import pytest

from flowlib import Flow, InMemoryStore, TaskSpec, execute, wait
from flowlib.policy import AGAIN
from stores import Address, Attempt, Identity, TaskState


def stubborn(retried):
    """Fails once."""
    if not retried:
        retried.append(True)
        raise ValueError("not yet")
    return 1


def always():
    raise ValueError("always")


def state_of(spec, store, **how):
    (found,) = wait(spec.name, store, **how).values()
    return found


def test_a_task_between_two_tries_has_not_ended():
    """The record of its failure says that another try follows."""
    store, retried = InMemoryStore(), []
    options = {"retries": 1, "retry_pause": 0.5}
    spec = TaskSpec(stubborn, additional_kwargs={"retried": retried}, **options)
    Flow([spec]).submit(store)
    driver = threading.Thread(target=Flow([spec]).run, kwargs={"results_store": store})
    driver.start()
    try:
        while not any(each.state is TaskState.FAILED for each in store.records()):
            time.sleep(0.01)
            assert driver.is_alive() or retried
            if store.count(state="finished"):  # this thread was not asked for half a second
                break
        assert state_of(spec, store, timeout="2m") is TaskState.FINISHED
    finally:
        driver.join()


@pytest.mark.parametrize("retries", [0, 1, {"exception": 1}])
def test_after_the_last_try_it_has_ended(retries):
    """Nobody waits for a try that does not follow."""
    store, spec = InMemoryStore(), TaskSpec(always, retries=retries)
    Flow([spec]).submit(store)
    execute("always", store, num_workers=1, exit_on_error=False)
    started = time.monotonic()
    assert state_of(spec, store, timeout="2m") is TaskState.FAILED
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(("age_s", "expected"), [(1, TaskState.PENDING), (1000, TaskState.FAILED)])
def test_who_does_not_try_again_in_time_is_gone(age_s, expected):
    """Then the failure is the last word."""
    store, address = InMemoryStore(), Address("always", "0" * 32)
    ended = time.time() - age_s
    failed = Attempt(0, TaskState.FAILED, started=ended, ended=ended, facts={AGAIN: "2.0"})
    store.begin(address).commit(Identity(address, None, "{}", "{}"), failed, keeps_finished=False)
    assert wait(f"always/{address.key}", store, timeout=0) == {f"always/{address.key}": expected}
