"""Where does the command write to? Data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from flowlib.terminal import encoding_of, show, shows_colour, shows_unicode

if TYPE_CHECKING:
    from flowlib.console_text import Line
    from flowlib.signs import Signs

SCHEMA: Final = 1
"""Of what `--json` writes; parts may be added without another number."""


def signs() -> Signs:
    """The characters that stdout can show."""
    from flowlib.signs import Signs

    return Signs.of(has_unicode=shows_unicode(sys.stdout))


def write(text: str) -> None:
    """Write data, as it is."""
    sys.stdout.write(text)


def write_line(text: str) -> None:
    """Write a line of text; what stdout cannot show is escaped."""
    from flowlib.console_text import harmless

    sys.stdout.write(f"{harmless(text, encoding_of(sys.stdout))}\n")


def write_bytes(data: bytes) -> None:
    """Write raw data."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def write_lines(lines: Iterable[Line], *, use_pager: bool = False) -> None:
    """Write lines, in colours where stdout shows them.

    Args:
        lines: They are written as they are, however wide the terminal is.
        use_pager: Whether a pager may show them on a terminal.
    """
    from flowlib.console_lines import as_text  # with rich, which help needs not

    show(as_text(lines, has_colours=shows_colour(sys.stdout)), use_pager=use_pager)


def write_json(document: Mapping[str, object]) -> None:
    """Write one JSON document; in ASCII where stdout cannot tell all of its text.

    What JSON has no number for is `"NaN"` or `"Infinity"`.
    """
    whole = {"schema": SCHEMA, **document}
    try:
        text = _json(whole, is_ascii=False)
    except ValueError:
        from flowlib.result_cells import as_json  # wanted seldom

        whole = as_json(whole)
        text = _json(whole, is_ascii=False)
    try:
        text.encode(encoding_of(sys.stdout))
    except UnicodeEncodeError:
        text = _json(whole, is_ascii=True)
    sys.stdout.write(f"{text}\n")


def _json(whole: object, *, is_ascii: bool) -> str:
    return json.dumps(whole, indent=2, ensure_ascii=is_ascii, allow_nan=False, default=str)


def note(text: str) -> None:
    """Say something to the user that is no data."""
    from flowlib.console_text import harmless

    encoding = encoding_of(sys.stderr)
    lines = [harmless(line, encoding) for line in text.splitlines()]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.stderr.flush()
