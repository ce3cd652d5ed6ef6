"""What may stand here? Names from the store and from documents; no code of the user's is run."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Final

from click import Context, Parameter

from flowlib.errors import FlowError
from stores.errors import StoreError

_MOST: Final = 200
"""So many names are offered; nobody reads more."""

_ENDINGS: Final = frozenset({".yaml", ".yml", ".toml", ".json"})


def task_names(context: Context, _: Parameter, incomplete: str) -> list[str]:
    """Names of tasks in the store, and behind a slash the ids of one."""
    with contextlib.suppress(FlowError, StoreError, OSError):
        store = _store(context)
        task, slash, _key = incomplete.partition("/")
        if slash:
            ids = (str(each) for each in store.addresses(task))
            return _fitting(ids, incomplete)
        return _fitting({each.task for each in store.addresses()}, incomplete)
    return []


def submitted_names(context: Context, _: Parameter, incomplete: str) -> list[str]:
    """Ids of submitted tasks, those first that have not run."""
    with contextlib.suppress(FlowError, StoreError, OSError):
        from flowlib.submitted_tasks import Submitted

        submitted = Submitted(_store(context))
        ids = [str(each) for each in (submitted.pending or submitted.places)]
        return _fitting(ids, incomplete)
    return []


def run_names(context: Context, _: Parameter, incomplete: str) -> list[str]:
    """Names of the runs of the store."""
    with contextlib.suppress(FlowError, StoreError, OSError):
        from flowlib.stored_runs import stored_runs

        return _fitting((each.name for each in stored_runs(_store(context))), incomplete)
    return []


def task_and_run_names(context: Context, parameter: Parameter, incomplete: str) -> list[str]:
    """Both, for commands that take either."""
    tasks = task_names(context, parameter, incomplete)
    return [*tasks, *run_names(context, parameter, incomplete)]


def topic_names(_: Context, __: Parameter, incomplete: str) -> list[str]:
    """What there is help about."""
    from flowlib.cli.main import COMMANDS
    from flowlib.cli.topics import TOPICS

    return _fitting((*TOPICS, *COMMANDS), incomplete)


def override_names(context: Context, _: Parameter, incomplete: str) -> list[str]:
    """The parameters of the document: `train.lr=`."""
    document = _document(context)
    if document is None or "=" in incomplete:
        return []
    with contextlib.suppress(FlowError, OSError):
        from flowlib.documents import parameter_names_of

        names = parameter_names_of(document)
        return _fitting((f"{name}=" for name in names), incomplete)
    return []


def spec_names(context: Context, _: Parameter, incomplete: str) -> list[str]:
    """The specs of the document."""
    document = _document(context)
    if document is not None:
        with contextlib.suppress(FlowError, OSError):
            from flowlib.documents import spec_names_of

            return _fitting(spec_names_of(document), incomplete)
    return []


def _document(context: Context) -> Path | None:
    """The document of the command; behind an option without its value click has not read it."""
    given = context.params.get("document")
    words = [given] if given else os.environ.get("COMP_WORDS", "").split()
    paths = (Path(word) for word in words)
    return next((path for path in paths if path.suffix in _ENDINGS and path.is_file()), None)


def _store(context: Context) -> Any:
    from flowlib.cli.opening import opened_store

    return opened_store(context.params.get("store_uri"))


def _fitting(names: Any, incomplete: str) -> list[str]:
    return sorted(each for each in names if each.startswith(incomplete))[:_MOST]
