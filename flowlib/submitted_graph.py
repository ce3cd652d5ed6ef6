"""From what was submitted to a graph that can run: only what is wanted, and what that reads."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from flowlib.bulk import paused_collection
from flowlib.code_places import find_code
from flowlib.code_snapshot import import_from
from flowlib.declaration import Declaration
from flowlib.errors import RunError
from flowlib.graph import TaskGraph
from flowlib.later_specs import LaterSpecs
from flowlib.node import Argument, Node, Upstream
from flowlib.submission import (
    LATER,
    PIECE,
    SPECS,
    Submission,
    SubmittedTask,
    read_pickle,
    values_name,
)
from flowlib.submitted_specs import (
    arguments_of,
    declaration_of,
    later_of,
    without_retries,
)
from flowlib.submitted_tasks import Place
from stores import Address, ResultsStore, StoreError
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class SubmittedGraph(TaskGraph):
    """Nodes that were submitted, perhaps in several graphs."""

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """Those of all nodes; the tasks of one spec may come from several graphs."""
        return tuple({node.declaration: None for node in self})


def graph_of_submitted(
    store: ResultsStore,
    places: Mapping[Address, Place],
    wanted: Iterable[Address],
    *,
    once: bool = False,
) -> SubmittedGraph:
    """The nodes of submitted tasks, and of all that these read; code is imported.

    Args:
        store: Where they were submitted.
        places: Where each stands.
        wanted: The tasks.
        once: Whether they have no retries.

    Raises:
        RunError: code or a value of theirs is not here.
    """
    numbers: dict[str, list[int]] = {}
    submissions: dict[str, Submission] = {}
    for address in wanted:
        place = places[address]
        submissions[place.submission.id] = place.submission
        numbers.setdefault(place.submission.id, []).append(place.number)
    nodes: dict[str, Node] = {}
    later: dict[str, LaterSpecs] = {}
    with paused_collection():
        for id_, submission in submissions.items():
            rebuilder = _Rebuilder(store, submission, nodes, once=once)
            added = rebuilder.add(_with_sources(submission, numbers[id_]))
            if submission.has_later or once:
                later |= dict.fromkeys(added, rebuilder.later)
    return _linked(nodes, later)


def _with_sources(submission: Submission, numbers: Sequence[int]) -> list[int]:
    found, stack = set(numbers), list(numbers)
    while stack:
        gate = submission.gates[submission.tasks[stack.pop()].gate]
        new = [each for each in gate.sources if each not in found]
        found.update(new)
        stack += new
    return sorted(found)


class _Rebuilder:
    """Makes the nodes of one submission."""

    def __init__(
        self, store: ResultsStore, submission: Submission, nodes: dict[str, Node], *, once: bool
    ) -> None:
        self._once = once
        self._store = store
        self._submission = submission
        self._nodes = nodes
        self._pieces: dict[str, tuple[list[Argument], list[list[int]]]] = {}
        self._upstreams: dict[int, Upstream] = {}
        self._names = {node.unique_name: key for key, node in nodes.items()}

    @property
    def later(self) -> LaterSpecs:
        """What holds for specs that its tasks return."""
        later = later_of(self._loaded(LATER)) if self._submission.has_later else LaterSpecs()
        return later.tried_once() if self._once else later

    def add(self, numbers: Iterable[int]) -> list[str]:
        """Make the nodes of these tasks, predecessors first; the keys of those that are new."""
        added = []
        code, folders = self._submission.code, self._submission.folders
        if code is None:
            find_code(folders)
        else:
            import_from(self._store, code, folders)
        for number in numbers:
            task = self._submission.tasks[number]
            if task.address.key not in self._nodes:
                added.append(task.address.key)
                self._nodes[task.address.key] = Node(
                    declaration=self._declarations[task.spec],
                    key=task.address.key,
                    unique_name=self._name(task),
                    index=task.position,
                    arguments=self._arguments(number),
                    upstream=self._upstream(task),
                )
        return added

    def _name(self, task: SubmittedTask) -> str:
        """Its name in the graph, unless a task of another submission is called so."""
        taken = self._names.setdefault(task.unique_name, task.address.key)
        return task.unique_name if taken == task.address.key else str(task.address)

    @cached_property
    def _declarations(self) -> list[Declaration]:
        found = [declaration_of(parts) for parts in self._loaded(SPECS)]
        return [without_retries(each) for each in found] if self._once else found

    def _arguments(self, number: int) -> tuple[Argument, ...]:
        name = values_name(number)
        if name not in self._pieces:
            told, rows = self._loaded(name)
            self._pieces[name] = arguments_of(told), rows
        arguments, rows = self._pieces[name]
        return tuple([arguments[each] for each in rows[number % PIECE]])

    def _upstream(self, task: SubmittedTask) -> Upstream:
        if task.gate not in self._upstreams:
            gate, tasks = self._submission.gates[task.gate], self._submission.tasks
            nodes = tuple([self._nodes[tasks[each].address.key] for each in gate.sources])
            self._upstreams[task.gate] = Upstream(nodes, gate.gathers, gate.roles)
        return self._upstreams[task.gate]

    def _loaded(self, name: str) -> Any:
        submission = self._submission
        try:
            with contextlib.redirect_stdout(sys.stderr):  # a script may print when imported
                return read_pickle(self._store, submission.id, name)
        except StoreError as error:
            folders = ", ".join(submission.folders) or "no folder of a project"
            raise RunError(
                f"what was submitted on {submission.host} cannot be loaded here: {error}. Its "
                f"code was found in {folders}; elsewhere, name the folder in PYTHONPATH"
            ) from error


def _linked(nodes: dict[str, Node], later: dict[str, LaterSpecs]) -> SubmittedGraph:
    by_spec: dict[str, list[Node]] = {}
    edges: dict[str, dict[str, None]] = {}
    seen: set[tuple[str, int]] = set()
    for node in nodes.values():
        by_spec.setdefault(node.name, []).append(node)
        read = edges.setdefault(node.name, {})
        if (node.name, id(node.upstream)) not in seen:
            seen.add((node.name, id(node.upstream)))
            read.update((each.name, None) for each in node.upstream.nodes)
    return SubmittedGraph(
        nodes=nodes,
        by_spec={name: tuple(several) for name, several in by_spec.items()},
        spec_edges={name: tuple(read) for name, read in edges.items()},
        later_of=later,
    )
