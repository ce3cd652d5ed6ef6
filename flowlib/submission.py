"""
What was submitted to a store? Graphs, recorded to be run later; told without unpickling anything.

A graph is a record of its own in `store.beside("submitted")`, so it is there as a whole or not at
all, and no listing of results knows of it. Its artifacts:

    index       as JSON: the tasks with keys, configs and what they read, predecessors first
    specs       pickled: what the tasks of one spec have in common, the task itself by reference
    later       pickled: what holds for specs that the tasks return; if there is such
    values-0    pickled: the arguments of the first thousand tasks, and so on
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Any, Final, NamedTuple

from flowlib.code_snapshot import CodeSnapshot
from flowlib.errors import RunError
from stores import (
    Address,
    Artifact,
    Attempt,
    Identity,
    LeaseHeld,
    ResultsStore,
    StoreError,
    TaskState,
    canonical,
)
from stores.lazy_dataclass import dataclass

PIECE: Final = 1000
"""So many tasks have their arguments in one artifact."""

SPECS: Final = "specs"
LATER: Final = "later"
_INDEX: Final = "index"
_VALUES: Final = "values"
_PLACE: Final = "submitted"
_GRAPH: Final = "graph"
_CONTENT: Final = "content"
_SCHEMA: Final = 1
_PAUSE_S: Final = 0.1
_PATIENCE_S: Final = 60.0
"""So long another process may take that is submitting the same graph."""


class Gate(NamedTuple):
    """What tasks read; many share one.

    Attributes:
        sources: Numbers of tasks.
        gathers: Whether the values arrive as lists.
        roles: As what is read which of `sources`; empty: under the names of their specs.
    """

    sources: tuple[int, ...]
    gathers: bool
    roles: tuple[tuple[str, int], ...]


class SubmittedTask(NamedTuple):
    """One task of a submission.

    Attributes:
        address: Where its record will lie.
        unique_name: What it is called in its graph.
        position: Its number among the tasks of its spec, from 0.
        spec: Which of the things in `SPECS` it is a task of.
        gate: What it reads: one of the gates.
        config: Canonical text of its config, defaults included.
        given: The same for what the user gave.
    """

    address: Address
    unique_name: str
    position: int
    spec: int
    gate: int
    config: str
    given: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A graph that was recorded to be run later.

    Attributes:
        id: The digest of the keys of its tasks.
        when: When it was recorded, in seconds since 1970.
        host: Where that was.
        project: Name of the project.
        folders: Where Python looked for code of the project.
        tasks: All tasks, predecessors first.
        gates: What they read.
        is_new: Whether this call has recorded it; else it was there.
        code: The code that it was submitted with; None is that of the day on which it runs.
        has_later: Whether something holds for specs that its tasks return.
    """

    id: str
    when: float
    host: str
    project: str
    folders: tuple[str, ...]
    tasks: tuple[SubmittedTask, ...] = field(repr=False)
    gates: tuple[Gate, ...] = field(repr=False)
    is_new: bool = False
    code: CodeSnapshot | None = None
    has_later: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all tasks."""
        return tuple([each.address.key for each in self.tasks])

    @property
    def targets(self) -> tuple[Address, ...]:
        """The tasks from which no other reads."""
        read = {number for gate in self.gates for number in gate.sources}
        return tuple([t.address for number, t in enumerate(self.tasks) if number not in read])

    def __getitem__(self, name: str) -> tuple[Address, ...]:
        """The tasks of a spec, or the one of this unique name."""
        found = [each.address for each in self.tasks if name in (each[0].task, each.unique_name)]
        if not found:
            raise KeyError(name)
        return tuple(found)

    def __len__(self) -> int:
        return len(self.tasks)


def write_submission(
    store: ResultsStore, submission: Submission, pickles: Mapping[str, bytes], hidden: str
) -> Submission:
    """Record a graph; nothing is written if the same is there.

    Args:
        store: Where.
        submission: The graph; when and where it is recorded is filled in.
        pickles: The artifacts that are pickled, by name; not the same each time, as sets in them
            have no order.
        hidden: What tells apart what is pickled, and is in no config.

    Raises:
        StoreError: the store cannot be written, or keeps nothing but results.
    """
    beside = store.beside(_PLACE)
    index = _index_of(submission)
    content = canonical.digest(f"{list(index.items())!r} {hidden}")
    address = Address(_GRAPH, submission.id)
    until = time.monotonic() + _PATIENCE_S
    while (there := _recorded(store, address, content)) is None:
        try:
            attempt = beside.begin(address)
            break
        except LeaseHeld:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)
    else:
        return there
    # Another may have recorded it between the look at it and the lease.
    if (there := _recorded(store, address, content)) is not None:
        attempt.abandon()
        return there
    try:
        now, host = time.time(), socket.gethostname()
        attempt.save({**index, "when": now, "host": host}, _INDEX, "json")
        for name, data in pickles.items():
            attempt.take(Artifact(name, "pickle", size_bytes=len(data)), io.BytesIO(data))
        text = canonical.encode({"tasks": len(submission.tasks), "project": submission.project})
        facts = {_CONTENT: content}
        outcome = Attempt(0, TaskState.FINISHED, started=now, ended=now, facts=facts)
        attempt.commit(Identity(address, None, text, text), outcome, keeps_finished=False)
    except BaseException:
        attempt.abandon()
        raise
    return replace(submission, is_new=True, when=now, host=host)


def _recorded(store: ResultsStore, address: Address, content: str) -> Submission | None:
    """The graph, if it is there with this content and whole."""
    known = store.beside(_PLACE).statuses([address]).get(address.key)
    if known is None or known.facts.get(_CONTENT) != content or known.missing:
        return None
    with suppress(StoreError):  # one that was damaged is written again
        return read_submission(store, address.key)
    return None


def read_submission(store: ResultsStore, id_: str) -> Submission:
    """What was submitted under an id.

    Raises:
        StoreError: it is not there, damaged, or of a newer flowlib.
    """
    found: dict[str, Any] = store.beside(_PLACE).get(Address(_GRAPH, id_), _INDEX)
    if found["schema"] > _SCHEMA:
        raise StoreError(
            f"what was submitted as {id_[:8]} is of a newer flowlib: use that, or submit it again"
        )
    return Submission(
        id_,
        found["when"],
        found["host"],
        found["project"],
        tuple(found["folders"]),
        tuple(_tasks_in(found)),
        tuple(
            Gate(tuple(sources), gathers, tuple((role, number) for role, number in roles))
            for sources, gathers, roles in found["gates"]
        ),
        code=CodeSnapshot(*found["code"]) if found.get("code") else None,
        has_later=found.get(LATER, False),
    )


def read_submissions(store: ResultsStore) -> list[Submission]:
    """All that was submitted to a store, the newest first; what cannot be read is left out.

    Raises:
        StoreError: the store cannot be reached.
    """
    found = []
    try:
        beside = store.beside(_PLACE)
    except StoreError:  # a store that keeps nothing but results has none
        return []
    for address in list(beside.addresses(_GRAPH)):
        with suppress(StoreError):
            found.append(read_submission(store, address.key))
    found.sort(key=lambda each: (-each.when, each.id))
    return found


def read_pickle(store: ResultsStore, id_: str, name: str) -> Any:
    """One of the pickled artifacts; what they name is imported.

    Raises:
        StoreError: it is gone, or the store refuses pickles, or code is not here.
    """
    return store.beside(_PLACE).get(Address(_GRAPH, id_), name)


def drop_submission(store: ResultsStore, id_: str) -> bool:
    """Forget a graph; the results of its tasks stay. Whether there was one.

    Raises:
        LeaseHeld: it is just being submitted again.
    """
    return store.beside(_PLACE).remove(Address(_GRAPH, id_))


def drop_leftovers(store: ResultsStore) -> None:
    """Drop what processes have left that were killed while they submitted something."""
    with suppress(StoreError):  # a store that keeps nothing but results has none
        beside = store.beside(_PLACE)
        beside.drop_leftovers(list(beside.leftovers()))


def values_name(number: int) -> str:
    """The artifact with the arguments of the task of this number."""
    return f"{_VALUES}-{number // PIECE}"


def id_of(keys: Sequence[str]) -> str:
    """The id of a graph with these keys."""
    if not keys:
        raise RunError("there is nothing to submit")
    return canonical.digest(",".join(sorted(keys)))


def _index_of(submission: Submission) -> dict[str, Any]:
    """What can be told of a graph without unpickling, but for when and where."""
    code = submission.code
    return {
        **({} if code is None else {"code": [code.digest, code.root]}),
        **({LATER: True} if submission.has_later else {}),
        "schema": _SCHEMA,
        "project": submission.project,
        "folders": list(submission.folders),
        "gates": [
            [list(gate.sources), gate.gathers, [list(role) for role in gate.roles]]
            for gate in submission.gates
        ],
        "tasks": [[each.address.task, each.address.key, *each[1:]] for each in submission.tasks],
    }


def _tasks_in(index: Mapping[str, Any]) -> Iterator[SubmittedTask]:
    for task, key, *rest in index["tasks"]:
        yield SubmittedTask(Address(task, key), *rest)
