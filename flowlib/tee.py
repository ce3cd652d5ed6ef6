"""How does text reach two places at once? A stream that tells a function what is written to it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final


def tee_of(stream: Any, write: Callable[[str], None]) -> Any:
    """`stream` with a second reader; None where there is no stream."""
    return None if stream is None else Tee(stream, write)


class Tee(io.TextIOBase):
    """A text stream that also gives what is written to it to a function.

    All else is that of the stream itself: `fileno`, `isatty`, `encoding` … It stays open and usable
    when nobody listens any more.
    """

    def __init__(self, stream: Any, write: Callable[[str], None]) -> None:
        self._stream = stream
        self._also = write

    def write(self, text: str) -> int:
        count = self._stream.write(text)
        self._also(text)
        return len(text) if count is None else count

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __del__(self) -> None:
        """Leave the stream open, which is not ours; the base class would close it."""

    @property
    def buffer(self) -> Any:
        """The bytes below the text."""
        return _BinaryTee(self._stream.buffer, self._also)

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN:
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_stream"), name)


_OWN: Final = frozenset(
    ("write", "writelines", "buffer", "_stream", "_also", "__class__", "__dict__")
)


class _BinaryTee:
    """The same for bytes."""

    def __init__(self, stream: Any, write: Callable[[str], None]) -> None:
        self._stream = stream
        self._also = write

    def write(self, data: Any) -> Any:
        count = self._stream.write(data)
        self._also(bytes(data).decode("utf-8", "replace"))
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
