"""From a graph to what is recorded of it: tasks by reference, values pickled, secrets refused."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flowlib.code_places import code_folders
from flowlib.code_snapshot import take_snapshot
from flowlib.credentials import is_secret_name, without_credentials
from flowlib.declaration import Declaration
from flowlib.errors import SpecError
from flowlib.graph import TaskGraph
from flowlib.node import Argument, Node, Upstream
from flowlib.recorded import RecordedConfig
from flowlib.submission import (
    LATER,
    PIECE,
    SPECS,
    Gate,
    Submission,
    SubmittedTask,
    id_of,
    values_name,
    write_submission,
)
from flowlib.submitted_specs import later_parts, parts_of, rows_of, told_of, told_of_later
from flowlib.unchanged import refuse_changed
from stores import ResultsStore, StoreError, Unencodable, canonical
from stores.codec import codecs
from stores.digests import blake2b

Values = tuple[list[tuple[Any, ...]], list[list[int]]]
"""The arguments of some tasks, each once; and which of them each task has."""

_MAINS: Final = ("__main__", "__mp_main__")


def submit_graph(
    graph: TaskGraph, store: ResultsStore, project: str, *, with_code: bool = False
) -> Submission:
    """Record a graph, so that any process that reaches the store can run it.

    Args:
        graph: It.
        store: Where.
        project: Name of the project.
        with_code: Whether it runs with the code of now, of which a snapshot is taken.

    Raises:
        RunError: the snapshot is too large, or cannot be kept.
        SpecError: a task or a value cannot be sent to another process, or is a secret.
        StoreError: the store cannot be written.
    """
    declarations = list(graph.declarations)
    for each in declarations:
        _refuse_unreachable(each.task)
    for node in graph:
        _refuse_secrets(node)
    refuse_changed(graph)
    gates, tasks = _described(graph, declarations)
    pickles = {SPECS: _pickled([parts_of(each) for each in declarations], "the tasks")}
    if graph.later.says_something:
        pickles[LATER] = _pickled(later_parts(graph.later), "the options of the flow")
    for start in range(0, len(graph), PIECE):
        nodes = list(graph)[start : start + PIECE]
        pickles[values_name(start)] = _pickled(_values_of(nodes), "the config of a task")
    found = Submission(
        id=id_of(list(graph.nodes)),
        when=0.0,
        host="",
        project=project,
        folders=code_folders(),
        tasks=tuple(tasks),
        gates=tuple(gates),
        code=take_snapshot(store) if with_code else None,
        has_later=LATER in pickles,
    )
    hidden = [told_of(each, _text) for each in declarations]
    hidden += [told_of_later(graph.later)] if found.has_later else []
    hidden += sorted({_text(each) for node in graph for each in node.arguments if _is_hidden(each)})
    return write_submission(store, found, pickles, repr(hidden))


def _described(
    graph: TaskGraph, declarations: list[Declaration]
) -> tuple[list[Gate], list[SubmittedTask]]:
    """What is told of all tasks without unpickling."""
    places = {key: number for number, key in enumerate(graph.nodes)}
    texts = [RecordedConfig(each) for each in declarations]
    specs = {id(each): number for number, each in enumerate(declarations)}
    gates: list[Gate] = []
    known: dict[int, int] = {}
    tasks = []
    for node in graph:
        gate = known.setdefault(id(node.upstream), len(gates))
        if gate == len(gates):
            gates.append(_gate(node.upstream, places))
        spec = specs[id(node.declaration)]
        texts_of_node = texts[spec].full(node.arguments), texts[spec].user(node.arguments)
        told = (node.unique_name, node.index, spec, gate, *texts_of_node)
        tasks.append(SubmittedTask(node.address, *told))
    return gates, tasks


def _gate(upstream: Upstream, places: Mapping[str, int]) -> Gate:
    sources = tuple([places[each.key] for each in upstream.nodes])
    return Gate(sources, upstream.gathers, upstream.roles)


def _is_hidden(argument: Argument) -> bool:
    """Whether it is in no config: it is ignored, or stands for what is read."""
    return argument.full_text is None


def _text(argument: Argument) -> str:
    """A value that is in no config, as text."""
    try:
        text = canonical.encode(argument.value)
    except Unencodable:
        text = blake2b(_pickled(argument.value, argument.name), digest_size=16).hexdigest()
    return f"{argument.name}={text}"


def _values_of(nodes: list[Node]) -> Values:
    places: dict[int, int] = {}
    arguments: list[Argument] = []
    rows = []
    for node in nodes:
        row = []
        for each in node.arguments:
            if id(each) not in places:
                places[id(each)] = len(arguments)
                arguments.append(each)
            row.append(places[id(each)])
        rows.append(row)
    return rows_of(arguments), rows


def _pickled(value: object, what: str) -> bytes:
    """A value for another process; classes and functions of a script by the script's name."""
    stream = io.BytesIO()
    try:
        with warnings.catch_warnings():  # by value is right where there is no file
            warnings.simplefilter("ignore")
            codecs.find("pickle")().dump(value, stream)
    except StoreError as error:
        raise SpecError(f"{what} cannot be submitted: {error}") from error
    return stream.getvalue()


def _refuse_unreachable(task: Callable[..., object]) -> None:
    """A script that another module hides would not be found by its name.

    Raises:
        SpecError: it is hidden.
    """
    if getattr(task, "__module__", None) not in _MAINS:
        return
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    if path is None or getattr(main, "__spec__", None) is not None:
        return
    name = Path(path).stem
    known = getattr(sys.modules.get(name), "__file__", None)
    is_builtin = name in sys.stdlib_module_names
    if is_builtin or (known is not None and Path(known).resolve() != Path(path).resolve()):
        raise SpecError(
            f"{path} cannot be submitted: other processes import it as {name!r}, which is "
            f"another module. Rename the script"
        )


def _refuse_secrets(node: Node) -> None:
    """What no record would hold, the store must not hold either, if it is a secret.

    Raises:
        SpecError: something is one, by its name or by its form.
    """
    hidden: Iterator[tuple[str, Any]] = iter(
        [
            *node.declaration.additional_kwargs.items(),
            *[(each.name, each.value) for each in node.arguments if _is_hidden(each)],
        ]
    )
    for name, value in hidden:
        is_text = isinstance(value, (str, bytes)) and bool(value)
        is_secret = is_text and (
            is_secret_name(name) or (isinstance(value, str) and without_credentials(value) != value)
        )
        if is_secret or "Secret" in type(value).__name__:
            raise SpecError(
                f"{node.name}.{name} is a secret, by its name or its form, and whoever reads the "
                f"store could read it: let the task take it from its environment"
            )
