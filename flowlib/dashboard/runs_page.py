"""The runs of a store, and one of them while it goes on: counts, who is at work, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from flowlib.age import ago
from flowlib.dashboard.frame import (
    counted,
    counts_bar,
    facts,
    run_url,
    section,
    table,
    task_link,
    url,
)
from flowlib.dashboard.markup import Child, Markup, cut, tag
from flowlib.dashboard.overview_page import in_order, run_mark, state_words
from flowlib.dashboard.run_history import RunHistory
from flowlib.dashboard.timeline_picture import timeline_picture
from flowlib.durations import took
from flowlib.next_commands import rest_of
from flowlib.record_lines import stamp
from flowlib.retries_so_far import Retries, kinds_text
from flowlib.run_progress import RunProgress, SameFailures
from flowlib.stored_runs import StoredRun
from stores import Address

_MOST_RUNS: Final = 500
_MOST_RUNNING: Final = 100
_MOST_FAILURES: Final = 20
_LONGEST: Final = 300


def runs_page(runs: Sequence[StoredRun], now: float) -> Markup:
    """All runs, those that go on first."""
    rows = [
        tag(
            "tr",
            tag("td", tag("a", run.name, href=run_url(run.folder.name), class_="id")),
            tag("td", run_mark(run)),
            tag("td", f"{run.total:,}", class_="number"),
            tag("td", counts_bar(in_order(Counter(run.counts or {})))),
            tag("td", *state_words(in_order(Counter(run.counts or {})))),
            tag("td", "" if run.duration_s is None else took(run.duration_s), class_="number"),
            tag("td", _when(run, now)),
            data_id=run.folder.name,
        )
        for run in runs[:_MOST_RUNS]
    ]
    more = len(runs) - len(rows)
    head = ("run", "state", "tasks", "", "states", "time", "when")
    body = table(head, rows) if rows else tag("p", "No run has used this store yet.")
    title = tag("h1", counted(len(runs), "run"))
    note = tag("p", f"and {more:,} older ones") if more > 0 else None
    return tag("div", title, body, note, class_="live")


def run_page(run: StoredRun, history: RunHistory, now: float, *, is_whole: bool) -> Markup:
    """One run.

    Args:
        run: It.
        history: What happened in it.
        now: Unix time.
        is_whole: Whether all of that is known, and does not change meanwhile.
    """
    return tag(
        "div",
        tag("h1", run.name),
        tag("p", run_mark(run), f" {_left(run)}"),
        counts_bar(in_order(Counter(run.counts or {}))),
        tag("p", *state_words(in_order(Counter(run.counts or {})))),
        _facts(run, now),
        *(_story(run, history, now) if is_whole else ()),
        None if is_whole else tag("p", f"reading its log: {history.read:,} events so far …"),
        class_="live",
        data_again=not is_whole,
    )


def _story(run: StoredRun, history: RunHistory, now: float) -> Iterator[Markup | None]:
    progress = history.progress
    yield _running(progress, now) if run.is_live else None
    yield _failures(progress)
    yield _tried_again(progress.retries)
    yield _specs(progress)
    yield section("Timeline", timeline_picture(history.timeline.timeline()))


def find_run(runs: Sequence[StoredRun], name: str) -> StoredRun | None:
    """The run of a name, or whose folder is called so; the newest of several."""
    for each in runs:
        if each.folder.name == name:
            return each
    return next((each for each in runs if each.name == name), None)


def _facts(run: StoredRun, now: float) -> Markup:
    driver = run.driver
    pairs: list[tuple[str, Child]] = [
        ("project", run.project),
        ("began", None if run.started is None else f"{stamp(run.started)}, {_when(run, now)}"),
        ("took", None if run.duration_s is None else took(run.duration_s)),
        ("stopped by signal", run.stopped_by),
        ("has to answer", "; ".join(each.told(now) for each in run.asked) or None),
        ("tasks", tag("a", "of this run", href=url("/tasks", run=run.name.partition("#")[0]))),
        ("graph", tag("a", "of this run", href=url("/graph", run=run.folder.name))),
        ("folder", str(run.folder)),
    ]
    if driver is not None:
        pairs += [("driver", f"{driver.host}, process {driver.pid}, {driver.workers} workers")]
        pairs += [("what is left", tag("code", rest_of(driver)))] if driver.again else []
    return facts(pairs)


def _left(run: StoredRun) -> str:
    if run.eta_s is None:
        return ""
    return f"about {took(run.eta_s)} left"


def _when(run: StoredRun, now: float) -> str:
    return "" if run.started is None else ago(now - run.started)


def _running(progress: RunProgress, now: float) -> Markup | None:
    found = [*progress.running.values()]
    if not found:
        return None
    rows = [
        tag(
            "tr",
            tag("td", task_link(Address(each.task.spec, each.task.key))),
            tag("td", cut(each.task.label, _LONGEST), class_="config"),
            tag("td", f"w{each.worker} {each.resource}"),
            tag("td", took(now - each.at), class_="number"),
            data_id=f"{each.task.spec}/{each.task.key}",
        )
        for each in found[:_MOST_RUNNING]
    ]
    more = len(found) - len(rows)
    return section(
        f"{len(found):,} at work",
        table(("task", "config", "worker", "for"), rows, class_="running-now"),
        tag("p", f"and {more:,} more") if more else None,
    )


def _failures(progress: RunProgress) -> Markup | None:
    found = progress.failures
    if not found:
        return None
    parts = [
        tag(
            "li",
            task_link(Address(each.first.task.spec, each.first.task.key)),
            tag("span", f" {_told(each)}", class_="failed"),
            f" and {each.count - 1:,} more like it" if each.count > 1 else "",
            f"; {each.skipped:,} skipped because of it" if each.skipped else "",
        )
        for each in found[:_MOST_FAILURES]
    ]
    more = len(found) - len(parts)
    return section("Failures", tag("ul", *parts), tag("p", f"and {more} more") if more else None)


def _tried_again(retries: Retries) -> Markup | None:
    """What failed and was tried again: whether by itself, or because its worker was lost."""
    if not retries.total:
        return None
    newest = [*retries.tasks.values()][::-1][:_MOST_FAILURES]
    rows = [
        tag(
            "tr",
            tag("td", task_link(Address(each.last.task.spec, each.last.task.key))),
            tag("td", kinds_text(each.kinds)),
            tag("td", cut(f"{each.last.error.type_}: {each.last.error.message}", _LONGEST)),
        )
        for each in newest
    ]
    more = len(retries.tasks) - len(rows)
    return section(
        f"Tried again {retries.total:,} times: {kinds_text(retries.kinds)}",
        table(("task", "had", "the last time"), rows),
        tag("p", f"and at least {more:,} more tasks") if more else None,
    )


def _told(each: SameFailures) -> str:
    error = each.first.error
    return cut(f"{error.type_}: {error.message}", _LONGEST)


def _specs(progress: RunProgress) -> Markup | None:
    rows = []
    for each in progress.specs.values():
        counts = Counter({**each.counts, "pending": each.pending})
        shown = in_order(counts)
        rows.append(
            tag(
                "tr",
                tag("td", each.name),
                tag("td", f"{each.ended:,}/{each.total:,}", class_="number"),
                tag("td", counts_bar(shown)),
                tag("td", *state_words(shown)),
            )
        )
    return section("Specs", table(("spec", "done", "", "states"), rows)) if rows else None
