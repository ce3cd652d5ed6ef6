"""What may stand in a line of a terminal: harmless text of a known width, with styles."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

from stores.lazy_dataclass import dataclass

Line = tuple["Span", ...]
"""One line of a picture."""


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one style.

    Attributes:
        text: Without line breaks or control characters.
        style: A style of rich, or "" for none.
    """

    text: str
    style: str = ""


def plain(lines: Iterable[Line]) -> str:
    """Lines without styles; each ends with a line break."""
    return "".join("".join(span.text for span in line) + "\n" for line in lines)


def styled(lines: Iterable[Line]) -> str:
    """Lines for a terminal that shows colours; each ends with a line break."""
    return "".join("".join(map(_rendered, line)) + "\n" for line in lines)


def merged(spans: Iterable[Span]) -> Line:
    """A line with neighbours of one style put together, and no spaces at the end."""
    found: list[Span] = []
    for span in spans:
        if found and (span.style == found[-1].style or not span.text.strip()):
            found[-1] = Span(found[-1].text + span.text, found[-1].style)
        elif span.text:
            found.append(span)
    while found and not found[-1].text.strip():
        found.pop()
    if found:
        found[-1] = Span(found[-1].text.rstrip(), found[-1].style)
    return tuple(found)


def harmless(text: str, encoding: str = "utf-8") -> str:
    r"""Text of a user, made safe for a line: what is no visible character becomes `\n`, `\x1b`, ….

    Args:
        text: Any text.
        encoding: Of the stream; what it cannot tell is escaped too.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
        )
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def encodable(text: str) -> str:
    r"""Text that UTF-8 can tell; of a name that could not be decoded, `\udc80` stays."""
    return text.encode("utf-8", "backslashreplace").decode()


def elided(text: str, width: int, mark: str) -> str:
    """`text` in at most `width` cells, with `mark` in place of its middle."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(mark)
    if room < 1:
        return _start(text, width)
    start = _start(text, (room + 1) // 2)
    end = _start(text[::-1], room - cell_len(start))[::-1]
    return start + mark + end


def _rendered(span: Span) -> str:
    style = Style.parse(span.style)
    return style.render(span.text, color_system=ColorSystem.STANDARD)


def _start(text: str, width: int) -> str:
    """The beginning of `text` that is not wider than `width` cells."""
    end = 0
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]
