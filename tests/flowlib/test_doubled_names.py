"""Has each task of a flow a name that no other one has?"""

from __future__ import annotations

import pytest

from flowlib import Flow, GraphError, sweep
from tests.flowlib.function_tasks import add, fit


@pytest.mark.parametrize(
    "specs",
    [
        [fit([1]), fit([2]), fit([3]).named("fit-1")],
        [fit([1]).named("a-1"), fit([sweep(2, 3)]).named("a")],
        [fit([1]).named("add-1"), add(1), add(2)],
        {"add-1": fit([1]), "add": [add(1), add(2)]},
    ],
)
def test_a_name_that_looks_like_the_number_of_another_task_is_refused(specs):
    """Selectors, tables and results could not tell them apart."""
    with pytest.raises(GraphError, match=r"two tasks of this flow are called '[a-z]+-1': "):
        Flow(specs)


def test_a_number_that_nothing_has_is_a_name():
    """The one that is called so counts among the tasks of its function."""
    flow = Flow([fit([1]).named("fit-1"), fit([2]), fit([3]), add(1).named("add-7")])
    assert [node.unique_name for node in flow.graph] == ["fit-1", "fit-2", "fit-3", "add-7"]
