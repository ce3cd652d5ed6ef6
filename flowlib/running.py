"""What stands behind the attributes of a running task?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from stores import Address, MetaDict, OpenAttempt, ResultsStore, TaskState, UniqueConfig
from stores.lineage import merged, plain

if TYPE_CHECKING:
    import inspect


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A predecessor or successor of a task, as far as the task can see it.

    Attributes:
        name: Name of its spec.
        address: Where its record lies; None for a successor, of which only the name is known.
    """

    name: str
    address: Address | None = None


@dataclass(slots=True)
class TaskContext:
    """Everything a running task may ask for; made by the worker, one per attempt."""

    name: str
    unique_name: str
    address: Address
    project_name: str
    run_name: str
    sweep_counter: str
    config: MetaDict
    attempt: OpenAttempt
    results_store: ResultsStore
    predecessors: list[Neighbour] = field(default_factory=list)
    successors: list[Neighbour] = field(default_factory=list)
    own_config: Mapping[str, object] = field(default_factory=dict)
    resource: object = None
    force: bool = False
    reduce: bool | list[str] | None = None
    expects: Mapping[str, inspect.Parameter] = field(default_factory=dict)
    state: TaskState | None = None
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def id(self) -> str:
        """The run name and the index of the task in its spec."""
        return f"{self.run_name}-{self.sweep_counter}"

    @property
    def unique_config(self) -> UniqueConfig:
        """The configs of the task and of all its ancestors, by task name."""
        upstream = [each.address for each in self.predecessors if each.address is not None]
        known = self.results_store.lineages(upstream)
        sources = [known[address.key] for address in upstream if address.key in known]
        lineage = merged(self.name, self.own_config, sources, gathers=bool(self.reduce))
        return UniqueConfig(plain(lineage), self.address)

    @property
    def run_history(self) -> dict[str, str]:
        """Task name -> id, of all ancestors and of the task itself."""
        upstream = [each.address for each in self.predecessors if each.address is not None]
        return {**self.results_store.run_history(upstream), self.name: self.id}
