"""
Whose code is a module: the project's, a package's that is installed, Python's, or flowlib's own?

It is found without being imported. Nothing but the finders of `sys.meta_path` is called.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Iterable
from enum import Enum
from importlib.machinery import ModuleSpec
from pathlib import PurePath
from typing import Final

import stores
from stores.lazy_dataclass import dataclass

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_OURS: Final = tuple(str(PurePath(each).parent) for each in (__file__, stores.__file__))


class Origin(Enum):
    """Whose a module is."""

    PROJECT = "project"
    PACKAGE = "package"
    ELSEWHERE = "elsewhere"  # of Python, of flowlib, without source, or not there


@dataclass(frozen=True, slots=True)
class ModulePlace:
    """Where a module is.

    Attributes:
        name: Its name.
        origin: Whose it is.
        path: The file with its source; None for a folder without `__init__.py`, too.
        package: What relative imports in it are relative to.
        locations: Where its submodules are; None if it has none.
    """

    name: str
    origin: Origin
    path: str | None = None
    package: str = ""
    locations: tuple[str, ...] | None = None


class Modules:
    """Finds modules, and remembers them; made anew for each plan, as files come and go."""

    def __init__(self) -> None:
        self._places: dict[str, ModulePlace] = {}

    def find(self, name: str) -> ModulePlace:
        """Where the module of this name is."""
        if name not in self._places:
            self._places[name] = self._found(name)
        return self._places[name]

    def absolute(self, module: str, level: int, package: str) -> str:
        """The name of a module that an import names, in a module of `package`."""
        if level == 0:
            return module
        parents = package.split(".")
        kept = parents[: len(parents) - level + 1]
        return ".".join([*kept, *([module] if module else [])])

    def _found(self, name: str) -> ModulePlace:
        spec = self._spec(name)
        if spec is None:
            return _script(name) or ModulePlace(name, Origin.ELSEWHERE)
        given = spec.submodule_search_locations
        locations = None if given is None else tuple(str(each) for each in given)
        path = spec.origin if spec.has_location else None
        origin = origin_of([path] if path else locations or ())
        return ModulePlace(name, origin, _source(path), spec.parent or "", locations)

    def _spec(self, name: str) -> ModuleSpec | None:
        known = getattr(sys.modules.get(name), "__spec__", None)
        if isinstance(known, ModuleSpec):
            return known
        parent, _, _ = name.rpartition(".")
        locations = None
        if parent:
            found = self.find(parent)
            if found.locations is None:
                return None
            locations = list(found.locations)
        return _asked(name, locations)


def origin_of(paths: Iterable[str]) -> Origin:
    """Whose code files or folders are; without one it is not known."""
    paths = list(paths)
    if not paths:
        return Origin.ELSEWHERE
    if any(_INSTALLED & set(PurePath(each).parts) for each in paths):
        return Origin.PACKAGE
    known = (*_OURS, *_standard_folders())
    is_known = any(PurePath(each).is_relative_to(folder) for each in paths for folder in known)
    return Origin.ELSEWHERE if is_known else Origin.PROJECT


def versions_of(module: str) -> dict[str, str]:
    """The distributions that a module of an installed package may come from, with versions."""
    from importlib import metadata  # slow to import, and many tasks need no package

    root = module.partition(".")[0]
    try:
        return {_normal(root): metadata.version(root)}
    except metadata.PackageNotFoundError:
        names = sorted(set(_distributions().get(root, ())))
    if len(names) > 1:  # a namespace that many share
        names = [each for each in names if _normal(module).startswith(_normal(each))]
    return {_normal(each): metadata.version(each) for each in names} or {_normal(root): ""}


def _asked(name: str, locations: list[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, locations)
        except Exception:  # noqa: BLE001  # a finder of whoever has put it there
            continue
        if spec is not None:
            return spec
    return None


def _script(name: str) -> ModulePlace | None:
    """A script that was started has no spec, but a file."""
    path = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(path, str):
        return None
    return ModulePlace(name, origin_of([path]), _source(path))


def _source(path: str | None) -> str | None:
    return path if path is not None and path.endswith(".py") else None


@functools.cache
def _standard_folders() -> tuple[str, ...]:
    """What `sysconfig` calls stdlib and platstdlib; it takes 10 ms to say so."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return tuple(
        {str(PurePath(os.__file__).parent), f"{sys.exec_prefix}/{sys.platlibdir}/{version}"}
    )


@functools.cache
def _distributions() -> dict[str, list[str]]:
    from importlib import metadata

    return {name: list(found) for name, found in metadata.packages_distributions().items()}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
