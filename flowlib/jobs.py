"""From a node of a plan to the job that a worker gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from flowlib.code_changes import code_of
from flowlib.comparison import inputs_fact, without_fact
from flowlib.declaration import Declaration
from flowlib.devices import Environment
from flowlib.failures import Failure
from flowlib.fingerprint import CODE
from flowlib.growing import Check
from flowlib.grown import GROWN, NOTHING, OWN_WITHOUT, Grown
from flowlib.growth import Growth
from flowlib.identity import own_copy
from flowlib.input_values import VALUE
from flowlib.job import WITHOUT, Assignment, FailedInput, Job
from flowlib.log_names import LogNames
from flowlib.node import Node
from flowlib.parameters import root_of
from flowlib.plan import Plan
from flowlib.policy import AGAIN
from flowlib.reasons import WHY, Reason
from flowlib.regrowth import grown_fact
from flowlib.restoring import restored_tasks, restores
from flowlib.run_growth import NewTasks, RunGrowth
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
        are_pickled: Whether tasks get copies of their jobs, so that these need hold none.

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
        *,
        are_pickled: bool = False,
    ) -> None:
        self._plan = plan
        self._growth = RunGrowth(plan)
        self._run = run
        self._are_pickled = are_pickled
        self.provenance = provenance or {}
        self.logs = logs or LogNames()
        self._attempts = {key: status.attempt for key, status in plan.statuses.items()}
        self.failures: dict[str, Failure] = {}
        self._incomplete: dict[str, str] = {}  # what nodes of this run lacked, by key
        self._restores = any(restores(each.task) for each in plan.graph.declarations)
        self._assignments: dict[Declaration, Assignment] = {}
        self._variants: Counter[str] = Counter()
        self._tries: dict[str, int] = {}
        self._readers: dict[str, list[str]] = {name: [] for name in plan.graph.spec_edges}
        for name, predecessors in plan.graph.spec_edges.items():
            for predecessor in predecessors:
                self._readers[predecessor].append(name)

    @property
    def plan(self) -> Plan:
        """What is known now of what is to be run."""
        return self._plan

    def grow(self, node: Node, attempt: int, check: Check) -> NewTasks:
        """`node` has returned specs in this attempt: add what was not known.

        Args:
            node: It.
            attempt: The number of that.
            check: Raises for nodes that this run cannot compute.

        Raises:
            FlowError: the specs do not fit to what there is.
            StoreError: they cannot be read.
        """
        new = self._growth.grow(node, attempt, check)
        plan = self._plan = self._growth.plan
        self._restores |= any(restores(each.declaration.task) for each in new.nodes)
        for each in new.nodes:
            if each.key in plan.statuses:
                self._attempts.setdefault(each.key, plan.statuses[each.key].attempt)
        for name in {each.name for each in new.nodes}:
            for predecessor in (*plan.graph.spec_edges[name], name):
                self._readers.setdefault(predecessor, [])
            for predecessor in plan.graph.spec_edges[name]:
                if name not in self._readers[predecessor]:
                    self._readers[predecessor].append(name)
        return new

    def note_attempt(self, node: Node, attempt: int) -> None:
        """From now on `attempt` is what successors of `node` read."""
        self._attempts[node.key] = attempt

    def note_failure(self, failure: Failure) -> None:
        """The node at the address of `failure` has no results; some successors want to know."""
        self.failures[failure.address.key] = failure

    def node_of(self, address: Address) -> Node:
        """The node of this run whose record lies there."""
        return self._plan.graph.nodes[address.key]

    def source_of(self, node: Node) -> Node:
        """The node at which the failure began for which `node` is skipped."""
        growth = self._plan.graph.growths.get(node.key)
        read = (*node.upstream.nodes, *(growth.upstream.nodes if growth else ()))
        found = next(self.failures[each.key] for each in read if each.key in self.failures)
        return self.node_of(found.source)

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
        if WITHOUT not in job.facts or job.grown is not None:
            return False
        if self._plan.reasons.get(node.key) is not Reason.UPSTREAM:
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
        facts = self._facts(node, inputs)
        version = node.declaration.version
        full, user = texts.full(node.arguments), texts.user(node.arguments)
        growth = self._plan.graph.growths.get(node.key)
        job = Job(
            spec=node.name,
            identity=Identity(
                address=node.address,
                version=None if version is None else str(version),
                config=full,
                user_config=full if user == full else user,  # one text travels, not two
            ),
            config=dict(node.config) if self._are_pickled else _copied(node),
            inputs=inputs,
            gathers=node.upstream.gathers,
            newer_than=status.latest_attempt if status is not None else 0,
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
        return job if growth is None else self._last_job(node, job, growth)

    def _facts(self, node: Node, inputs: tuple[Input, ...]) -> dict[str, str]:
        """What the attempt tells of itself beside its config."""
        texts = self._plan.texts[node.declaration]
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
        tries = self._tries[node.key] = self._tries.get(node.key, 0) + 1
        if (retries := node.declaration.options.retries).may_follow(tries):
            facts[AGAIN] = str(retries.pause_after(tries))
        if without := self._without(node):
            facts[WITHOUT] = self._incomplete[node.key] = without
        return facts

    def _last_job(self, node: Node, job: Job, growth: Growth) -> Job:
        """The job of a node that has returned specs: what they give becomes its results."""
        facts = growth.specs.facts
        told = {key: fact for key, fact in facts.items() if key not in (VALUE, WHY, WITHOUT)}
        told[OWN_WITHOUT] = facts.get(OWN_WITHOUT) or facts.get(WITHOUT) or NOTHING
        keys = [each.key for each in growth.upstream.nodes]
        lacks = [f"{key} {self._incomplete[key]}" for key in keys if key in self._incomplete]
        lacks += [told[OWN_WITHOUT]] if told[OWN_WITHOUT] != NOTHING else []
        if lacks:
            told[WITHOUT] = self._incomplete[node.key] = without_fact(lacks)
        told[GROWN] = grown_fact(growth.upstream, self._attempts)
        inputs = tuple([self._input(role, each) for role, each in growth.upstream.by_role])
        grown = Grown(growth.value, inputs, growth.specs.artifact, growth.specs.data)
        restored = restored_tasks(growth.upstream.nodes) if self._restores else {}
        return replace(job, facts=told, failed=(), grown=grown, restored=restored)

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


def _copied(node: Node) -> dict[str, object]:
    """The config of a node, in which its task may write."""
    return {argument.name: own_copy(argument.value) for argument in node.arguments}
