"""
How are values of any known type told in lists, dicts, texts and numbers, exactly?

As in canonical texts (`stores.canonical`), but for a reader that may import what is named: enums,
classes, functions, dataclasses, named tuples, models and arrays come back as they were. Dicts keep
their order, sweeps are there.

    (1, 2)          {"$tuple": [1, 2]}             {1: 2}      {"$dict": [[1, 2]]}
    Color.RED       {"$enum": ["m:Color", "RED"]}  fit         {"$object": "m:fit"}
    P(x=1)          {"$fields": ["m:P", {"x": 1}]} array       {"$ndarray": "k05VTVBZ…"}
    sweep(1, 2)     {"$sweep": [[1, 2], null, []]}
"""

from __future__ import annotations

import base64
import enum
import functools
import io
import json
import sys
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

from flowlib.choices import Choices, Condition, Integers, Uniform, Varying
from flowlib.decorated import Decorated
from flowlib.errors import SpecError
from flowlib.input_files import InputFile
from flowlib.references import reference, referred
from stores import Unencodable, canonical
from stores.opaque import Opaque, untag

Special = Callable[[Any], Any]
"""Gives the form of a spec or an item; None for all else."""

NAMED: Final = (type, FunctionType, BuiltinFunctionType, MethodType, Decorated)
"""What a name leads to."""

_PLAIN: Final = frozenset({str, int, bool, type(None)})


def to_plain(value: Any, path: str, special: Special) -> Any:
    """The form of a value.

    Args:
        value: It.
        path: What to call it in an error.
        special: Asked first about everything that is not plain.

    Raises:
        SpecError: it is of a type that has no form.
    """
    kind = type(value)
    if kind in _PLAIN:
        return _exact(value, path) if kind in (str, int) else value
    if (form := special(value)) is not None:
        return form
    if kind in _SEQUENCES:
        each = _each(_ordered(value), path, special)
        return each if kind is list else {f"${_SEQUENCES[kind]}": each}
    write = _dict_form if kind is dict else _object_form
    return write(value, path, special)


def from_plain(form: Any, special: Special) -> Any:
    """The value of a form.

    Args:
        form: What `to_plain` gives.
        special: Gives the value of the form of a spec or an item; None for all else.

    Raises:
        SpecError: what it names is not there, or it is no form.
    """
    if isinstance(form, list):
        return [from_plain(each, special) for each in form]
    if not isinstance(form, dict):
        return form
    if (value := special(form)) is not None:
        return value
    inner = {key: from_plain(each, special) for key, each in form.items()}
    tag = next(iter(form), "")
    if len(form) != 1 or tag[:1] != "$":
        return inner
    if tag in _MAKERS:
        return _MAKERS[tag](inner[tag])
    found = untag(inner)
    if isinstance(found, Opaque):
        raise SpecError(f"{form!r} is no form of a value")
    return found


_SEQUENCES: Final[Mapping[type, str]] = {
    list: "list",
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
}


def _ordered(value: Any) -> list[Any]:
    """The items of a list as they stand, of a set in an order that does not depend on chance."""
    return list(value) if isinstance(value, (list, tuple)) else sorted(value, key=canonical.encode)


def _each(values: Any, path: str, special: Special) -> list[Any]:
    return [to_plain(each, f"{path}[{at}]", special) for at, each in enumerate(values)]


def _dict_form(value: dict[Any, Any], path: str, special: Special) -> dict[str, Any]:
    if all(type(key) is str and key[:1] != "$" and key.isprintable() for key in value):
        return {key: to_plain(each, f"{path}.{key}", special) for key, each in value.items()}
    pairs = [
        [to_plain(key, path, special), to_plain(each, f"{path}[{key!r}]", special)]
        for key, each in value.items()
    ]
    return {"$dict": pairs}


def _object_form(value: Any, path: str, special: Special) -> dict[str, Any]:
    for kinds, write in _FORMS:
        if isinstance(value, kinds):
            return write(value, path, special)
    if (fields := fields_of(value)) is not None:
        held = {name: to_plain(each, f"{path}.{name}", special) for name, each in fields.items()}
        return {"$fields": [_named(type(value), path), held]}
    return _array_form(value) or _exact(value, path)


def _enum_form(value: Any, path: str, special: Special) -> dict[str, Any]:
    kind = _named(type(value), path)
    if value.name in type(value).__members__:
        return {"$enum": [kind, value.name]}
    return {"$flags": [kind, value.value]}


def _partial_form(value: Any, path: str, special: Special) -> dict[str, Any]:
    parts = [value.func, list(value.args), value.keywords]
    return {"$partial": to_plain(parts, path, special)}


def fields_of(value: Any) -> dict[str, Any] | None:
    """What a dataclass, a named tuple or a model holds."""
    kind: Any = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        names = list(kind.__dataclass_fields__)
    elif isinstance(value, tuple) and hasattr(kind, "_fields"):
        names = list(kind._fields)
    elif hasattr(kind, "__attrs_attrs__"):
        names = [each.name for each in kind.__attrs_attrs__]
    elif "pydantic" in sys.modules and hasattr(kind, "model_fields"):
        return {
            **{name: getattr(value, name) for name in kind.model_fields},
            **(value.model_extra or {}),
        }
    else:
        return None
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _array_form(value: Any) -> dict[str, Any] | None:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray) or value.dtype.hasobject:
        return None
    stream = io.BytesIO()
    numpy.save(stream, value, allow_pickle=False)
    return {"$ndarray": base64.b64encode(stream.getvalue()).decode()}


def _exact(value: Any, path: str) -> Any:
    """The canonical form of a value whose text is read as the same value."""
    try:
        text = canonical.encode(value)
    except Unencodable as error:
        raise SpecError(f"{path} {str(error).removeprefix('the value ')}") from None
    if isinstance(canonical.decode(text), Opaque):
        raise SpecError(f"{path} is a {type(value).__qualname__}, of which there is no plain form")
    return json.loads(text)


def _named(thing: Any, path: str) -> str:
    try:
        return reference(thing)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def _varying_form(value: Varying, path: str, special: Special) -> dict[str, Any]:
    conditions = [[each.name, _each(each.allowed, path, special)] for each in value.conditions]
    if isinstance(value, Choices):
        return {"$sweep": [_each(value.values, path, special), value.group, conditions]}
    if isinstance(value, Uniform):
        return {"$uniform": [value.low, value.high, value.log, conditions]}
    assert isinstance(value, Integers)  # noqa: S101  # there are three kinds
    return {"$integers": [value.low, value.high, conditions]}


_FORMS: Final[tuple[tuple[Any, Callable[[Any, str, Special], dict[str, Any]]], ...]] = (
    (Varying, _varying_form),
    (enum.Enum, _enum_form),
    (NAMED, lambda value, path, special: {"$object": _named(value, path)}),
    (functools.partial, _partial_form),
    (InputFile, lambda value, path, special: {"$file": [str(value.path), value.digest]}),
)


def _conditions(forms: list[Any]) -> tuple[Condition, ...]:
    return tuple(Condition(name, tuple(allowed)) for name, allowed in forms)


def _made(content: list[Any]) -> Any:
    """An object that holds these fields; no constructor and no validator is asked."""
    kind, fields = referred(content[0]), content[1]
    if issubclass(kind, tuple):
        return kind(**fields)
    if hasattr(kind, "model_construct"):
        return kind.model_construct(**fields)
    made = object.__new__(kind)
    for name, each in fields.items():
        object.__setattr__(made, name, each)
    return made


def _array(text: str) -> Any:
    import numpy  # where an array was written there is numpy

    return numpy.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)


def _file(content: list[str]) -> InputFile:
    path, digest = content
    found = InputFile(path)
    if found.digest != digest:
        raise SpecError(f"{path} has another content than when it was named")
    return found


_MAKERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "$enum": lambda content: referred(content[0])[content[1]],
    "$flags": lambda content: referred(content[0])(content[1]),
    "$object": referred,
    "$partial": lambda parts: functools.partial(parts[0], *parts[1], **parts[2]),
    "$file": _file,
    "$fields": _made,
    "$ndarray": _array,
    "$sweep": lambda c: Choices(tuple(c[0]), c[1], conditions=_conditions(c[2])),
    "$uniform": lambda c: Uniform(c[0], c[1], c[2], conditions=_conditions(c[3])),
    "$integers": lambda c: Integers(c[0], c[1], conditions=_conditions(c[2])),
}
