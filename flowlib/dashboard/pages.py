"""Which pages are there? Each makes its content of what is asked; none of them writes anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.compare_page import compare
from flowlib.dashboard.frame import url
from flowlib.dashboard.graph_page import graph_page, run_facts, store_facts
from flowlib.dashboard.list_page import task_list
from flowlib.dashboard.markup import Child, Markup
from flowlib.dashboard.overview_page import overview
from flowlib.dashboard.questions import BadQuestion, Given, question_of
from flowlib.dashboard.record_page import task_page
from flowlib.dashboard.runs_page import find_run, run_page, runs_page
from flowlib.dashboard.stock import Stock
from flowlib.dashboard.sweep_page import Wanted, sweep, sweep_choice
from flowlib.dashboard.sweep_rows import SweepRows
from flowlib.errors import nearest
from stores import Address, ResultsStore
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a page.

    Attributes:
        store: What is looked at.
        answers: Answers questions about it.
        stock: What is known of it now.
        given: The parameters of the address.
        path: The parts of its path.
        now: Unix time.
        sweeps: The results of tasks.
    """

    store: ResultsStore
    answers: Answers
    stock: Stock
    given: Given
    path: Mapping[str, Any]
    now: float
    sweeps: SweepRows

    def one(self, name: str) -> str:
        """A parameter that may be given once; empty if it is not.

        Raises:
            BadQuestion: it is given twice.
        """
        found = [value for each, value in self.given if each == name]
        if len(found) > 1:
            raise BadQuestion(f"{name} is given twice")
        return found[0] if found else ""

    def only(self, *names: str) -> None:
        """See that no other parameters are given.

        Raises:
            BadQuestion: one is.
        """
        for name, _ in self.given:
            if name not in names:
                raise BadQuestion(
                    f"there is no parameter {name!r} here; there are: {', '.join(names) or 'none'}"
                )


Page = Callable[[Asked], tuple[str, Child] | None]
"""Gives title and content; None if there is nothing of that name."""


def pages() -> list[tuple[str, Page, str]]:
    """Path, page, and the place that is marked as the present one."""
    return [
        ("/", _overview, "/"),
        ("/tasks", _list, "/tasks"),
        ("/tasks/{task:path}/{key}", _task, "/tasks"),
        ("/compare", _compare, "/tasks"),
        ("/graph", _graph, "/graph"),
        ("/sweep", _sweep, "/sweep"),
        ("/runs", _runs, "/runs"),
        ("/runs/{name:path}", _run, "/runs"),
    ]


def _overview(asked: Asked) -> tuple[str, Child]:
    return "Overview", overview(asked.answers, asked.stock, asked.now)


def _list(asked: Asked) -> tuple[str, Child]:
    question = question_of(asked.given)
    return "Tasks", task_list(asked.answers, asked.stock, question, asked.given, asked.now)


def _task(asked: Asked) -> tuple[str, Child] | None:
    address = Address(asked.path["task"], asked.path["key"])
    found = task_page(asked.store, asked.answers, asked.stock, address, asked.now)
    return None if found is None else (str(address), found)


def _compare(asked: Asked) -> tuple[str, Child]:
    asked.only("address")
    addresses = [Address(*_halves(value)) for _, value in asked.given]
    made = compare(asked.store, list(dict.fromkeys(addresses)))
    return "Compare", made


def _halves(text: str) -> tuple[str, str]:
    task, _, key = text.rpartition("/")
    return task, key


def _graph(asked: Asked) -> tuple[str, Child] | None:
    asked.only("run", "around", "expand")
    around, name = asked.one("around"), asked.one("run")
    expand = [value for each, value in asked.given if each == "expand" and value]
    if not name:
        answers, stock = asked.answers, asked.stock
        made: Markup = answers.remembered(
            ("graph page", around, *expand),
            stock,
            lambda: graph_page(store_facts(answers, stock, around, expand), around, expand, ""),
        )
        return "Graph", made
    run = find_run(asked.stock.live.runs, name)
    found = None if run is None else run_facts(run, asked.stock)
    if run is None or found is None:
        raise BadQuestion(f"there is no run {name!r}, or its folder does not tell its graph")
    return f"Graph of {run.name}", graph_page(
        found, around, expand, run.name, url("/graph", run=name)
    )


def _sweep(asked: Asked) -> tuple[str, Child]:
    asked.only("task", "metric", "mode", "config_filter")
    task = asked.one("task")
    if not task:
        return "Sweep", sweep_choice(asked.answers, asked.stock)
    if task not in asked.stock.tasks:
        raise BadQuestion(f"there is no task {task!r}.{nearest(task, asked.stock.tasks)}")
    given = [(name, value) for name, value in asked.given if name == "config_filter"]
    found = asked.sweeps.of(asked.answers, asked.stock, task, question_of(given))
    filters = ",".join(value for _, value in given if value)
    wanted = Wanted(task, asked.one("metric"), asked.one("mode"), filters)
    return f"Sweep of {task}", sweep(found, wanted, asked.now)


def _runs(asked: Asked) -> tuple[str, Child]:
    asked.only()
    return "Runs", runs_page(asked.stock.live.runs, asked.now)


def _run(asked: Asked) -> tuple[str, Child] | None:
    asked.only()
    run = find_run(asked.stock.live.runs, asked.path["name"])
    if run is None:
        return None
    with asked.answers.histories.of(run.folder) as (history, is_whole):
        return run.name, run_page(run, history, asked.now, is_whole=is_whole)
