"""From a node of a plan to the job that a worker gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from flowlib.code_changes import code_of
from flowlib.comparison import inputs_fact, without_fact
from flowlib.declaration import Declaration
from flowlib.devices import Environment
from flowlib.failures import Failure
from flowlib.fingerprint import CODE
from flowlib.identity import own_copy
from flowlib.job import WITHOUT, Assignment, FailedInput, Job
from flowlib.log_names import LogNames
from flowlib.node import Node
from flowlib.parameters import root_of
from flowlib.plan import Plan
from flowlib.reasons import WHY, Reason
from flowlib.restoring import restored_tasks, restores
from flowlib.run_identity import RunIdentity
from flowlib.tolerance import OnFailure
from stores import Address, Identity, Input, RunInfo, Status, TaskState
from stores.ancestry import GATHERS


class JobMaker:
    """Makes jobs and remembers which attempt of each node counts.

    Args:
        plan: What is run.
        run: The names of the run.
        provenance: Where its results come from, for the records.
        logs: How the logs of its tasks are called.

    Attributes:
        provenance: The same.
        logs: The same.
        failures: The nodes of this run that have no results, by key, as their readers see them.
    """

    def __init__(
        self,
        plan: Plan,
        run: RunIdentity,
        provenance: Mapping[str, object] | None = None,
        logs: LogNames | None = None,
    ) -> None:
        self._plan = plan
        self._run = run
        self.provenance = provenance or {}
        self.logs = logs or LogNames()
        self._attempts = {key: status.attempt for key, status in plan.statuses.items()}
        self.failures: dict[str, Failure] = {}
        self._incomplete: dict[str, str] = {}  # what nodes of this run lacked, by key
        self._restores = any(restores(each.task) for each in plan.graph.declarations)
        self._assignments: dict[Declaration, Assignment] = {}
        self._variants: Counter[str] = Counter()
        self._readers: dict[str, list[str]] = {name: [] for name in plan.graph.spec_edges}
        for name, predecessors in plan.graph.spec_edges.items():
            for predecessor in predecessors:
                self._readers[predecessor].append(name)

    def note_attempt(self, node: Node, attempt: int) -> None:
        """From now on `attempt` is what successors of `node` read."""
        self._attempts[node.key] = attempt

    def note_failure(self, failure: Failure) -> None:
        """The node at the address of `failure` has no results; some successors want to know."""
        self.failures[failure.address.key] = failure

    def node_of(self, address: Address) -> Node:
        """The node of this run whose record lies there."""
        return self._plan.graph.nodes[address.key]

    def refused(self, node: Node, job: Job) -> Failure | None:
        """The failure that a call would get where its parameter takes none; else None."""
        tolerance = node.declaration.options.tolerance
        if not job.failed or not node.declaration.is_call:
            return None
        read = (each.failure for each in job.failed if not tolerance.takes(root_of(each.role)))
        return next(read, None)

    def assignment(self, node: Node) -> Assignment:
        """What all jobs of the node's spec have in common."""
        declaration = node.declaration
        known = self._assignments.get(declaration)
        if known is None:
            known = self._assignments[declaration] = Assignment(
                name=declaration.name,
                task=declaration.task,
                signature=declaration.signature,
                additional_kwargs=declaration.additional_kwargs,
                successors=tuple(self._readers[declaration.name]),
                reduce=declaration.reduce,
                module=getattr(declaration.task, "__module__", ""),
                provenance=self.provenance,
                timeout_s=declaration.options.timeout_s,
                fresh_process=declaration.options.fresh_process,
                before=declaration.options.before,
                executor_options=declaration.options.executor_options,
                variant=self._variants[declaration.name],
                is_call=declaration.is_call,
            )
            self._variants[declaration.name] += 1
        return known

    def is_new_success(self, node: Node, status: Status) -> bool:
        """Whether another driver has finished `node` since the plan was made."""
        planned = self._plan.statuses.get(node.key)
        is_newer = planned is None or status.attempt > planned.attempt
        is_whole = status.facts.get(WITHOUT, "") in ("", self._without(node))
        return status.state is TaskState.FINISHED and is_newer and is_whole

    def has_same_result(self, node: Node, job: Job) -> bool:
        """Whether the store has what `job` would make: its result lacks the same inputs.

        A plan cannot tell whether those that failed will fail again.
        """
        if WITHOUT not in job.facts or self._plan.reasons.get(node.key) is not Reason.UPSTREAM:
            return False
        known = self._plan.statuses[node.key].facts
        same = [known.get(each) == job.facts.get(each) for each in (WITHOUT, "inputs")]
        return all(same) and node.key not in self._plan.forced

    def job(self, node: Node, resource: object = None, environment: Environment = ()) -> Job:
        """The job for `node`; its predecessors have their results, or it does without."""
        texts = self._plan.texts[node.declaration]
        status = self._plan.statuses.get(node.key)
        is_forced = node.key in self._plan.forced
        inputs, failed = self._inputs(node)
        facts = {"module": self.assignment(node).module}
        if code := self._plan.code.fact(*code_of(node)):
            facts[CODE] = code
        if defaults := texts.defaults_digest(node.arguments):
            facts["defaults"] = defaults
        if read := inputs_fact(inputs):
            facts["inputs"] = read
        if (reason := self._plan.reasons.get(node.key, Reason.NEW)) is not Reason.NEW:
            facts[WHY] = reason.value
        if node.upstream.gathers:
            facts[GATHERS] = "1"
        if without := self._without(node):
            facts[WITHOUT] = self._incomplete[node.key] = without
        version = node.declaration.version
        full, user = texts.full(node.arguments), texts.user(node.arguments)
        return Job(
            spec=node.name,
            identity=Identity(
                address=node.address,
                version=None if version is None else str(version),
                config=full,
                user_config=full if user == full else user,  # one text travels, not two
            ),
            config={argument.name: own_copy(argument.value) for argument in node.arguments},
            inputs=inputs,
            gathers=node.upstream.gathers,
            newer_than=status.attempt if status is not None else 0,
            force=is_forced,
            facts=facts,
            run=RunInfo(
                project_name=self._run.project_name,
                run_name=self._run.run_name,
                unique_name=node.unique_name,
                sweep_counter=f"{node.index:03d}",
            ),
            resource=resource,
            environment=environment,
            failed=failed,
            log=self.logs.name(node.name, node.key),
            restored=restored_tasks(node.upstream.nodes) if self._restores else {},
        )

    def _inputs(self, node: Node) -> tuple[tuple[Input, ...], tuple[FailedInput, ...]]:
        """What the node reads, and what it is told to have failed."""
        tolerance = node.declaration.options.tolerance
        read = node.upstream.by_role
        if not self.failures or tolerance.on_failure is OnFailure.FAIL:
            return tuple([self._input(role, each) for role, each in read]), ()
        inputs: list[Input] = []
        failed: list[FailedInput] = []
        for role, each in read:
            failure = self.failures.get(each.key)
            if failure is None:
                inputs.append(self._input(role, each))
            elif tolerance.passes:
                failed.append(FailedInput(role, len(inputs), failure))
        return tuple(inputs), tuple(failed)

    def _input(self, role: str, node: Node) -> Input:
        return Input(role, node.address, self._attempts.get(node.key, 0))

    def _without(self, node: Node) -> str:
        """What the node, or one upstream of it, does without; empty if nothing is missing."""
        if not self.failures:
            return ""
        keys = [each.key for each in node.upstream.nodes]
        incomplete = [f"{key} {self._incomplete[key]}" for key in keys if key in self._incomplete]
        return without_fact([*incomplete, *[key for key in keys if key in self.failures]])
