"""How are the rarer types written as canonical text, and how is a text read back?"""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import enum
import functools
import importlib
import json
import pathlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

from stores.errors import Unencodable

Write = Callable[[Any, list[str], str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Opaque:
    """A value of a type that is not rebuilt when a text is read.

    Attributes:
        kind: The tag without its `$`: "enum", "dataclass", "ndarray", …
        content: What the text holds, read as far as it is made of built-in types.
    """

    kind: str
    content: object


def write_other(value: Any, parts: list[str], path: str, write: Write) -> None:
    """Append the text of a value whose exact type is none of the common ones."""
    tagged = _tagged(value, path)
    if tagged is _NOT_HANDLED:
        raise Unencodable(_refusal(value, path))
    tag, content = tagged
    if tag:
        parts.append(f'{{"${tag}":')
        write(content, parts, path)
        parts.append("}")
    else:
        write(content, parts, path)


_NOT_HANDLED: Final[Any] = object()


def _tagged(value: Any, path: str) -> tuple[str, Any]:
    """The tag and the simpler value that stand for `value`; no tag: the value alone."""
    hook = getattr(type(value), "__flowlib_identity__", None)
    if hook is not None:
        return "identity", [name_of(type(value)), hook(value)]
    for rule in (_as_enum, _as_stdlib, _as_structure, _as_numpy, _as_subclass, _as_named):
        tagged = rule(value, path)
        if tagged is not _NOT_HANDLED:
            return tagged
    return _NOT_HANDLED  # type: ignore[no-any-return]  # a marker


def _as_enum(value: Any, path: str) -> tuple[str, Any]:
    if isinstance(value, enum.Enum):
        return "enum", [name_of(type(value)), value.name or value.value]
    return _NOT_HANDLED  # type: ignore[no-any-return]


_STDLIB: Final[tuple[tuple[type, str, Callable[[Any], object]], ...]] = (
    (bytes, "bytes", lambda v: base64.b64encode(v).decode()),
    (bytearray, "bytearray", lambda v: base64.b64encode(v).decode()),
    (complex, "complex", lambda v: [v.real, v.imag]),
    (range, "range", lambda v: [v.start, v.stop, v.step]),
    (slice, "slice", lambda v: [v.start, v.stop, v.step]),
    (pathlib.PurePath, "path", str),
    (datetime.datetime, "datetime", lambda v: v.isoformat()),
    (datetime.date, "date", lambda v: v.isoformat()),
    (datetime.time, "time", lambda v: v.isoformat()),
    (datetime.timedelta, "timedelta", lambda v: [v.days, v.seconds, v.microseconds]),
)
_BY_MODULE: Final = {"decimal": "Decimal", "fractions": "Fraction", "uuid": "UUID"}
"""Types of modules that are slow to import: a value exists only where they are loaded."""


def _as_stdlib(value: Any, path: str) -> tuple[str, Any]:
    for kind, tag, simplify in _STDLIB:
        if isinstance(value, kind):
            return tag, simplify(value)
    for module, name in _BY_MODULE.items():
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(value, getattr(loaded, name)):
            return name.lower(), str(value)
    return _NOT_HANDLED  # type: ignore[no-any-return]


def _as_structure(value: Any, path: str) -> tuple[str, Any]:
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        return "dataclass", [name_of(kind), {n: getattr(value, n) for n in names}]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return "namedtuple", [name_of(kind), list(value)]
    if "pydantic" in sys.modules and hasattr(kind, "model_fields"):
        fields = {name: getattr(value, name) for name in kind.model_fields}
        return "pydantic", [name_of(kind), {**fields, **(value.model_extra or {})}]
    if hasattr(kind, "__attrs_attrs__"):
        names = [attribute.name for attribute in kind.__attrs_attrs__]
        return "attrs", [name_of(kind), {n: getattr(value, n) for n in names}]
    return _NOT_HANDLED  # type: ignore[no-any-return]


def _as_numpy(value: Any, path: str) -> tuple[str, Any]:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return _NOT_HANDLED  # type: ignore[no-any-return]
    if isinstance(value, numpy.generic) and not value.dtype.hasobject:
        plain = value.item()
        if isinstance(plain, (bool, int, float, complex, str, bytes)):
            return "", plain
        return "numpy", [str(value.dtype), str(value)]  # datetime64, float128, void
    if isinstance(value, numpy.ndarray):
        if value.dtype.hasobject:
            raise Unencodable(
                f"{path or 'the array'} is an array of Python objects, which has no stable bytes: "
                f"give it a numeric or string dtype, or pass it as a list"
            )
        from hashlib import blake2b

        order = numpy.ascontiguousarray(value)
        little = order.astype(order.dtype.newbyteorder("<"), copy=False)
        content = blake2b(little.tobytes(), digest_size=16).hexdigest()
        return "ndarray", [str(little.dtype.str), list(value.shape), content]
    return _NOT_HANDLED  # type: ignore[no-any-return]


_BASES: Final[tuple[Any, ...]] = (dict, list, str, int, float, tuple, frozenset, set)


def _as_subclass(value: Any, path: str) -> tuple[str, Any]:
    """Subclasses of the common types count as what they are derived from."""
    for base in _BASES:
        if isinstance(value, base):
            return "", str.__str__(value) if base is str else base(value)
    if isinstance(value, (types.MappingProxyType, collections.ChainMap)):
        return "", dict(value)
    return _NOT_HANDLED  # type: ignore[no-any-return]


def _as_named(value: Any, path: str) -> tuple[str, Any]:
    if isinstance(value, functools.partial):
        return "partial", [value.func, list(value.args), value.keywords]
    if isinstance(value, type):
        _refuse_unstable(value, path)
        return "type", name_of(value)
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
        _refuse_unstable(value, path)
        owner = getattr(value, "__self__", None)
        if owner is None or isinstance(owner, types.ModuleType):
            return "function", name_of(value)
    return _NOT_HANDLED  # type: ignore[no-any-return]


def _refuse_unstable(value: Any, path: str) -> None:
    name = value.__qualname__
    if "<lambda>" in name or "<locals>" in name:
        raise Unencodable(
            f"{path or 'the value'} is {name}, which has no name that another process would know: "
            f"define it at the top of a module, or pass it in additional_kwargs, which are no "
            f"part of the identity"
        )


def name_of(thing: Any) -> str:
    """`module:qualname`; the module `__main__` counts by the stem of its file."""
    module = thing.__module__ or "builtins"
    if module in ("__main__", "__mp_main__"):
        path = getattr(sys.modules.get("__main__"), "__file__", None)
        module = pathlib.PurePath(path).stem if path else "__main__"
    return f"{module}:{thing.__qualname__}"


def _refusal(value: Any, path: str) -> str:
    where, kind = path or "the value", type(value).__name__
    if isinstance(value, Iterator):
        return (
            f"{where} is an iterator ({kind}), which can be read only once: "
            f"make it a list or a tuple"
        )
    return (
        f"{where} is a {kind}, which has no text that is the same in every process. Use numbers, "
        f"strings, lists, dicts, dataclasses and the like; or give the class a method "
        f"__flowlib_identity__ that returns such a value; or pass it in additional_kwargs, "
        f"which are no part of the identity"
    )


def untagged(text: str) -> object:
    """The value of a canonical text; types of the user's come back as `Opaque`."""
    return json.loads(text, object_hook=_untag)


def _untag(found: dict[str, Any]) -> object:
    if len(found) == 1:
        [(key, content)] = found.items()
        if key[:1] == "$":
            read = _READERS.get(key[1:])
            return Opaque(key[1:], content) if read is None else read(content)
    return found


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "tuple": tuple,
    "set": lambda items: set(map(_hashable, items)),
    "frozenset": lambda items: frozenset(map(_hashable, items)),
    "dict": lambda pairs: {_hashable(key): value for key, value in pairs},
    "float": float,
    "bytes": base64.b64decode,
    "bytearray": lambda text: bytearray(base64.b64decode(text)),
    "complex": lambda parts: complex(*parts),
    "range": lambda parts: range(*parts),
    "slice": lambda parts: slice(*parts),
    "path": pathlib.Path,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda parts: datetime.timedelta(*parts),
    "decimal": lambda text: _rebuilt("decimal", text),
    "fraction": lambda text: _rebuilt("fractions", text),
    "uuid": lambda text: _rebuilt("uuid", text),
}


def _rebuilt(module: str, text: str) -> object:
    made: object = getattr(importlib.import_module(module), _BY_MODULE[module])(text)
    return made


def _hashable(value: Any) -> Any:
    """An opaque value inside a set or as a key is known by its text."""
    if isinstance(value, Opaque):
        return Opaque(value.kind, json.dumps(value.content, default=str))
    return value
