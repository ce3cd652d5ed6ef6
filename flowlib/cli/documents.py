"""From the arguments of a command to the flow that they mean."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, TypeVar

import click

from flowlib import Flow, NothingSelected, RunCommand
from flowlib.cli.completing import override_names
from flowlib.cli.opening import opened_store
from flowlib.cli.opening import store_uri as uri_of
from flowlib.credentials import without_secret_words

Function = TypeVar("Function", bound=Callable[..., Any])

_WORDS_BEFORE_OVERRIDES: Final = 3
"""flowlib, run, and the document."""


def document_arguments(*, required: bool = True) -> Callable[[Function], Function]:
    """The document and the overrides of a command."""

    def added(function: Function) -> Function:
        function = click.argument("overrides", nargs=-1, shell_complete=override_names)(function)
        return click.argument("document", metavar="DOCUMENT", required=required)(function)

    return added


def flow_of(
    document: str,
    overrides: Sequence[str],
    store: str | None,
    limits: Mapping[str, Any] | None = None,
) -> Flow:
    """The flow of a document, with the store that is meant.

    The store is that of `--store`, else that of the document, else that of the settings, else
    `.flowlib` in the project.

    Args:
        document: A path, or `-` for stdin.
        overrides: As on the command line.
        store: What follows `--store`.
        limits: Options of all specs, in place of their own.
    """
    here = os.getcwd()  # noqa: PTH109  # as text
    if here not in sys.path:
        sys.path.append(here)  # tasks are found as `python` finds modules
    flow = Flow.from_file(document, overrides, options=limits)
    words = flow.command.words
    if store is not None:
        flow.results_store = opened_store(store, must_exist=False)
        named = tuple(without_secret_words(["--store", uri_of(store)]))
        again = (*words, *named) if words else ()
        flow.command = RunCommand(again, names_store=True, store=named)
    elif flow.results_store is None:
        flow.results_store = opened_store(None, must_exist=False)
        flow.command = RunCommand(words, names_store=True, store=())
    return flow


def flow_of_run(
    name: str | None, store: str | None, limits: Mapping[str, Any] | None = None
) -> Flow:
    """The flow of an earlier run, from its document and its overrides as they are now.

    Args:
        name: The run; None for the newest.
        store: What follows `--store`.
        limits: Options of all specs, in place of their own.

    Raises:
        NothingSelected: there is no such run, or it was not made from a document.
    """
    from flowlib.stored_runs import find_run

    run = find_run(opened_store(store), name)
    words = () if run.driver is None else run.driver.again
    if len(words) < _WORDS_BEFORE_OVERRIDES:
        raise NothingSelected(
            f"run {run.name} was not made from a document: name one, flowlib … flow.yaml"
        )
    _, _, document, *rest = words
    overrides = takewhile(lambda word: not word.startswith("-"), rest)
    return flow_of(document, list(overrides), store, limits)
