"""Is a record that somebody has cut or emptied noticed, though all beside it looks finished?"""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from flowlib import Flow, TaskSpec
from stores import open_store
from stores.testing import put
from stores.testing.parts import A, B
from tests.stores.truncated import change_record

CHANGES = {
    "empty": lambda _: "",
    "half": lambda text: text[: len(text) // 2],
    "one character less": lambda text: text.rstrip()[:-1],
    "no record": lambda _: "null",
}


@pytest.fixture
def store(shared_uri):
    """A store of every kind that other processes see, too."""
    store = open_store(shared_uri)
    yield store
    store.close()


def square(x):
    return {"value": x * x}


def flow():
    return Flow([TaskSpec(square, {"x": [2, 3]}, expand="product")])


@pytest.mark.parametrize("name", CHANGES)
def test_the_plan_runs_it_again(store, name):
    """Nobody is given nothing instead of a result: the other one is cached, this one computed."""
    flow().run(num_workers=1, results_store=store)
    (address,) = store.records(where={"x": 2}).addresses()
    change_record(store, address, CHANGES[name])
    assert address.key not in store.statuses([address])
    plan = flow().plan(results_store=store)
    assert [node.key for node in plan.to_run] == [address.key]
    assert plan.why(f"square/{address.key}").headline.endswith(
        "has no result for this configuration"
    )
    run = flow().run(num_workers=1, results_store=store)
    assert run.counts == {"cached": 1, "finished": 1}
    assert [each["value"] for each in run["square"]] == [4, 9]
    assert store.record(address).latest.number == 2


def test_statuses_of_the_first_days_count_as_they_are(store):
    """They do not say how long their record is; nothing is read for them."""
    if not hasattr(store, "_told_of"):
        return  # files have a size
    put(store, A, {"value": 1})
    put(store, B, {"value": 1})
    before = store.statuses([A, B])
    told = [
        each._replace(status=each.status.rpartition(",")[0] + "]")
        for each in store._told_of([A.key, B.key])
    ]
    store._told_of = lambda _: told
    store._record_text = lambda _: pytest.fail("it was read")
    assert store.statuses([A, B]) == before
