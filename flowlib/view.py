"""How a run is shown while it goes on: the one class to derive from for a new view."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType

from flowlib.events import Event
from stores.registry import Registry


class View(ABC):
    """A view of one run; a context manager that leaves the terminal as it was."""

    @abstractmethod
    def show(self, event: Event) -> None:
        """Something happened: first of all `RunStarted`, last of all `RunEnded`."""

    def before(self, tell: Callable[[Event], None]) -> Callable[[Event], None]:
        """A function that shows an event before it tells somebody else."""

        def told(event: Event) -> None:
            self.show(event)
            tell(event)

        return told

    def __enter__(self) -> View:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""


views: Registry[View] = Registry("view", View, "flowlib.views")  # type: ignore[type-abstract]  # the registry returns concrete classes only
