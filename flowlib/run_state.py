"""What became of the nodes of a run, filled while it goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from flowlib.failures import Failure
from flowlib.job import Outcome, OutcomeKind
from flowlib.log_names import LogNames
from flowlib.node import Node
from stores import ErrorDetails, TaskState
from stores.lazy_dataclass import dataclass


@dataclass(slots=True)
class RunState:
    """By key: the state of each node that was to run, and why the failed ones failed.

    `stopped_by` is the signal that stopped the run.
    `logs` names the logs of the tasks.
    `failures` has what those that have no results are as values.
    `raised` has the exceptions of tasks that ran in this process, `exceptions` the pickled ones.
    """

    states: dict[str, TaskState] = field(default_factory=dict)
    errors: dict[str, ErrorDetails] = field(default_factory=dict)
    exceptions: dict[str, bytes] = field(default_factory=dict)
    raised: dict[str, Exception] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    failed: list[Node] = field(default_factory=list)
    stopped_by: int | None = None
    logs: LogNames = field(default_factory=LogNames)

    def give_up(self, node: Node, outcome: Outcome, error: ErrorDetails) -> bool:
        """`node` has failed for good; whether it was killed."""
        is_kill = outcome.kind is OutcomeKind.KILLED
        self.states[node.key] = TaskState.KILLED if is_kill else TaskState.FAILED
        self.errors[node.key] = error
        if outcome.raised is not None:
            self.raised[node.key] = outcome.raised
        if outcome.exception is not None:
            self.exceptions[node.key] = outcome.exception
        self.failed.append(node)
        return is_kill

    def settle(self, never_started: Iterable[Node]) -> None:
        """What was scheduled but never started is pending again."""
        for node in never_started:
            if self.states[node.key] is not TaskState.KILLED:
                self.states[node.key] = TaskState.PENDING
