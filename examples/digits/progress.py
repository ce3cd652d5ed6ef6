"""How far is the run? A view of one's own: one bar per spec."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from flowlib.events import Cached, Event, Failed, Finished, RunEnded, RunStarted, Skipped
from flowlib.view import View


class BarsView(View):
    """Shows `Train ━━━━━━━━━━ 42/99 0:00:03`; registered as `progress="bars"` by the demo."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._bars: dict[str, TaskID] = {}

    def show(self, event: Event) -> None:
        """Begin with the bars of cached tasks filled; fill those whose tasks end."""
        match event:
            case RunStarted(specs=specs):
                self._bars = {
                    spec.name: self._progress.add_task(
                        spec.name, total=spec.total, completed=spec.cached
                    )
                    for spec in specs
                }
                self._progress.start()
            case Cached(task=task) | Failed(task=task) | Finished(task=task) | Skipped(task=task):
                self._progress.advance(self._bars[task.spec])
            case RunEnded():
                self._progress.stop()
