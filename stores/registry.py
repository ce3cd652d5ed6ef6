"""
Which class serves a name that a user writes? The one in the module of that name.

`open_store("file:…")` is served by `stores/backends/file.py`. Adding a backend, a codec, an
executor, an expansion or a view is one new file and no edit anywhere else. Packages outside this
distribution announce the same thing as an entry point of the group named like the folder.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cached_property
from typing import Generic, TypeVar

from stores.errors import UnknownPlugin

T = TypeVar("T")


class Registry(Generic[T]):
    """Looks a class up by name; imports nothing until it is asked.

    Args:
        kind: What is looked up, for error messages: "store", "executor".
        base: Every class found is a concrete subclass of it.
        package: Import path of the folder whose modules are the built-in choices.
    """

    def __init__(self, kind: str, base: type[T], package: str) -> None:
        self.kind = kind
        self.base = base
        self.package = package
        self._found: dict[str, type[T]] = {}

    @property
    def names(self) -> list[str]:
        """Every name that `find` accepts, sorted."""
        return sorted({*self._modules, *self._outside, *self._found})

    def find(self, name: str) -> type[T]:
        """The class that serves `name`.

        Raises:
            UnknownPlugin: no module and no entry point has this name.
        """
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._load(name)
        return found

    def register(self, name: str, plugin: type[T]) -> None:
        """Let `plugin` serve `name` in this process."""
        self._found[name] = plugin

    def _load(self, name: str) -> type[T]:
        if name in self._modules:
            return self._only_class_in(f"{self.package}.{name}")
        if name in self._outside:
            return self._outside[name]()
        raise UnknownPlugin(self.kind, name, self.names)

    @cached_property
    def _modules(self) -> frozenset[str]:
        path = importlib.import_module(self.package).__path__
        return frozenset(module.name for module in pkgutil.iter_modules(path))

    @cached_property
    def _outside(self) -> dict[str, Callable[[], type[T]]]:
        from importlib.metadata import entry_points  # slow to import; most names are modules

        return {point.name: point.load for point in entry_points(group=self.package)}

    def _only_class_in(self, module_name: str) -> type[T]:
        module = importlib.import_module(module_name)
        found = [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and issubclass(value, self.base)
            and value.__module__ == module_name
            and not inspect.isabstract(value)
        ]
        if len(found) != 1:
            names = ", ".join(each.__name__ for each in found) or "none"
            raise UnknownPlugin(
                self.kind, f"{module_name} (one concrete class is needed, it has {names})", []
            )
        return found[0]
