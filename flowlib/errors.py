"""
What flowlib raises on purpose.

* FlowError
  + SpecError            a spec or its config does not fit the task
  + SweepError           the lists of a config cannot be combined as asked
  + ParameterError       a config has a parameter that the task does not take
  + CallError            the arguments of a call do not fit the function
  + ConfigError          a document or an override of one is not as it should be
  + GraphError           the specs do not form a graph: cycle, doubled or missing name
  + SelectorError        what is written in `force`, `only`, … is no selector
      - NothingSelected  it is one, but selects nothing
  + ColumnUnknown        a table has no such column, or several
  + CodeChanged          results were made by other code, and that is to be an error
  + MigrationError       old results cannot be given the keys that are asked for
  + SettingsError        a setting is unknown, or its value is none
  + ResourceError        a demand that the resources of the run can never meet
  + RunError             something the run itself cannot do
      - TaskFailed       a task failed and its own exception cannot be rebuilt
          · WaitTimeout  another process was computing it for longer than its `wait_timeout`
      - WorkerDied       the process of a task ended without an answer
      - InputError       the inputs of a task cannot be collected
      - InputChanged     an input file is gone, or has another content than when it was named
      - ProgramNotFound  a program of a shell task is not here, or cannot be started
      - ProgramFailed    a program of a shell task has ended with an exit code that is a failure
      - OutputMissing    a program has not made a file that is declared
      - MissingExtra     an optional dependency is not installed
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec


class FlowError(Exception):
    """Base class: `except FlowError` catches everything flowlib raises on purpose."""


class SpecError(FlowError, ValueError):
    """A spec or its config does not fit the task."""


class SweepError(SpecError):
    """The lists of a config cannot be combined as asked.

    Args:
        message: What is wrong and what to do.
        spec: Name of the spec, if known.
        path: Dotted path of the value in the config, if one is to blame.
    """

    def __init__(self, message: str, *, spec: str = "", path: str = "") -> None:
        where = f"{spec}.{path}" if spec and path else spec or path
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.spec = spec
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_sweep_error, (self.message, self.spec, self.path)


def _rebuild_sweep_error(message: str, spec: str, path: str) -> SweepError:
    return SweepError(message, spec=spec, path=path)


class ParameterError(SpecError):
    """A config has a parameter that the task does not take.

    Args:
        message: What is wrong, and the nearest name.
        spec: Name of the spec.
        path: The parameter.
    """

    def __init__(self, message: str, *, spec: str = "", path: str = "") -> None:
        super().__init__(message)
        self.spec = spec
        self.path = path


class CallError(SpecError, TypeError):
    """The arguments of a call do not fit the function: too many, missing, or unknown."""


class ConfigError(SpecError):
    """A document or an override of one is not as it should be; the message begins with where."""


class GraphError(FlowError, ValueError):
    """The specs do not form a graph."""


class SelectorError(FlowError, ValueError):
    """What was written is no selector."""


class NothingSelected(SelectorError):
    """A selector that selects nothing, or a name that nothing has."""


class ColumnUnknown(FlowError, ValueError):
    """A table has no such column, or several that are called so."""


class CodeChanged(FlowError):
    """Results were made by other code, and under `on_code_change="error"` nothing is run then."""


class MigrationError(FlowError, ValueError):
    """Old results cannot be given the keys that are asked for."""


class SettingsError(FlowError, ValueError):
    """A setting is unknown, or its value is none."""


class ResourceError(FlowError, ValueError):
    """A demand that the resources of the run can never meet."""


class RunError(FlowError, RuntimeError):
    """Something the run itself cannot do."""


class TaskFailed(RunError):
    """A task failed, and its own exception cannot be rebuilt in this process."""


class WaitTimeout(TaskFailed, TimeoutError):
    """Another process was computing a task for longer than its `wait_timeout` allows."""


class WorkerDied(RunError):
    """The process of a task ended without an answer."""


class InputError(RunError):
    """The inputs of a task cannot be collected from its predecessors."""


class InputChanged(RunError):
    """An input file is gone, or has another content than when it was named."""


class ProgramNotFound(RunError):
    """A program of a shell task is not here, or cannot be started."""


class ProgramFailed(RunError):
    """A program of a shell task has ended with an exit code that does not stand for success.

    Args:
        message: Which one, how it ended, and the end of what it said.
        returncode: Its exit code; that of a signal is negative.
    """

    def __init__(self, message: str, returncode: int) -> None:
        super().__init__(message)
        self.returncode = returncode

    def __reduce__(self) -> tuple[object, ...]:
        return ProgramFailed, (str(self), self.returncode)


class OutputMissing(RunError):
    """A program has not made a file that is declared."""


class MissingExtra(RunError):
    """An optional dependency is not installed."""


def refuse_missing(executor: str, engine: str, *packages: str) -> None:
    """See to it that an executor's extra is installed; nothing of it is imported.

    Args:
        executor: The name of the executor, and of the extra.
        engine: What the user knows it as.
        packages: What belongs to it.

    Raises:
        MissingExtra: one of the packages is not there.
    """
    if not all(map(_is_installed, packages)):
        words = f"executor=\"{executor}\" needs {engine}: pip install 'flowlib-runner[{executor}]'"
        raise MissingExtra(words)


def _is_installed(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        found = find_spec(package)
    except ImportError:  # somebody keeps it from being imported
        return False
    return found is not None and found.origin is not None  # a mere folder has none


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint like ` Did you mean lr?`, or an empty string when nothing is near."""
    import difflib  # few programs need a hint

    by_lower = {each.casefold(): each for each in known}
    matches = difflib.get_close_matches(name.casefold(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[matches[0]]}?" if matches else ""
