"""What is told of one record to a person?"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flowlib.age import ago
from flowlib.console_text import Line, Span, harmless
from flowlib.durations import took
from flowlib.origin_lines import origin_rows
from flowlib.reasons import EXPLANATIONS, Reason
from flowlib.record_lines import stamp
from flowlib.record_list import leaves, short
from flowlib.record_story import Neighbour, RecordStory, SavedArtifact
from flowlib.signs import Signs
from flowlib.vocabulary import shown_state
from stores import Attempt

_MOST_NEIGHBOURS: Final = 10
_MOST_TRACEBACK: Final = 12
_MOST_REASON: Final = 100
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def story_lines(story: RecordStory, signs: Signs, now: float, *, is_long: bool) -> list[Line]:
    """All about one record, a paragraph for each kind of fact.

    Args:
        story: It.
        signs: What lines are made of.
        now: The time, in seconds since 1970.
        is_long: Whether nothing is left out: all neighbours, whole tracebacks.
    """
    pen = _Pen(signs, now, is_long=is_long)
    lines = [pen.headline(story)]
    lines += pen.attempts(story)
    for title, rows in (
        ("config", [*pen.config(story)]),
        ("upstream", [*pen.neighbours(story.upstream, None)]),
        ("downstream", [*pen.neighbours(story.downstream, story.address.task)]),
        ("results", [*pen.artifacts(story.artifacts)]),
        ("error", [*pen.error(story.record.latest)]),
        ("from", [*pen.origin(story)]),
    ):
        lines += _titled(title, rows)
    lines += pen.next(story)
    return lines


def size_text(size_bytes: int) -> str:
    """`812 B`, `1.4 MB`: an amount of bytes in powers of a thousand."""
    size = float(size_bytes)
    for unit in _UNITS:
        if size < 999.5 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError  # the last unit takes all


class _Pen:
    """Writes the paragraphs."""

    def __init__(self, signs: Signs, now: float, *, is_long: bool) -> None:
        self._signs = signs
        self._now = now
        self._is_long = is_long

    def headline(self, story: RecordStory) -> Line:
        word = shown_state(story.record.state.value).word
        run = story.counts.run
        made = f"  run {run.run_name} as {run.unique_name}" if run else "  saved outside a run"
        version = story.record.identity.version
        return (
            Span(f"{self._signs.icon(word)} ", shown_state(word).colour),
            Span(self._said(f"{story.address.task}/{story.address.key}"), "bold"),
            Span(f"  {word}", shown_state(word).colour),
            Span(self._said(made + (f"  version {version}" if version else ""))),
        )

    def attempts(self, story: RecordStory) -> Iterator[Line]:
        for attempt in story.attempts:
            ended = attempt.ended or attempt.started
            words = [f"attempt {attempt.number}", shown_state(attempt.state.value).word]
            if attempt.duration_s is not None:
                words.append(took(attempt.duration_s))
            if ended is not None and (text := stamp(ended)):
                words.append(f"{ago(self._now - ended)} ({text})")
            if len(story.attempts) > 1 and attempt is story.counts:
                words.append("its results count")
            yield (Span(self._said(f"  {'  '.join(words)}"), "dim"),)
        for each in story.tries:
            reason = " ".join(f"{each.error.type_}: {each.error.message}".split())
            when = f"{ago(self._now - each.at)} ({stamp(each.at)})"
            shown = reason if self._is_long else textwrap.shorten(reason, _MOST_REASON)
            line = f"  tried before  {each.kind or 'failed'}  {when}  {shown}"
            yield (Span(self._said(line), "dim"),)
        if story.why is not None:
            yield (Span(f"  why: {story.why}, {self._explained(story.why)}", "dim"),)

    def config(self, story: RecordStory) -> Iterator[Line]:
        own: list[tuple[str, object]] = []
        defaults: list[tuple[str, object]] = []
        for path, value in leaves(story.config):
            is_given = path.partition(".")[0] in story.given or path in story.given
            (own if is_given else defaults).append((path, value))
        rows = [(name, value, "", "") for name, value in own]
        for task, config in story.inherited.items():
            rows += [(f"{task}.{p}", value, "inherited", "") for p, value in leaves(config)]
        rows += [(name, value, "default", "dim") for name, value in defaults]
        width = max((len(self._said(row[0])) for row in rows), default=0)
        for name, value, note, style in rows:
            text = f"  {self._said(name):<{width}}  {self._said(short(value))}"
            yield (Span(text, style), Span(f"  {note}" if note else "", "dim"))

    def neighbours(self, found: Sequence[Neighbour], usual: str | None) -> Iterator[Line]:
        shown = found if self._is_long else found[:_MOST_NEIGHBOURS]
        for each in shown:
            notes = []
            if each.role and each.role != (usual or each.address.task):
                notes.append(f"as {each.role}")
            if each.current is None:
                notes.append("has no result")
            yield (
                Span(f"  {self._said(str(each.address))}"),
                Span(self._said("".join(f"  {note}" for note in notes)), "dim"),
            )
        if len(shown) < len(found):
            yield (Span(f"  {self._signs.more} {len(found) - len(shown)} more: -v", "dim"),)

    def artifacts(self, found: Iterable[SavedArtifact]) -> Iterator[Line]:
        rows = [
            (
                self._said(each.name),
                self._said(each.type_),
                size_text(each.size_bytes),
                _values(each),
            )
            for each in found
        ]
        cells = list(zip(*rows, strict=True))[:3] or [(), (), ()]
        widths = [max((len(cell) for cell in column), default=0) for column in cells]
        for name, type_, size, values in rows:
            head = f"  {name:<{widths[0]}}  {type_:<{widths[1]}}  {size:>{widths[2]}}"
            yield (Span(head), Span(self._said(values), "bold"))

    def error(self, attempt: Attempt) -> Iterator[Line]:
        if attempt.error is None:
            return
        error = attempt.error
        yield (Span(f"  {self._said(f'{error.type_}: {error.message}')}", "red"),)
        lines = error.traceback.rstrip().splitlines()
        shown = lines if self._is_long else lines[-_MOST_TRACEBACK:]
        if len(shown) < len(lines):
            yield (Span(f"  {self._signs.more} {len(lines) - len(shown)} lines above: -v", "dim"),)
        for line in shown:
            yield (Span(f"  {self._said(line)}", "dim"),)

    def origin(self, story: RecordStory) -> Iterator[Line]:
        kept = story.kept
        facts = origin_rows(
            story.origin, kept.patch, kept.packages, kept.untracked, is_long=self._is_long
        )
        known = [(name, text) for name, text in facts if text]
        known += [("seed", str(story.seed))] if known else []
        width = max((len(name) for name, _ in known), default=0)
        for name, text in known:
            yield (Span(f"  {name:<{width}}  ", "dim"), Span(self._said(text)))

    def next(self, story: RecordStory) -> Iterator[Line]:
        facts = [("log", story.log), ("folder", story.folder), ("again", story.again_text)]
        known = [(name, text) for name, text in facts if text]
        if known:
            yield ()
        for name, text in known:
            yield (Span(f"{name:<7} ", "dim"), Span(self._said(text)))

    def _said(self, text: str) -> str:
        return harmless(text, self._signs.encoding)

    def _explained(self, why: str) -> str:
        try:
            return EXPLANATIONS[Reason(why)]
        except ValueError:
            return "as a newer flowlib says"


def _titled(title: str, rows: Sequence[Line]) -> list[Line]:
    return [(), (Span(title, "bold"),), *rows] if rows else []


def _values(artifact: SavedArtifact) -> str:
    values = artifact.values
    if "" in values:
        return f"  {short(values[''])}"
    return "".join(f"  {name}={short(value)}" for name, value in values.items())
