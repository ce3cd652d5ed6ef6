"""How does a failure travel? As text always, as the exception where that works, as a value."""

from __future__ import annotations

import pickle
import traceback
from typing import Final, NoReturn, TypeVar

from flowlib.errors import FlowError, OutputMissing, TaskFailed
from flowlib.policy import FailureKind
from stores import Address, CodecNotFound, ErrorDetails, Unencodable, Unpicklable
from stores.lazy_dataclass import dataclass

T = TypeVar("T")

UPSTREAM: Final = "upstream"
"""The kind of failure of a task that was not run, because something it reads from failed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a task gets in place of a value, where it reads from one that failed.

    It holds text only: what the exception said and where it was raised, no values of variables.

    Attributes:
        kind: exception, output, timeout, killed, …, as in `retries=`; or upstream.
        task: Unique name of the task that has no result: `Train-12`.
        address: Where its record lies.
        type_: Type of the exception.
        message: What the exception said.
        traceback: Where it was raised; empty if no code of the task raised it.
        source: Where the record of the task lies at which it began; `address` itself but for
            the kind upstream.
    """

    kind: str
    task: str
    address: Address
    type_: str
    message: str
    traceback: str
    source: Address

    def __str__(self) -> str:
        return f"{self.task} ({self.address}) failed: {self.type_}: {self.message}"

    def unwrap(self) -> NoReturn:
        """Raise: there is no value.

        Raises:
            TaskFailed: always, with the traceback as a note.
        """
        error = TaskFailed(str(self))
        if self.traceback:
            error.add_note(self.traceback)
        raise error


def failure_of(unique_name: str, address: Address, kind: str, error: ErrorDetails) -> Failure:
    """The value for a task that failed by itself."""
    texts = (error.type_, error.message, error.traceback)
    return Failure(kind, unique_name, address, *texts, source=address)


def skip_error(cause: Address) -> ErrorDetails:
    """The error of a task that was not run, because `cause` failed."""
    return ErrorDetails("UpstreamFailed", f"{cause} failed", "")


def skipped_failure(unique_name: str, address: Address, cause: Address) -> Failure:
    """The value for a task that was not run, because `cause` failed."""
    error = skip_error(cause)
    texts = (error.type_, error.message, error.traceback)
    return Failure(UPSTREAM, unique_name, address, *texts, source=cause)


def unwrap(value: T) -> T:
    """The value, unless it is a failure.

    Raises:
        TaskFailed: it is one; the message names the task that failed.
    """
    if isinstance(value, Failure):
        value.unwrap()
    return value


def error_details(error: BaseException) -> ErrorDetails:
    """Type, message and traceback of an exception, however odd it is: texts of no other class."""
    return ErrorDetails(type(error).__name__, str.__str__(_message(error)), _trace(error))


def last_words(error: ErrorDetails) -> str:
    """What stands at the end of the log of a task that failed."""
    return error.traceback if error.traceback else f"{error.type_}: {error.message}\n"


def failure_kind(error: BaseException) -> FailureKind:
    """In which way a task failed that raised this."""
    return next((kind for type_, kind in _KINDS if isinstance(error, type_)), FailureKind.EXCEPTION)


_KINDS: Final[tuple[tuple[type[BaseException], FailureKind], ...]] = (
    (MemoryError, FailureKind.OOM),
    (OutputMissing, FailureKind.OUTPUT),
    (Unpicklable, FailureKind.UNSERIALISABLE),
    (Unencodable, FailureKind.UNSERIALISABLE),
    (CodecNotFound, FailureKind.UNSERIALISABLE),
)


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
