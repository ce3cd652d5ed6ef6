"""What can happen during a run. Everything that watches a run sees only these."""

from __future__ import annotations

from dataclasses import dataclass

from flowlib.node import Node
from stores import ErrorDetails


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a node."""

    node: Node


@dataclass(frozen=True, slots=True)
class Cached(Event):
    """Its results were in the store already, or another driver has just put them there."""


@dataclass(frozen=True, slots=True)
class Started(Event):
    """It was handed to a worker.

    Attributes:
        worker: Index of the worker, from 0.
        resource: What the task was leased; None for nothing.
    """

    worker: int
    resource: object = None


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """Its results are in the store.

    Attributes:
        duration_s: How long the user's code ran.
    """

    duration_s: float


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """It raised, it was killed or its worker died, and it will not be tried again.

    Attributes:
        error: Type, message and traceback.
        is_kill: Whether it was killed rather than failing by itself.
        duration_s: How long the user's code ran.
    """

    error: ErrorDetails
    is_kill: bool
    duration_s: float


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """It failed and will be tried again.

    Attributes:
        error: Type, message and traceback.
        pause_s: How long from now it waits before it may start.
    """

    error: ErrorDetails
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Skipped(Event):
    """It was never started, because `cause` failed."""

    cause: Node


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """Another driver is computing it; its result will be taken when it is there."""

    owner: str
