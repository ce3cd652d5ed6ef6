"""
Is the code that is loaded the one that its file has now? It may be edited while the program runs.

Functions are compared by their byte code, plain constants by value; a file that is older than the
process is not looked into.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, Final

from flowlib.code_files import SourceFile
from stores import Owner

_PLAIN: Final = (bool, int, float, complex, str, bytes, type(None))
_SLACK_S: Final = 2.0
"""By how much the clocks of files and of processes may differ."""

_HAS_DOCSTRING: Final = 0x4000000
"""The flag of byte code, from Python 3.14 on; before, the first constant is always kept for it."""


def is_as_written(module_name: str, source: SourceFile, names: Iterable[str]) -> bool:
    """Whether definitions that are loaded are surely none but those in the file.

    Args:
        module_name: The module.
        source: Its file.
        names: The definitions.
    """
    module = sys.modules.get(module_name)
    if getattr(module, "__file__", None) != source.path or _is_older_than_process(source.path):
        return True
    try:
        written = _Written(source)
    except (SyntaxError, ValueError):
        return False  # it can be parsed, but not be compiled
    loaded = vars(module)
    return all(written.is_same(loaded[name], name) for name in names if name in loaded)


class _Written:
    """What a file would define if it were loaded now."""

    def __init__(self, source: SourceFile) -> None:
        self._path = source.path
        self._codes: dict[str, list[object]] = {}
        self._literals: Mapping[str, object] = source.literals()
        code = compile("\n".join(source.lines), source.path, "exec", dont_inherit=True)
        self._note(code)

    def is_same(self, value: object, name: str) -> bool:
        """Whether an object that is loaded under a name may be what the file defines."""
        if isinstance(value, _PLAIN):
            return name not in self._literals or _shape(value) == _shape(self._literals[name])
        if isinstance(value, type):
            return value.__qualname__ != name or all(
                self.is_same(each, f"{name}.{key}") for key, each in vars(value).items()
            )
        return all(
            _shape(each.__code__) in self._codes.get(each.__qualname__, ())
            for each in _functions(value)
            if each.__code__.co_filename == self._path
        )

    def _note(self, code: CodeType) -> None:
        self._codes.setdefault(code.co_qualname, []).append(_shape(code))
        for each in code.co_consts:
            if isinstance(each, CodeType):
                self._note(each)


def _functions(value: Any) -> Iterator[FunctionType]:
    """The functions of the user in what a class or module holds."""
    for each in (value, *(getattr(value, name, None) for name in ("__func__", "fget", "fset"))):
        plain = inspect.unwrap(each) if callable(each) else each
        if isinstance(plain, FunctionType):
            yield plain


def _shape(value: object) -> object:
    """Code without lines and docstring, and constants with their types."""
    if isinstance(value, (tuple, frozenset)):
        return type(value), type(value)(map(_shape, value))
    if not isinstance(value, CodeType):
        return type(value), repr(value) if isinstance(value, (float, complex)) else value
    constants = list(value.co_consts)
    has_docstring = sys.version_info < (3, 14) or value.co_flags & _HAS_DOCSTRING
    if has_docstring and constants and isinstance(constants[0], str):
        constants[0] = None
    names = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
    return value.co_code, names, tuple(map(_shape, constants))


def _is_older_than_process(path: str) -> bool:
    try:
        return os.stat(path).st_mtime < _start_of_process() - _SLACK_S  # noqa: PTH116  # as elsewhere
    except OSError:
        return True


@functools.cache
def _start_of_process() -> float:
    """When this process was started, in seconds since 1970; 0 where nobody knows."""
    started = Owner.of_this_process().started
    if started <= 0 or not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
    return time.time() - age_s
