"""Is what is shown fit for where it goes: a terminal, a pipe, a pager?"""

from __future__ import annotations

import io
import os
import pty
import shlex
import sys

import pytest

from flowlib import configuration
from flowlib.terminal import encoding_of, shows_colour, shows_unicode
from tests.architecture.sources import ROOT


class Stream(io.StringIO):
    """Text in memory that may say that it is a terminal."""

    def __init__(self, is_terminal, encoding="utf-8"):
        super().__init__()
        self.is_terminal = is_terminal
        self.said = encoding

    @property
    def encoding(self):
        return self.said

    def isatty(self):
        return self.is_terminal


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "FLOWLIB_COLOR", "FLOWLIB_ASCII"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    configuration.forget()
    yield
    configuration.forget()


@pytest.mark.parametrize(
    ("variables", "terminal", "pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"FLOWLIB_COLOR": "always", "NO_COLOR": "1"}, True, True),
        ({"FLOWLIB_COLOR": "never", "FORCE_COLOR": "1"}, False, False),
    ],
)
def test_colours_are_for_terminals_unless_it_is_said(variables, terminal, pipe, monkeypatch):
    """The setting, then NO_COLOR, FORCE_COLOR and TERM."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    configuration.forget()
    assert shows_colour(Stream(True)) is terminal
    assert shows_colour(Stream(False)) is pipe


def test_drawings_keep_to_what_a_stream_can_tell(monkeypatch):
    """And to ASCII if that is wanted."""
    assert shows_unicode(Stream(False, "utf-8"))
    assert not shows_unicode(Stream(False, "ascii"))
    assert not shows_unicode(Stream(False, "cp437"))
    assert encoding_of(io.StringIO()) == "utf-8"
    assert encoding_of(object()) == "ascii"
    monkeypatch.setenv("FLOWLIB_ASCII", "1")
    configuration.forget()
    assert not shows_unicode(Stream(True, "utf-8"))


SHOWN = "from flowlib.terminal import show; show('one\\ntwo\\n', use_pager={use_pager})"
PAGER = "import sys; sys.stdout.write('[' + sys.stdin.read().replace(chr(10), '|') + ']')"


def on_a_terminal(pager, use_pager=True):
    """What a Python prints whose stdin and stdout are a terminal."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover  # the other process
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **pager}
        code = SHOWN.format(use_pager=use_pager)
        os.execve(sys.executable, [sys.executable, "-c", code], environment)
    printed = b""
    try:
        while piece := os.read(terminal, 1024):
            printed += piece
    except OSError:
        pass  # the other end is closed
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert status == 0, printed
    return printed.decode().replace("\r\n", "\n")


def test_the_pager_of_the_user_gets_it_on_a_terminal():
    """$PAGER is a command with arguments."""
    pager = {"PAGER": shlex.join([sys.executable, "-c", PAGER])}
    assert on_a_terminal(pager) == "[one|two|]"
    assert on_a_terminal(pager, use_pager=False) == "one\ntwo\n"


@pytest.mark.parametrize("pager", ["", "/no/such/pager"])
def test_without_a_pager_it_is_printed(pager):
    """One that is empty or cannot be started is none."""
    assert on_a_terminal({"PAGER": pager}) == "one\ntwo\n"


def test_a_pager_that_is_left_early_is_no_error():
    """The reader has seen enough."""
    pager = {"PAGER": shlex.join([sys.executable, "-c", "import os; os.close(0)"])}
    assert on_a_terminal(pager) == ""


def test_a_pipe_gets_no_pager(monkeypatch, capsys):
    """What is piped is read by a program."""
    from flowlib.terminal import show

    monkeypatch.setenv("PAGER", "/no/such/pager")
    show("one\n", use_pager=True)
    assert capsys.readouterr().out == "one\n"
