"""What does a list of records look like, on a terminal and in a pipe, and as a document?"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.cells import cell_len

from flowlib.age import ago
from flowlib.console_lines import cut
from flowlib.console_text import Line, Span, elided, harmless
from flowlib.durations import took
from flowlib.signs import Signs
from flowlib.vocabulary import SHOWN_STATES, shown_state
from stores import canonical
from stores.summary import Summary

_LONGEST_CONFIG: Final = 60
_LATEST: Final = 1e11
"""Records that ended later than this, in seconds since 1970, are damaged."""

_TITLES: Final = ("id", "config", "time", "when", "run")


def piped_lines(found: Sequence[Summary], labels: Sequence[str], signs: Signs) -> list[Line]:
    """One line for each record and nothing else, for programs that read lines."""
    state = {word: _state(word, signs) for word in {each.state for each in found}}
    columns = _columns(found, labels, [stamp(each.ended_at) for each in found], signs)
    names, configs, times, whens, _ = (max(map(len, each), default=0) for each in columns)
    lines: list[Line] = []
    for each, name, config, duration, when, run in zip(found, *columns, strict=True):
        rest = f"  {config:<{configs}}  {duration:>{times}}  {when:<{whens}}  {run}"
        lines.append((Span(f"{name:<{names}}  "), state[each.state], Span(rest.rstrip())))
    return lines


def table_lines(
    found: Sequence[Summary], labels: Sequence[str], *, width: int, signs: Signs, now: float
) -> list[Line]:
    """Draw the records with a title for each column; configs give way where there is no room."""
    if not found:
        return []
    columns = _columns(found, labels, [_how_long_ago(each, now) for each in found], signs)
    widths = [
        max(cell_len(title), *map(cell_len, column))
        for title, column in zip(_TITLES, columns, strict=True)
    ]
    states = max(len(_state(each.state, signs).text.rstrip()) for each in found)
    fixed = widths[0] + states + widths[2] + widths[3] + widths[4] + 10
    widths[1] = max(len(_TITLES[1]), min(widths[1], _LONGEST_CONFIG, width - fixed))
    lines = [_row(_TITLES, Span("state".ljust(states)), widths, signs, "bold")]
    rule = signs.box[4] * min(width, sum(widths) + states + 10)
    lines.append((Span(rule, "dim"),))
    for each, *row in zip(found, *columns, strict=True):
        state = _state(each.state, signs)
        lines.append(_row(row, Span(state.text.rstrip().ljust(states), state.style), widths, signs))
    return [cut(line, width, signs.more) for line in lines]


def counts_line(counts: Mapping[str, int], signs: Signs) -> Line:
    """How many there are, and in which state: `10,000 records  ✔9,990 ✖10`."""
    total = sum(counts.values())
    spans = [Span(f"{total:,} record{'s' if total != 1 else ''} ", "dim")]
    spans += [
        Span(f" {signs.icon(word)}{counts[word]:,}", SHOWN_STATES[word].colour)
        for word in SHOWN_STATES
        if counts.get(word)
    ]
    return tuple(spans)


def counts_by_word(found: Sequence[Summary]) -> dict[str, int]:
    """How many records are in each state, by the words of the vocabulary."""
    counts: Counter[str] = Counter()
    for state, count in Counter(each.state for each in found).items():
        counts[shown_state(state).word] += count
    return dict(counts)


def record_document(each: Summary) -> dict[str, Any]:
    """A record for JSON; the config is in the form that keeps the types of all values."""
    return {
        "id": str(each.address),
        "task": each.address.task,
        "key": each.address.key,
        "state": each.state,
        "last_state": each.last_state,
        "config": plain_config(each.config),
        "given": list(each.given),
        "duration_s": None if each.duration_s is None else round(each.duration_s, 6),
        "ended": time_text(each.ended_at),
        "run": each.run,
        "unique_name": each.unique_name,
    }


def plain_config(config: Mapping[str, Any]) -> Any:
    """A config as JSON has it: the canonical text of each value, read as JSON."""
    return json.loads(canonical.encode(dict(config)))


def time_text(moment: float | None) -> str | None:
    """A moment with its zone, to the second: `2026-11-21T14:09:17+00:00`."""
    if moment is None or not 0 <= moment < _LATEST:
        return None
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


def _columns(
    found: Sequence[Summary], labels: Sequence[str], whens: Sequence[str], signs: Signs
) -> tuple[Sequence[str], ...]:
    """Id, config, time, when and run of each record, as they may stand in a line."""
    durations = [each.duration_s for each in found]
    return (
        _said([str(each.address) for each in found], signs),
        _said([_with_last(each, label) for each, label in zip(found, labels, strict=True)], signs),
        ["" if seconds is None else took(seconds) for seconds in durations],
        whens,
        _said([each.run for each in found], signs),
    )


def _said(texts: Sequence[str], signs: Signs) -> Sequence[str]:
    """Texts made safe for lines; mostly all are, which one look at all of them tells."""
    together = "".join(texts)
    if together.isascii() and together.isprintable():
        return texts
    return [harmless(each, signs.encoding) for each in texts]


def _with_last(each: Summary, label: str) -> str:
    if each.last_state == each.state:
        return label
    return f"{label} (last: {shown_state(each.last_state).word})".lstrip()


def _row(
    cells: Sequence[str], state: Span, widths: Sequence[int], signs: Signs, style: str = ""
) -> Line:
    config = elided(cells[1], widths[1], signs.more)
    padded = config + " " * (widths[1] - cell_len(config))
    name = cells[0] + " " * (widths[0] - cell_len(cells[0]))
    rest = f"  {padded}  {cells[2]:>{widths[2]}}  {cells[3]:<{widths[3]}}  {cells[4]}"
    return (
        Span(f"{name}  ", style),
        Span(state.text, style or state.style),
        Span(rest.rstrip(), style),
    )


def _state(state: str, signs: Signs) -> Span:
    shown = shown_state(state)
    return Span(f"{signs.icon(shown.word)} {shown.word:<8}", shown.colour)


def _how_long_ago(each: Summary, now: float) -> str:
    moment = each.ended_at
    return "" if moment is None or not 0 <= moment < _LATEST else ago(now - moment)


def stamp(moment: float | None) -> str:
    """A moment in local time: `2026-11-21 14:09:17`; empty if none is known."""
    if moment is None or not 0 <= moment < _LATEST:
        return ""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
