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

from stores.errors import StoreError, UnknownPlugin

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
        self._at_hand: tuple[tuple[str, type[T]], ...] | None = None
        self._with: dict[tuple[str, ...], tuple[tuple[str, type[T]], ...]] = {}

    @property
    def names(self) -> list[str]:
        """Every name that `find` accepts, sorted."""
        return sorted({*self._modules, *self._outside, *self._found})

    @property
    def names_at_hand(self) -> list[str]:
        """The names that need no look at the packages installed here, which costs 30 ms once."""
        return sorted({*self._modules, *self._found})

    def find(self, name: str) -> type[T]:
        """The class that serves `name`.

        Raises:
            UnknownPlugin: no module and no entry point has this name.
            StoreError: what has this name is not one concrete subclass of the base.
        """
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._load(name)
            self._forget()
        return found

    @property
    def at_hand(self) -> tuple[tuple[str, type[T]], ...]:
        """Name and class of all `names_at_hand`; the same object until something is added."""
        if self._at_hand is None:
            self._at_hand = tuple([(name, self.find(name)) for name in self.names_at_hand])
        return self._at_hand

    def loaded_with(self, names: tuple[str, ...]) -> tuple[tuple[str, type[T]], ...]:
        """Name and class of what was found or registered before, and of `names`.

        The others stay where they are: all together take 30 ms to be imported. The same object
        until something is added.
        """
        known = self._with.get(names)
        if known is None:
            classes = {name: self.find(name) for name in names} | self._found
            known = self._with[names] = tuple([(name, classes[name]) for name in sorted(classes)])
        return known

    def _forget(self) -> None:
        self._at_hand = None
        self._with.clear()

    def register(self, name: str, plugin: type[T]) -> None:
        """Let `plugin` serve `name` in this process.

        Raises:
            StoreError: it is not a concrete subclass of the base.
        """
        self._found[name] = self._checked(plugin, f"the class registered as {name!r}")
        self._forget()

    def _load(self, name: str) -> type[T]:
        if name in self._modules:
            return self._only_class_in(f"{self.package}.{name}")
        if name in self._outside:
            return self._checked(self._outside[name](), f"the entry point {name!r}")
        raise UnknownPlugin(self.kind, name, self.names)

    @cached_property
    def _modules(self) -> frozenset[str]:
        path = importlib.import_module(self.package).__path__
        names = (module.name for module in pkgutil.iter_modules(path))
        return frozenset(name for name in names if not name.startswith("_"))

    @cached_property
    def _outside(self) -> dict[str, Callable[[], type[T]]]:
        from importlib.metadata import entry_points  # slow to import; most names are modules

        return {point.name: point.load for point in entry_points(group=self.package)}

    def _only_class_in(self, module_name: str) -> type[T]:
        module = importlib.import_module(module_name)
        own = [
            each for each in vars(module).values() if getattr(each, "__module__", "") == module_name
        ]
        found = [each for each in own if self._is_concrete(each)]
        if len(found) != 1:
            names = ", ".join(each.__name__ for each in found) or "none"
            raise StoreError(
                f"{module_name} should define one concrete subclass of {self.base.__name__}, so "
                f"that its name stands for a {self.kind}; it defines: {names}"
            )
        return self._checked(found[0], module_name)

    def _checked(self, plugin: type[T], what: str) -> type[T]:
        if not self._is_concrete(plugin):
            raise StoreError(
                f"{what} is {plugin!r}, but a {self.kind} is a subclass of "
                f"{self.base.__module__}.{self.base.__qualname__} without abstract methods"
            )
        return plugin

    def _is_concrete(self, plugin: object) -> bool:
        return (
            inspect.isclass(plugin)
            and issubclass(plugin, self.base)
            and not inspect.isabstract(plugin)
        )
