"""How is a flow planned and run? The steps between its methods and the machinery."""

from __future__ import annotations

from dataclasses import replace

from flowlib.accepting import Accepted, accept
from flowlib.code_changes import note_on
from flowlib.configuration import settings
from flowlib.flow_arguments import Selectors
from flowlib.graph import TaskGraph
from flowlib.interrupts import ending_of
from flowlib.launch import checked_count, checked_store
from flowlib.named_stores import checked_stores, store_for
from flowlib.next_commands import RunCommand
from flowlib.plan import Plan
from flowlib.planning import make_plan
from flowlib.results import Run
from flowlib.store_choice import chosen_store
from flowlib.wishes import Wishes
from stores import ResultsStore


def plan_of_flow(
    graph: TaskGraph,
    store: ResultsStore | None,
    wishes: Wishes,
    num_workers: int | None,
    command: RunCommand,
) -> Plan:
    """What would run, and why.

    Raises:
        SelectorError: a wish is no selector, or selects nothing.
        ValueError: the number of workers is none.
    """
    workers = checked_count("num_workers", num_workers)
    title = " + ".join(command.words[2:])  # after the name of the program, and `run`
    known = checked_store(store)
    plan = make_plan(graph, known, wishes, workers, title)
    told = note_on(plan.changed, command.again(known), command.seen_by(known))
    notes = [note for note in plan.notes if note not in note_on(plan.changed)]
    return replace(plan, notes=(*notes, *told))


def store_of_flow(
    graph: TaskGraph, main: ResultsStore | None, stores: object
) -> ResultsStore | None:
    """The store of a run, with those of the specs that name another one.

    Args:
        graph: The nodes.
        main: The store of all other specs; None is that of the settings, or one in memory.
        stores: The others by name; names that it has not are looked for in the settings.

    Raises:
        RunError: a spec names a store that there is not.
        TypeError: something is no store.
    """
    known = checked_stores(stores)
    named = {each.options.store for each in graph.declarations if each.options.store is not None}
    if not named:
        return main
    of_settings = dict(settings().stores)
    known = {**{n: chosen_store(n) for n in named if n in of_settings}, **known}
    for each in known.values():
        checked_store(each)  # its leases are timed as those of the main store
    return store_for(graph, checked_store(main), known)


def accepted_in_flow(
    graph: TaskGraph, store: ResultsStore | None, selectors: Selectors, project: str
) -> Accepted:
    """Let results count for the present code and defaults.

    Raises:
        SelectorError: a selector is none, or selects nothing.
    """
    return accept(graph, checked_store(store), selectors, project)


def end_of_run(run: Run, *, exit_on_error: bool) -> Run:
    """The run, unless it was stopped, or failed and failures are to be raised.

    Raises:
        KeyboardInterrupt: it was stopped by Ctrl-C.
        SystemExit: it was stopped by another signal.
        Exception: the exception of the first task that failed.
    """
    if run.stopped_by is not None:
        raise ending_of(run.stopped_by)
    if exit_on_error:
        run.raise_for_failures()
    return run
