"""Where does the output of a program go? Into a file, whole, and at once to the log of its task."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_TAIL_BYTES: Final = 4096
_TAIL_LINES: Final = 20


class ProgramOutput:
    """Keeps one stream of output and passes it on to a stream of this process.

    Args:
        path: The file that keeps it; made here.
        name: Where it is passed on to: "stdout" or "stderr" of `sys`, as it is then.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._name = name
        self._file = path.open("xb")
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._show(self._decoder.decode(b"", final=True))
        self._file.close()

    def write(self, data: bytes) -> None:
        """Take a piece."""
        self._file.write(data)
        self._show(self._decoder.decode(data))

    def tail(self) -> str:
        """The last lines, for a message."""
        self._file.flush()
        with self.path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "backslashreplace")
        lines = text.rstrip().splitlines()
        is_cut = size > _TAIL_BYTES or len(lines) > _TAIL_LINES
        return "\n".join([*(["…"] if is_cut else []), *lines[-_TAIL_LINES:]])

    def _show(self, text: str) -> None:
        stream: Any = getattr(sys, self._name)
        if not text or stream is None:
            return
        try:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                encoding = stream.encoding
                stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except (OSError, ValueError):  # a terminal that is gone: the file has it all
            return
