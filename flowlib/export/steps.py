"""What does another engine run? The tasks of a flow as commands, and what each has to wait for."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from flowlib.amounts import Amount, amounts_of
from flowlib.configuration import settings
from flowlib.declaration import Declaration, Options
from flowlib.errors import RunError, nearest
from flowlib.export.store_place import StorePlace
from flowlib.flow import Flow
from flowlib.node import Node
from flowlib.run_identity import UNCATEGORIZED
from flowlib.tolerance import OnFailure
from stores import Address
from stores.lazy_dataclass import dataclass

_log = logging.getLogger("flowlib")

GPU = "gpu"
"""The kind of resources that are devices."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Who runs a flow.

    Attributes:
        name: What people call it.
        options_name: What `executor_options` of a spec call it.
        options: What these may say to it.
    """

    name: str
    options_name: str
    options: frozenset[str]

    def check(self, declaration: Declaration) -> None:
        """Refuse what a spec says to this engine, if it cannot know it.

        Raises:
            RunError: there is no such option.
        """
        for option in declaration.options.executor_options.get(self.options_name, {}):
            if option not in self.options:
                raise RunError(
                    f"executor_options of {declaration.name} for {self.options_name}: there is no "
                    f"option {option!r}.{nearest(option, self.options)}"
                )


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One task of a flow, as another engine runs it.

    Attributes:
        name: What it is called in the flow.
        address: What is executed, and where its record will lie.
        words: The arguments of `flowlib` that execute it.
        reads: The keys of the tasks that it reads from.
        options: What its spec asks for.
    """

    name: str
    address: Address
    words: tuple[str, ...]
    reads: tuple[str, ...]
    options: Options

    @property
    def id(self) -> str:
        """Spec and whole key: what is executed."""
        return f"{self.address.task}/{self.address.key}"

    @property
    def is_tolerant(self) -> bool:
        """Whether it runs although something that it reads has failed."""
        return self.options.tolerance.on_failure is not OnFailure.FAIL

    @property
    def retries(self) -> int:
        """How often the engine tries it again; flowlib does so where kinds of failures count."""
        return self.options.retries.total or 0

    @property
    def demand(self) -> Mapping[str, Amount]:
        """How much it asks for of which resource."""
        return _demand(self.address.task, self.options)

    def told(self, engine: str) -> Mapping[str, object]:
        """What `executor_options` of its spec say to an engine."""
        return self.options.executor_options.get(engine, {})


@dataclass(frozen=True, slots=True)
class Steps:
    """A flow that other processes can run.

    Attributes:
        name: That of its project.
        place: The store in which it was recorded, and where results go.
        all: Its tasks, predecessors first.
    """

    name: str
    place: StorePlace
    all: tuple[Step, ...]

    def above_tolerant(self) -> frozenset[str]:
        """The keys of all tasks from which one is made that bears failures."""
        by_key = {step.address.key: step for step in self.all}
        stack = [key for step in self.all if step.is_tolerant for key in step.reads]
        found: set[str] = set()
        while stack:
            key = stack.pop()
            if key not in found:
                found.add(key)
                stack += by_key[key].reads
        return frozenset(found)


def steps_of(flow: Flow, place: StorePlace, engine: Engine) -> Steps:
    """Record a flow in its store, and tell how other processes run it.

    Args:
        flow: It.
        place: The store.
        engine: Who runs it.

    Raises:
        RunError: other processes cannot find a store that a spec names, or an option is unknown.
        SpecError: a task or a value cannot be sent to another process, or is a secret.
        StoreError: the store cannot be written.
    """
    for declaration in flow.graph.declarations:
        _refuse_unknown_store(declaration.name, declaration.options.store)
        engine.check(declaration)
        _demand(declaration.name, declaration.options)
    submission = flow.submit(place.store)
    steps = tuple([_step(node, place) for node in flow.graph])
    urgent = [step.address.task for step in steps if step.options.priority]
    note_unknown(engine.name, "priorities", urgent)
    project = submission.project
    return Steps("flowlib" if project == UNCATEGORIZED else project, place, steps)


def note_unknown(engine: str, what: str, names: Iterable[str]) -> None:
    """Say once what an engine does not know how to do, and for which specs.

    Args:
        engine: Its name.
        what: What it knows nothing of.
        names: Of the specs that ask for it.
    """
    found = list(dict.fromkeys(names))
    if found:
        several = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
        _log.warning("%s knows nothing of %s: %s", engine, what, several)


def _step(node: Node, place: StorePlace) -> Step:
    words = ["execute", "--workers", "1", *place.words]
    options = node.declaration.options
    if options.retries.total is not None:
        words.append("--once")
    words += _resource_words(node.name, options)
    reads = tuple(dict.fromkeys(each.key for each in node.upstream.nodes))
    command = (*words, "--", f"{node.name}/{node.key}")
    return Step(node.unique_name, node.address, command, reads, options)


def _demand(name: str, options: Options) -> Mapping[str, Amount]:
    amounts = amounts_of(name, options.resources or {})
    return {kind: amount for kind, amount in amounts.items() if amount.parts}


def _resource_words(name: str, options: Options) -> Iterator[str]:
    """The process has what the task asks for: the engine has placed it there."""
    given = options.resources or {}
    for kind in _demand(name, options):
        if kind == GPU:
            yield from ("--gpus", "auto")
        else:
            yield from ("--resource", f"{kind}={given[kind]}")


def _refuse_unknown_store(name: str, store: str | None) -> None:
    known = dict(settings().stores)
    if store is not None and store not in known:
        raise RunError(
            f"{name} has store={store!r}, which other processes find by the setting `stores` only, "
            f"and that has: {', '.join(known) or 'none'}.{nearest(store, known)}"
        )
