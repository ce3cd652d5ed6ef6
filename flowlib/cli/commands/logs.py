"""What did a task print and log?"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator

import click
from rich.cells import cell_len

from flowlib.cli.completing import task_and_run_names
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import note, signs, write, write_json
from flowlib.console_text import harmless
from flowlib.task_logs import LogPlace, TaskLog, find_logs, follow_logs, lines_of
from stores.lazy_dataclass import dataclass

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which lines are shown, and how.

    Attributes:
        pattern: What has to be found in a line.
        most: The last so many lines of each log.
        has_workers: Whether a line begins with the worker rather than with the task.
        has_prefix: Whether it begins with any of them.
    """

    pattern: re.Pattern[str] | None
    most: int | None
    has_workers: bool
    has_prefix: bool

    def lines(self, found: Iterable[str]) -> Iterator[str]:
        wanted = (line for line in found if self.pattern is None or self.pattern.search(line))
        return wanted if self.most is None else iter(deque(wanted, maxlen=self.most))


def _pattern(_: click.Context, __: click.Parameter, value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else re.compile(value)
    except re.error as error:
        raise click.BadParameter(f"{value!r} is no regular expression: {error}") from None


@click.command()
@click.argument("what", required=False, metavar="[ID|RUN]", shell_complete=task_and_run_names)
@click.option("-f", "--follow", is_flag=True, help="Go on until the task, or the run, is over.")
@click.option(
    "--workers", "has_workers", is_flag=True, help="Begin each line with the worker and its GPU."
)
@click.option("--grep", "pattern", metavar="RE", callback=_pattern, help="Only lines with this.")
@click.option(
    "-n", "--tail", "most", type=click.IntRange(min=0), metavar="N",
    help="Only the last N lines of each log.",
)  # fmt: skip
@json_option
@store_option
@common_options
def command(
    what: str | None,
    follow: bool,
    has_workers: bool,
    pattern: re.Pattern[str] | None,
    most: int | None,
    as_json: bool = False,
    store_uri: str | None = None,
) -> None:
    """Show what a task printed and logged, or all tasks of a run.

    \b
    flowlib logs Train/9a7a08b2
    flowlib logs Train/9a7a08b2 -f
    flowlib logs sunny-otter-12 --grep 'loss|error'
    flowlib logs -f --workers

    ID is a task of the store or of a run that goes on; RUN the name of a run, or its beginning.
    Without either the newest run is meant. Of several tasks each line begins with whose it is.
    """
    if as_json and follow:
        raise click.UsageError("--json is one document and cannot follow: leave out -f or --json")
    place = find_logs(opened_store(store_uri), what)
    wish = _Wish(pattern, most, has_workers, has_workers or place.address is None)
    if as_json:
        write_json(
            {"folder": str(place.folder), "logs": [_document(e, wish) for e in place.logs()]}
        )
    elif follow and place.is_live:
        _follow(place, wish)
    else:
        _show(place, wish)


def _document(log: TaskLog, wish: _Wish) -> dict[str, object]:
    return {
        "id": log.task.id,
        "unique_name": log.task.unique_name,
        "label": log.task.label,
        "worker": log.worker,
        "path": str(log.path),
        "lines": list(wish.lines(lines_of(log))),
    }


def _show(place: LogPlace, wish: _Wish) -> None:
    logs = place.logs()
    if not any(log.path.exists() for log in logs):
        who = place.address or f"run {place.run}"
        note(f"{who} has printed and logged nothing")
    width = max((cell_len(_prefix(log, wish)) for log in logs), default=0)
    for log in logs:
        for line in wish.lines(lines_of(log)):
            _write(log, line, wish, width)


def _follow(place: LogPlace, wish: _Wish) -> None:
    """Show the last lines so far, and what comes."""
    skipped: dict[TaskLog, int] = {}
    if wish.most is not None:
        skipped = {e: max(0, sum(1 for _ in lines_of(e)) - wish.most) for e in place.logs()}
    width = max((cell_len(_prefix(log, wish)) for log in place.logs()), default=0)
    for log, line in follow_logs(place):
        if skipped.get(log):
            skipped[log] -= 1
        elif wish.pattern is None or wish.pattern.search(line):
            _write(log, line, wish, width)
            sys.stdout.flush()


def _write(log: TaskLog, line: str, wish: _Wish, width: int) -> None:
    """A line as it is; on a terminal without codes that do more than colour it."""
    shown = line
    if sys.stdout.isatty():
        last = line.rpartition("\r")[2].expandtabs()
        shown = "".join(p if _COLOUR.fullmatch(p) else harmless(p) for p in _COLOUR.split(last))
        shown += "\x1b[0m" if "\x1b[" in shown else ""
    if wish.has_prefix:
        prefix = _prefix(log, wish)
        shown = f"{prefix}{' ' * (width - cell_len(prefix))} {signs().box[5]} {shown}"
    write(f"{shown}\n")


def _prefix(log: TaskLog, wish: _Wish) -> str:
    return harmless(log.worker if wish.has_workers else log.task.id, signs().encoding)
