"""
What is needed to run one task by hand? A folder that holds all of it.

    README.txt      what lies here, and the commands
    task.json       who it is: config, what it reads, its attempts
    inputs/…        the results that it reads, as files, a folder for each task
    store/…         the same as a store of its own, to which the task was submitted
    run.py          computes the task from that, in its own process: python -m pdb run.py
    log.txt         what its last attempt printed, if there is a log
    traceback.txt   how its last attempt failed, if it did
    work/, run.sh   of a program: the files it starts with, and its commands
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from flowlib.errors import NothingSelected, RunError, SelectorError
from flowlib.execution import target_of
from flowlib.graph import TaskGraph, graph_of_spec
from flowlib.input_values import InputValues
from flowlib.jobs import JobMaker
from flowlib.next_commands import NO_COMMAND
from flowlib.node import Node
from flowlib.planning import plan_for
from flowlib.record_lines import plain_config
from flowlib.run_folders import recorded_log
from flowlib.run_identity import UNCATEGORIZED, RunIdentity
from flowlib.shell_task import Shell
from flowlib.spec import TaskSpec
from flowlib.stored_selection import select_record
from flowlib.submitting import submit_graph
from stores import Address, LocalFileStore, Record, ResultsStore, StoreError, TaskState, canonical
from stores.canonical import qualified_name
from stores.codec import codecs
from stores.file_layout import encoded
from stores.housekeeping.checked_stream import CheckedStream
from stores.matching import artifacts_in_force
from stores.transfer import unpack

_SCRIPT: Final = '''\
"""Computes {id} from what lies beside this file: python run.py, or python -m pdb run.py."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = {folders!r}

from flowlib import execute
from stores import LocalFileStore

if __name__ == "__main__":
    store = LocalFileStore(HERE / "store")
    run = execute({key!r}, store, num_workers=1, force={key!r}, executor="inline")
    for name, value in run[{name!r}][-1].results.items():
        print(f"{{name}} = {{value!r}}")
'''

_PROGRAM: Final = """\
#!/bin/sh
# The commands of {id}, in the folder work, which held its input files and nothing else.
set -e
cd "$(dirname "$0")/work"
"""

_INHERITED: Final = ("PATH", "HOME")


def debug_task(
    key: str | TaskSpec, results_store: ResultsStore, folder: str | os.PathLike[str]
) -> Path:
    """Write all that is needed to run one task by hand into a folder.

    Args:
        key: Of a submitted task: the beginning of its key, or another selector that means it
            alone. Or a spec, submitted or not.
        results_store: Where it was submitted, and the results are that it reads.
        folder: Is made; what is there has to be empty.

    Returns:
        The folder.

    Raises:
        NothingSelected: there is no such submitted task.
        RunError: several are meant, the folder is not empty, or code is not here; or the task has
            a record, but was not submitted.
        StoreError: something cannot be read.
    """
    wanted = _of_spec(key) if isinstance(key, TaskSpec) else _submitted(key, results_store)
    if len(wanted.addresses) > 1:
        listed = ", ".join(map(str, wanted.addresses[:5]))
        raise RunError(f"{key!r} means {len(wanted.addresses)} tasks, and one is wanted: {listed}")
    place = Path(folder).absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise RunError(f"{place} is not empty: name a folder that is, or is not there yet")
    place.mkdir(parents=True, exist_ok=True)
    node = wanted.graph.nodes[wanted.addresses[0].key]
    _Dump(results_store, wanted.graph, node, place).write(wanted.project, wanted.folders)
    return place


class _Wanted(NamedTuple):
    """What is to be run by hand; no folders: where code is found now."""

    graph: TaskGraph
    addresses: Sequence[Address]
    project: str
    folders: tuple[str, ...]


def _of_spec(spec: TaskSpec) -> _Wanted:
    graph, nodes = graph_of_spec(spec)
    return _Wanted(graph, [node.address for node in nodes], UNCATEGORIZED, ())


def _submitted(key: str, store: ResultsStore) -> _Wanted:
    try:
        target = target_of(key, store)
    except NothingSelected:
        with suppress(SelectorError):
            address = select_record(store, key)
            raise RunError(
                f"{address} has a record, but was not submitted, and the code of a task is in no "
                f"record: flow.submit(store), or `flowlib submit`, puts it there, also afterwards; "
                f"or debug_task(spec, store, folder), in Python"
            ) from None
        raise
    return _Wanted(target.graph, target.addresses, target.project, target.folders)


class _Dump:
    def __init__(self, store: ResultsStore, graph: TaskGraph, node: Node, folder: Path) -> None:
        self._store = store
        self._graph = graph
        self._node = node
        self._folder = folder
        self._record = store.record(node.address)
        self._missing: list[Address] = []

    def write(self, project: str, folders: tuple[str, ...]) -> None:
        """Write all of it."""
        node, own = self._node, LocalFileStore(self._folder / "store")
        sources = {each.address: each for each in node.upstream.nodes}
        for address in sources:
            self._write_input(address)
        there = [address for address in sources if address not in self._missing]
        if there:
            self._store.copy(there, own)
        submitted = submit_graph(self._graph, own, project)
        key = f"{node.name}/{node.key}"
        script = _SCRIPT.format(
            id=node.address, folders=list(folders or submitted.folders), key=key, name=node.name
        )
        (self._folder / "run.py").write_text(script)
        self._write_json("task.json", self._description())
        self._write_last_attempt()
        words = ["flowlib", "execute", str(node.address), "--inline"]
        commands = [shlex.join([*words, *NO_COMMAND.seen_by(self._store)[1:]]), "python run.py"]
        if node.declaration.task is Shell and not self._missing:
            self._write_program(own)
            commands.append("sh run.sh")
        (self._folder / "README.txt").write_text(self._readme(commands))

    def _write_input(self, address: Address) -> None:
        record = self._store.record(address)
        if record is None or record.state is not TaskState.FINISHED:
            self._missing.append(address)
            return
        folder = self._folder / "inputs" / f"{encoded(address.task)}-{address.key[:8]}"
        folder.mkdir(parents=True)
        for name, (_, artifact) in artifacts_in_force(record).items():
            portable, opened = self._store.portable_stream(address, artifact)
            with opened as stream:
                if portable.encoding == "tar":
                    unpack(stream, folder / encoded(name))
                    continue
                checked = CheckedStream(stream, address, portable)
                with (folder / _file_name(name, artifact.type_)).open("wb") as file:
                    while data := checked.read(1 << 20):
                        file.write(data)
                checked.check()

    def _write_last_attempt(self) -> None:
        record = self._record
        if record is None:
            return
        if (error := record.latest.error) is not None:
            (self._folder / "traceback.txt").write_text(f"{error.traceback}\n")
        if (log := recorded_log(self._store, record.latest.provenance)) is not None:
            (self._folder / "log.txt").write_bytes(Path(log).read_bytes())

    def _description(self) -> dict[str, Any]:
        node = self._node
        version = node.declaration.version
        return {
            "id": str(node.address),
            "task": node.name,
            "key": node.key,
            "unique_name": node.unique_name,
            "code": qualified_name(node.declaration.task),
            "version": None if version is None else str(version),
            "config": plain_config(_told(node)),
            "reads": [
                {"role": role, "id": f"{each.name}/{each.key}"}
                for role, each in node.upstream.by_role
            ],
            "missing": [f"{each.task}/{each.key}" for each in self._missing],
            "last_attempt": _attempt_of(self._record),
        }

    def _write_json(self, name: str, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
        (self._folder / name).write_text(f"{text}\n")

    def _write_program(self, store: ResultsStore) -> None:
        """Write the files and the commands of a program."""
        node = self._node
        plan = plan_for(self._graph, store, [node.key])
        jobs = JobMaker(plan, RunIdentity("debug", "debug"))
        lazy = jobs.assignment(node).signature.lazy
        values = InputValues(jobs.job(node), lazy, store).arguments()
        task = Shell(**values)
        task.put_inputs(self._folder)
        lines = [_PROGRAM.format(id=node.address)]
        own = [f"{name}={shlex.quote(text)}" for name, text in task.own_variables().items()]
        names = dict.fromkeys((*_INHERITED, *task.inherit))
        seen = ["LANG=C.UTF-8", *[f'{name}="${name}"' for name in names], *own]
        for number, words in enumerate(task.commands):
            stdin = " < ../stdin" if task.stdin is not None and number == 0 else ""
            lines.append(f"env -i {' '.join(seen)} \\\n  {shlex.join(words)}{stdin}\n")
        path = self._folder / "run.sh"
        path.write_text("".join(lines))
        path.chmod(0o755)

    def _readme(self, commands: list[str]) -> str:
        listed = "\n".join(f"  {each}" for each in commands)
        text = f"{self._node.address} as {self._node.unique_name}, to be run by hand:\n\n{listed}\n"
        if self._missing:
            names = ", ".join(map(str, self._missing))
            text += f"\nWhat it reads is not all there; run.py computes it first: {names}\n"
        return text + f"\n{(__doc__ or '').strip()}\n"


def _told(node: Node) -> dict[str, Any]:
    """The config that records have."""
    texts = [each.full_text for each in node.arguments if each.full_text is not None]
    found = canonical.decode("{" + ",".join(texts) + "}")
    return found if isinstance(found, dict) else {}


def _attempt_of(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    latest = record.latest
    error = latest.error and {"type": latest.error.type_, "message": latest.error.message}
    provenance = dict(latest.provenance)
    return {
        "number": latest.number,
        "state": latest.state.value,
        "duration_s": latest.duration_s,
        "error": error,
        "command": provenance.get("command"),
        "host": provenance.get("host"),
    }


def _file_name(name: str, type_: str) -> str:
    try:
        extension = codecs.find(type_).extension
    except StoreError:  # of a type that is not known here
        extension = ""
    plain = encoded(name)
    return f"{plain}.{extension}" if extension and not plain.endswith(f".{extension}") else plain
