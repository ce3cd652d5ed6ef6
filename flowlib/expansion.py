"""How are the axes of a sweep combined? The one class to derive from for a new method."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from flowlib.errors import SweepError
from stores.errors import UnknownPlugin
from stores.lazy_dataclass import dataclass
from stores.registry import Registry

ConfigFunction = Callable[..., Iterable[dict[str, object]]]
"""`function(config, group_prefix=None)`: the configs of one config, all of them at once."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One independent direction of a sweep.

    Attributes:
        path: Where it stands in the config, `model.layers` or `model[1].depth`.
        size: Number of its alternatives; None: a continuous one.
        group: Name of the lists it advances with; None: it stands alone.
    """

    path: str
    size: int | None
    group: str | None = None


class Expansion(ABC):
    """Chooses a point on every axis, as often as there are tasks to make.

    Lists of one group are one axis already, and so are parameters that depend on each other
    (a dict with lists of its own among the choices, a condition): every combination of indices
    is a valid point, and different indices are different points.
    """

    samples: ClassVar[bool] = False
    """Whether it draws from the space instead of walking through it: only then may axes be
    continuous, and only then is the order of the points its own."""

    def group(self, axis: Axis) -> str | None:
        """The group that a list of several choices belongs to, asked before axes are made."""
        return axis.group

    @abstractmethod
    def combine(self, axes: Sequence[Axis]) -> Iterator[Sequence[int | float]]:
        """Yield one row per task: an index into each axis, a number in [0, 1) if continuous.

        Walking expansions yield in product order, the last axis fastest.

        Raises:
            SweepError: the axes cannot be combined.
        """


class FunctionExpansion(Expansion):
    """A method given as a function of the whole config; derived by `register_expansion`."""

    function: ClassVar[ConfigFunction]

    def configs(self, config: Mapping[str, object], group_prefix: str | None) -> Iterable[object]:
        """The configs the function makes of `config`."""
        return type(self).function(dict(config), group_prefix=group_prefix)

    def combine(self, axes: Sequence[Axis]) -> Iterator[Sequence[int | float]]:
        raise SweepError(f"{type(self).__name__} makes whole configs and combines no axes")


expansions: Final[Registry[Expansion]] = Registry("expansion", Expansion, "flowlib.expansions")  # type: ignore[type-abstract]


def register_expansion(name: str, method: type[Expansion] | ConfigFunction) -> None:
    """Make `expand=name` mean `method` in this process.

    Args:
        name: What a user writes after `expand=`.
        method: A class derived from `Expansion`, or a function
            `function(config, group_prefix=None)` that returns the list of configs.
    """
    if isinstance(method, type):
        expansions.register(name, method)
        return
    namespace = {"function": staticmethod(method), "__module__": method.__module__}
    expansions.register(name, type(name, (FunctionExpansion,), namespace))


def find_expansion(expand: object, spec: str = "") -> Expansion:
    """The method a user asks for by name, by name with options, or as an object.

    Raises:
        SweepError: there is no such method, or it does not take these options.
    """
    if isinstance(expand, Expansion):
        return expand
    name, options = _name_and_options(expand, spec)
    try:
        method = expansions.find(name)
    except UnknownPlugin as error:
        raise SweepError(str(error), spec=spec, path="expand") from None
    try:
        return method(**options)
    except TypeError as error:
        known = ", ".join(inspect.signature(method).parameters) or "none"
        raise SweepError(
            f'{error}; the options of "{name}" are: {known}, written as'
            f' expand={{"{name}": {{option: value}}}}',
            spec=spec,
            path="expand",
        ) from error


def _name_and_options(expand: object, spec: str) -> tuple[str, dict[str, object]]:
    if isinstance(expand, str):
        return expand, {}
    if isinstance(expand, Mapping) and len(expand) == 1:
        [(name, options)] = expand.items()
        if isinstance(name, str) and isinstance(options, Mapping):
            return name, dict(options)
    raise SweepError(
        f"found {expand!r}; allowed are None, a name such as 'product' (one of"
        f" {', '.join(expansions.names)}), {{name: {{option: value}}}}, or an Expansion",
        spec=spec,
        path="expand",
    )
