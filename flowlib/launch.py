"""How is a run put together? Checks the arguments, picks store and executor, drives the runner."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flowlib.carrying_out import (
    carry_out,
    check_executor,
    check_options,
    chosen_executor,
    crew_of,
    demands_of,
    start_ahead,
)
from flowlib.code_changes import note_on
from flowlib.configuration import Settings, settings
from flowlib.deaths import NO_MAIN_GUARD
from flowlib.errors import RunError, SettingsError, nearest
from flowlib.events import RunEnded, RunStarted
from flowlib.executor import Executor, ExecutorSetup
from flowlib.graph import TaskGraph
from flowlib.interrupts import Interrupts
from flowlib.next_commands import store_text
from flowlib.output_watch import WATCH
from flowlib.plan import Plan
from flowlib.plan_facts import workers_for
from flowlib.planning import make_plan
from flowlib.redirection import last_of_script, redirected
from flowlib.resources import pool_of
from flowlib.results import Run
from flowlib.run_identity import RunIdentity
from flowlib.run_means import RunMeans
from flowlib.run_names import new_run_name
from flowlib.run_options import RunOptions
from flowlib.run_progress import RunProgress
from flowlib.run_requests import RequestBox
from flowlib.run_state import RunState
from flowlib.showing import Tell, check_progress, shown_by
from flowlib.spec_totals import spec_totals
from flowlib.unchanged import refuse_changed
from stores import InMemoryStore, Owner, ResultsStore, StoreError, open_store

if TYPE_CHECKING:
    from flowlib.jobs import JobMaker
    from flowlib.runlog import RunLog

_log = logging.getLogger("flowlib")

_OWN_WORKERS: Final = ("processes", "threads", "inline")


def launch(graph: TaskGraph, options: RunOptions) -> Run:
    """Run what is missing of `graph`; failures are in the run that is returned.

    Raises:
        FlowError: an argument does not fit; nothing was run then.
        KeyboardInterrupt: Ctrl-C again and again, and the run could not be stopped in peace.
    """
    _refuse_start_in_worker()
    options, is_reproduction = redirected(graph, options)
    _check(graph, options)
    store, known = checked_store(options.results_store), settings()
    identity = RunIdentity(options.project_name, options.run_name or new_run_name())
    pool = pool_of(options.resources, os.environ)
    chosen = _executor_of(options)
    plan, story = _planned(graph, store, options, chosen), RunProgress()
    workers = _worker_count(plan.graph, options, chosen)
    demands = demands_of(plan, pool, options.num_workers)
    start_ahead(plan, options, chosen, workers, pool)
    with ExitStack() as stack, WATCH.apart():
        log = _log_of(stack, plan, store, identity, options)
        tell = log.before(_watched(stack, options, story))
        tell(replace(_started(plan, store, identity, workers, options), folder=log.path))
        state = RunState(logs=log.names)
        if plan.reasons:
            owner = Owner.of_this_process()
            interrupts = stack.enter_context(Interrupts(options.grace_s))
            setup = ExecutorSetup(
                store, workers, options.start_method, owner, interrupts, known, log.output
            )
            crew, origin = crew_of(stack, options, setup, chosen, plan.graph, pool)
            asked = stack.enter_context(RequestBox(store, log.called))
            more = (known, *log.hooks, partial(check_options, chosen), asked)
            means = RunMeans(store, crew, pool, demands, owner, interrupts, *more)
            jobs = _job_maker(plan, identity, log, origin, are_pickled=crew.pickles_jobs)
            state, plan = (
                carry_out(plan, jobs, means, _failure_limit(options), tell, log.refs),
                jobs.plan,
            )
        run = Run(plan, store, identity, state, _shown(plan.graph, options.return_results), story)
        log.note_end(plan, state.states, run.counts)
        tell(_ended(run, log.duration_s))
    return last_of_script(run) if is_reproduction else run


def _log_of(
    stack: ExitStack, plan: Plan, store: ResultsStore, identity: RunIdentity, options: RunOptions
) -> RunLog:
    from flowlib.runlog import RunLog

    return stack.enter_context(RunLog(plan, store, identity, is_followed=options.log_to_tmux))


def _job_maker(
    plan: Plan,
    identity: RunIdentity,
    log: RunLog,
    origin: Mapping[str, Any],
    *,
    are_pickled: bool,
) -> JobMaker:
    from flowlib.jobs import JobMaker

    return JobMaker(plan, identity, log.noted(origin), log.names, are_pickled=are_pickled)


def _executor_of(options: RunOptions) -> Executor | None:
    """The executor that was picked; of a run with a snapshot, one whose processes we start.

    Raises:
        RunError: its workers are started by somebody else, with the code that they find.
    """
    chosen = chosen_executor(options.executor)
    if options.snapshot is not True:
        return chosen
    if chosen is None:
        return chosen_executor("processes")
    if type(chosen).__module__.rpartition(".")[2] not in _OWN_WORKERS:
        raise RunError(
            f"snapshot=True is for worker processes of this machine, and "
            f"{type(chosen).__name__} has others: submit the flow with its snapshot, and run "
            f"`flowlib execute` there"
        )
    return chosen


def _worker_count(graph: TaskGraph, options: RunOptions, chosen: Executor | None) -> int:
    wanted = checked_count("num_workers", options.num_workers)
    return workers_for(graph, wanted or (chosen.own_workers if chosen else None))


def _planned(
    graph: TaskGraph, store: ResultsStore, options: RunOptions, chosen: Executor | None
) -> Plan:
    """The plan of the run; what is to be noticed of it is said at once."""
    plan = make_plan(graph, store, options.wishes, options.num_workers)
    check_executor(chosen, plan)
    if type(graph) is TaskGraph:  # what was submitted, or was grown, is a copy already
        refuse_changed(each for each in plan.to_run if each.key in graph.nodes)
    command = options.command
    for note in note_on(plan.changed, command.again(store), command.seen_by(store)):
        _log.warning("%s", note)
    return plan


def _watched(stack: ExitStack, options: RunOptions, story: RunProgress) -> Tell:
    """Tells panes of tmux, too, if they are wanted."""
    tell = stack.enter_context(shown_by(options.progress, story))
    if not options.log_to_tmux:
        return tell
    from flowlib.views.tmux import TmuxView  # wanted seldom

    return TmuxView(options.max_panes_per_window).before(tell)


def checked_store(store: object) -> ResultsStore:
    """The store of a run; None is that of the settings, or else a fresh memory store.

    Raises:
        TypeError: it is something else.
        SettingsError: the store of the settings cannot be opened.
    """
    known = settings()
    if store is None:
        store = _default_store(known)
    if isinstance(store, ResultsStore):
        store.lease_times.prefer(known.lease_secs, known.heartbeat_secs)
        return store
    raise TypeError(
        f"results_store is {store!r}, which is no store: give LocalFileStore(folder), or "
        f"stores.open_store('file:folder')"
    )


def _default_store(known: Settings) -> ResultsStore:
    if known.store is None:
        return InMemoryStore()
    try:
        return open_store(known.store)
    except StoreError as error:
        raise SettingsError(f"{known.origin('store')} is no store: {error}") from error


def _check(graph: TaskGraph, options: RunOptions) -> None:
    _shown(graph, options.return_results)
    check_progress(options.progress)
    for name, text in (("run_name", options.run_name), ("project_name", options.project_name)):
        if not isinstance(text, str | None):
            raise TypeError(f"{name} is text, not {text!r}")
    checked_count("max_panes_per_window", options.max_panes_per_window)
    checked_count("max_failures", options.max_failures)
    _check_start_method(options.start_method)
    grace_s = options.grace_s
    if isinstance(grace_s, bool) or not isinstance(grace_s, (int, float)) or not grace_s >= 0:
        raise ValueError(f"grace_s is a number of seconds, 0 or more, not {grace_s!r}")


def _check_start_method(wanted: str | None) -> None:
    if wanted is None:
        return
    import multiprocessing  # which most runs do not need, or not so early

    known = multiprocessing.get_all_start_methods()
    if wanted not in known:
        raise ValueError(
            f"start_method must be one of {', '.join(known)}, not {wanted!r}."
            f"{nearest(str(wanted), known)}"
        )


def _shown(graph: TaskGraph, return_results: str | None) -> frozenset[str]:
    if return_results in ("all", None):
        return frozenset(graph.by_spec)
    if return_results == "latest":
        read = {each.key for node in graph for each in node.upstream.nodes}
        return frozenset(node.name for node in graph if node.key not in read)
    raise ValueError(
        f'return_results must be one of "all", "latest" and None, not {return_results!r}'
    )


def checked_count(option: str, wanted: int | None) -> int | None:
    """The number that was given, if any.

    Raises:
        ValueError: it is none, or less than one.
    """
    if wanted is None:
        return None
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise ValueError(f"{option} must be 1 or more, not {wanted!r}")
    return wanted


def _failure_limit(options: RunOptions) -> int | None:
    limit = checked_count("max_failures", options.max_failures)
    return 1 if options.exit_on_error and limit is None else limit


def _started(
    plan: Plan, store: ResultsStore, identity: RunIdentity, workers: int, options: RunOptions
) -> RunStarted:
    driver = Owner.of_this_process()
    return RunStarted(
        time.time(),
        run_name=identity.run_name,
        project_name=identity.project_name,
        store=store_text(store),
        host=socket.gethostname(),
        pid=os.getpid(),
        workers=workers if plan.reasons else 0,
        specs=spec_totals(plan),
        stale=tuple(sorted({node.name for node in plan.stale})),
        again=options.command.again(store),
        is_part=options.wants_part,
        seen_by=options.command.seen_by(store),
        boot_id=driver.boot_id,
        process_start=driver.started,
    )


def _ended(run: Run, duration_s: float) -> RunEnded:
    return RunEnded(time.time(), run.counts, duration_s, run.is_interrupted, run.stopped_by)


def _refuse_start_in_worker() -> None:
    """A worker that imports a script without a main guard must not start the flow again."""
    known = sys.modules.get("multiprocessing.process")  # where it is not, this is no worker
    if known is not None and getattr(known.current_process(), "_inheriting", False):
        os._exit(NO_MAIN_GUARD)  # an exception would be lost on the way to the driver
