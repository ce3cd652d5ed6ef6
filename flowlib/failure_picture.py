"""How is a failure told? Which task, which line of the user's, what was wrong, where the log is."""

from __future__ import annotations

import contextlib
import linecache
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from flowlib.console_lines import cut, width_of
from flowlib.console_text import Line, Span, harmless
from flowlib.events import Failed, TaskRef
from flowlib.failure_groups import Frame
from flowlib.next_commands import again, debugged
from flowlib.progress_picture import named, took
from flowlib.run_progress import SameFailures
from flowlib.signs import Signs
from flowlib.vocabulary import SHOWN_STATES

_MOST_FRAMES: Final = 4
_MOST_MESSAGE_LINES: Final = 8
_WIDEST: Final = 100
_NUMBER_WIDTH: Final = 6
_LOG: Final = "log    "
_AGAIN: Final = "again  "
_DEBUG: Final = "debug  "
_COPIED: Final = (_LOG, _AGAIN, _DEBUG)
"""What begins a line that is to be copied, and therefore never cut."""

_SKIPPED: Final = SHOWN_STATES["skipped"]


def failure_line(failed: Failed, signs: Signs) -> Line:
    """One line about a failure, for the moment in which it happens."""
    word = "killed" if failed.is_kill else "failed"
    error = harmless(_headline(failed), signs.encoding)
    return (
        Span(f"{signs.icon(word)} ", SHOWN_STATES[word].colour),
        Span(f"{named(failed.task, signs)}  ", "bold"),
        Span(f"{harmless(failed.task.id, signs.encoding)}  ", "dim"),
        Span(error, SHOWN_STATES[word].colour),
    )


def failure_panel(same: SameFailures, width: int, signs: Signs) -> list[Line]:
    """All about equal failures, in a box.

    Args:
        same: The failures.
        width: Cells in a line.
        signs: What the box is made of.
    """
    word = "killed" if same.first.is_kill else "failed"
    width = min(width, _WIDEST)
    top_left, top_right, bottom_left, bottom_right, level, upright = signs.box
    colour = SHOWN_STATES[word].colour
    title = f"{level} {signs.icon(word)} {word} "
    room = width - 4
    top = top_left + title + level * (width - 2 - cell_len(title)) + top_right
    boxed = []
    for line in failure_lines(same, room, signs):
        is_copied = bool(line) and line[0].text in _COPIED
        row = line if is_copied else cut(line, room, signs.more)
        side = Span(" " * (room - width_of(row)) + f" {upright}", colour)
        boxed.append(
            (Span(f"{upright} ", colour), *row, *([side] if width_of(row) <= room else []))
        )
    bottom = bottom_left + level * (width - 2) + bottom_right
    return [(Span(top, colour),), *boxed, (Span(bottom, colour),)]


def failure_lines(same: SameFailures, width: int, signs: Signs) -> list[Line]:
    """All about equal failures, without a box; long messages are broken at `width`."""
    first = same.first
    lines = [_who(same, signs), ()]
    for number, frame in enumerate(same.frames[-_MOST_FRAMES:], 1):
        is_last = number == min(len(same.frames), _MOST_FRAMES)
        lines += _excerpt(frame, is_last=is_last, signs=signs)
    lines += [(Span(text, "red"),) for text in _message(first, width, signs)]
    facts = [*_facts(same, signs)]
    return [*lines, (), *facts] if facts else lines


def place_of(file: str) -> str:
    """A path as short as it can be: relative to the working directory, or to the user's home."""
    path = Path(file)
    with contextlib.suppress(OSError):  # the folder was removed
        if path.is_relative_to(here := Path.cwd()):
            return str(path.relative_to(here))
    with contextlib.suppress(RuntimeError):  # nobody knows where that is
        if path.is_relative_to(home := Path.home()):
            return f"~/{path.relative_to(home)}"
    return file


def _who(same: SameFailures, signs: Signs) -> Line:
    first, started = same.first, same.started
    words = [] if started is None else [f"worker {started.worker}"]
    if started is not None and started.resource:
        words.append(started.resource)
    words.append(f"after {took(first.duration_s)}")
    about = harmless(f" {signs.dot} ".join(words), signs.encoding)
    name = Span(named(first.task, signs), "bold")
    return (name, Span(f"   {harmless(first.task.id, signs.encoding)}   {about}", "dim"))


def _excerpt(frame: Frame, *, is_last: bool, signs: Signs) -> Iterator[Line]:
    place = f"{place_of(frame.file)}:{frame.line}"
    function = f" in {frame.function}" if frame.function else ""
    yield (Span(harmless(place, signs.encoding), "cyan"), Span(function))
    before, line = _source(frame)
    if is_last and before.strip():
        yield _numbered(frame.line - 1, before, "", signs)
    if line.strip():
        yield _numbered(frame.line, line, signs.here, signs)


def _numbered(number: int, code: str, mark: str, signs: Signs) -> Line:
    text = harmless(code.expandtabs(4).rstrip(), signs.encoding)
    style = "bold" if mark else "dim"
    return (Span(f"{mark:<1}{number:>{_NUMBER_WIDTH}} ", "red"), Span(f"    {text}", style))


def _source(frame: Frame) -> tuple[str, str]:
    """The line before and the line itself, without what both are indented by.

    A file that was changed since does not say what was run: then the traceback's word counts.
    """
    linecache.checkcache(frame.file)
    line = linecache.getline(frame.file, frame.line)
    if frame.code and line.strip() != frame.code:
        return "", frame.code
    before = linecache.getline(frame.file, frame.line - 1) if frame.line > 1 else ""
    indents = [len(each) - len(each.lstrip()) for each in (before, line) if each.strip()]
    indent = min(indents, default=0)
    return before[indent:], line[indent:]


def _headline(failed: Failed) -> str:
    lines = failed.error.message.splitlines()
    return f"{failed.error.type_}: {lines[0]}" if lines else failed.error.type_


def _message(failed: Failed, width: int, signs: Signs) -> Iterator[str]:
    """Type and message, broken into lines; of long messages the beginning."""
    error = failed.error
    text = f"{error.type_}: {error.message}" if error.message else error.type_
    rows: list[str] = []
    for each in text.splitlines():
        row = harmless(each.rstrip(), signs.encoding)
        rows += textwrap.wrap(row, max(1, width), replace_whitespace=False) or [""]
    yield from rows[:_MOST_MESSAGE_LINES]
    if len(rows) > _MOST_MESSAGE_LINES:
        yield f"{signs.more} {len(rows) - _MOST_MESSAGE_LINES} more lines"


def _facts(same: SameFailures, signs: Signs) -> Iterator[Line]:
    if same.first.log:
        yield (Span(_LOG, "dim"), Span(harmless(place_of(same.first.log), signs.encoding)))
    if same.start is not None and (command := again(same.start, same.first.task)):
        yield (Span(_AGAIN, "dim"), Span(harmless(command, signs.encoding)))
        stopping = debugged(same.start, same.first.task)
        yield (Span(_DEBUG, "dim"), Span(harmless(stopping, signs.encoding)))
    if same.count > 1:
        same_line = ", same line" if same.frames else ""
        others = _listed(same.tasks[1:], same.count - 1, signs)
        yield (Span(f"and {same.count - 1} more{same_line}: {others}"),)
    if same.skipped:
        tasks = "task" if same.skipped == 1 else "tasks"
        others = _listed(same.skipped_tasks, same.skipped, signs)
        yield (Span(f"{same.skipped} {tasks} skipped because of it: {others}", _SKIPPED.colour),)


def _listed(tasks: Sequence[TaskRef], count: int, signs: Signs) -> str:
    names = ", ".join(harmless(task.unique_name, signs.encoding) for task in tasks)
    return f"{names}, {signs.more}" if count > len(tasks) else names
