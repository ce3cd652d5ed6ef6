"""How far is the run? A view of one's own: one bar per spec."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flowlib.events import Cached, Event, Failed, Finished, Skipped
from flowlib.plan import Plan
from flowlib.run_identity import RunIdentity
from flowlib.view import RunView, View


class BarsView(View):
    """Shows `Train ━━━━━━━━━━ 42/99 0:00:03`; registered as `progress="bars"` by the demo."""

    def open(self, plan: Plan, identity: RunIdentity) -> RunView:
        """Draw the bars, those of cached tasks already filled."""
        return _BarsRunView(plan)


class _BarsRunView(RunView):
    def __init__(self, plan: Plan) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._bars = {
            name: self._progress.add_task(name, total=total, completed=cached)
            for name, total, cached, _, _ in plan.rows()
        }
        self._progress.start()

    def show(self, event: Event) -> None:
        """Fill the bar of the spec whose task has ended."""
        if isinstance(event, (Cached, Failed, Finished, Skipped)):
            self._progress.advance(self._bars[event.node.name])

    def end(self, counts: Mapping[str, int], duration_s: float) -> None:
        """Leave the bars as they are."""
        self._progress.stop()
