"""Direct use: results of specs and calls, loaded or computed here and now."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from flowlib.asked_specs import AskedSpec
from flowlib.background import in_background
from flowlib.calls import Call
from flowlib.carrying_out import chosen_executor
from flowlib.direct_use import Bound
from flowlib.errors import CallError, SpecError
from flowlib.functions import TaskFunction
from flowlib.graph import graph_of_spec
from flowlib.items import Item, replaced
from flowlib.launch import checked_store
from flowlib.left_open import as_future
from flowlib.node import Node
from flowlib.single_results import single_node, status_in, value_in
from flowlib.spec import TaskSpec
from flowlib.store_choice import StoreChoice, chosen_store
from stores import Record, ResultsStore, Unencodable

if TYPE_CHECKING:
    from flowlib.batch_values import Batch
    from stores.table import Records

_log = logging.getLogger("flowlib")


def result(
    asked: TaskSpec | Item,
    store: StoreChoice | None = None,
    *,
    force: bool = False,
    executor: object = None,
) -> Any:
    """The value of a spec or of an item, loaded or computed: see `TaskSpec.result`."""
    spec, steps = _parts(asked)
    known = _store(store)
    if not steps and not force:
        is_there, value = found(spec, known)
        if is_there:
            return value
    return AskedSpec(spec, known).values(steps, force=force, executor=executor)


def submit(
    asked: TaskSpec | Item,
    store: StoreChoice | None = None,
    *,
    executor: object = None,
    force: bool = False,
) -> Future[Any]:
    """A Future of the value of a spec or of an item: see `TaskSpec.submit`."""
    spec, steps = _parts(asked)
    known = _store(store)
    batch = None if executor is None else _batch(executor, known)
    chosen = None if batch is not None else chosen_executor(executor)
    answered = as_future if batch is None else batch.answered
    is_there, value = (False, None) if steps or force else found(spec, known)
    if is_there:
        return answered(value)
    wanted = AskedSpec(spec, known)
    is_there, value = (False, None) if force else wanted.found(steps)
    if is_there:
        return answered(value)
    job = (id(known), repr(steps), *[node.key for node in wanted.nodes])
    if batch is not None:
        return batch.submit(job, spec, steps, force=force)
    compute = partial(wanted.values, steps, force=force, executor=chosen)
    return in_background(job, compute)


def found(spec: TaskSpec, store: ResultsStore) -> tuple[bool, Any]:
    """Whether the result of a call that reads no specs is in a store, and the value.

    It takes one look; nothing is computed. (False, None) of any other spec: nobody has looked.
    """
    node = single_node(spec) if isinstance(spec, Call) else None
    return (False, None) if node is None else value_in(store, node)


def exists(asked: TaskSpec | Item, store: StoreChoice | None = None) -> bool:
    """Whether `result` would only load: see `TaskSpec.exists`."""
    spec, steps = _parts(asked)
    known = _store(store)
    return AskedSpec(spec, known).exists(steps)


def record(asked: TaskSpec | Item, store: StoreChoice | None = None) -> Record | None:
    """What a store knows of the task of a spec: see `TaskSpec.record`."""
    spec = _parts(asked)[0]
    return AskedSpec(spec, _store(store)).record(_only_node(spec))


def key(asked: TaskSpec | Item) -> str:
    """The key of the task of a spec, of an item with the name: see `TaskSpec.key`."""
    spec, steps = _parts(asked)
    return _with_name(_only_node(spec).key, steps)


def keys(asked: TaskSpec | Item) -> list[str]:
    """The keys of the tasks of a spec, of an item with the name: see `TaskSpec.keys`."""
    spec, steps = _parts(asked)
    return [_with_name(node.key, steps) for node in _nodes(spec)]


def call(
    function: TaskFunction[..., Any],
    args: Sequence[object],
    kwargs: Mapping[str, object],
    *,
    store: StoreChoice | None = None,
    force: bool = False,
) -> Any:
    """What a function gives, loaded or computed: see `TaskFunction.call`."""
    if store is not None or force:
        _refuse_own_names(function, ("store", "force"))
    return called(function, args, kwargs, chosen_store(store), force=force)


def called(
    function: TaskFunction[..., Any],
    args: Sequence[object],
    kwargs: Mapping[str, object],
    store: ResultsStore,
    *,
    force: bool = False,
) -> Any:
    """The same from one store."""
    spec = keyable_call(function, args, kwargs)
    if spec is None:
        value: Any = function.fn(*args, **kwargs)
    else:
        known = checked_store(store)
        is_there, value = (False, None) if force else found(spec, known)
        if not is_there:
            value = AskedSpec(spec, known).answer(force=force)
    return as_future(value) if function.gives_future else value


def keyable_call(
    function: TaskFunction[..., Any], args: Sequence[object], kwargs: Mapping[str, object]
) -> Call[Any] | None:
    """A lazy call; None, which is told once, if an argument has no identity.

    Raises:
        SpecError: the arguments do not fit, or they have no identity and hold specs.
    """
    try:
        return function.lazy_call(args, kwargs)
    except SpecError as error:
        if not isinstance(error.__cause__, Unencodable) or _holds_specs([args, kwargs]):
            raise
        _tell_uncached(function, error)
        return None


def load(
    function: TaskFunction[..., Any],
    args: Sequence[object],
    kwargs: Mapping[str, object],
    *,
    store: StoreChoice | None = None,
) -> Any:
    """The stored result of a call: see `TaskFunction.load`."""
    _refuse_own_names(function, ("store",) if store is not None else ())
    spec, known = function.lazy_call(args, kwargs), _store(store)
    is_there, value = found(spec, known)
    return value if is_there else AskedSpec(spec, known).stored_values([])


def has_result(
    function: TaskFunction[..., Any],
    args: Sequence[object],
    kwargs: Mapping[str, object],
    *,
    store: StoreChoice | None = None,
) -> bool:
    """Whether a call has its result in a store: see `TaskFunction.exists`."""
    _refuse_own_names(function, ("store",) if store is not None else ())
    spec, known = function.lazy_call(args, kwargs), _store(store)
    node = single_node(spec)
    if node is None:
        return AskedSpec(spec, known).exists([])
    return status_in(known, node) is not None


def key_of_call(
    function: TaskFunction[..., Any], args: Sequence[object], kwargs: Mapping[str, object]
) -> str:
    """The key of a call: see `TaskFunction.key`."""
    return key(function.lazy_call(args, kwargs))


def query(
    function: TaskFunction[..., Any], store: StoreChoice | None, where: Mapping[str, Any]
) -> Records:
    """The stored results of calls: see `TaskFunction.query`."""
    wanted: Any = dict(where)  # a mapping of names is one of names and paths
    return _store(store).records(function.spec_name, where=wanted, state="finished")


def bound(
    function: TaskFunction[..., Any], store: StoreChoice | None, *, force: bool
) -> Bound[..., Any]:
    """A function that calls with one store: see `TaskFunction.bind`."""
    return Bound(function, _store(store), force=force)


def _store(given: StoreChoice | None) -> ResultsStore:
    return checked_store(chosen_store(given))


def _batch(executor: object, store: ResultsStore) -> Batch | None:
    from flowlib.batch_values import batch_of  # who computes here needs none of it

    return batch_of(executor, store)


def _parts(asked: TaskSpec | Item) -> tuple[TaskSpec, list[Any]]:
    if isinstance(asked, TaskSpec):
        return asked, []
    source: Any = asked.source
    return source, list(asked.steps)


def _nodes(spec: TaskSpec) -> tuple[Node, ...]:
    node = single_node(spec) if isinstance(spec, Call) else None
    return graph_of_spec(spec)[1] if node is None else (node,)


def _only_node(spec: TaskSpec) -> Node:
    nodes = _nodes(spec)
    if len(nodes) > 1:
        raise SpecError(
            f"{spec!r} is {len(nodes)} tasks, each with a key and a record of its own: "
            f"spec.keys lists their keys"
        )
    return nodes[0]


def _with_name(key: str, steps: list[Any]) -> str:
    if not steps:
        return key
    if len(steps) > 1 or not isinstance(steps[0], str):
        raise SpecError(
            f"{steps[0]!r} is a part of a result, which has no address of its own: only what a "
            f"task returns by name has, as spec['name']"
        )
    return f"{key}:{steps[0]}"


def _refuse_own_names(function: TaskFunction[..., Any], names: Sequence[str]) -> None:
    """A parameter of the function cannot be told from one of the call."""
    for name in names:
        if function.takes(name):
            raise CallError(
                f"{function.spec_name} has a parameter {name!r} of its own, so nobody knows which "
                f"is meant: give it by position, and the store by bind(store=...) or use_store"
            )


def _tell_uncached(function: TaskFunction[..., Any], error: SpecError) -> None:
    if function.is_first("uncached"):
        _log.warning("%s; so calls of %s are computed every time", error, function.spec_name)


def _holds_specs(value: object) -> bool:
    found: list[object] = []

    def look(leaf: object, path: str) -> object:
        if isinstance(leaf, (TaskSpec, Item)):
            found.append(leaf)
        return leaf

    replaced(value, "", look)
    return bool(found)
