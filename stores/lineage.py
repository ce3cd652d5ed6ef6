"""
What is the `unique_config` of a task? Its own config and those of all its ancestors, by name.

Where several inputs of a task bring the same ancestor, a reduce joins them: equal configs are
kept, different values become the list of the distinct ones, in order, dicts key by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stores.canonical import encode
from stores.errors import Unencodable
from stores.values import MetaDict

Config = Mapping[str, Any]


def merged(own: tuple[str, Config], upstream: Sequence[Config], *, gathers: bool) -> dict[str, Any]:
    """The configs of a task, by task name, from those of the tasks it reads.

    Args:
        own: Its name and its own config.
        upstream: The merged configs of the tasks it reads, in order.
        gathers: Whether it is a reduce.
    """
    if not gathers:
        result: dict[str, Any] = {}
        for config in upstream:
            result.update(config)
        result[own[0]] = own[1]
        return result
    by_task: dict[str, list[Any]] = {}
    for config in upstream:
        for task, values in config.items():
            by_task.setdefault(task, []).append(values)
    result = {task: joined(values) for task, values in by_task.items()}
    result[own[0]] = own[1]
    return result


def joined(values: Iterable[Any]) -> Any:
    """One value for many: itself where all are equal, else the list of the distinct ones."""
    distinct = _distinct(values)
    if len(distinct) == 1:
        return distinct[0]
    if all(isinstance(value, dict) for value in distinct):
        keys = dict.fromkeys(key for value in distinct for key in value)
        return {key: joined(v[key] for v in distinct if key in v) for key in keys}
    return distinct


def _distinct(values: Iterable[Any]) -> list[Any]:
    found: dict[object, Any] = {}
    known: set[int] = set()
    for value in values:
        if id(value) not in known:
            known.add(id(value))
            found.setdefault(_text(value), value)
    return list(found.values())


def _text(value: Any) -> object:
    try:
        return encode(value)
    except Unencodable:  # a value of the user's that was read from a record
        return repr(value)


def as_meta(config: Mapping[str, Any]) -> MetaDict:
    """A copy with attribute access, which does not share its dicts."""
    return MetaDict({k: as_meta(v) if isinstance(v, dict) else v for k, v in config.items()})
