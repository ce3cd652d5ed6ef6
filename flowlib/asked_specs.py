"""What is asked of a spec: its nodes, what is missing for them, and their values."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from contextvars import copy_context
from functools import partial
from typing import Any

from flowlib.direct_run import run_directly
from flowlib.errors import InputError
from flowlib.graph import graph_of_spec
from flowlib.left_open import LeftOpen, open_call
from flowlib.named_stores import store_for
from flowlib.node import Node
from flowlib.plan import Plan
from flowlib.planning import plan_for
from flowlib.restoring import node_value
from flowlib.single_results import note_reading, present_code, tell_changed_code
from flowlib.spec import TaskSpec
from flowlib.store_choice import chosen_store
from flowlib.unchanged import refuse_changed
from stores import ArtifactDamaged, ArtifactMissing, Record, RecordMissing, ResultsStore, Status

_log = logging.getLogger("flowlib")


class AskedSpec:
    """A spec whose values are wanted from one store.

    Args:
        spec: It.
        store: Where results live, but for specs that name one of the setting `stores`.

    Attributes:
        nodes: Its tasks, in expansion order.

    Raises:
        SettingsError: a spec names a store that the settings do not have.
    """

    def __init__(self, spec: TaskSpec, store: ResultsStore) -> None:
        self._graph, self.nodes = graph_of_spec(spec)
        wanted = [each.options.store for each in self._graph.declarations]
        named = {name: chosen_store(name) for name in wanted if name is not None}
        self._store = store_for(self._graph, store, named) if named else store

    def record(self, node: Node) -> Record | None:
        """What the store knows of one of its tasks."""
        return self._store.record(node.address)

    def exists(self, steps: list[Any]) -> bool:
        """Whether all of its results are there, and have such a part."""
        plan = self._plan()
        if plan.reasons or not steps:
            return not plan.reasons
        try:
            for node in self.nodes:
                self._loaded(node, plan.statuses, steps)
        except (InputError, ArtifactMissing, ArtifactDamaged):
            return False
        return True

    def values(self, steps: list[Any], *, force: bool = False, executor: object = None) -> Any:
        """The value of its task, or the list of those of its tasks.

        Args:
            steps: From a value to the part that is wanted.
            force: Whether they are computed again.
            executor: Where what is missing runs.

        Raises:
            FlowError: it cannot be planned, or a value has no such part.
            Exception: the exception of the first task that failed.
        """
        keys = [node.key for node in self.nodes]
        statuses = self._computed(keys if force else (), executor)
        values = [self._value(node, statuses, steps, executor) for node in self.nodes]
        return values[0] if len(values) == 1 else values

    def answer(self, *, force: bool = False) -> Any:
        """As `values`; but a Future if its task is called here, and returns one that is not done.

        Args:
            force: As of `values`.

        Raises:
            Exception: as `values`.
        """
        if len(self.nodes) > 1:
            return self.values([], force=force)
        [node] = self.nodes
        begun = open_call(self._store, node.address)
        if begun is not None:
            return begun
        left_open = LeftOpen(self._store, node.address, partial(copy_context().run, self._now))
        statuses = self._computed([node.key] if force else (), None, left_open)
        if left_open.future is not None:
            return left_open.future
        return self._value(node, statuses, [], None)

    def found(self, steps: list[Any]) -> tuple[bool, Any]:
        """Whether all is there, and what `values` gives then; nothing is computed."""
        plan = self._plan()
        if plan.reasons:
            return False, None
        try:
            values = [self._loaded(node, plan.statuses, steps) for node in self.nodes]
        except (InputError, ArtifactMissing, ArtifactDamaged):
            return False, None
        return True, values[0] if len(values) == 1 else values

    def stored_values(self, steps: list[Any]) -> Any:
        """The same, but nothing is computed.

        Raises:
            RecordMissing: a value is not there.
        """
        plan = self._plan()
        missing = [node for node in self.nodes if node.key in plan.reasons]
        if missing:
            node, why = missing[0], plan.reasons[missing[0].key].value
            raise RecordMissing(
                f"{node.unique_name} ({node.address}) has no result in {self._store!r}: {why}. "
                f"call() and result() compute it"
            )
        values = [self._loaded(node, plan.statuses, steps) for node in self.nodes]
        return values[0] if len(values) == 1 else values

    def _plan(self, forced: Collection[str] = ()) -> Plan:
        targets = [node.key for node in self.nodes]
        plan = plan_for(self._graph, self._store, targets, forced, present_code())
        tell_changed_code(plan.changed)
        return plan

    def _computed(
        self, forced: Collection[str], executor: object, left_open: LeftOpen | None = None
    ) -> Mapping[str, Status]:
        """What the store knows of the nodes when nothing is missing any more."""
        plan = self._plan(forced)
        if not plan.reasons:
            return plan.statuses
        refuse_changed(each for each in plan.to_run if each.key in self._graph.nodes)
        run_directly(plan, self.nodes, executor, left_open)
        return self._statuses()

    def _statuses(self) -> Mapping[str, Status]:
        return self._store.statuses([node.address for node in self.nodes])

    def _now(self) -> Any:
        """The value of its only task, which has just been stored."""
        return self._loaded(self.nodes[0], self._statuses(), [])

    def _value(
        self, node: Node, statuses: Mapping[str, Status], steps: list[Any], executor: object
    ) -> Any:
        try:
            return self._loaded(node, statuses, steps)
        except (ArtifactMissing, ArtifactDamaged) as error:
            _log.warning("%s; it is computed again", error)
        return self._loaded(node, self._computed([node.key], executor), steps)

    def _loaded(self, node: Node, statuses: Mapping[str, Status], steps: list[Any]) -> Any:
        status = statuses[node.key]
        value = node_value(node, self._store, status, steps)
        note_reading(self._store, node, status.attempt)
        return value
