"""
How are the rarer types written as canonical text, and how are their tags read back?

A rule takes a value of one type and gives the tag, a name and a simpler value that stand for it:
`Color.RED` is `("enum", "module:Color", "RED")`. No tag means the simpler value alone, no name
means none. Rules for numpy are in `stores.canonical_arrays`, which is loaded where numpy is.
"""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import enum
import functools
import pathlib
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

from stores.errors import Unencodable
from stores.opaque import Opaque

Form = tuple[str, str, Any]
Rule = Callable[[Any], Form]


def rule_for(kind: type) -> Rule:
    """How values whose exact type is `kind` are written; common types need none."""
    if hasattr(kind, "__flowlib_identity__"):
        return lambda value: ("identity", name_of(kind), value.__flowlib_identity__())
    if kind is Opaque:
        return lambda value: (value.kind, "", value.content)
    for rules in (_enum, _stdlib, _structure, _numpy, _derived, _named):
        rule = rules(kind)
        if rule is not None:
            return rule
    return _by_reference


def _enum(kind: type) -> Rule | None:
    if not issubclass(kind, enum.Enum):
        return None
    return lambda value: ("enum", name_of(kind), value.name or value.value)


def _clock(value: datetime.datetime | datetime.time) -> object:
    """The second of two equal hours, when clocks are put back, is marked."""
    return [value.isoformat(), value.fold] if value.fold else value.isoformat()


_STDLIB: Final[dict[type, tuple[str, Callable[[Any], object]]]] = {
    bytes: ("bytes", lambda v: base64.b64encode(v).decode()),
    bytearray: ("bytearray", lambda v: base64.b64encode(v).decode()),
    complex: ("complex", lambda v: [v.real, v.imag]),
    range: ("range", lambda v: [v.start, v.stop, v.step]),
    slice: ("slice", lambda v: [v.start, v.stop, v.step]),
    datetime.datetime: ("datetime", _clock),
    datetime.date: ("date", lambda v: v.isoformat()),
    datetime.time: ("time", _clock),
    datetime.timedelta: ("timedelta", lambda v: [v.days, v.seconds, v.microseconds]),
    re.Pattern: ("pattern", lambda v: [v.pattern, v.flags]),
}

_LOADED_SELDOM: Final = {"Decimal": "decimal", "Fraction": "fractions", "UUID": "uuid"}
"""Types whose text is all there is to know, and their modules: without these there is no value."""


def _stdlib(kind: type) -> Rule | None:
    if issubclass(kind, pathlib.PurePath):
        return lambda value: ("path", "", str(value))
    if kind in _STDLIB:
        tag, simplify = _STDLIB[kind]
        return lambda value: (tag, "", simplify(value))
    module = _LOADED_SELDOM.get(kind.__name__)
    if module is not None and getattr(sys.modules.get(module), kind.__name__, None) is kind:
        return lambda value: (kind.__name__.lower(), "", str(value))
    if issubclass(kind, datetime.datetime):  # of pandas, pendulum, …
        return _moment
    if issubclass(kind, (bytes, bytearray, complex)):
        base = next(b for b in (bytes, bytearray, complex) if issubclass(kind, b))
        return lambda value: ("", "", base(value))
    return None


def _moment(value: datetime.datetime) -> Form:
    """A time of a class derived from `datetime`, where that can hold all of it."""
    text = value.isoformat()
    try:
        holds_all = datetime.datetime.fromisoformat(text).isoformat() == text
    except ValueError:
        holds_all = False
    return ("datetime", "", text) if holds_all else _refuse(value)


def _structure(kind: Any) -> Rule | None:
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        return _fields("dataclass", kind, names)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return lambda value: ("namedtuple", name_of(kind), list(value))
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and issubclass(kind, pydantic.BaseModel):
        write = _fields("pydantic", kind, list(kind.model_fields))
        return lambda value: _with_extra(write(value), value.model_extra)
    if hasattr(kind, "__attrs_attrs__"):
        return _fields("attrs", kind, [each.name for each in kind.__attrs_attrs__])
    return None


def _fields(tag: str, kind: Any, names: list[str]) -> Rule:
    return lambda value: (
        tag,
        name_of(kind),
        {name: getattr(value, name) for name in names if hasattr(value, name)},
    )


def _with_extra(form: Form, extra: dict[str, Any] | None) -> Form:
    return (form[0], form[1], {**form[2], **extra}) if extra else form


def _numpy(kind: type) -> Rule | None:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not issubclass(kind, (numpy.generic, numpy.ndarray, numpy.dtype)):
        return None
    from stores import canonical_arrays

    if issubclass(kind, numpy.dtype):
        return lambda value: ("dtype", "", canonical_arrays.dtype_name(value))
    if issubclass(kind, numpy.generic):
        return canonical_arrays.scalar
    plain = (numpy.ndarray, numpy.memmap, numpy.recarray, numpy.matrix)
    return canonical_arrays.array if kind in plain else None


_BASES: Final[tuple[Any, ...]] = (dict, list, str, int, float, tuple, frozenset, set)


def _derived(kind: type) -> Rule | None:
    """Classes derived from the common types count as what they are derived from."""
    for base in _BASES:
        if issubclass(kind, base):
            plain: Callable[[Any], Any] = _AS_BASE.get(base, base)
            return lambda value: ("", "", plain(value))
    if issubclass(kind, (types.MappingProxyType, collections.ChainMap)):
        return lambda value: ("", "", dict(value))
    return None


# What a class of the user's makes of `str(value)` is not what it holds.
_AS_BASE: Final[dict[type, Callable[[Any], Any]]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}


def _named(kind: type) -> Rule | None:
    if issubclass(kind, functools.partial):
        return lambda value: ("partial", "", [value.func, list(value.args), value.keywords])
    if issubclass(kind, types.MethodType):
        return _method
    if issubclass(kind, type):
        return lambda value: ("type", "", _stable_name(value))
    if issubclass(kind, types.FunctionType):
        return lambda value: ("function", "", _stable_name(value))
    if f"{kind.__module__}.{kind.__qualname__}" in ("torch.dtype", "torch.device"):
        return lambda value: ("torch", "", repr(value))
    return None


def _method(value: types.MethodType) -> Form:
    """A method of a class is known by both names; one of an instance is not."""
    if not isinstance(value.__self__, type):
        return _refuse(value)
    return "method", "", [value.__self__, value.__func__.__name__]


def _by_reference(value: Any) -> Form:
    """Anything callable that its module holds under its own name: built-ins, ufuncs, …"""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str) and not isinstance(value, Iterator):
        for module in (getattr(value, "__module__", None), type(value).__module__):
            found: Any = sys.modules.get(module or "builtins")
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is value:
                return "function", "", f"{_module_name(module or 'builtins')}:{name}"
    return _refuse(value)


def _stable_name(value: Any) -> str:
    if "<lambda>" in value.__qualname__ or "<locals>" in value.__qualname__:
        raise Unencodable(
            f"is {value.__qualname__}, which has no name that another process would know: give "
            f"it a name at the top of a module, or pass it in additional_kwargs, which are no "
            f"part of the identity"
        )
    return name_of(value)


def name_of(thing: Any) -> str:
    """`module:qualname`; the module `__main__` counts by the stem of its file."""
    module, name = thing.__module__ or "builtins", thing.__qualname__
    package, _, last = module.rpartition(".")
    is_inside = last.startswith("_") and package in sys.stdlib_module_names
    if is_inside and getattr(sys.modules.get(package), name, None) is thing:
        module = package  # versions of Python differ in where it is kept: pathlib._local
    return f"{_module_name(module)}:{name}"


def _module_name(module: str) -> str:
    if module not in ("__main__", "__mp_main__"):
        return module
    path = str(getattr(sys.modules.get("__main__"), "__file__", None) or "<notebook>")
    return "__main__" if path.startswith("<") else pathlib.PurePath(path).stem  # `<stdin>`, say


def _refuse(value: Any) -> Form:
    kind = type(value).__qualname__
    if isinstance(value, Iterator):
        raise Unencodable(
            f"is an iterator ({kind}), which can be read only once: make it a list or a tuple"
        )
    raise Unencodable(
        f"is of the type {kind}, which has no text that is the same in every process: use numbers, "
        f"strings, lists, dicts, dataclasses and the like; or give the class a method "
        f"__flowlib_identity__ that returns such a value; or pass it in additional_kwargs, "
        f"which are no part of the identity"
    )


def circle_in(value: object) -> str | None:
    """The path to the first value that contains itself; None if none does."""
    stack = [("", value, _children(value))]
    open_ids, done_ids = {id(value)}, set()
    while stack:
        _, holder, children = stack[-1]
        for step, child in children:
            if id(child) in open_ids:
                return "".join(each[0] for each in stack) + step
            if id(child) not in done_ids:
                open_ids.add(id(child))
                stack.append((step, child, _children(child)))
                break
        else:
            stack.pop()
            open_ids.discard(id(holder))
            done_ids.add(id(holder))
    return None


def _children(value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        return ((f".{key}", item) for key, item in list(value.items()))
    if isinstance(value, (list, tuple)):
        return ((f"[{index}]", item) for index, item in enumerate(value))
    if dataclasses.is_dataclass(value) or hasattr(type(value), "__attrs_attrs__"):
        names = [each for each in dir(value) if not each.startswith("__")]
        held = {name: getattr(value, "__dict__", {}).get(name) for name in names}
        return ((f".{name}", item) for name, item in held.items())
    return iter(())
