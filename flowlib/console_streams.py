"""While a footer is shown, what the program writes to the same terminal must stand above it."""

from __future__ import annotations

import builtins
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TextIO, cast

from flowlib.footer import Footer


class AboveFooter:
    """Stands in for `sys.stdout` or `sys.stderr`; all but writing is left to the stream itself.

    Args:
        footer: The lines below.
        stream: Leads to the same terminal.
    """

    def __init__(self, footer: Footer, stream: TextIO) -> None:
        self._footer = footer
        self._stream = stream
        self._pid = os.getpid()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)

    def write(self, text: str) -> int:
        """Write above the footer; a process that was forked meanwhile has none."""
        if os.getpid() != self._pid:
            return self._stream.write(text)
        return self._footer.write(self._stream, text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write all of them above the footer."""
        self.write("".join(lines))


@contextmanager
def standing_above(footer: Footer, terminal: TextIO) -> Iterator[None]:
    """Lead stdout, stderr, logging and `input` past the footer, and put all back at the end.

    Args:
        footer: The lines below.
        terminal: What stderr was; stdout is led elsewhere only if it is a terminal, too.
    """
    with ExitStack() as stack:
        for name in ("stdout", "stderr"):
            stream: TextIO | None = getattr(sys, name)
            if stream is terminal or _is_terminal(stream):
                assert stream is not None  # noqa: S101  # it is a terminal
                stand_in = cast("TextIO", AboveFooter(footer, stream))
                stack.enter_context(_replaced(name, stream, stand_in))
        stack.enter_context(_asking(footer))
        yield


@contextmanager
def _replaced(name: str, stream: TextIO, stand_in: TextIO) -> Iterator[None]:
    setattr(sys, name, stand_in)
    holders = [*_holders_of(stream)]
    for put in holders:
        put(stand_in)
    try:
        yield
    finally:
        if getattr(sys, name) is stand_in:  # else somebody else has replaced it meanwhile
            setattr(sys, name, stream)
        for put in holders:
            put(stream)


def _holders_of(stream: TextIO) -> Iterator[Callable[[TextIO], object]]:
    """How to give another stream to each log handler that writes to this one."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = {
        id(handler): handler
        for each in loggers
        if isinstance(each, logging.Logger)
        for handler in each.handlers
    }
    for handler in handlers.values():
        console = getattr(handler, "console", None)
        if isinstance(handler, logging.StreamHandler) and handler.stream is stream:
            yield handler.setStream
        elif getattr(console, "file", None) is stream:
            yield partial(setattr, console, "file")


@contextmanager
def _asking(footer: Footer) -> Iterator[None]:
    """`input`, and with it pdb, writes its prompt past `sys.stdout`: no footer meanwhile."""
    ask = builtins.input

    def input_(prompt: object = "", /) -> str:
        footer.pause()
        is_answered = False
        try:
            answer = ask(prompt)
            is_answered = True
        finally:
            footer.resume(is_mid_line=not is_answered)
        return answer

    builtins.input = input_
    try:
        yield
    finally:
        if builtins.input is input_:
            builtins.input = ask


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
