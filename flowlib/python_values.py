"""Which expression of Python gives a value, and what has to be imported for it?"""

from __future__ import annotations

import enum
import functools
import math
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from flowlib.choices import Choices, Integers, Uniform, Varying
from flowlib.errors import SpecError
from flowlib.input_files import InputFile
from flowlib.plain_values import NAMED, fields_of
from flowlib.references import reference
from stores import Unencodable, canonical
from stores.opaque import Opaque

Special = Callable[[Any], "str | None"]
"""Gives the expression of a spec or an item; None for all else."""

_BY_REPR: Final = frozenset({str, int, bool, bytes, bytearray, type(None), range, slice})


class PythonNames:
    """The names in an expression, and the imports that they need.

    Attributes:
        imports: The lines, sorted.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        self._modules: set[str] = set()

    @property
    def imports(self) -> list[str]:
        lines = [f"from {module} import {name}" for module, name in self._known.values()]
        return sorted({*lines, *(f"import {each}" for each in self._modules)})

    def of(self, thing: Any) -> str:
        """How a class or a function is called; in full if another one has its short name.

        Raises:
            SpecError: no name leads to it.
        """
        module, _, path = reference(thing).partition(":")
        return self.from_module(module, path)

    def from_module(self, module: str, path: str) -> str:
        """The same for what a module calls `path`."""
        root = path.partition(".")[0]
        if module == "builtins":
            return path
        if self._known.setdefault(root, (module, root)) == (module, root):
            return path
        self._modules.add(module)
        return f"{module}.{path}"

    def module(self, name: str) -> str:
        """A module."""
        self._modules.add(name)
        return name


class PythonValues:
    """Writes values as expressions.

    Args:
        names: Notes what has to be imported.
        special: Asked first about everything that is not plain.
    """

    def __init__(self, names: PythonNames, special: Special) -> None:
        self._names = names
        self._special = special

    def text(self, value: Any, path: str) -> str:
        """The expression for a value.

        Args:
            value: It.
            path: What to call it in an error.

        Raises:
            SpecError: there is none for a value of its type.
        """
        kind = type(value)
        if kind in _BY_REPR:
            return repr(value)
        if (text := self._special(value)) is not None:
            return text
        if kind in (float, complex):
            return _number(value)
        if kind in (list, tuple, set, frozenset, dict):
            return self._collection(value, path)
        return self._object(value, path)

    def _collection(self, value: Any, path: str) -> str:
        kind = type(value)
        if kind is dict:
            pairs = [
                f"{self.text(key, path)}: {self.text(each, f'{path}[{key!r}]')}"
                for key, each in value.items()
            ]
            return f"{{{', '.join(pairs)}}}"
        is_set = kind in (set, frozenset)
        items = sorted(value, key=canonical.encode) if is_set else value
        parts = [self.text(each, f"{path}[{at}]") for at, each in enumerate(items)]
        inner = ", ".join(parts)
        if kind is tuple:
            return f"({inner},)" if len(parts) == 1 else f"({inner})"
        if kind is list:
            return f"[{inner}]"
        found = f"{{{inner}}}" if parts else "set()"
        return found if kind is set else f"frozenset({found if parts else ''})"

    def _object(self, value: Any, path: str) -> str:
        writers: tuple[tuple[Any, Callable[[Any, str], str]], ...] = (
            (Varying, self._varying),
            (enum.Enum, self._enum),
            (NAMED, self._named),
            (functools.partial, self._partial),
            (InputFile, self._file),
            (PurePath, self._path),
            (re.Pattern, self._pattern),
        )
        for kinds, write in writers:
            if isinstance(value, kinds):
                return write(value, path)
        if (fields := fields_of(value)) is not None:
            arguments = self.arguments({k.lstrip("_"): v for k, v in fields.items()}, path)
            return f"{self._named(type(value), path)}({arguments})"
        return self._array(value, path) or self._by_repr(value, path)

    def arguments(self, given: Mapping[str, Any], path: str) -> str:
        """Arguments by name; those whose names are none of Python's stand in a dict."""
        plain = {k: v for k, v in given.items() if k.isidentifier()}
        other = {k: v for k, v in given.items() if k not in plain}
        parts = [f"{name}={self.text(each, f'{path}.{name}')}" for name, each in plain.items()]
        return ", ".join([*parts, *([f"**{self.text(other, path)}"] if other else [])])

    def _named(self, value: Any, path: str) -> str:
        try:
            return self._names.of(value)
        except SpecError as error:
            raise SpecError(f"{path}: {error}") from None

    def _enum(self, value: Any, path: str) -> str:
        kind = self._named(type(value), path)
        if value.name and value.name.isidentifier():
            return f"{kind}.{value.name}"
        return f"{kind}({self.text(value.value, path)})"

    def _partial(self, value: Any, path: str) -> str:
        positional = [self.text(each, path) for each in (value.func, *value.args)]
        named = [self.arguments(value.keywords, path)] if value.keywords else []
        self._names.module("functools")
        return f"functools.partial({', '.join([*positional, *named])})"

    def _file(self, value: InputFile, path: str) -> str:
        return f"{self._names.from_module('flowlib', 'InputFile')}({str(value.path)!r})"

    def _path(self, value: PurePath, path: str) -> str:
        return f"{self._names.from_module('pathlib', 'Path')}({str(value)!r})"

    def _pattern(self, value: Any, path: str) -> str:
        self._names.module("re")
        return f"re.compile({value.pattern!r}, {value.flags})"

    def _array(self, value: Any, path: str) -> str | None:
        numpy: Any = sys.modules.get("numpy")
        if numpy is None or not isinstance(value, (numpy.ndarray, numpy.generic)):
            return None
        if isinstance(value, numpy.generic):
            return self.text(value.item(), path)
        items = self.text(value.reshape(-1).tolist(), path)
        self._names.module("numpy")
        return f"numpy.array({items}, dtype={value.dtype.str!r}).reshape({value.shape})"

    def _by_repr(self, value: Any, path: str) -> str:
        """Of a class of the standard library whose `repr` is an expression."""
        try:
            is_known = not isinstance(canonical.decode(canonical.encode(value)), Opaque)
        except Unencodable:
            is_known = False
        module = type(value).__module__
        if not is_known or module not in _REPR_MODULES:
            raise SpecError(f"{path} is a {type(value).__qualname__}, which no expression gives")
        if module in ("datetime", "zoneinfo"):  # their repr names the module
            for each in re.findall(r"\b(datetime|zoneinfo)\.", repr(value)):
                self._names.module(each)
        else:
            self._names.from_module(module, type(value).__name__)
        return repr(value)

    def _varying(self, value: Varying, path: str) -> str:
        if isinstance(value, Choices):
            values = [self.text(each, f"{path}[{at}]") for at, each in enumerate(value.values)]
            group = [] if value.group is None else [f"group={value.group!r}"]
            name = "sweep" if value.group is None else "zipped"
            made = f"{self._names.from_module('flowlib', name)}({', '.join([*values, *group])})"
        elif isinstance(value, Uniform):
            ends = f"{_number(value.low)}, {_number(value.high)}{', log=True' * value.log}"
            made = f"{self._names.from_module('flowlib', 'uniform')}({ends})"
        else:
            assert isinstance(value, Integers)  # noqa: S101  # there are three kinds
            ends = f"{value.low}, {value.high}"
            made = f"{self._names.from_module('flowlib', 'integers')}({ends})"
        allowed = {each.name: each.allowed for each in value.conditions}
        return f"{made}.when({self.arguments(allowed, path)})" if allowed else made


_REPR_MODULES: Final = frozenset({"datetime", "decimal", "fractions", "uuid", "zoneinfo"})


def _number(value: Any) -> str:
    """A number that is read as the same one; what has no literal is read from a text."""
    if isinstance(value, complex):
        return f"complex({_number(value.real)}, {_number(value.imag)})"
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
