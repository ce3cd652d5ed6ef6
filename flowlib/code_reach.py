"""Where does a name lead? To source of the project, or out of it: to a package, to Python."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Final

from flowlib.code_files import Definition, source_file
from flowlib.code_modules import ModulePlace, Modules, Origin
from flowlib.code_names import Imported, Reference
from flowlib.code_spaces import ABSENT, Space, local_space
from stores.lazy_dataclass import dataclass

_PLAIN: Final = (bool, int, float, complex, str, bytes, type(None))
_GETATTR: Final = "__getattr__"
_SCRIPT: Final = "__main__"
"""Who imports it as a whole asks how the program was started."""


class SourceUnknown(Exception):
    """Something of the project is reached whose source cannot be read."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A definition of the project.

    Attributes:
        space: Where it stands.
        name: Its name there.
    """

    space: Space
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.space.key, self.name

    @property
    def definition(self) -> Definition:
        """Its source."""
        found = self.space.definition(self.name)
        if found is None:
            raise SourceUnknown(f"{self.space.place.name}.{self.name}")
        return found


@dataclass(frozen=True, slots=True)
class Outside:
    """Something that is not of the project.

    Attributes:
        label: What it is.
        package: The module of an installed package that it comes from, if it does.
    """

    label: str
    package: str = ""


Target = Unit | Outside
_Seen = frozenset[tuple[str, str]]
_NOTHING: Final[_Seen] = frozenset()


class Reach:
    """Follows names, through modules and imports."""

    def __init__(self) -> None:
        self._modules = Modules()
        self._spaces: dict[str, Space] = {}

    def of_task(self, task: Callable[..., object]) -> list[Target]:
        """Where a function or class is defined.

        Raises:
            SourceUnknown: it has no source.
        """
        place = self._modules.find(task.__module__ or "")
        qualname = task.__qualname__
        if place.origin is Origin.PACKAGE:
            return [Outside(f"{place.name}.{qualname}", place.name)]
        if place.path is not None and "<" not in qualname:
            found = self._lookup(self._space(place), (qualname.partition(".")[0],), _NOTHING)
            if found:
                return found
        space = local_space(task, place)
        if space is None:
            raise SourceUnknown(f"{place.name}.{qualname}")
        return [Unit(space, qualname)]

    def of_object(self, value: Callable[..., object]) -> list[Target]:
        """Where a function or class is defined, whosever it is.

        Raises:
            SourceUnknown: it is one of the project and has no source.
        """
        place = self._modules.find(value.__module__ or "")
        is_running = place.origin is Origin.PROJECT or place.name == _SCRIPT
        if isinstance(value, FunctionType) or is_running:
            return self.of_task(value)
        package = place.name if place.origin is Origin.PACKAGE else ""
        return [Outside(f"{place.name}.{value.__qualname__}", package)]

    def of_reference(self, unit: Unit, reference: Reference) -> list[Target]:
        """Where a name leads that a definition uses; nowhere for what is built in.

        Raises:
            SourceUnknown: to a file of the project that cannot be read.
        """
        if not reference.imported:
            return self._lookup(unit.space, reference.chain, _NOTHING)
        rest = reference.chain[1:]
        found = [self._imported(unit.space, each, rest, _NOTHING) for each in reference.imported]
        return [target for targets in found for target in targets]

    def _lookup(self, space: Space, chain: tuple[str, ...], seen: _Seen) -> list[Target]:
        """Where a name leads in a space."""
        name, *rest = chain
        if (space.key, name) in seen:
            return []
        seen |= {(space.key, name)}
        if (value := space.value(name)) is not ABSENT:
            return self._of_value(value, tuple(rest))
        found: list[Target] = []
        if name in space.own or space.definition(name) is not None:
            found.append(Unit(space, name))
        for imported in space.imports(name):
            found += self._imported(space, imported, tuple(rest), seen)
        return found or self._implied(space, chain, seen)

    def _implied(self, space: Space, chain: tuple[str, ...], seen: _Seen) -> list[Target]:
        """Where a name leads that its module does not write down itself."""
        place = space.place
        perhaps: list[Target] = []
        for star in space.stars:
            found = self._imported(
                space, Imported(star.module, chain[0], star.level), chain[1:], seen
            )
            inside: list[Target] = [each for each in found if isinstance(each, Unit)]
            if inside:
                return inside
            perhaps += found
        if place.locations is not None:
            submodule = self._modules.find(f"{place.name}.{chain[0]}")
            if submodule.path or submodule.locations:
                return self._in_module(submodule, chain[1:], seen)
        if hasattr(builtins, chain[0]):
            return []
        if not perhaps and space.definition(_GETATTR) is not None:
            return [Unit(space, _GETATTR)]
        return perhaps

    def _imported(
        self, space: Space, imported: Imported, rest: tuple[str, ...], seen: _Seen
    ) -> list[Target]:
        package = space.place.package
        name = self._modules.absolute(imported.module, imported.level, package)
        chain = (imported.name, *rest) if imported.name else rest
        return self._in_module(self._modules.find(name), chain, seen)

    def _in_module(self, place: ModulePlace, chain: tuple[str, ...], seen: _Seen) -> list[Target]:
        if place.origin is not Origin.PROJECT or (place.name == _SCRIPT and not chain):
            package = place.name if place.origin is Origin.PACKAGE else ""
            return [Outside(".".join((place.name, *chain)), package)]
        space = self._space(place)
        if chain:
            return self._lookup(space, chain, seen) or [Outside(chain[0])]
        return [Unit(space, name) for name in space.names]  # the whole module is handed on

    def _space(self, place: ModulePlace) -> Space:
        """The names of a module.

        Raises:
            SourceUnknown: its file cannot be read.
        """
        key = place.path or place.name
        if key not in self._spaces:
            source = None if place.path is None else source_file(place.path)
            if place.path is not None and source is None:
                raise SourceUnknown(place.path)
            self._spaces[key] = Space(key, place, source)
        return self._spaces[key]

    def _of_value(self, value: object, rest: tuple[str, ...]) -> list[Target]:
        """Where an object leads that is known only because the program runs."""
        if isinstance(value, ModuleType):
            return self._in_module(self._modules.find(value.__name__), rest, _NOTHING)
        if isinstance(value, _PLAIN):
            return [Outside(f"{type(value).__name__} {value!r}")]
        if isinstance(value, (FunctionType, type)):
            return self.of_object(value)
        return self.of_object(type(value))
