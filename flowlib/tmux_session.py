"""
How are logs shown in panes of tmux? The one module that speaks to it.

Its server is our own (`tmux -L flowlib`), so sessions and configuration of the user are not
touched. A session is called `project--run`. It stays when the run is over, until somebody closes
it or another run of the same name begins. Names go to tmux as arguments, never through a shell, and
to where tmux would expand `#(…)` only in a form in which that is plain text.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flowlib.errors import MissingExtra, NothingSelected, RunError
from stores import Owner

if TYPE_CHECKING:
    from libtmux import Server

SOCKET: Final = "flowlib"
_RUN: Final = "@flowlib_run"
"""The option of a session that tells whose it is."""

_DRIVER: Final = "@flowlib_driver"
"""The option of a session that tells which process runs it; empty when the run is over."""

_TITLE: Final = "@flowlib_title"
"""The option of a pane that its border shows; programs can change the title that tmux has."""

_SIZE: Final = ("-x", "200", "-y", "50")
"""Columns and lines until somebody attaches a terminal."""

_TRIES: Final = 20
_PAUSE_S: Final = 0.1
"""So often, and so long, to wait for a server that is just ending."""

_FOR_ALL: Final = (
    ("-g", "mouse", "on"),
    ("-g", "status-left-length", "80"),
    ("-gw", "pane-border-status", "top"),
    ("-gw", "pane-border-format", f" #{{{_TITLE}}} "),
)


class TmuxFailed(RunError):
    """Something that tmux refused."""


class TmuxSession:
    """One session with a pane per log.

    Args:
        project: Name of the project.
        run: Name of the run.
        max_panes: How many panes a window has at the most.

    Attributes:
        name: As tmux knows it.

    Raises:
        MissingExtra: tmux or libtmux is not installed.
    """

    def __init__(self, project: str, run: str, max_panes: int) -> None:
        self._server = _server()
        self._identity = json.dumps([project, run])
        self._max_panes = max_panes
        self._base = _session_name(f"{project}--{run}")
        self._session = self._window = ""
        self._panes: list[str] = []  # of the last window, in the order of the screen
        self._titles: dict[str, str] = {}
        self.name = ""

    def follow(self, log: Path, title: str) -> str:
        """Open a pane that shows what is added to a file; its id.

        Raises:
            TmuxFailed: tmux refuses.
        """
        tail = ("tail", "-n", "200", "-F", str(log))
        if not self._session:
            pane = self._first(tail)
        elif len(self._panes) < self._max_panes:
            pane = self._beside(tail) or self._in_new_window(tail)
        else:
            pane = self._in_new_window(tail)
        self._panes.append(pane)
        self.entitle(pane, title)
        return pane

    def entitle(self, pane: str, title: str) -> None:
        """Let the border of a pane show a title.

        Raises:
            TmuxFailed: tmux refuses; somebody has closed it, say.
        """
        if self._titles.get(pane) != title:
            self._titles[pane] = title
            self._ask("set-option", "-p", "-t", pane, _TITLE, _shown(title))

    def end(self) -> None:
        """The run is over; the session stays until it is closed.

        Raises:
            TmuxFailed: tmux refuses.
        """
        if self._session:
            self._ask("set-option", "-t", self._session, _DRIVER, "")
            for pane, title in list(self._titles.items()):
                self.entitle(pane, f"{title} · ended")

    def _first(self, tail: tuple[str, ...]) -> str:
        """The first pane of a new session."""
        number, told = self._new_session(tail)
        self._session, self._window, pane = told.split()
        driver = json.dumps(Owner.of_this_process().to_list())
        self._ask("set-option", "-t", self._session, _RUN, _shown(self._identity))
        self._ask("set-option", "-t", self._session, _DRIVER, driver)
        for option in _FOR_ALL:
            self._ask("set-option", *option)
        self._tidy()  # only now: a server ends with its last session
        for lower in range(1, number):
            done = self._server.cmd("rename-session", "-t", self._session, self._name_of(lower))
            if not done.stderr:
                self.name = self._name_of(lower)
                break
        return pane

    def _new_session(self, tail: tuple[str, ...]) -> tuple[int, str]:
        """Make a session with the first name that is free: its number, and what tmux tells."""
        form = ("-P", "-F", "#{session_id} #{window_id} #{pane_id}", "-n", "workers")
        number, ended = 1, 0
        while True:
            self.name = self._name_of(number)
            command = ("new-session", "-d", *_SIZE, *form, "-s", self.name, *tail)
            done = self._server.cmd(*command)
            if not done.stderr:
                return number, str(done.stdout[0])
            if "duplicate session" in done.stderr[0]:
                number += 1
            elif "server exited" in done.stderr[0] and ended < _TRIES:
                ended += 1  # somebody has just closed its last session
                time.sleep(_PAUSE_S)
            else:
                raise TmuxFailed(f"tmux: {done.stderr[0]}")

    def _name_of(self, number: int) -> str:
        return self._base if number == 1 else f"{self._base}-{number}"

    def _beside(self, tail: tuple[str, ...]) -> str:
        """A pane in the last window; empty if there is no room."""
        form = ("-P", "-F", "#{pane_id}")
        done = self._server.cmd("split-window", "-d", *form, "-t", self._panes[-1], *tail)
        if done.stderr:
            if "no space" in done.stderr[0]:
                return ""
            raise TmuxFailed(f"tmux: {done.stderr[0]}")
        self._ask("select-layout", "-t", self._window, "tiled")
        return str(done.stdout[0])

    def _in_new_window(self, tail: tuple[str, ...]) -> str:
        form = ("-P", "-F", "#{window_id} #{pane_id}", "-n", "workers")
        told = self._ask("new-window", "-d", *form, "-t", f"{self._session}:", *tail)
        self._window, pane = told.split()
        self._panes = []
        return pane

    def _tidy(self) -> None:
        """Close the sessions of runs of this name that are over."""
        form = f"#{{session_id}}\t#{{{_RUN}}}\t#{{{_DRIVER}}}"
        for line in self._server.cmd("list-sessions", "-F", form).stdout:
            session, run, driver = [*line.split("\t"), "", ""][:3]
            is_same = run == _shown(self._identity) and session != self._session
            if is_same and not _is_alive(driver):
                self._server.cmd("kill-session", "-t", session)

    def _ask(self, command: str, *arguments: str) -> str:
        done = self._server.cmd(command, *arguments)
        if done.stderr:
            raise TmuxFailed(f"tmux: {done.stderr[0]}")
        return str(done.stdout[0]) if done.stdout else ""


def words_to_attach(project: str, run: str) -> list[str]:
    """The command that shows the panes of a run, the newest of this name.

    Raises:
        MissingExtra: tmux or libtmux is not installed.
        NothingSelected: the run has none.
    """
    identity = _shown(json.dumps([project, run]))
    form = f"#{{session_created}}\t#{{session_id}}\t#{{{_RUN}}}"
    lines = [line.split("\t") for line in _server().cmd("list-sessions", "-F", form).stdout]
    found = [(int(line[0]), line[1]) for line in lines if len(line) == 3 and line[2] == identity]
    if not found:
        raise NothingSelected(f"run {run} has no panes: log_to_tmux=True opens some when it begins")
    return ["tmux", "-L", SOCKET, "attach", "-t", max(found)[1]]


def _server() -> Server:
    try:
        from libtmux import Server
    except ModuleNotFoundError:
        raise MissingExtra(
            "panes of tmux need libtmux: pip install 'flowlib-runner[tmux]'"
        ) from None
    if shutil.which("tmux") is None:
        raise MissingExtra("panes of tmux need tmux, which is not installed")
    return Server(socket_name=SOCKET, config_file="/dev/null")


def _session_name(text: str) -> str:
    """A name that tmux takes as it is: it separates by `.`, `:` and `;`, and expands `#`."""
    plain = text.encode("utf-8", "replace").decode()
    name = "".join("_" if c in ".:;#" or not c.isprintable() else c for c in plain)
    return name[:1].replace("$", "_").replace("@", "_").replace("%", "_") + name[1:]


def _shown(title: str) -> str:
    """Text that a border shows as it is."""
    plain = title.encode("utf-8", "replace").decode()
    line = "".join(c if c.isprintable() else " " for c in plain).replace("#", "##")
    return f"{line[:-1]}\\;" if line.endswith(";") else line


def _is_alive(driver: str) -> bool:
    try:
        return Owner.from_list(json.loads(driver)).is_alive() is not False
    except (ValueError, TypeError):
        return False
