"""How is code tested that uses flowlib? With a store of its own, and results that nobody computed.

Fixtures for pytest, for those who ask for them: `pytest_plugins = ["flowlib.testing"]`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

import pytest

from flowlib.errors import SpecError
from flowlib.graph import graph_of_spec
from flowlib.grown import holds_specs
from flowlib.input_values import VALUE, value_fact
from flowlib.jobs import JobMaker
from flowlib.planning import plan_for
from flowlib.run_identity import UNCATEGORIZED, RunIdentity
from flowlib.spec import TaskSpec
from flowlib.store_choice import StoreChoice, chosen_store, use_store
from flowlib.user_code import save_returned
from stores import Attempt, InMemoryStore, ResultsStore, TaskState


class Stub(Protocol):
    """What the fixture `stub` gives."""

    def __call__(self, spec: TaskSpec, value: object) -> None:
        """Let this be the result of a spec in the store of the test: see `put_result`."""


def put_result(spec: TaskSpec, value: object, store: StoreChoice | None = None) -> None:
    """Store a value as if a task had returned it; nothing is computed, nor looked for upstream.

    Args:
        spec: The task; of one that is several, each gets the value.
        value: What `run` or the function would return: of a dict each item is a result.
        store: As of `TaskSpec.result`.

    Raises:
        SpecError: the value holds specs.
        LeaseHeld: the task is just being computed.
    """
    if holds_specs(value):
        raise SpecError(f"{spec!r}: a result that is put in place of a task's holds no specs")
    place = chosen_store(store)
    graph, nodes = graph_of_spec(spec)
    plan = plan_for(graph, place, [node.key for node in nodes])
    jobs = JobMaker(plan, RunIdentity(UNCATEGORIZED, "stubbed"))
    for node in nodes:
        job, now = jobs.job(node), time.time()
        attempt = place.begin(job.address)
        try:
            fact = value_fact(value, ())
            save_returned(value, attempt)
            outcome = Attempt(
                number=attempt.number,
                state=TaskState.FINISHED,
                started=now,
                ended=now,
                inputs=job.inputs,
                facts={**job.facts, VALUE: fact} if fact else job.facts,
                run=job.run,
            )
            attempt.commit(job.identity, outcome)
        except BaseException:
            attempt.abandon()
            raise


@pytest.fixture
def flowlib_store() -> Iterator[ResultsStore]:
    """A fresh store in memory, which direct calls of the test use."""
    with use_store(InMemoryStore()) as store:
        yield store


@pytest.fixture
def stub(flowlib_store: ResultsStore) -> Stub:
    """A function that puts results in the place of tasks: `stub(fit(load(3)), {"score": 0.9})`."""

    def put(spec: TaskSpec, value: object) -> None:
        put_result(spec, value, flowlib_store)

    return put
