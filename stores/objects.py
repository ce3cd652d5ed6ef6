"""How do objects that are nothing but their fields become plain JSON and back?"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Callable
from typing import Any, Final

from stores.errors import StoreError

_CLASS: Final = "$class"
_FIELDS: Final = "fields"
_SET: Final = "set"


def is_dataclass_value(value: object) -> bool:
    """Whether it is an instance of a dataclass that its fields describe fully."""
    kind = type(value)
    if not dataclasses.is_dataclass(kind) or not _has_usual_state(kind, "__dataclass_fields__"):
        return False
    names = [field.name for field in dataclasses.fields(kind)]
    return all(hasattr(value, each) for each in names) and (
        not hasattr(value, "__dict__") or vars(value).keys() <= set(names)
    )


def is_model(value: object) -> bool:
    """Whether it is a pydantic model that its fields describe fully."""
    pydantic: Any = sys.modules.get("pydantic")
    base: Any = getattr(pydantic, "BaseModel", None)
    if base is None or not isinstance(value, base):
        return False
    is_root = isinstance(value, pydantic.RootModel)
    private, extra = value.__pydantic_private__, value.__pydantic_extra__
    names = type(value).__pydantic_fields__.keys()
    return not is_root and not private and not extra and vars(value).keys() == names


def is_plain(value: Any, is_json: Callable[[object], bool]) -> bool:
    """Whether `as_plain` can write it; `is_json` answers for values that are no objects."""
    kind = type(value)
    if kind is dict:
        has_names = all(type(name) is str and name != _CLASS for name in value)
        return has_names and all(is_plain(each, is_json) for each in value.values())
    if kind is list:
        return all(is_plain(each, is_json) for each in value)
    if is_dataclass_value(value) or is_model(value):
        return _can_be_imported(kind) and all(
            is_plain(each, is_json) for each in _state(value).values()
        )
    return is_json(value)


def as_plain(value: Any) -> Any:
    """`value` with a dict in place of every object."""
    if type(value) is dict:
        return {name: as_plain(each) for name, each in value.items()}
    if type(value) is list:
        return [as_plain(each) for each in value]
    if not is_dataclass_value(value) and not is_model(value):
        return value
    kind = type(value)
    fields = {name: as_plain(each) for name, each in _state(value).items()}
    found: dict[str, Any] = {_CLASS: f"{kind.__module__}:{kind.__qualname__}", _FIELDS: fields}
    if is_model(value):
        found[_SET] = sorted(value.__pydantic_fields_set__)
    return found


def from_plain(tree: Any) -> Any:
    """What `as_plain` was given. Imports the modules of the classes, runs no constructor.

    Raises:
        StoreError: a class is gone or has other fields.
    """
    if isinstance(tree, list):
        return [from_plain(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if _CLASS not in tree:
        return {name: from_plain(each) for name, each in tree.items()}
    kind = _class(tree[_CLASS])
    fields = {name: from_plain(each) for name, each in tree[_FIELDS].items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass_value(kind, fields)
    if not hasattr(kind, "model_construct"):
        raise StoreError(f"{tree[_CLASS]} is neither a dataclass nor a pydantic model any more")
    _check_names(kind, fields.keys() - kind.__pydantic_fields__.keys(), "has no fields")
    return kind.model_construct(set(tree.get(_SET, fields)), **fields)


def _has_usual_state(kind: Any, mark: str) -> bool:
    """Whether no class it derives from adds a state or a way of pickling of its own."""
    others = [each for each in kind.__mro__[:-1] if mark not in vars(each)]
    has_own_ways = any(hasattr(kind, each) for each in ("__setstate__", "__getnewargs_ex__"))
    is_frozen_slots = "__slots__" in vars(kind)  # dataclasses give these their own __setstate__
    is_usual = kind.__reduce_ex__ is object.__reduce_ex__ and kind.__reduce__ is object.__reduce__
    return not others and is_usual and (is_frozen_slots or not has_own_ways)


def _can_be_imported(kind: type) -> bool:
    if kind.__module__ in ("__main__", "__mp_main__"):
        return False
    return _held(sys.modules.get(kind.__module__), kind.__qualname__) is kind


def _held(module: object, qualname: str) -> Any:
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _state(value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return dict(vars(value))


def _class(name: str) -> Any:
    module, _, qualname = name.partition(":")
    try:
        found = _held(importlib.import_module(module), qualname)
    except ImportError as error:
        raise StoreError(f"the class {name} cannot be imported here ({error})") from error
    if not isinstance(found, type):
        raise StoreError(f"{module} has no class {qualname} any more")
    return found


def _dataclass_value(kind: Any, fields: dict[str, Any]) -> Any:
    known = {field.name: field for field in dataclasses.fields(kind)}
    _check_names(kind, fields.keys() - known.keys(), "has no fields")
    for name in known.keys() - fields.keys():
        field = known[name]
        if field.default_factory is not dataclasses.MISSING:
            fields[name] = field.default_factory()
        elif field.default is not dataclasses.MISSING:
            fields[name] = field.default
    _check_names(kind, known.keys() - fields.keys(), "now needs the fields")
    value: object = object.__new__(kind)
    for name, each in fields.items():
        object.__setattr__(value, name, each)
    return value


def _check_names(kind: type, names: set[str], what: str) -> None:
    if names:
        raise StoreError(f"{kind.__qualname__} {what} {', '.join(sorted(names))}")
