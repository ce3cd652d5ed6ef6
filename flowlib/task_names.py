"""Which class or function does a name in a document mean?"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from flowlib.context import Task
from flowlib.decorated import Decorated
from flowlib.errors import ConfigError, nearest
from flowlib.setting_sources import project_folder
from flowlib.signature import is_task_class
from stores.canonical import qualified_name


class TaskNames:
    """Finds tasks by name.

    The folder of the document, and that of its project, are looked at after all others, so that
    a file beside it never hides an installed module of the same name.

    Args:
        modules: Names of modules, or of files relative to `folder`.
        folder: Where the document lies.

    Raises:
        ConfigError: a module cannot be imported.
    """

    def __init__(self, modules: Sequence[str], folder: Path) -> None:
        self._folder = folder.resolve()
        self._project = project_folder(self._folder)
        self._modules = [self._module(each) for each in modules]

    def find(self, name: str) -> Callable[..., object]:
        """The task called `name` or `module:name`.

        Raises:
            ConfigError: there is none; the message has the nearest name.
        """
        module_name, colon, attribute = name.rpartition(":")
        modules = [self._module(module_name)] if colon else self._modules
        for module in modules:
            found: Any = module
            for part in attribute.split("."):
                found = getattr(found, part, None)
            if found is not None:
                return _checked(found, name)
        if not modules:
            raise ConfigError(f"{name} is in no module: name it module:{name}, or give import")
        where = ", ".join(module.__name__ for module in modules)
        known = {each for module in modules for each in _tasks_in(module)}
        has = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"{where} has no {attribute}.{nearest(attribute, known)} It has: {has}")

    def _module(self, name: str) -> ModuleType:
        if name.endswith(".py"):
            return self._file((self._folder / name).resolve())
        self._add(self._folder)
        self._add(self._project)
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and name.startswith(error.name):
                raise ConfigError(f"there is no module {name}") from None
            raise ConfigError(f"{name} cannot be imported: {error}") from error
        except Exception as error:
            raise ConfigError(
                f"{name} cannot be imported: {type(error).__name__}: {error}"
            ) from error

    def _file(self, path: Path) -> ModuleType:
        if not path.is_file():
            raise ConfigError(f"there is no file {path}")
        self._add(path.parent)
        module = self._module(path.stem)
        found = getattr(module, "__file__", None)
        if found is None or Path(found).resolve() != path:
            raise ConfigError(
                f"{path.stem} is {found or 'built in'}, not {path}: workers find modules by name, "
                f"so please rename the file"
            )
        return module

    def _add(self, folder: Path) -> None:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))


def name_for(task: Callable[..., object], spec: str) -> str:
    """What a document calls a task: `module:attribute`.

    Raises:
        ConfigError: it cannot be found by a name.
    """
    name = qualified_name(task)
    if "<" in name:
        raise ConfigError(f"{spec}: {name} is defined inside a function, so no name leads to it")
    return name


def _checked(found: object, name: str) -> Callable[..., object]:
    if is_task_class(found) or inspect.isfunction(found) or isinstance(found, Decorated):
        return found
    raise ConfigError(
        f"{name} is a {type(found).__name__}, no class derived from Task, no function"
    )


def _tasks_in(module: ModuleType) -> Iterator[str]:
    for name, found in vars(module).items():
        is_function = inspect.isfunction(found) or isinstance(found, Decorated)
        if found is not Task and (is_task_class(found) or is_function):
            yield name
