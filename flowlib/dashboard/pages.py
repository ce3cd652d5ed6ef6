"""Which pages are there? Each makes its content of what is asked; none of them writes anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowlib.dashboard.answers import Answers, Stock
from flowlib.dashboard.list_page import task_list
from flowlib.dashboard.markup import Child
from flowlib.dashboard.overview_page import overview
from flowlib.dashboard.questions import BadQuestion, Given, question_of
from flowlib.dashboard.record_page import task_page
from stores import Address, ResultsStore


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
    """

    store: ResultsStore
    answers: Answers
    stock: Stock
    given: Given
    path: Mapping[str, Any]
    now: float

    def one(self, name: str) -> str:
        """A parameter that may be given once; empty if it is not.

        Raises:
            BadQuestion: it is given twice.
        """
        found = [value for each, value in self.given if each == name]
        if len(found) > 1:
            raise BadQuestion(f"{name} is given twice")
        return found[0] if found else ""


Page = Callable[[Asked], tuple[str, Child] | None]
"""Gives title and content; None if there is nothing of that name."""


def pages() -> list[tuple[str, Page, str]]:
    """Path, page, and the place that is marked as the present one."""
    return [
        ("/", _overview, "/"),
        ("/tasks", _list, "/tasks"),
        ("/tasks/{task:path}/{key}", _task, "/tasks"),
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
