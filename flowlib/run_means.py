"""What does the loop of a run work with? Store, executor, resources, signals, settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from flowlib.configuration import Settings
from flowlib.declaration import Declaration
from flowlib.demands import Demand
from flowlib.executor import Workers
from flowlib.interrupts import Interrupts
from flowlib.resources import ResourcePool
from flowlib.run_requests import RequestBox
from stores import Owner, ResultsStore
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RunMeans:
    """What a run works with.

    Attributes:
        store: Where records and artifacts go.
        workers: Who runs the jobs.
        pool: The resources of the run.
        demands: What each spec needs of them.
        owner: Who leases keys for this process.
        interrupts: The signals that stop the run.
        settings: How often to look for what others compute, and which tries are forgiven.
        show_life: Called with every renewal of leases.
        before_waiting: Called when the loop has nothing to do until a task ends.
        check_options: Called with each spec that was added; a RunError where the executor does not
            know what it is told.
        requests: What other processes ask the run for; None: nothing.
    """

    store: ResultsStore
    workers: Workers
    pool: ResourcePool
    demands: Mapping[Declaration, Demand]
    owner: Owner
    interrupts: Interrupts = field(default_factory=Interrupts)
    settings: Settings = field(default_factory=Settings)
    show_life: Callable[[], object] = lambda: None
    before_waiting: Callable[[], object] = lambda: None
    check_options: Callable[[Declaration], object] = lambda _: None
    requests: RequestBox | None = None
