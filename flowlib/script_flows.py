"""Which flows does a Python script make? Those among its globals, or one of the specs there."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

from flowlib.errors import ConfigError, nearest
from flowlib.flow import Flow
from flowlib.setting_sources import project_folder
from flowlib.spec import TaskSpec

_NAMED: Final = "it is imported, so what stands under `if __name__ == '__main__':` is not run"


def is_script(text: str) -> bool:
    """Whether a word of the command line names a script: `train.py`, `train.py:flow`."""
    return text.partition(":")[0].endswith(".py")


def flows_of_script(text: str) -> Mapping[str, Flow]:
    """The flows of a script by the names that they have in it.

    The script is imported. If it has no flow, one is made of all specs among its globals, which
    is called "".

    Args:
        text: The path of the script; behind a colon the name of one flow, or of one spec.

    Raises:
        ConfigError: the script cannot be imported, or has neither.
    """
    path, _, name = text.partition(":")
    module = _imported(Path(path))
    known = {key: value for key, value in vars(module).items() if not key.startswith("__")}
    if name:
        return {name: _named(path, name, known)}
    flows = {key: value for key, value in known.items() if isinstance(value, Flow)}
    if flows:
        return flows
    specs = {id(value): value for value in known.values() if isinstance(value, TaskSpec)}
    if not specs:
        raise ConfigError(f"{path} has neither a Flow nor a spec among its globals; {_NAMED}")
    return {"": Flow(list(specs.values()))}


def _named(path: str, name: str, known: Mapping[str, object]) -> Flow:
    found = known.get(name)
    if isinstance(found, Flow):
        return found
    if isinstance(found, TaskSpec):
        return Flow([found])
    names = [key for key, value in known.items() if isinstance(value, (Flow, TaskSpec))]
    has = ", ".join(names) or "none"
    raise ConfigError(
        f"{path} has no Flow or spec {name!r}.{nearest(name, names)} It has: {has}; {_NAMED}"
    )


def _imported(path: Path) -> ModuleType:
    """The script as a module, as workers import it."""
    if not path.is_file():
        beside = [each.name for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise ConfigError(f"there is no script {path}.{nearest(path.name, beside)}")
    resolved = path.resolve()
    for folder in (resolved.parent, project_folder(resolved.parent)):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))  # never before others: it could hide an installed module
    try:
        with contextlib.redirect_stdout(sys.stderr):
            module = importlib.import_module(path.stem)
    except Exception as error:  # noqa: BLE001  # the user's code may raise anything
        raise ConfigError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != resolved:
        raise ConfigError(f"{path} is hidden by {found or 'a module of Python'}: rename the script")
    return module
