"""What is to be told of a run? The same of one that has just ended and of the folder of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from flowlib.configuration import settings
from flowlib.event_log import EventReader, is_gone
from flowlib.events import (
    Cached,
    Event,
    Failed,
    Finished,
    Skipped,
    Started,
    TaskEvent,
)
from flowlib.flow_facts import facts_of_flow
from flowlib.graph import TaskGraph
from flowlib.graph_summary import GraphFacts
from flowlib.result_table import ResultTable
from flowlib.run_graph import read_graph, with_states
from flowlib.run_manifest import states_of_run
from flowlib.run_progress import RunProgress
from stores import ResultsStore
from stores.cells import Grid, grid_of
from stores.lazy_dataclass import dataclass

_MOST_TABLES: Final = 6
_MOST_ROWS: Final = 5000


@dataclass(frozen=True, slots=True)
class RunStory:
    """All that the page of a run is made of.

    Attributes:
        name: Of the run.
        progress: How it went.
        facts: Its tasks with their states; None if they are not known.
        events: What happened, by time; empty if that was not kept.
        tables: The results of specs, the last of the flow first.
        notices: What is left out, in words.
    """

    name: str
    progress: RunProgress
    facts: GraphFacts | None
    events: Sequence[Event]
    tables: Sequence[ResultTable]
    notices: Sequence[str] = ()


def story_of_graph(
    graph: TaskGraph,
    words: Mapping[str, str],
    progress: RunProgress,
    store: ResultsStore,
    folder: str | None,
) -> RunStory:
    """What this process knows of a run.

    Args:
        graph: The nodes.
        words: Their states, by key.
        progress: How it went.
        store: Where the results are.
        folder: Of the run; None if there is none.
    """
    facts = facts_of_flow(graph, lambda node: words.get(node.key), has_configs=True)
    events = [] if folder is None else EventReader(folder).new()
    name = progress.start.run_name if progress.start else ""
    return _story(name, progress, facts, events, store)


def story_of_folder(folder: str | Path, store: ResultsStore | None = None) -> RunStory:
    """What the folder of a run tells; what is damaged is left out.

    Args:
        folder: Of the run.
        store: Where the results are; without it there are no tables.
    """
    place = Path(folder)
    reader = EventReader(place)
    events, progress = reader.new(), RunProgress()
    for event in events:
        progress.note(event)
    facts = read_graph(place)
    if facts is not None:
        limit_s = settings().stale_after_secs
        start = progress.start
        is_over = progress.end is not None or (
            start is not None and is_gone(start, reader.silent_s(), limit_s)
        )
        facts = with_states(facts, _states(place, events, is_over=is_over))
    name = progress.start.run_name if progress.start else place.name
    return _story(name, progress, facts, events, store)


def _story(
    name: str,
    progress: RunProgress,
    facts: GraphFacts | None,
    events: Sequence[Event],
    store: ResultsStore | None,
) -> RunStory:
    notices = []
    if not any(isinstance(each, Started) for each in events):
        notices.append("no task ran, or what happened was not kept: there is no timeline")
    tables: list[ResultTable] = []
    if facts is None:
        notices.append("the folder of the run does not tell its graph")
    elif store is not None:
        tables, hidden = _tables(facts, store)
        if hidden:
            notices.append(f"without the results of {', '.join(hidden)}: they would be too many")
    return RunStory(name, progress, facts, events, tuple(tables), tuple(notices))


def _tables(facts: GraphFacts, store: ResultsStore) -> tuple[list[ResultTable], list[str]]:
    """Tables of the specs that have results, the last first, and the specs that are left out."""
    states = {task.key: task.state for task in facts.tasks}
    keys: dict[str, set[str]] = {}
    for task in facts.tasks:
        if task.state != "pending":  # an older result of it is none of this run
            keys.setdefault(task.spec, set()).add(task.key)
    tables: list[ResultTable] = []
    hidden: list[str] = []
    rows = 0
    for spec in reversed(keys):
        if len(tables) >= _MOST_TABLES or rows + min(len(keys[spec]), 2000) > _MOST_ROWS:
            hidden.append(spec)
            continue
        table = ResultTable.of(_OfRun(store, spec, keys[spec], states))
        if len(table) and any(each.kind == "value" for each in table.grid.columns):
            tables.append(table)
            rows += len(table)
    return tables, hidden


@dataclass(frozen=True, slots=True)
class _OfRun:
    """The records of one spec that belong to a run."""

    store: ResultsStore
    spec: str
    keys: set[str]
    states: Mapping[str, str | None]

    def grid(self) -> Grid:
        records = self.store.records(self.spec)
        return grid_of(
            (
                replace(entry, is_cached=self.states[entry.address.key] == "cached")
                for entry in records.entries()
                if entry.address.task == self.spec and entry.address.key in self.keys
            ),
            records.store,
        )


def _states(folder: Path, events: Sequence[Event], *, is_over: bool) -> dict[str, str]:
    """How the tasks are, by key: as the manifest says, or as the events say since."""
    try:
        states = states_of_run(folder)
    except ValueError:
        states = {}
    for event in events:
        if isinstance(event, TaskEvent):
            states[event.task.key] = _word(event)
    if is_over:
        for key, word in states.items():
            states[key] = "pending" if word == "running" else word
    return states


def _word(event: TaskEvent) -> str:
    match event:
        case Started():
            return "running"
        case Finished():
            return "finished"
        case Cached():
            return "cached"
        case Failed():
            return "killed" if event.is_kill else "failed"
        case Skipped():
            return "skipped"
    return "pending"
