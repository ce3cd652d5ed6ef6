"""An explanation as lines: the sentence, then each fact under its name; short ones share a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from flowlib.console_text import Line, Span, harmless
from flowlib.explained import Fact
from flowlib.signs import Signs

_NAME_WIDTH: Final = 9
_GAP: Final = "          "


def explained_lines(headline: str, facts: Sequence[Fact], signs: Signs) -> list[Line]:
    """The headline and the facts below it."""
    return [
        (Span(harmless(headline, signs.encoding), "bold"),),
        *(line for group in _groups(facts) for line in _of_group(group, signs)),
    ]


def more_line(hidden: int) -> Line:
    """Says that there is more."""
    return (Span(f"and {hidden} more tasks are meant: name one of them", "dim"),)


def _groups(facts: Sequence[Fact]) -> Iterator[list[Fact]]:
    """Facts that stand in one line: neighbours that are short."""
    group: list[Fact] = []
    for fact in facts:
        if group and not (fact.is_short and group[-1].is_short):
            yield group
            group = []
        group.append(fact)
    if group:
        yield group


def _of_group(group: Sequence[Fact], signs: Signs) -> Iterator[Line]:
    if len(group) == 1:
        name = group[0].name
        for line in group[0].lines:
            yield (Span(f"  {name:<{_NAME_WIDTH}} ", "dim"), Span(_told(line, signs)))
            name = ""
        return
    spans: list[Span] = []
    for number, fact in enumerate(group):
        gap = _GAP if number else "  "
        width = _NAME_WIDTH if not number else len(fact.name) + 1
        spans += [Span(f"{gap}{fact.name:<{width}} ", "dim"), Span(_told(fact.lines[0], signs))]
    yield tuple(spans)


def _told(text: str, signs: Signs) -> str:
    return harmless(text.replace("→", "->") if signs.is_ascii else text, signs.encoding)
