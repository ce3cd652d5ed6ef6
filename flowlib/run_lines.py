"""What is told of runs: a line for each, or all about one, for people and for programs."""

from __future__ import annotations

import signal
import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.cells import cell_len

from flowlib import next_commands
from flowlib.age import ago
from flowlib.console_lines import cut
from flowlib.console_text import Line, Span, harmless
from flowlib.durations import clock, took
from flowlib.event_log import read_events
from flowlib.failure_picture import failure_line
from flowlib.progress_picture import Frame, bars_picture
from flowlib.run_progress import RunProgress, SameFailures
from flowlib.signs import Signs
from flowlib.stored_runs import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    REFUSED,
    RUNNING,
    UNKNOWN,
    StoredRun,
)
from flowlib.vocabulary import SHOWN_STATES

_WORDS: Final = {
    RUNNING: "running",
    FINISHED: "finished",
    FAILED: "failed",
    REFUSED: "failed",
    INTERRUPTED: "killed",
}
"""The state of a task that looks like that of a run."""

_ENDED: Final = ("finished", "cached", "failed", "killed", "skipped")
_COUNTED: Final = ("cached", "finished", "running", "failed", "killed", "skipped")
_MOST_BARS: Final = 60
_MARGIN: Final = 12


def run_lines(
    runs: Sequence[StoredRun], signs: Signs, now: float, width: int | None = None
) -> list[Line]:
    """A line for each run: how it is, when it was, how far it came.

    Args:
        runs: The runs.
        signs: What lines are made of.
        now: The time, in seconds since 1970.
        width: Cells of a line; None for as many as it needs.
    """
    names = [harmless(run.name, signs.encoding) for run in runs]
    whens = [_when(run, now) for run in runs]
    dones = [_done(run) for run in runs]
    widths = [max(map(cell_len, column), default=0) for column in (names, whens, dones)]
    lines = []
    for run, name, when, done in zip(runs, names, whens, dones, strict=True):
        gaps = [size - cell_len(t) for size, t in zip(widths, (name, when, done), strict=True)]
        line = (
            _icon(run, signs),
            Span(f" {name}{' ' * gaps[0]}", "bold" if run.is_live else ""),
            Span(f"  {when}{' ' * gaps[1]}  {' ' * gaps[2]}{done}"),
            *_counts(run.counts or {}, signs),
            *(Span(f"  {harmless(each.told(now))}", "yellow") for each in run.asked),
            *_rest(run),
        )
        lines.append(line if width is None else cut(line, width, signs.more))
    return lines


def run_story(run: StoredRun, signs: Signs, now: float, width: int) -> list[Line]:
    """All about one run: who ran it, a bar for each spec, its failures, what leads on."""
    progress, failures = _read(run)
    [headline] = run_lines([run], signs, now)
    lines = [headline, *_facts(run, signs)]
    texts = textwrap.wrap(_why(run), max(width - _MARGIN, _MARGIN))
    lines += [_fact("" if number else "why", text, signs) for number, text in enumerate(texts)]
    if progress.specs:
        lines += [(), *bars_picture(progress, Frame(width, _MOST_BARS, signs))]
    if failures:
        lines.append(())
    for same in failures:
        more = f"  and {same.count - 1} more, same line" if same.count > 1 else ""
        lines.append((*failure_line(same.first, signs), Span(more, "dim")))
    shown = [cut(line, width, signs.more) for line in lines]
    return [*shown, *_next(run, failures, signs)]  # these are to be copied


def run_document(run: StoredRun) -> dict[str, Any]:
    """A run for JSON."""
    driver = run.driver
    return {
        "name": run.name,
        "project": run.project,
        "state": run.state,
        "started": run.started,
        "duration_s": run.duration_s,
        "total": run.total,
        "counts": dict(run.counts or {}),
        "eta_s": run.eta_s,
        "signal": signal_name(run.stopped_by),
        "broken_by": run.broken_by or None,
        "host": driver and driver.host,
        "pid": driver and driver.pid,
        "workers": driver and driver.workers,
        "store": driver and driver.store,
        "again": list(driver.again) if driver else [],
        "asked": [each.to_document() for each in run.asked],
        "folder": str(run.folder),
    }


def run_story_document(run: StoredRun) -> dict[str, Any]:
    """All about one run for JSON."""
    progress, failures = _read(run)
    specs = [
        {
            "name": each.name,
            "total": each.total,
            "counts": {k: n for k, n in each.counts.items() if n},
        }
        for each in progress.specs.values()
    ]
    return {
        **run_document(run),
        "specs": specs,
        "failures": [
            {
                "id": same.first.task.id,
                "label": same.first.task.label,
                "error": same.first.error.type_,
                "message": same.first.error.message,
                "log": same.first.log,
                "count": same.count,
                "skipped": same.skipped,
            }
            for same in failures
        ],
    }


def signal_name(number: int | None) -> str | None:
    """`SIGINT` for 2; None for none."""
    if number is None:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read(run: StoredRun) -> tuple[RunProgress, Sequence[SameFailures]]:
    progress = RunProgress()
    for event in read_events(run.folder):
        progress.note(event)
    return progress, progress.failures


def _icon(run: StoredRun, signs: Signs) -> Span:
    word = _WORDS.get(run.state)
    if word is None:
        return Span("?", "dim")
    if run.is_live:
        return Span(">" if signs.is_ascii else "●", SHOWN_STATES[word].colour)
    return Span(signs.icon(word), SHOWN_STATES[word].colour)


def _when(run: StoredRun, now: float) -> str:
    if run.is_live:
        return f"running {clock(run.duration_s or 0.0)}"
    return "" if run.started is None else ago(now - run.started - (run.duration_s or 0.0))


def _done(run: StoredRun) -> str:
    if run.state == UNKNOWN:
        return ""
    ended = sum((run.counts or {}).get(word, 0) for word in _ENDED)
    return f"{ended}/{run.total}"


def _counts(counts: Mapping[str, int], signs: Signs) -> Iterator[Span]:
    for word in _COUNTED:
        if counts.get(word):
            yield Span(f" {signs.icon(word)}{counts[word]}", SHOWN_STATES[word].colour)


def _rest(run: StoredRun) -> Iterator[Span]:
    if run.is_live and run.driver is not None:
        yield Span(f"  pid {run.driver.pid}", "dim")
        if run.eta_s is not None:
            yield Span(f"  ETA ~{clock(run.eta_s)}")
    elif run.state == INTERRUPTED:
        how = signal_name(run.stopped_by) or _why(run) or "its process is gone"
        yield Span(f"  interrupted ({how})", "red")
    elif run.state == REFUSED:
        yield Span(f"  refused: {_why(run)}", "red")
    elif run.state == UNKNOWN:
        yield Span(f"nothing to read in {harmless(str(run.folder))}", "dim")


def _why(run: StoredRun) -> str:
    """The error that ended a run, in one line."""
    return harmless(" ".join(run.broken_by.split()))


def _facts(run: StoredRun, signs: Signs) -> Iterator[Line]:
    driver = run.driver
    facts: list[tuple[str, str]] = [("project", run.project)]
    if run.started is not None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started))
        facts.append(("began", stamp))
    if run.duration_s is not None:
        facts.append(("took", took(run.duration_s)))
    if driver is not None:
        facts.append(("driver", f"pid {driver.pid} on {driver.host}, {driver.workers} workers"))
        facts.append(("store", driver.store))
    facts.append(("folder", str(run.folder)))
    for name, text in facts:
        yield _fact(name, text, signs)


def _next(run: StoredRun, failures: Iterable[SameFailures], signs: Signs) -> Iterator[Line]:
    start = run.driver
    if start is None:
        return
    commands = [("logs", next_commands.logs_of(start, each.first.task)) for each in failures]
    left = run.total - sum((run.counts or {}).get(word, 0) for word in ("finished", "cached"))
    commands += [("again", next_commands.rest_of(start))] if left and not run.is_live else []
    known = [(name, text) for name, text in commands if text]
    if known:
        yield ()
    for name, text in known:
        yield _fact(name, text, signs)


def _fact(name: str, text: str, signs: Signs) -> Line:
    return (Span(f"  {name:<8} ", "dim"), Span(harmless(text, signs.encoding)))
