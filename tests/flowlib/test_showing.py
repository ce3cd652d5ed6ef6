"""Which view is shown where, and who else is told."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from flowlib import Flow, TaskSpec, configuration, configure_logging
from flowlib.events import Finished, RunEnded, SpecTotal, Started
from flowlib.live_terminal import is_live, size_of
from flowlib.showing import chosen, watch
from stores import UnknownPlugin
from tests.flowlib.run_events import BEGAN, begun, ref


class Stream(io.StringIO):
    def __init__(self, *, tty):
        super().__init__()
        self._tty = tty

    def isatty(self):
        return self._tty


@pytest.fixture
def at(monkeypatch):
    """Pretend to be at a terminal, or in a pipe."""
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "FLOWLIB_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    configuration.forget()

    def pretend(*, tty, **variables):
        monkeypatch.setattr(sys, "stderr", Stream(tty=tty))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        configuration.forget()

    yield pretend
    configuration.forget()


@pytest.mark.parametrize(
    ("place", "asked", "expected"),
    [
        ({"tty": True}, "auto", "live"),
        ({"tty": False}, "auto", None),
        ({"tty": True, "CI": "true"}, "auto", None),
        ({"tty": True, "CI": "0"}, "auto", "live"),
        ({"tty": True, "TERM": "dumb"}, "auto", None),
        ({"tty": False, "FORCE_COLOR": "1"}, "auto", None),
        ({"tty": True, "NO_COLOR": "1"}, "auto", "live"),
        ({"tty": False}, "live", "lines"),
        ({"tty": True}, "live", "live"),
        ({"tty": True}, "lines", "lines"),
        ({"tty": True}, "none", None),
        ({"tty": True}, None, None),
        ({"tty": True, "FLOWLIB_PROGRESS": "lines"}, "auto", "lines"),
        ({"tty": True, "FLOWLIB_PROGRESS": "none"}, "auto", None),
        ({"tty": False, "FLOWLIB_PROGRESS": "live"}, "auto", "lines"),
        ({"tty": True, "FLOWLIB_PROGRESS": "lines"}, "live", "live"),
    ],
)
def test_the_view_is_chosen_by_call_setting_and_place(at, place, asked, expected):
    """The call first, then the setting, then where the run is; FORCE_COLOR moves no cursor."""
    at(**place)

    assert chosen(asked) == expected


def test_a_process_without_stderr_shows_nothing(at, monkeypatch):
    """As under pythonw, or when it was closed."""
    at(tty=True)
    monkeypatch.setattr(sys, "stderr", None)
    assert chosen("auto") is None
    closed = io.StringIO()
    closed.close()
    assert not is_live(closed, {})


def test_an_unknown_view_of_the_settings_is_told_with_its_name(at):
    """Before anything has run."""
    at(tty=False, FLOWLIB_PROGRESS="liens")
    with pytest.raises(UnknownPlugin, match="liens.*Did you mean lines"):
        Flow([TaskSpec(fine)]).run(num_workers=1)


def test_a_stream_without_a_terminal_has_the_usual_size(monkeypatch):
    """80 by 24, unless the environment says otherwise."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)

    assert size_of(io.StringIO()) == (80, 24)


def fine():
    return 1


def broken():
    raise ValueError("no")


@pytest.mark.parametrize("progress", ["lines", "none"])
def test_events_are_told_once_on_the_console(progress, at, capfd):
    """By the view, or where there is none by the log."""
    handlers = logging.getLogger().handlers[:]
    level = logging.getLogger().level
    try:
        configure_logging("INFO", rich_logging=False, rich_traceback=False)
        Flow([TaskSpec(broken)]).run(num_workers=1, progress=progress, exit_on_error=False)
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)

    assert capfd.readouterr().err.count("[1/1] failed") == 1


def test_handlers_of_the_program_are_told_everything(caplog, capfd):
    """A log file of the user's own has the events, whatever is shown; nothing is left behind."""
    filters = list(logging.lastResort.filters)
    with caplog.at_level(logging.INFO, logger="flowlib"):
        Flow([TaskSpec(fine)]).run(num_workers=1, progress="lines")

    assert [record for record in caplog.records if "done" in record.message]
    assert logging.lastResort.filters == filters


def test_any_events_can_be_watched(capsys):
    """Those of another process, as they come."""
    events = iter(
        [
            begun([SpecTotal("A", 1, 0)]),
            Started(BEGAN, ref("A", 1), 0),
            Finished(BEGAN + 2, ref("A", 1), 2.0),
            RunEnded(BEGAN + 2, {"finished": 1}, 2.0),
        ]
    )
    watch(events, "lines")

    assert "✔ 1 task finished  in 2.0 s   run sunny-otter-12" in capsys.readouterr().err


def test_a_run_that_died_is_told_as_far_as_it_got(capsys):
    """The events end without a last one."""
    watch([begun([SpecTotal("A", 3, 0)]), Started(BEGAN, ref("A", 1), 0)], "lines")

    assert "stopped: 3 of 3 tasks did not run" in capsys.readouterr().err
