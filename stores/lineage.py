"""
What is the `unique_config` of a task? Its own config and those of all its ancestors, by name.

A reduce joins the configs of its inputs: equal ones are kept, different values become the list of
the distinct ones, in order, dicts key by key. What was joined is weaker than what a task reads
directly: a task that reads a reduce and one of its sources has that source's config.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stores.canonical import encode
from stores.errors import Unencodable
from stores.lazy_dataclass import dataclass
from stores.values import MetaDict

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """The config of one ancestor; `is_joined` when a reduce lies between."""

    config: Any
    is_joined: bool = False


Lineage = dict[str, Entry]
"""The configs of a task and of its ancestors, by task name."""


def merged(name: str, own: Config, upstream: Sequence[Lineage], *, gathers: bool) -> Lineage:
    """The lineage of a task from those of the tasks it reads.

    Args:
        name: Its name.
        own: Its own config.
        upstream: The lineages of the tasks it reads, in order.
        gathers: Whether it is a reduce.
    """
    result: Lineage = {}
    if gathers:
        by_task: dict[str, list[Any]] = {}
        for lineage in upstream:
            for task, entry in lineage.items():
                by_task.setdefault(task, []).append(entry.config)
        result = {task: Entry(joined(values), True) for task, values in by_task.items()}
    else:
        for lineage in upstream:
            for task, entry in lineage.items():
                if not entry.is_joined or task not in result:
                    result[task] = entry
    result[name] = Entry(own)
    return result


def joined(values: Iterable[Any]) -> Any:
    """One value for many: itself where all are equal, else the list of the distinct ones.

    Beside a list of distinct values a list that is one value is wrapped, so that both can be
    told apart: `{"x": [1, 2], "layers": [[64, 64]]}`.
    """
    distinct = _distinct(values)
    if len(distinct) == 1:
        return distinct[0]
    if not all(isinstance(value, dict) for value in distinct):
        return distinct
    result = {}
    for key in dict.fromkeys(key for value in distinct for key in value):
        value = joined(each[key] for each in distinct if key in each)
        is_constant = isinstance(value, list) and any(value is each.get(key) for each in distinct)
        result[key] = [value] if is_constant else value
    return result


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


def plain(lineage: Lineage) -> dict[str, Any]:
    """The configs by task name, with attribute access; a copy that shares no dict."""
    return {task: as_meta(entry.config) for task, entry in lineage.items()}


def as_meta(config: Any) -> Any:
    """A copy of a config with attribute access at every depth."""
    if not isinstance(config, Mapping):
        return config
    return MetaDict({key: as_meta(value) for key, value in config.items()})
