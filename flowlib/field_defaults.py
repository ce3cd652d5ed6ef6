"""What does a parameter have where nothing is given? A value, a new one each time, or a spec's."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import typing
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, Final

from flowlib.direct_use import Computable

NOTHING: Final = inspect.Parameter.empty
"""The default of a parameter that has none."""

_PLAIN: Final = frozenset({str, int, float, bool, bytes, complex, type(None)})


def annotated_fields(task: type, without: Container[type]) -> Iterator[tuple[str, object, object]]:
    """The annotated fields of a class: name, default, annotation.

    Args:
        task: The class.
        without: Bases whose annotations are no fields.
    """
    bases = [base for base in reversed(task.__mro__) if base not in without]
    hints = {name: hint for base in bases for name, hint in field_hints(base).items()}
    for base in bases:
        for name in inspect.get_annotations(base):
            hint = hints.get(name, NOTHING)
            is_shared = hint is typing.ClassVar or typing.get_origin(hint) is typing.ClassVar
            if not is_shared and not name.startswith("__"):
                yield name, value_default(field_default(task, name)), hint


def field_hints(owner: type, *, include_extras: bool = False) -> dict[str, Any]:
    """The annotations of a class itself, resolved; none of them if one cannot be.

    Those of its bases are left out: they may name what only type checkers see.
    """
    own = {"__annotations__": inspect.get_annotations(owner), "__module__": owner.__module__}
    try:
        return typing.get_type_hints(type(owner.__name__, (), own), include_extras=include_extras)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return {}


def field_default(task: type, name: str) -> object:
    """The default of an annotated field, also of `dataclasses.field(default_factory=…)`."""
    default = getattr(task, name, NOTHING)
    if not isinstance(default, dataclasses.Field):
        return default
    if default.default_factory is not dataclasses.MISSING:
        return default.default_factory()
    return NOTHING if default.default is dataclasses.MISSING else default.default


def value_default(default: object) -> object:
    """A default that is a value; `NOTHING` where it is a spec, whose value is yet to come."""
    return NOTHING if isinstance(default, Computable) else default


def fresh(default: Any) -> Any:
    """The default for one task, which may change it without harm to others."""
    return default if type(default) in _PLAIN else copy.deepcopy(default)


def promised_defaults(
    functions: Iterable[Callable[..., object]], fields: Iterable[tuple[type, str]] = ()
) -> dict[str, Computable]:
    """The parameters that read from a spec where nothing is given, and that spec.

    Args:
        functions: Their parameters are meant.
        fields: So are these annotated fields of classes.
    """
    parameters = [p for each in functions for p in inspect.signature(each).parameters.values()]
    found = {each.name: each.default for each in parameters}
    found |= {name: field_default(task, name) for task, name in fields}
    return {name: each for name, each in found.items() if isinstance(each, Computable)}
