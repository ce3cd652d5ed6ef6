"""What does a run leave behind beside its results? Events, the manifest, the logs of its tasks."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from flowlib.code_changes import code_of
from flowlib.code_texts import keep_texts
from flowlib.configuration import settings
from flowlib.event_log import EventWriter
from flowlib.events import Event, Finished, RunEnded, RunStarted, Started, TaskEvent
from flowlib.flow_facts import facts_of_flow
from flowlib.labels import TaskRefs
from flowlib.log_names import LogNames
from flowlib.node import Node
from flowlib.plan import Plan
from flowlib.result_links import link_results
from flowlib.run_folders import (
    MANIFEST,
    PROVENANCE,
    WORKERS,
    code_folder,
    make_run_folder,
    runs_folder,
)
from flowlib.run_graph import write_graph
from flowlib.run_identity import RunIdentity
from flowlib.run_manifest import CACHED, LEFT_OUT
from flowlib.task_output import OutputPlace
from flowlib.view import View
from stores import ResultsStore, TaskState
from stores.file_layout import encoded

SCHEMA: Final = 1
"""Of the manifest; parts may be added without another number."""

_log = logging.getLogger("flowlib")


class RunLog(View):
    """Writes what happens into the folder of a run; where that fails, it says so once.

    Attributes:
        folder: The folder of the run; None if there is none.
        refs: How views know its nodes.
        names: How the logs of its tasks are called.
        output: Where these go.
    """

    def __init__(
        self,
        plan: Plan,
        store: ResultsStore,
        identity: RunIdentity,
        *,
        is_followed: bool = False,
    ) -> None:
        self._plan = plan
        self.refs = TaskRefs(plan.graph.by_spec)
        self._identity = identity
        self._store = store
        self._began, self._since = time.time(), time.monotonic()
        self._writer: EventWriter | None = None
        self._may_keep = self._has_begun = False
        self.folder = self._made(runs_folder(store, identity.project_name))
        self.names = LogNames(self.folder)
        self.output: OutputPlace | None = None
        if self.folder is not None:
            is_beside = store.runs_dir is not None
            recorded = self.folder.name if is_beside else str(self.folder)
            limit = settings().log_limit_bytes
            self.output = OutputPlace(self.folder, recorded, limit, is_followed=is_followed)

    def __enter__(self) -> RunLog:
        return self

    def show(self, event: Event) -> None:
        self._has_begun = self._has_begun or isinstance(event, TaskEvent)
        if self._writer is not None:
            try:
                is_usual = type(event) in (Started, Finished)
                self._writer.write(event, keep=is_usual and self._may_keep)
            except OSError as error:
                self._give_up(error)
        if isinstance(event, RunStarted) and self._plan.reasons:
            self._keep_code()
            states = dict.fromkeys(self._plan.reasons, TaskState.PENDING)
            self._write_manifest(states, {}, is_over=False)
            self._write_graph()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:  # nobody else tells that the run is over
            why = str(error) or type(error).__name__ if isinstance(error, Exception) else ""
            is_cut = self._has_begun or not why
            self.show(RunEnded(time.time(), {}, self.duration_s, is_cut, broken_by=why))
        self.write_out()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self.folder is not None:
            with contextlib.suppress(OSError):  # only if nothing is in it
                (self.folder / WORKERS).rmdir()

    @property
    def duration_s(self) -> float:
        """For how long the run has been going on."""
        return time.monotonic() - self._since

    @property
    def path(self) -> str | None:
        """The folder as text."""
        return None if self.folder is None else str(self.folder)

    @property
    def called(self) -> str:
        """How the run is called by who looks from outside: two of a name differ."""
        return encoded(self._identity.run_name) if self.folder is None else self.folder.name

    @property
    def hooks(self) -> tuple[Callable[[], object], Callable[[], object]]:
        """What the loop calls with every renewal of leases, and before it waits."""
        return self.show_life, self.write_out

    def write_out(self) -> None:
        """Write what tasks have begun and finished; from now on that is kept until the next call.

        Whenever the loop is about to wait, that is one write, and not one for each event.
        """
        self._may_keep = True
        if self._writer is not None:
            try:
                self._writer.flush()
            except OSError as error:
                self._give_up(error)

    def show_life(self) -> None:
        """Tell readers on other hosts that the run goes on, although nothing happens."""
        if self._writer is not None:
            self._writer.show_life()

    def note_end(
        self, plan: Plan, states: Mapping[str, TaskState], counts: Mapping[str, int]
    ) -> None:
        """Write down how the nodes ended.

        Args:
            plan: What was run; it has grown if tasks have returned specs.
            states: Of those that were to run, by key.
            counts: How many ended in which state.
        """
        if plan is not self._plan:
            self._plan, self.refs = plan, TaskRefs(plan.graph.by_spec)
            self._write_graph()
        self._write_manifest(states, counts, is_over=True)
        if self.folder is not None and self._store.runs_dir is not None:
            nodes = (plan.graph.nodes[key] for key in states)
            link_results(self.folder, self._store.runs_dir.parent, nodes)

    def noted(self, origin: Mapping[str, object]) -> Mapping[str, object]:
        """Write down where the results of the run come from; returns it."""
        if self.folder is not None and self._writer is not None:
            with contextlib.suppress(OSError):  # every record tells it, too
                text = json.dumps(origin, indent=1)
                (self.folder / PROVENANCE).write_text(text, encoding="ascii")
        return origin

    def _made(self, runs: Path) -> Path | None:
        try:
            folder = make_run_folder(runs, self._identity.run_name)
            self._writer = EventWriter(folder)
        except OSError as error:
            _log.warning("the run goes on, but keeps no events and no logs: %s", error)
            return None
        return folder

    def _write_manifest(
        self, states: Mapping[str, TaskState], counts: Mapping[str, int], *, is_over: bool
    ) -> None:
        if self.folder is None or self._writer is None:
            return
        manifest = {
            "schema": SCHEMA,
            "run_name": self._identity.run_name,
            "project_name": self._identity.project_name,
            "store": repr(self._store),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": self._began,
            "ended": time.time() if is_over else None,
            "counts": dict(counts),
            "nodes": {
                name: _nodes(nodes, states, self._plan.left_out)
                for name, nodes in self._plan.graph.by_spec.items()
            },
        }
        path = self.folder / MANIFEST
        try:
            new = path.with_suffix(".new")
            new.write_text(json.dumps(manifest, separators=(",", ":")), encoding="ascii")
            new.replace(path)
        except OSError as error:
            self._give_up(error)

    def _keep_code(self) -> None:
        """Write down what the code of this run says, for the differences of later ones."""
        codes = {code_of(self._plan.graph.nodes[key]) for key in self._plan.reasons}
        found = [self._plan.code.of(*code) for code in codes]
        with contextlib.suppress(OSError):  # a difference without its text is told all the same
            folder = code_folder(self._store, self._identity.project_name)
            keep_texts(folder, [each for each in found if each is not None])

    def _write_graph(self) -> None:
        if self.folder is not None and self._writer is not None:
            try:
                graph = self._plan.graph
                write_graph(self.folder, facts_of_flow(graph, lambda _: None, refs=self.refs))
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.close()
            _log.warning("the run goes on, but its events are no longer kept: %s", error)


def _nodes(
    nodes: Sequence[Node], states: Mapping[str, TaskState], left_out: Collection[str]
) -> dict[str, object]:
    """The keys of a spec in order, and a state for each, or one for all."""
    keys = [node.key for node in nodes]
    if states.keys().isdisjoint(keys) and not left_out:
        return {"keys": keys, "states": CACHED}
    found = [
        states[key].value if key in states else LEFT_OUT if key in left_out else CACHED
        for key in keys
    ]
    return {"keys": keys, "states": found[0] if len(set(found)) == 1 else found}
