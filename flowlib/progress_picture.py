"""What does a running run look like? Bars and running tasks that fit the terminal, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.cells import cell_len

from flowlib.console_lines import cut, width_of
from flowlib.console_text import Line, Span, harmless
from flowlib.durations import clock as clock
from flowlib.durations import took as took
from flowlib.events import Started, TaskRef
from flowlib.run_progress import RunProgress, SpecProgress
from flowlib.signs import Signs
from flowlib.vocabulary import SHOWN_STATES
from stores.lazy_dataclass import dataclass

_LONGEST_BAR: Final = 30
_SHORTEST_BAR: Final = 6
_LONGEST_NAME: Final = 24
_LONGEST_RESOURCE: Final = 12
_ENDED: Final = ("finished", "cached", "skipped", "failed", "killed")
_IN_COUNTS: Final = ("finished", "cached", "running", "failed", "killed", "skipped")


@dataclass(frozen=True, slots=True)
class Frame:
    """The room for a picture.

    Attributes:
        width: Cells in a line.
        height: Lines.
        signs: What it is made of.
    """

    width: int
    height: int
    signs: Signs


def progress_picture(progress: RunProgress, now: float, frame: Frame, hint: str = "") -> list[Line]:
    """Draw a run: its header, a bar for each spec, its running tasks, and a hint.

    Never higher or wider than the frame. Running tasks go first where there is no room, down to
    one; then the hint, then specs of which nothing is to be said.

    Args:
        progress: The run.
        now: The time, in seconds since 1970.
        frame: The room.
        hint: The last line; empty for none.
    """
    header = _header(progress, now, frame)
    room = frame.height - 1
    specs = list(progress.specs.values())
    running = list(progress.running.values())
    for_running = min(len(running) + 1, 2) if running else 0
    shown_specs = _fitting(specs, max(0, room - for_running))
    room -= len(shown_specs) + (len(shown_specs) < len(specs))
    has_hint = bool(hint) and room > for_running
    shown = _fitting_running(len(running), room - has_hint)
    lines = [header, *_bars(shown_specs, frame), *_hidden_specs(specs, shown_specs, frame.signs)]
    if running and room > 0:
        lines += _running(running[:shown], len(running), now, frame)
    if has_hint:
        lines.append((Span(hint, "dim"),))
    return [cut(line, frame.width, frame.signs.more) for line in lines[: frame.height]]


def bars_picture(progress: RunProgress, frame: Frame) -> list[Line]:
    """The bars alone, as they stay when the run is over; as many as the frame is high."""
    specs = list(progress.specs.values())
    shown = _fitting(specs, frame.height)
    lines = [*_bars(shown, frame), *_hidden_specs(specs, shown, frame.signs)]
    return [cut(line, frame.width, frame.signs.more) for line in lines]


def named(task: TaskRef, signs: Signs) -> str:
    """A task by spec and what varies in it: `Train lr=0.001`."""
    return harmless(f"{task.spec} {task.label}".rstrip(), signs.encoding)


def parts(counts: Mapping[str, int], width: int) -> dict[str, int]:
    """Share `width` cells out among states; whoever has something gets a cell, if there are enough.

    Args:
        counts: How much each state has; less than nothing where a log lacks a line.
        width: The cells.
    """
    present = [word for word, count in counts.items() if count > 0]
    total = sum(counts[word] for word in present)
    if not present or width < 1:
        return {}
    cells = {word: max(1, counts[word] * width // total) for word in present}
    by_need = sorted(present, key=lambda word: counts[word] * width / total - cells[word])
    while sum(cells.values()) > width:
        largest = max(present, key=lambda word: cells[word])
        cells[largest] -= 1
    for word in reversed(by_need):
        cells[word] += sum(cells.values()) < width
    return {word: count for word, count in cells.items() if count}


def _header(progress: RunProgress, now: float, frame: Frame) -> Line:
    """Name, how far, how long; where there is no room the title goes, then the time that passed."""
    start = progress.start
    name, began = (start.run_name, start.at) if start else ("", now)
    title = Span("flowlib run ", "bold")
    done = Span(f"{harmless(name, frame.signs.encoding)}  {progress.ended}/{progress.total}")
    elapsed = Span(f"  elapsed {clock(now - began)}")
    eta_s = progress.eta_s(now)
    notes = [] if eta_s is None else [Span(f"  ETA ~{clock(eta_s)}")]
    notes += [Span(f"  {count} {word}", style) for count, word, style in _notes(progress) if count]
    choices = ((title, done, elapsed, *notes), (done, elapsed, *notes), (done, *notes))
    fitting = (choice for choice in choices if width_of(choice) <= frame.width)
    return next(fitting, choices[-1])


def _notes(progress: RunProgress) -> tuple[tuple[int, str, str], ...]:
    return (
        (progress.count("failed", "killed"), "failed", "red"),
        (progress.retries.total, "tried again", "yellow"),
        (len(progress.waiting), "computed elsewhere", "dim"),
    )


def _fitting(specs: Sequence[SpecProgress], room: int) -> list[SpecProgress]:
    """The specs to show: all, or those of which most is to be said and a line for the others."""
    if len(specs) <= room:
        return list(specs)
    chosen = sorted(range(len(specs)), key=lambda number: (_dullness(specs[number]), number))
    return [specs[number] for number in sorted(chosen[: max(0, room - 1)])]


def _dullness(spec: SpecProgress) -> int:
    if spec.counts.get("running"):
        return 0
    if spec.counts.get("failed") or spec.counts.get("killed"):
        return 1
    if spec.left:
        return 2 if spec.ended else 3
    return 4


def _hidden_specs(
    specs: Sequence[SpecProgress], shown: Sequence[SpecProgress], signs: Signs
) -> Iterator[Line]:
    names = {spec.name for spec in shown}
    hidden = [spec for spec in specs if spec.name not in names]
    if hidden:
        ended = sum(spec.ended for spec in hidden)
        total = sum(spec.total for spec in hidden)
        yield (Span(f"{signs.more} and {len(hidden)} more specs  {ended}/{total}", "dim"),)


def _bars(specs: Sequence[SpecProgress], frame: Frame) -> Iterator[Line]:
    if not specs:
        return
    longest = max(cell_len(harmless(spec.name, frame.signs.encoding)) for spec in specs)
    name_width = min(longest, _LONGEST_NAME, max(4, frame.width // 3))
    counted = [f"{spec.ended}/{spec.total}" for spec in specs]
    states = [_states(spec, frame.signs) for spec in specs]
    fixed = name_width + 2 + max(map(len, counted)) + 2
    room = frame.width - fixed - max(map(width_of, states))
    bar_width = min(_LONGEST_BAR, max(room, min(_SHORTEST_BAR, frame.width - fixed)))
    for spec, count, state in zip(specs, counted, states, strict=True):
        name = cut((Span(harmless(spec.name, frame.signs.encoding)),), name_width, frame.signs.more)
        pad = Span(" " * (name_width - width_of(name) + 1))
        bar = _bar(spec, bar_width, frame.signs)
        number = Span(f" {count:>{max(map(len, counted))}}  ")
        yield (*name, pad, *bar, number, *state)


def _bar(spec: SpecProgress, width: int, signs: Signs) -> Iterator[Span]:
    counts = {word: spec.counts.get(word, 0) for word in (*_ENDED, "running")}
    for word, cells in parts({**counts, "pending": spec.pending}, width).items():
        sign = getattr(signs, word) if word in ("running", "pending") else signs.done
        yield Span(sign * cells, SHOWN_STATES[word].colour)


def _states(spec: SpecProgress, signs: Signs) -> Line:
    spans = [
        Span(f"{signs.icon(word)}{spec.counts[word]}", SHOWN_STATES[word].colour)
        for word in _IN_COUNTS
        if spec.counts.get(word)
    ]
    return tuple(_joined(spans))


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    for number, span in enumerate(spans):
        if number:
            yield Span(" ")
        yield span


def _fitting_running(count: int, room: int) -> int:
    """How many running tasks to show in `room` lines: a title, and a line if not all are."""
    if count + 1 <= room:
        return count
    return max(0, room - 2)


def _running(shown: Sequence[Started], count: int, now: float, frame: Frame) -> Iterator[Line]:
    if not shown:
        icon = frame.signs.icon("running")
        yield (Span(f"{icon} {count} running", SHOWN_STATES["running"].colour),)
        return
    yield (Span("running", "dim"),)
    yield from _table(shown, now, frame)
    if len(shown) < count:
        yield (Span(f"{frame.signs.more} and {count - len(shown)} more running", "dim"),)


def _table(shown: Sequence[Started], now: float, frame: Frame) -> Iterator[Line]:
    """Worker, resource, task, elapsed and id; where there is no room the id goes first."""
    workers = [f"w{each.worker}" for each in shown]
    resources = [_short(each.resource, frame.signs) for each in shown]
    times = [clock(now - each.at) for each in shown]
    names = [named(each.task, frame.signs) for each in shown]
    ids = [harmless(each.task.id, frame.signs.encoding) for each in shown]
    widths = [max(map(cell_len, column)) for column in (workers, resources, times, names, ids)]
    worker, resource, elapsed, name, id_ = widths
    resource += resource > 0
    head = 2 + worker + 1 + resource
    has_ids = head + name + 2 + elapsed + 1 + id_ <= frame.width
    name = min(name, max(8, frame.width - head - 2 - elapsed))
    mark = Span(f"{frame.signs.icon('running')} ", SHOWN_STATES["running"].colour)
    for row in zip(workers, resources, names, times, ids, strict=True):
        task = cut((Span(row[2]),), name, frame.signs.more)
        yield (
            mark,
            Span(f"{row[0]:<{worker}} {_padded(row[1], resource)}"),
            *task,
            Span(" " * (name - width_of(task)) + f"  {row[3]:>{elapsed}}"),
            *([Span(f" {row[4]}", "dim")] if has_ids else []),
        )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _short(resource: str, signs: Signs) -> str:
    line = cut((Span(harmless(resource, signs.encoding)),), _LONGEST_RESOURCE, signs.more)
    return "".join(span.text for span in line)
