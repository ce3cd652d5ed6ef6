"""How a run is shown while it goes on: the one class to derive from for a new view."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING

from flowlib.events import Event
from flowlib.plan import Plan
from flowlib.run_identity import RunIdentity
from stores.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunView(ABC):
    """A view of one run; a context manager that leaves the terminal as it was."""

    @abstractmethod
    def show(self, event: Event) -> None:
        """Something happened."""

    @abstractmethod
    def end(self, counts: Mapping[str, int], duration_s: float) -> None:
        """The run is over; `counts` tells how many nodes ended in which state."""

    def __enter__(self) -> RunView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""


class View(ABC):
    """A kind of view."""

    @abstractmethod
    def open(self, plan: Plan, identity: RunIdentity) -> RunView:
        """Begin to show a run."""


views: Registry[View] = Registry("view", View, "flowlib.views")  # type: ignore[type-abstract]  # the registry returns concrete classes only
