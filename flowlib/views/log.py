"""One log record per event: seen wherever the logger `flowlib` is configured."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flowlib.event_lines import EventLines
from flowlib.events import Event, Failed, Retried, Started
from flowlib.plan import Plan
from flowlib.run_identity import RunIdentity
from flowlib.view import RunView, View

_log = logging.getLogger("flowlib.run")


class LogView(View):
    """Tells the standard logging; says nothing where that is not configured."""

    def open(self, plan: Plan, identity: RunIdentity) -> RunView:
        return _LogRunView(plan, identity)


class _LogRunView(RunView):
    def __init__(self, plan: Plan, identity: RunIdentity) -> None:
        self._lines = EventLines(len(plan.graph), len(plan.graph) - len(plan.reasons))
        self._name = identity.run_name
        if plan.stale and _log.isEnabledFor(logging.WARNING):
            names = ", ".join(sorted({node.name for node in plan.stale}))
            _log.warning("%d cached tasks are older than their input: %s", len(plan.stale), names)

    def show(self, event: Event) -> None:
        level = logging.WARNING if isinstance(event, (Failed, Retried)) else logging.INFO
        if isinstance(event, Started):
            level = logging.DEBUG if not _log.isEnabledFor(logging.INFO) else logging.INFO
        if _log.isEnabledFor(level):
            _log.log(level, self._lines.line(event))
        else:
            self._lines.count(event)

    def end(self, counts: Mapping[str, int], duration_s: float) -> None:
        if _log.isEnabledFor(logging.INFO):
            words = ", ".join(f"{count} {word}" for word, count in counts.items())
            _log.info("run %s: %s in %.1f s", self._name, words, duration_s)
