"""What may a task change of its process, and how is all of it put back for the next task?"""

from __future__ import annotations

import builtins
import faulthandler
import gc
import locale
import logging
import operator
import os
import random
import resource
import signal
import sys
import threading
import warnings
from _signal import (  # type: ignore[import-not-found]  # no stub; `signal` makes enums, which is slow
    getsignal as _raw_handler,
)
from _signal import (
    pthread_sigmask as _raw_mask,
)
from _signal import (
    setitimer as _set_timer,
)
from collections.abc import Callable
from multiprocessing import current_process
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Any, Final

_Handlers = tuple[Callable[[int, FrameType | None], Any] | int | None, ...]

_SIGNALS: Final = tuple(
    sorted(int(n) for n in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP} if n < 32)
)

_LIMITS: Final = tuple(
    getattr(resource, name)
    for name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_FSIZE")
    if hasattr(resource, name)
)
_TIMERS: Final = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)

_draw: Final = random.getrandbits
_limit: Final = resource.getrlimit

_OBJECTS: Final = (
    *((sys, name) for name in ("stdin", "stdout", "stderr")),
    *((sys, name) for name in ("excepthook", "unraisablehook", "displayhook", "breakpointhook")),
    *((sys, name) for name in ("path", "argv", "meta_path")),
    (threading, "excepthook"),
    (warnings, "filters"),
    (warnings, "showwarning"),
    (builtins, "print"),
    (builtins, "input"),
    (builtins, "open"),
)
"""Attributes that hold an object; another object there is a change."""

_OWNERS: Final = tuple(owner for owner, _ in _OBJECTS)
_NAMES: Final = tuple(name for _, name in _OBJECTS)
_NOTHING: Final = (None,) * len(_OBJECTS)


def _objects() -> list[Any]:
    return list(map(getattr, _OWNERS, _NAMES, _NOTHING))


def _lists() -> tuple[list[Any], ...]:
    return (
        sys.path,
        sys.argv,
        sys.meta_path,
        warnings.filters,  # type: ignore[return-value]  # declared as a sequence, made as a list
        logging.root.handlers,
        logging.root.filters,
    )


def _variables() -> dict[Any, Any]:
    """The environment as the system has it, without decoding a hundred variables; no copy."""
    encoded: dict[Any, Any] | None = vars(os.environ).get("_data")
    return dict(os.environ) if encoded is None else encoded


def _set_variables(before: dict[Any, Any]) -> None:
    environment: Any = os.environb if b"" in {key[:0] for key in before} else os.environ
    for name in environment.keys() - before.keys():
        del environment[name]
    for name, value in before.items():
        if environment.get(name) != value:
            environment[name] = value


def _handlers() -> _Handlers:
    return tuple(map(_raw_handler, _SIGNALS))


def _set_handlers(before: _Handlers) -> None:
    for number, handler in zip(_SIGNALS, before, strict=True):
        if handler is not None and _raw_handler(number) is not handler:
            signal.signal(number, handler)


def _set_limits(before: list[tuple[int, int]]) -> None:
    for each, limit in zip(_LIMITS, before, strict=True):
        if resource.getrlimit(each) != limit:
            resource.setrlimit(each, limit)


def _set_faulthandler(is_enabled: bool) -> None:
    (faulthandler.enable if is_enabled else faulthandler.disable)()


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # asked after every task
    except FileNotFoundError:
        return ""  # it was removed


def _settings() -> list[Any]:
    """All settings as they are now: of `_WRITERS`, in that order; the environment is no copy."""
    mask = os.umask(0o077)
    os.umask(mask)
    return [
        _folder(),
        _variables(),
        mask,
        os.getpriority(os.PRIO_PROCESS, 0),
        list(map(_limit, _LIMITS)),
        _handlers(),
        _raw_mask(signal.SIG_BLOCK, ()),
        locale.setlocale(locale.LC_ALL),
        logging.root.level,
        logging.root.manager.disable,
        faulthandler.is_enabled(),
        gc.isenabled(),
        gc.get_threshold(),
        sys.getrecursionlimit(),
        sys.getswitchinterval(),
        sys.gettrace(),
        sys.getprofile(),
    ]


_WRITERS: Final[tuple[Callable[[Any], object], ...]] = (
    os.chdir,
    _set_variables,
    os.umask,
    lambda priority: os.setpriority(os.PRIO_PROCESS, 0, priority),
    _set_limits,
    _set_handlers,
    lambda mask: signal.pthread_sigmask(signal.SIG_SETMASK, mask),
    lambda name: locale.setlocale(locale.LC_ALL, name),
    lambda level: logging.root.setLevel(level),
    logging.disable,
    _set_faulthandler,
    lambda is_on: (gc.enable if is_on else gc.disable)(),
    lambda threshold: gc.set_threshold(*threshold),
    sys.setrecursionlimit,
    sys.setswitchinterval,
    sys.settrace,
    sys.setprofile,
)


class ProcessState:
    """The state of this process as it is now, to be put back after a task."""

    def __init__(self) -> None:
        # a fork of a process that has a dump under way would wait for a thread that it has not
        self._is_forked = isinstance(current_process(), ForkProcess)
        self._objects = _objects()
        self._lists = [(each, list(each)) for each in _lists()]
        self._settings = [dict(v) if isinstance(v, dict) else v for v in _settings()]
        self._shadow = random.Random()  # noqa: S311  # as weak as that of the tasks

    def put_back(self) -> bool:
        """Undo what has been changed since; whether that was possible for all of it.

        Numbers drawn at random start anew if the task has drawn some, as in a process of its own:
        neither a seed that it has set nor what it has drawn tells in the next one.
        """
        for timer in _TIMERS:
            _set_timer(timer, 0)
        if not self._is_forked:
            faulthandler.cancel_dump_traceback_later()
        self._put_objects_back()
        self._shuffle_generators()
        now = _settings()
        return now == self._settings or self._put_settings_back(now)

    def _put_settings_back(self, now: list[Any]) -> bool:
        is_complete = True
        for write, value, before in zip(_WRITERS, now, self._settings, strict=True):
            try:
                if value != before:
                    write(before)
            except (OSError, ValueError, locale.Error):  # a limit that cannot be raised again, say
                is_complete = False
        return is_complete

    def _put_objects_back(self) -> None:
        if not all(map(operator.is_, _objects(), self._objects)):
            for (owner, name), before in zip(_OBJECTS, self._objects, strict=True):
                setattr(owner, name, before)
        for each, content in self._lists:
            if each != content:
                each[:] = content

    def _shuffle_generators(self) -> None:
        """Seed the global generators from the system; those of numpy and torch where it is loaded.

        The shadow draws the same as that of `random` as long as nobody else does.
        """
        if self._shadow.getrandbits(64) != _draw(64):
            seed = int.from_bytes(os.urandom(16), "little")
            random.seed(seed)
            self._shadow.seed(seed)
        generators: Any = sys.modules.get("numpy.random")
        if generators is not None:
            generators.seed(int.from_bytes(os.urandom(4), "little"))
        torch: Any = sys.modules.get("torch")
        seed_torch = getattr(torch, "seed", None)  # none while it is being loaded
        if seed_torch is not None:
            seed_torch()  # from the system, on all devices
