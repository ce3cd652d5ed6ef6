"""Which pages are shown before all records of a store were read? The first one and the list."""

from __future__ import annotations

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.first_look import first_look
from flowlib.dashboard.list_page import task_list
from flowlib.dashboard.markup import Markup
from flowlib.dashboard.overview_page import NEWEST, first_overview
from flowlib.dashboard.questions import Given, question_of
from stores import ResultsStore


def first_page(
    store: ResultsStore, answers: Answers, path: str, given: Given, now: float
) -> tuple[str, Markup] | None:
    """Title and content; None if only all records together tell what is asked.

    What is shown is fetched anew by the page once all were read.

    Args:
        store: It is asked for one page.
        answers: Those of all records, which are not known yet.
        path: Of the page.
        given: The parameters of its address.
        now: Unix time.

    Raises:
        BadQuestion: a parameter is not known, or has no value that it may have.
    """
    if path not in ("/", "/tasks"):
        return None
    asked = question_of(given) if path == "/tasks" else NEWEST
    look = first_look(store, answers, asked)
    if look is None:
        return None
    if path == "/":
        return "Overview", first_overview(look.answers, look.stock, now)
    return "Tasks", task_list(look.answers, look.stock, asked, given, now)
