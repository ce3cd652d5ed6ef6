"""How does an exception of the user's travel? As text always, as itself where that works."""

from __future__ import annotations

import pickle
import traceback

from flowlib.errors import FlowError
from flowlib.policy import FailureKind
from stores import ErrorDetails


def error_details(error: BaseException) -> ErrorDetails:
    """Type, message and traceback of an exception, however odd it is."""
    return ErrorDetails(type(error).__name__, _message(error), _trace(error))


def failure_kind(error: BaseException) -> FailureKind:
    """In which way a task failed that raised this."""
    return FailureKind.OOM if isinstance(error, MemoryError) else FailureKind.EXCEPTION


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # an exception of the user's with a broken __str__
        return f"<{type(error).__name__} without a message: its __str__ fails>"


def _trace(error: BaseException) -> str:
    """The traceback, from the user's first frame on where there is one."""
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001  # formatting calls the user's __str__ and __repr__
        return "".join(traceback.format_tb(error.__traceback__))


def pickled_exception(error: BaseException) -> bytes | None:
    """The exception as bytes, if it comes back as what it was.

    Not those that would end the driver rather than tell it something: `SystemExit` and others
    that are no `Exception`.
    """
    if not isinstance(error, Exception):
        return None
    try:
        data = pickle.dumps(error)
        again = pickle.loads(data)  # noqa: S301  # made in the line above
    except Exception:  # noqa: BLE001  # the user's __reduce__ and __init__ may raise anything
        return None
    is_same = type(again) is type(error) and _message(again) == _message(error)
    return data if is_same or isinstance(error, FlowError) else None
