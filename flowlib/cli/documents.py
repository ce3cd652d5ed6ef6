"""From the arguments of a command to the flow that they mean."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from flowlib import Flow, RunCommand
from flowlib.cli.opening import opened_store
from flowlib.cli.opening import store_uri as uri_of

Function = TypeVar("Function", bound=Callable[..., Any])


def document_arguments(function: Function) -> Function:
    """The document and the overrides of a command."""
    function = click.argument("overrides", nargs=-1)(function)
    return click.argument("document", metavar="DOCUMENT")(function)


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
    words = ["flowlib", "run", document, *overrides]
    if store is not None:
        flow.results_store = opened_store(store, must_exist=False)
        named = ("--store", uri_of(store))
        flow.command = RunCommand((*words, *named), names_store=True, store=named)
    elif flow.results_store is None:
        flow.results_store = opened_store(None, must_exist=False)
        flow.command = RunCommand(tuple(words), names_store=True, store=())
    return flow
