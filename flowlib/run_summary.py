"""What is said at the end of a run: failures, counts, what the cache saved, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowlib.console_lines import as_html
from flowlib.console_text import Line, Span, harmless, plain
from flowlib.failure_picture import failure_lines, failure_panel
from flowlib.next_commands import logs_of, rest_of, results_of
from flowlib.progress_picture import Frame, bars_picture, clock, took
from flowlib.run_progress import RunProgress
from flowlib.signs import UNICODE_SIGNS, Signs
from flowlib.vocabulary import SHOWN_STATES

_MOST_PANELS: Final = 10
_MOST_PANELS_OF_PAGE: Final = 5
_MOST_BARS: Final = 30
_MOST_STALE: Final = 5
_WIDTH: Final = 100
_WORDS: Final = {"finished": "ran"}
_COUNTED: Final = ("finished", "cached", "failed", "killed", "skipped")


def summary_text(progress: RunProgress) -> str:
    """The end of a run as plain text, without a line break at its end."""
    return plain(summary_picture(progress, _WIDTH, UNICODE_SIGNS, has_boxes=False)).rstrip("\n")


def summary_html(progress: RunProgress) -> str:
    """Bars and the end of a run as a static piece of a page, under 50 kB."""
    frame = Frame(_WIDTH, _MOST_BARS, UNICODE_SIGNS)
    summary = summary_picture(progress, _WIDTH, UNICODE_SIGNS, most_panels=_MOST_PANELS_OF_PAGE)
    return as_html([*bars_picture(progress, frame), *summary])


def summary_picture(
    progress: RunProgress,
    width: int,
    signs: Signs,
    *,
    has_boxes: bool = True,
    most_panels: int = _MOST_PANELS,
    is_short: bool = False,
) -> list[Line]:
    """Draw the end of a run: a panel for each kind of failure, then what became of all tasks.

    Args:
        progress: The run, which may have ended without saying so.
        width: Cells in a line.
        signs: What the picture is made of.
        has_boxes: Whether failures stand in boxes.
        most_panels: How many kinds of failures are shown.
        is_short: Whether one line follows the failures.
    """
    lines: list[Line] = []
    for same in progress.failures[:most_panels]:
        if has_boxes:
            lines += failure_panel(same, width, signs)
        else:
            word = "killed" if same.first.is_kill else "failed"
            icon = Span(f"{signs.icon(word)} {word}  ", SHOWN_STATES[word].colour)
            who, *rest = failure_lines(same, width, signs)
            lines += [(icon, *who), *rest, ()]
    hidden = progress.failure_count - most_panels
    if hidden > 0:
        lines.append((Span(f"{signs.more} and {hidden} more kinds of failures", "red"),))
    return [*lines, *(_short_end(progress, signs) if is_short else _end(progress, signs))]


def next_steps(progress: RunProgress) -> list[str]:
    """What the user may want to do now, each in a few words."""
    start = progress.start
    if start is None or _forgets(start.store):
        return []
    steps = [logs_of(start, same.first.task) for same in progress.failures[:1]]
    if left := progress.total - progress.count("finished", "cached"):
        command = rest_of(start)
        only = f"runs only what is left: {left}"
        steps.append(f"{command} ({only})" if command else f"run it again ({only})")
    if progress.count("finished"):
        steps.append(results_of(start))
    return [step for step in steps if step]


def _short_end(progress: RunProgress, signs: Signs) -> Iterator[Line]:
    """How it went in one line."""
    counts = () if progress.total == progress.count("cached") else _counts(progress, signs)
    yield (*_headline(progress, signs), Span("   "), *counts)


def _end(progress: RunProgress, signs: Signs) -> Iterator[Line]:
    yield _headline(progress, signs)
    counts = [*_counts(progress, signs)]
    is_told = progress.total == progress.count("cached")
    if counts and not is_told:
        yield (Span("  "), *counts)
    if progress.start is not None and (stale := progress.start.stale):
        more = f" {signs.more} and {len(stale) - _MOST_STALE} more" if stale[_MOST_STALE:] else ""
        names = harmless(", ".join(stale[:_MOST_STALE]), signs.encoding)
        yield _fact("older", f"than their input, but cached: {names}{more}")
    if progress.start is not None:
        store = progress.start.store
        where = "in memory, gone with this process" if _forgets(store) else store
        yield _fact("store", harmless(where, signs.encoding))
    if steps := next_steps(progress):
        yield _fact("next", f"  {signs.dot}  ".join(steps))


def _headline(progress: RunProgress, signs: Signs) -> Line:
    total = progress.total
    failed = progress.count("failed", "killed")
    open_ = total - progress.ended
    if failed:
        word, text = "failed", f"{failed} of {total} tasks failed"
        text += f", {open_} did not run" if open_ else ""
    elif open_:
        word, text = "pending", f"stopped: {open_} of {total} tasks did not run"
    elif total == progress.count("cached"):
        what = f"all {total} tasks are cached" if total > 1 else "1 task is cached"
        what = what if total else "nothing was wanted"
        word, text = "cached", f"{what}{_saved(progress)}"
    else:
        word, text = "finished", f"{total} tasks finished" if total != 1 else "1 task finished"
    state = SHOWN_STATES[word]
    name = harmless(progress.start.run_name, signs.encoding) if progress.start else ""
    spans = [Span(f"{signs.icon(word)} {text}", f"bold {state.colour}".strip())]
    if progress.end is not None:
        spans.append(Span(f"  in {took(progress.end.duration_s)}"))
    return (*spans, Span(f"   run {name}", "dim"))


def _counts(progress: RunProgress, signs: Signs) -> Iterator[Span]:
    is_first = True
    for word in _COUNTED:
        if count := progress.count(word):
            gap = "" if is_first else "   "
            saved = _saved(progress) if word == "cached" else ""
            yield Span(
                f"{gap}{signs.icon(word)} {count} {_WORDS.get(word, word)}{saved}",
                SHOWN_STATES[word].colour,
            )
            is_first = False
    if progress.retries.total:
        yield Span(f"   {progress.retries.total} tried again", "yellow")


def _saved(progress: RunProgress) -> str:
    return f" (saved ~{clock(progress.saved_s)})" if progress.saved_s >= 1 else ""


def _forgets(store: str) -> bool:
    return "InMemoryStore" in store


def _fact(name: str, text: str) -> Line:
    return (Span(f"  {name:<8}", "dim"), Span(text))
