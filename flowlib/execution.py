"""How is run what was submitted, by whom ever reaches the store, and how is that waited for?"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Unpack

from flowlib.code_snapshot import CodeSnapshot
from flowlib.configuration import settings
from flowlib.errors import NothingSelected, RunError
from flowlib.flow_arguments import RunArguments, refuse_unknown
from flowlib.flow_running import end_of_run, store_of_flow
from flowlib.launch import checked_store, launch
from flowlib.next_commands import NO_COMMAND, RunCommand
from flowlib.policy import AGAIN
from flowlib.raw_result import split_name
from flowlib.results import Run
from flowlib.run_identity import UNCATEGORIZED
from flowlib.run_options import RunOptions
from flowlib.stored_selection import select_record
from flowlib.submission import Submission
from flowlib.submitted_graph import SubmittedGraph, graph_of_submitted
from flowlib.submitted_tasks import Submitted
from stores import Address, ResultsStore, Status, TaskState
from stores.lazy_dataclass import dataclass
from stores.moments import span

_FIRST_PAUSE_S: Final = 0.2
_GROWTH: Final = 1.5
_ENDED: Final = frozenset({TaskState.FAILED, TaskState.KILLED, TaskState.UPSTREAM_FAILED})


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Submitted tasks that are wanted, as a graph that can run.

    Attributes:
        graph: They, and all that they read.
        addresses: They alone.
        project: The project that they were submitted for.
        folders: Where their code was found.
        code: The code that they were submitted with; None is that of today.
    """

    graph: SubmittedGraph
    addresses: tuple[Address, ...]
    project: str
    folders: tuple[str, ...]
    code: CodeSnapshot | None = None


def execute(
    keys: str | Sequence[str],
    results_store: ResultsStore,
    num_workers: int | None = None,
    resources: Any = None,
    exit_on_error: bool = True,
    force: str | Sequence[str] | None = None,
    run_name: str | None = None,
    return_results: str | None = "all",
    log_to_tmux: bool = False,
    stores: Mapping[str, ResultsStore] | None = None,
    command: RunCommand | None = None,
    once: bool = False,
    **more: Unpack[RunArguments],
) -> Run:
    """Compute tasks that were submitted, and what is missing of all that they read.

    It may be called by any process that reaches the store and can import the code, and by several
    at once: they share the work.

    Args:
        keys: Beginnings of keys, `Train/9a7a08b2`, or other selectors of submitted tasks; of
            several graphs, too. What a colon and the name of a result add is left out.
        results_store: Where they were submitted.
        num_workers: As in `Flow.run`, and so are all others.
        resources: As in `Flow.run`.
        exit_on_error: As in `Flow.run`.
        force: As in `Flow.run`.
        run_name: As in `Flow.run`.
        return_results: As in `Flow.run`.
        log_to_tmux: As in `Flow.run`.
        stores: As in `Flow.run`.
        command: The words of the command that does this.
        once: Whether nothing is tried again, whatever `retries` says: for callers that do so.
        **more: See `RunArguments`.

    Raises:
        NothingSelected: nothing of this kind was submitted; the message names the nearest.
        SelectorError: the beginning of a key means several tasks.
        RunError: code, or a value of a config, is not here, or the tasks were submitted with
            different code.
        Exception: the exception of the first task that failed, under `exit_on_error`.
    """
    refuse_unknown("execute", more, {**RunArguments.__annotations__}, execute)
    store = checked_store(results_store)
    target = target_of(keys, store, once=once)
    wanted: RunArguments = {"only": [f"{a.task}/{a.key}" for a in target.addresses], **more}
    options = RunOptions(
        num_workers=num_workers,
        resources=resources,
        exit_on_error=exit_on_error,
        force=force,
        project_name=target.project,
        run_name=run_name,
        return_results=return_results,
        log_to_tmux=log_to_tmux,
        results_store=store_of_flow(target.graph, store, stores),
        command=command or NO_COMMAND,
        **wanted,
    )
    if target.code is not None:
        options = replace(options, snapshot=target.code)
    return end_of_run(launch(target.graph, options), exit_on_error=exit_on_error)


def target_of(keys: str | Sequence[str], store: ResultsStore, *, once: bool = False) -> Target:
    """The graph that computes submitted tasks; their code is imported.

    Args:
        keys: As for `execute`.
        store: Where they were submitted.
        once: Whether its tasks have no retries.

    Raises:
        NothingSelected: nothing of this kind was submitted.
        SelectorError: the beginning of a key means several tasks.
        RunError: code, or a value of a config, is not here, or the tasks were submitted with
            different code.
    """
    submitted = Submitted(store)
    addresses = submitted.find(_texts(keys))
    places = submitted.places
    found = {places[each].submission.id: places[each].submission for each in addresses}
    code = _code_of(found.values())
    graph = graph_of_submitted(store, places, addresses, once=once)
    projects = {each.project for each in found.values()}
    project = projects.pop() if len(projects) == 1 else UNCATEGORIZED
    folders = dict.fromkeys(folder for each in found.values() for folder in each.folders)
    return Target(graph, tuple(addresses), project, tuple(folders), code)


def wait(
    keys: str | Sequence[str], results_store: ResultsStore, timeout: float | str | None = None
) -> dict[str, TaskState]:
    """Wait until tasks have ended, whoever computes them; how they did.

    The store is asked for all of them in one look, at first often, later every few seconds. A task
    that has failed has ended, unless somebody is computing it again, or is about to: if no process
    does so in time, because the one that would have is gone, it counts as failed.

    Args:
        keys: As for `execute`; tasks that were computed without being submitted may be named, too.
        results_store: Where their results appear.
        timeout: Seconds, or "10m", after which those that have not ended are `PENDING`, or
            `RUNNING` where a process computes them; None waits for ever.

    Returns:
        The state of each, by `Train/<key>`.

    Raises:
        NothingSelected: there is no such task.
        ValueError: the timeout is none.
    """
    limit_s = None if timeout is None else span(timeout, "timeout")
    until = float("inf") if limit_s is None else time.monotonic() + limit_s
    addresses = list(_known(_texts(keys), results_store))
    longest_s, pause_s = settings().poll_interval_secs, _FIRST_PAUSE_S
    while True:
        states = _states(addresses, results_store)
        if all(state in _ENDED or state is TaskState.FINISHED for state in states.values()):
            break
        left_s = until - time.monotonic()
        if left_s <= 0:
            break
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * _GROWTH, longest_s)
    return {f"{address.task}/{address.key}": state for address, state in states.items()}


def _texts(keys: str | Sequence[str]) -> list[str]:
    """The selectors, without the names of results."""
    several = [keys] if isinstance(keys, str) else list(keys)
    return [(split_name(each) or (each,))[0] for each in several]


def _code_of(submissions: Iterable[Submission]) -> CodeSnapshot | None:
    """The code that all of them want; a process imports one only."""
    codes = {each.code for each in submissions}
    if len(codes) > 1:
        raise RunError(
            "these tasks were submitted with different code: run `flowlib execute` for each "
            "submission by itself"
        )
    return codes.pop() if codes else None


def _known(texts: Iterable[str], store: ResultsStore) -> Iterator[Address]:
    """The tasks that are meant, submitted or not."""
    submitted = Submitted(store)
    for text in texts:
        try:
            yield from submitted.find([text])
        except NothingSelected:
            yield select_record(store, text)


def _states(addresses: Sequence[Address], store: ResultsStore) -> dict[Address, TaskState]:
    known = store.statuses(addresses)
    states = {each: _state(known.get(each.key)) for each in addresses}
    if all(state is TaskState.FINISHED for state in states.values()):
        return states
    in_work = set(store.keys_in_work())
    for address, state in states.items():
        if state is not TaskState.FINISHED and address in in_work:
            states[address] = TaskState.RUNNING
        elif state is TaskState.FAILED and _comes_again(address, known[address.key], store):
            states[address] = TaskState.PENDING
    return states


def _comes_again(address: Address, status: Status, store: ResultsStore) -> bool:
    """Whether a task that has failed has a next try, for which it is not too late."""
    pause_s, record = status.facts.get(AGAIN), None
    if pause_s is not None:
        record = store.record(address)
    if pause_s is None or record is None or record.latest.ended is None:
        return False
    return time.time() < record.latest.ended + float(pause_s) + settings().lease_secs


def _state(status: Status | None) -> TaskState:
    """The state that a run would have: what is damaged or was saved by hand has not run."""
    if status is None or status.missing or status.damaged:
        return TaskState.PENDING
    ended = (*_ENDED, TaskState.FINISHED)
    return status.state if status.state in ended else TaskState.PENDING
