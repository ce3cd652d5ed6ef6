"""What does `spec.submit` give when there is nothing to compute?"""

from __future__ import annotations

import pytest

from flowlib import InMemoryStore, InputError, sweep
from tests.flowlib.function_tasks import fit, load


@pytest.mark.parametrize("spec", [load(3), fit(load(3)), fit(load(sweep(1, 2)))["model"]])
def test_a_future_of_what_is_stored_is_done_at_once(spec):
    """Also of a spec that reads others, of several tasks, and of a part."""
    store = InMemoryStore()
    computed = spec.submit(store).result()
    future = spec.submit(store)
    assert future.done()
    assert future.result() == computed == spec.result(store)


def test_a_part_that_is_not_there_is_told_by_the_future():
    """As every error of what is computed."""
    store = InMemoryStore()
    fit(load(3)).result(store)
    with pytest.raises(InputError, match="nothing"):
        fit(load(3))["nothing"].submit(store).result()
