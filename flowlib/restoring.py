"""What does the class of a task say of its stored result: does it count, and what is its value?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flowlib.context import Task
from flowlib.errors import InputError
from flowlib.input_values import part_of, value_of
from flowlib.items import is_slot, replaced, slot_parts
from flowlib.node import Node
from flowlib.parameters import task_parameters
from flowlib.running import Neighbour, TaskContext, with_context
from flowlib.signature import defaults_of, is_task_class, signature_of
from flowlib.stored_attempt import StoredAttempt
from flowlib.stored_task import StoredTask, StoredTasks
from stores import Address, Input, MetaDict, ResultsStore, Status, TaskState

_log = logging.getLogger("flowlib")


def restores(task: object) -> bool:
    """Whether a task tells by itself what the value of its result is."""
    return is_task_class(task) and task.restore is not Task.restore


def validates(task: object) -> bool:
    """Whether a task tells by itself whether its result counts."""
    return is_task_class(task) and task.validate is not Task.validate


def stored_task_of(node: Node) -> StoredTask:
    """What is needed to make the task of a node again."""
    declaration = node.declaration
    texts = [each.user_text for each in node.arguments if each.user_text is not None]
    return StoredTask(
        address=node.address,
        unique_name=node.unique_name,
        task=declaration.task,
        config={**node.config, **declaration.additional_kwargs},
        user_config="{" + ",".join(texts) + "}",
        inputs=tuple(Input(role, each.address, 0) for role, each in node.upstream.by_role),
        gathers=node.upstream.gathers,
        is_call=declaration.is_call,
    )


def restored_tasks(nodes: Iterable[Node]) -> dict[str, StoredTask]:
    """Those of the nodes whose values `restore` gives, with all that these read in turn."""
    found: dict[str, StoredTask] = {}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node.key not in found and restores(node.declaration.task):
            found[node.key] = stored_task_of(node)
            waiting += node.upstream.nodes
    return found


def node_value(node: Node, store: ResultsStore, status: Status, steps: list[Any]) -> Any:
    """The value of a node that has finished, or a part of it.

    Args:
        node: It.
        store: Where its record lies.
        status: Of the record.
        steps: From the value to the part.

    Raises:
        InputError: there is no such part.
        ArtifactDamaged: an artifact cannot be read.
        ArtifactMissing: it is gone.
        Exception: what `restore` raises.
    """
    if not restores(node.declaration.task):
        return value_of(store, node.address, status, steps)
    return Restoring(store, restored_tasks([node])).value(node.address, status, steps)


def is_valid(node: Node, store: ResultsStore, status: Status) -> bool:
    """Whether the class of a node says that its result counts; an error in it is a no."""
    restoring = Restoring(store, restored_tasks(node.upstream.nodes))
    try:
        return bool(restoring.task(stored_task_of(node), status).validate())
    except Exception as error:  # noqa: BLE001  # the user's code
        _log.warning(
            "validate() of %s raised %s: %s; the result does not count",
            node.unique_name,
            type(error).__name__,
            error,
        )
        return False


class Restoring:
    """Makes tasks of stored results again.

    Args:
        store: Where they have their records.
        tasks: Those whose values `restore` gives.
    """

    def __init__(self, store: ResultsStore, tasks: StoredTasks) -> None:
        self._store = store
        self._tasks = tasks

    def has(self, address: Address) -> bool:
        """Whether `restore` gives the value of a task."""
        return address.key in self._tasks

    def value(
        self, address: Address, status: Status, steps: list[Any], *, lazy: bool = False
    ) -> Any:
        """The value of a task, or a part of it."""
        known = self._tasks.get(address.key)
        if known is None:
            return value_of(self._store, address, status, steps, lazy=lazy)
        task: Any = self.task(known, status)
        return part_of(task.restore(), steps, address, [])

    def task(self, known: StoredTask, status: Status) -> Task:
        """A task as it was when it had finished; what it read is loaded when it is touched."""
        cls: Any = known.task
        of_run = task_parameters(cls) if known.is_call else frozenset()
        own = {name: value for name, value in known.config.items() if name not in of_run}
        linked = {name: self._late(known, name, own[name]) for name in own if _is_linked(own[name])}
        plain = {name: value for name, value in own.items() if name not in linked}
        signature = signature_of(cls, frozenset())
        if signature.sets_attributes and linked:
            late = {name: _Late(load) for name, load in linked.items()}
            cls = type(cls.__name__, (cls,), {"__module__": cls.__module__, **late})
        instance: Task = cls.__new__(cls)
        with_context(instance, self._context(known, status, plain))
        if signature.sets_attributes:
            instance.__dict__.update(defaults_of(signature, own))
            instance.__dict__.update(plain)
        else:
            loaded = {name: load() for name, load in linked.items()}
            instance.__init__(**plain, **loaded)  # type: ignore[misc]  # made in two steps
        return instance

    def _context(self, known: StoredTask, status: Status, config: dict[str, object]) -> TaskContext:
        return TaskContext(
            name=known.address.task,
            unique_name=known.unique_name,
            address=known.address,
            project_name="",
            run_name="",
            sweep_counter="",
            config=MetaDict(config),
            attempt=StoredAttempt(self._store, known.address, status),
            results_store=self._store,
            predecessors=[Neighbour(each.role, each.address) for each in known.inputs],
            user_config=known.user_config,
            reduce=known.gathers or None,
            state=TaskState.FINISHED,
        )

    def _late(self, known: StoredTask, name: str, value: object) -> Callable[[], object]:
        return partial(replaced, value, name, partial(self._filled, known))

    def _filled(self, known: StoredTask, leaf: object, path: str) -> object:
        if not is_slot(leaf):
            return leaf
        role, steps = slot_parts(leaf)
        sources = [each.address for each in known.inputs if each.role == role]
        statuses = self._store.statuses(sources)
        for each in sources:
            if each.key not in statuses:
                raise InputError(f"{known.unique_name} reads {each}, which is not in the store")
        found = [self.value(each, statuses[each.key], steps) for each in sources]
        return found if known.gathers else found[0]


class _Late:
    """An attribute that is loaded when it is first touched."""

    def __init__(self, load: Callable[[], object]) -> None:
        self._load = load

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, task: Task, owner: type) -> object:
        value = task.__dict__[self._name] = self._load()
        return value


def _is_linked(value: object) -> bool:
    """Whether the values of other tasks belong into a parameter."""
    found: list[object] = []

    def seen(leaf: object, path: str) -> object:
        if is_slot(leaf):
            found.append(leaf)
        return leaf

    replaced(value, "", seen)
    return bool(found)
