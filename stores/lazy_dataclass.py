"""
The `dataclass` of the standard library for this package, with methods that cost no time at import.

That of Python 3.11 compiles up to eight methods for each class, 0.37 ms for one of six fields (seen
2026-11-22), and a start of flowlib makes a hundred and fifty classes: a third of its time. Here the
fields and slots are still made by `dataclasses`, so that `fields`, `replace` and `asdict` work; the
methods that are the same for all classes are not compiled, and `__init__` is when it is first asked
for, as `dataclasses` does it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from operator import attrgetter
from reprlib import recursive_repr
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Final

_USUAL: Final = frozenset({"frozen", "slots", "eq", "repr"})
"""What is done here; a class that asks for something else is left to `dataclasses`."""


class _Factory:
    """Stands for a default that is made anew for each object."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY: Final = _Factory()

Values = Callable[[Any], tuple[Any, ...]]
"""Gives the values of some fields of an object."""

__all__ = ["dataclass"]


def _dataclass(cls: type | None = None, /, **options: Any) -> Any:
    """As `dataclasses.dataclass`, which makes the class if the options are unusual."""

    def made(cls: type) -> type:
        if options.keys() - _USUAL:
            return dataclasses.dataclass(**options)(cls)
        return _made(cls, **options)

    return made if cls is None else made(cls)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass


def _made(
    cls: type, *, frozen: bool = False, slots: bool = False, eq: bool = True, repr: bool = True
) -> type:
    own = cls.__dict__
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    if "__init__" not in own:
        made.__init__ = _Init(made, is_frozen=frozen)
    if repr and "__repr__" not in own:
        made.__repr__ = _described
    if eq:
        _compare(made, own, is_frozen=frozen)
    if frozen:
        made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    if frozen and slots:
        for name, method in (("__getstate__", _state), ("__setstate__", _take_state)):
            if name not in own:
                setattr(made, name, method)
    return made  # type: ignore[no-any-return]  # the class


class _Init:
    """Stands where `__init__` will be, until somebody asks for it."""

    def __init__(self, cls: Any, *, is_frozen: bool) -> None:
        self._cls = cls
        self._is_frozen = is_frozen

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        init: Any = _new_init(self._cls, is_frozen=self._is_frozen)
        self._cls.__init__ = init
        return init.__get__(instance, owner)


def _new_init(cls: Any, *, is_frozen: bool) -> Callable[..., None]:
    """The `__init__` of a class: its fields in order, those for keywords last."""
    known: dict[str, Any] = {"_FACTORY": _FACTORY, "_set": object.__setattr__}
    heads: tuple[list[str], list[str]] = ([], [])
    lines: list[str] = []
    for each in fields(cls):
        head, given = _parameter(each, known)
        if head is not None:
            heads[bool(each.kw_only)].append(head)
        if given is not None:
            setter = _setter(cls, each.name, known) if is_frozen else f"self.{each.name} = {{}}"
            lines.append(setter.format(given))
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    star = ["*"] if heads[1] else []
    text = f"def __init__({', '.join(['self', *heads[0], *star, *heads[1]])}):\n  "
    exec(text + "\n  ".join(lines or ["pass"]), known)  # noqa: S102  # of our own names of fields
    init: Any = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    init.__annotations__ = {e.name: e.type for e in fields(cls) if e.init} | {"return": None}
    return init  # type: ignore[no-any-return]  # the function


def _setter(cls: Any, name: str, known: dict[str, Any]) -> str:
    """How a field of a frozen object is set: by its slot in two thirds of the usual time."""
    slot = getattr(cls, name, None)
    if not isinstance(slot, MemberDescriptorType):
        return f"_set(self, {name!r}, {{}})"
    known[f"_set_{name}"] = slot.__set__
    return f"_set_{name}(self, {{}})"


def _parameter(
    each: dataclasses.Field[Any], known: dict[str, Any]
) -> tuple[str | None, str | None]:
    """The parameter of a field, and the text of its value; None without one."""
    name, default, factory = each.name, f"_default_{each.name}", f"_factory_{each.name}"
    known[default], known[factory] = each.default, each.default_factory
    if each.default_factory is not MISSING:
        if not each.init:
            return None, f"{factory}()"
        return f"{name}=_FACTORY", f"{factory}() if {name} is _FACTORY else {name}"
    if not each.init:
        return None, None if each.default is MISSING else default
    return name if each.default is MISSING else f"{name}={default}", name


def _values(names: list[str]) -> Values:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda each: tuple([getattr(each, name) for name in names])


def _compare(made: Any, own: Any, *, is_frozen: bool) -> None:
    """Objects are equal if they are of one class and their fields are; frozen ones have a hash."""
    values = _values([each.name for each in fields(made) if each.compare])

    def __eq__(self: Any, other: Any) -> bool:  # noqa: N807  # becomes that method
        return (
            values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented
        )

    def __hash__(self: Any) -> int:  # noqa: N807  # becomes that method
        return hash(values(self))

    if "__eq__" not in own:
        made.__eq__ = __eq__
    if "__hash__" not in own:
        made.__hash__ = __hash__ if is_frozen else None


@recursive_repr()
def _described(self: Any) -> str:
    told = [f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr]
    return f"{type(self).__qualname__}({', '.join(told)})"


def _refuse_to_set(self: Any, name: str, value: object) -> None:
    if "__dataclass_fields__" in type(self).__dict__ or name in type(self).__dataclass_fields__:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _refuse_to_delete(self: Any, name: str) -> None:
    if "__dataclass_fields__" in type(self).__dict__ or name in type(self).__dataclass_fields__:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _take_state(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
