"""What do the lines of a `.env` file say? `KEY=VALUE`, and nothing is executed or exported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LINE: Final = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<rest>.*)")
_DOUBLE: Final = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?$')
_SINGLE: Final = re.compile(r"'(?P<text>[^']*)'\s*(?:#.*)?$")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


def assignments(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Line number, name and value of each line that assigns; the value is None if it is broken.

    In double quotes a backslash escapes, in single quotes nothing does; without quotes a comment
    begins at a `#` after a space. Values stay on one line, and `$NAME` means just that.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        match = _LINE.match(line)
        if match:
            yield number, match["name"], _value(match["rest"])


def _value(rest: str) -> str | None:
    if rest[:1] == "'":
        quoted = _SINGLE.match(rest)
        return quoted["text"] if quoted else None
    if rest[:1] == '"':
        quoted = _DOUBLE.match(rest)
        return _ESCAPE.sub(_unescaped, quoted["text"]) if quoted else None
    return _COMMENT.sub("", rest).strip()


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])
