"""
What stands in a document where Python would have a sweep, or a value that YAML does not know?

A mapping whose first key begins with `$`:

    {$sweep: [1, 2]}            {$sweep: {log: [1e-4, 1e-1, 4]}}     also linear, range
    {$zip: [1, 2]}              {$zip: [1, 2], $group: "@x"}
    {$uniform: [0, 1]}          {$loguniform: [1e-4, 1]}             {$integers: [1, 10]}
    {$union: [{a: 1}, {b: 2}]}  each of them also with $when: {kernel: rbf}
    {$env: NAME}                {$env: [NAME, default]}              {$home: data}
    {$tuple: [1, 2]}            {$path: data} …                      as in `stores.canonical`
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from flowlib.choices import (
    Choices,
    Condition,
    Integers,
    Uniform,
    Varying,
    integers,
    sweep,
    uniform,
    union,
    zipped,
)
from flowlib.errors import ConfigError, SweepError, nearest
from flowlib.scalars import read_scalar
from flowlib.sources import Place, Source
from stores import Unencodable, canonical
from stores.opaque import TAGS, Opaque, untag


def from_markers(source: Source, place: Place, value: object) -> object:
    """A value of a document, with all markers in it replaced by what they stand for.

    Raises:
        ConfigError: a marker is unknown, or what it holds does not fit.
    """
    if isinstance(value, list):
        return [from_markers(source, (*place, at), each) for at, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    inner = {key: from_markers(source, (*place, key), each) for key, each in value.items()}
    marked = [key for key in value if key.startswith("$")]
    if not marked:
        return inner
    try:
        return _meaning(marked[0], inner)
    except (ConfigError, SweepError, TypeError, ValueError, KeyError) as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise ConfigError(f"{source.where(place)}: {marked[0]}: {reason}") from None


def _meaning(marker: str, content: dict[str, Any]) -> object:
    conditions = content.pop("$when", None)
    group = content.pop("$group", None)
    if len(content) != 1 or (group is not None and marker != "$zip"):
        raise ConfigError(f"it stands alone, but for $when, and $group beside $zip: {content}")
    [inner] = content.values()
    if marker in _VARYING:
        made = _VARYING[marker](inner) if group is None else zipped(*inner, group=group)
        return made if conditions is None else made.when(**_alternatives(conditions))
    if conditions is not None:
        raise ConfigError("only what varies can depend on a condition")
    if marker in _PLACES:
        return _PLACES[marker](inner)
    if marker.removeprefix("$") not in TAGS:
        known = [*_VARYING, *_PLACES, *(f"${tag}" for tag in TAGS)]
        raise ConfigError(f"there is no such marker.{nearest(marker, known)}")
    found = untag({marker: inner})
    if isinstance(found, Opaque):
        raise ConfigError(f"{inner!r} is no value of this kind")
    return found


def _alternatives(conditions: object) -> dict[str, object]:
    if not isinstance(conditions, dict):
        raise ConfigError("$when is a mapping from parameters to values")
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in conditions.items()
    }


def _sweep(inner: object) -> Choices:
    if isinstance(inner, dict) and len(inner) == 1 and next(iter(inner)) in _RANGES:
        [(kind, bounds)] = inner.items()
        return _RANGES[kind](*bounds)
    if not isinstance(inner, list):
        raise ConfigError(f"give a list of values, or one of {', '.join(_RANGES)}")
    return sweep(*inner)


_RANGES: Final[Mapping[str, Callable[..., Choices]]] = {
    "linear": sweep.linear,
    "log": sweep.log,
    "range": sweep.range,
}

_VARYING: Final[Mapping[str, Callable[[Any], Varying]]] = {
    "$sweep": _sweep,
    "$zip": lambda inner: zipped(*inner),
    "$uniform": lambda inner: uniform(*inner),
    "$loguniform": lambda inner: uniform(*inner, log=True),
    "$integers": lambda inner: integers(*inner),
    "$union": lambda inner: union(*inner),
}


def _environment(inner: object) -> object:
    name, *default = inner if isinstance(inner, list) else [inner]
    if not isinstance(name, str) or len(default) > 1:
        raise ConfigError("give the name of a variable, or a name and a default")
    if name in os.environ:
        return read_scalar(os.environ[name])
    if not default:
        raise ConfigError(f"the environment has no variable {name}, and there is no default")
    return default[0]


def _home(inner: object) -> object:
    if not isinstance(inner, str):
        raise ConfigError("give a path below the home folder")
    return str(Path.home() / inner)


_PLACES: Final[Mapping[str, Callable[[Any], object]]] = {"$env": _environment, "$home": _home}


def to_markers(value: object, path: str) -> object:
    """What a document has for a value of a config; `from_markers` gives an equal one back.

    Args:
        value: Of a config, with sweeps.
        path: What to call it in an error.

    Raises:
        ConfigError: a document cannot hold it.
    """
    if isinstance(value, Varying):
        made = _marker_of(value, path)
        if value.conditions:
            made["$when"] = {each.name: _allowed(each, path) for each in value.conditions}
        return made
    if type(value) is dict and not any(_is_mark(key) for key in value):
        return {key: to_markers(each, f"{path}.{key}") for key, each in value.items()}
    if type(value) is list:
        return [to_markers(each, f"{path}[{at}]") for at, each in enumerate(value)]
    if type(value) is tuple:
        return {"$tuple": [to_markers(each, f"{path}[{at}]") for at, each in enumerate(value)]}
    return _typed(value, path)


def _is_mark(key: object) -> bool:
    return not isinstance(key, str) or key.startswith("$")


def _allowed(condition: Condition, path: str) -> object:
    return [to_markers(each, path) for each in condition.allowed]


def _marker_of(value: Varying, path: str) -> dict[str, object]:
    if isinstance(value, Choices):
        values = [to_markers(each, path) for each in value.values]
        if value.group is None:
            return {"$sweep": values}
        return {"$zip": values, "$group": value.group}
    if isinstance(value, Uniform):
        return {"$loguniform" if value.log else "$uniform": [value.low, value.high]}
    assert isinstance(value, Integers)  # noqa: S101  # there are three kinds
    return {"$integers": [value.low, value.high]}


def _typed(value: object, path: str) -> object:
    try:
        text = canonical.encode(value, path)
    except Unencodable as error:
        raise ConfigError(f"a document cannot hold {error}") from None
    if isinstance(canonical.decode(text), Opaque):
        raise ConfigError(
            f"{path}: a document cannot hold a {type(value).__qualname__}: "
            f"use plain values, and let the task make the object"
        )
    return json.loads(text)
