"""One plain line per event on stderr: for pipes, logs and continuous integration."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from flowlib.event_lines import EventLines
from flowlib.events import Event
from flowlib.plan import Plan
from flowlib.run_identity import RunIdentity
from flowlib.view import RunView, View


class LinesView(View):
    """Writes `0:04 [ 5/31] done    Glove-1 (Glove/aaee1400)  2.7 s`."""

    def open(self, plan: Plan, identity: RunIdentity) -> RunView:
        return _LinesRunView(plan, identity)


class _LinesRunView(RunView):
    def __init__(self, plan: Plan, identity: RunIdentity) -> None:
        self._cached = len(plan.graph) - len(plan.reasons)
        self._lines = EventLines(len(plan.graph), self._cached)
        self._began = time.monotonic()
        self._write(f"run {identity.run_name}: {len(plan.reasons)} to run, {self._cached} cached")

    def show(self, event: Event) -> None:
        self._write(self._lines.line(event))

    def end(self, counts: Mapping[str, int], duration_s: float) -> None:
        words = ", ".join(f"{count} {word}" for word, count in counts.items())
        self._write(f"{words} in {duration_s:.1f} s")

    def _write(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        sys.stderr.write(f"{minutes}:{seconds:02d} {text}\n")
