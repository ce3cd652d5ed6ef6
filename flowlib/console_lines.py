"""Lines of a picture: how wide they are, cut to fit, as a terminal or a page reads them."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from rich.cells import cell_len, set_cell_size

from flowlib.console_text import Line, Span, plain, styled

_PAGE_STYLES: Final = {
    "bold": "font-weight:bold", "dim": "opacity:0.6", "red": "color:#d33", "green": "color:#2a2",
    "yellow": "color:#b80", "magenta": "color:#b4b", "cyan": "color:#199",
}  # fmt: skip
"""Readable on a white page and on a dark one."""

_FRAME: Final = "font-family:monospace;line-height:1.3;margin:0;white-space:pre;overflow-x:auto"


def width_of(line: Line) -> int:
    """How many cells of a terminal a line takes."""
    return sum(cell_len(span.text) for span in line)


def cut(line: Line, width: int, more: str) -> Line:
    """A line that takes at most `width` cells; `more` at its end says that it was cut."""
    if width_of(line) <= width:
        return line
    room = max(0, width - cell_len(more))
    kept: list[Span] = []
    for span in line:
        kept.append(Span(_start(span.text, room), span.style))
        room -= cell_len(kept[-1].text)
    return (*(span for span in kept if span.text), Span(_start(more, width)))


def as_text(lines: Iterable[Line], *, has_colours: bool) -> str:
    """Lines as a terminal reads them; each ends with a line break."""
    return styled(lines) if has_colours else plain(lines)


def as_html(lines: Iterable[Line]) -> str:
    """Lines as a static piece of a page; whatever the user's text holds is shown, not run."""
    rows = "\n".join("".join(map(_marked, line)) for line in lines)
    return f'<pre style="{_FRAME}">{rows}</pre>'


def _start(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width)


def _marked(span: Span) -> str:
    text = html.escape(span.text)
    styles = ";".join(_PAGE_STYLES[word] for word in span.style.split())
    return f'<span style="{styles}">{text}</span>' if styles else text
