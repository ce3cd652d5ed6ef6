"""Which records are listed, in which order, and what varies in their configs?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from flowlib.bulk import paused_collection
from flowlib.errors import NothingSelected, SelectorError, nearest
from flowlib.stored_selection import read_records, select_records
from flowlib.submitted_tasks import Submitted
from stores import Address, ResultsStore, canonical
from stores.canonical import Opaque
from stores.config_paths import ABSENT, value_at
from stores.summary import Summary, summary_of

_LONGEST_VALUE: Final = 40
_FEW: Final = 64
_KEYS: Final = ("id", "state", "time", "when", "run")

Config = Mapping[str, Any]


def list_records(
    store: ResultsStore, texts: Sequence[str] = (), since: float | None = None
) -> list[Summary]:
    """The records that selectors select, and submitted tasks without one, the newest first.

    Every record is read; nothing big is loaded, and nothing is unpickled.

    Args:
        store: The store.
        texts: Selectors; none for all records.
        since: Only what ended then or later, in seconds since 1970.

    Raises:
        SelectorError: a text is no selector, or it selects nothing.
    """
    with paused_collection():
        known = Submitted(store)
        records, pending = _selected(store, known, texts) if texts else (None, known.pending)
        found = [*read_summaries(store, records), *known.summaries(pending)]
        if since is not None:
            found = [each for each in found if (each.ended_at or 0.0) >= since]
        found.sort(key=lambda each: (-(each.ended_at or 0.0), each.address.task, each.address.key))
    return found


def _selected(
    store: ResultsStore, submitted: Submitted, texts: Sequence[str]
) -> tuple[list[Address], list[Address]]:
    """The records that selectors select, and the submitted tasks without one."""
    records: set[Address] = set()
    pending: dict[Address, None] = {}
    for text in texts:
        with suppress(NothingSelected):
            pending.update(dict.fromkeys(submitted.find([text], only_pending=True)))
    try:
        return select_records(store, texts), list(pending)
    except NothingSelected:  # some are pending alone, perhaps
        for text in texts if pending else ():
            try:
                records.update(select_records(store, [text]))
            except NothingSelected:
                submitted.find([text], only_pending=True)
        if not pending:
            raise
    return sorted(records), list(pending)


def read_summaries(
    store: ResultsStore, addresses: Sequence[Address] | None = None
) -> Iterator[Summary]:
    """What a list shows of the records at some addresses, or of all.

    Few are read one by one, many with all others of their tasks: that is faster.
    """
    if addresses is None:
        yield from store.summaries()
    elif len(addresses) <= _FEW:
        yield from map(summary_of, read_records(store, addresses))
    else:
        wanted = set(addresses)
        for task in dict.fromkeys(each.task for each in addresses):
            yield from (each for each in store.summaries(task) if each.address in wanted)


def sort_listed(found: Sequence[Summary], wanted: str) -> list[Summary]:
    """Records in another order; those without a value come last.

    Args:
        found: The records.
        wanted: id, state, time, when, run, or a path in configs; `-` before it for the largest
            first.

    Raises:
        SelectorError: nothing is called so.
    """
    name = wanted.removeprefix("-")
    values = [_value(each, name) for each in found]
    if found and name not in _KEYS and all(value is ABSENT for value in values):
        known = [*_KEYS, *sorted({path for each in found for path, _ in leaves(each.config)})]
        raise SelectorError(
            f"the records cannot be sorted by {name!r}.{nearest(name, known)} "
            f"They have: {', '.join(known)}"
        )
    pairs = list(zip(values, found, strict=True))
    there = [pair for pair in pairs if pair[0] not in (ABSENT, None)]
    there.sort(key=lambda pair: _rank(pair[0]), reverse=wanted.startswith("-"))
    return [each for _, each in there] + [e for value, e in pairs if value in (ABSENT, None)]


def labels(found: Sequence[Summary]) -> list[str]:
    """What varies in the configs of each task, for each record: `lr=0.001 layers=[64, 64]`.

    Of a task with only one record it is what the user gave.
    """
    shown = [""] * len(found)
    by_task: dict[str, list[int]] = {}
    for number, each in enumerate(found):
        by_task.setdefault(each.address.task, []).append(number)
    for numbers in by_task.values():
        if len(numbers) == 1:
            [row] = [found[number] for number in numbers]
            given = [pair for name in row.given for pair in leaves(row.config, name)]
            shown[numbers[0]] = _text(dict(given), frozenset(dict(given)))
            continue
        configs = [_flat(found[number].config) for number in numbers]
        paths = _varying(configs)
        for number, config in zip(numbers, configs, strict=True):
            shown[number] = _text(config, paths)
    return shown


def _varying(configs: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """The paths that not all configs have with the same value."""
    first = configs[0]
    paths: set[str] = set()
    for config in configs:
        if config.keys() != first.keys():
            paths |= config.keys() ^ first.keys()
        for path, value in config.items():
            if path not in paths:
                known = first[path]
                if type(known) is not type(value) or known != value:
                    paths.add(path)
    return frozenset(paths)


def _text(config: Mapping[str, object], paths: frozenset[str]) -> str:
    return " ".join([f"{path}={short(config[path])}" for path in config if path in paths])


def short(value: object) -> str:
    """A value of a config in one line; a word stands without quotes."""
    if type(value) in (int, float, bool):
        return repr(value)
    if isinstance(value, str):
        text = value if value.isidentifier() else repr(value)
    else:
        text = canonical.encode(value) if isinstance(value, Opaque) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _flat(config: Config) -> Mapping[str, object]:
    """The values by dotted path; most configs hold no dicts."""
    if dict in map(type, config.values()):
        return dict(leaves(config))
    return config


def leaves(config: Config, only: str | None = None) -> Iterator[tuple[str, object]]:
    """Dotted path and value of all that is no dict in a config, or in one parameter of it."""
    names = [*config] if only is None else [only] if only in config else []
    stack = [(str(name), config[name]) for name in reversed(names)]
    while stack:
        path, value = stack.pop()
        if type(value) is dict and value:
            stack.extend((f"{path}.{key}", each) for key, each in reversed(value.items()))
        else:
            yield path, value


def _value(each: Summary, name: str) -> object:
    match name:
        case "id":
            return (each.address.task, each.address.key)
        case "state":
            return each.state
        case "time":
            return each.duration_s
        case "when":
            return each.ended_at
        case "run":
            return each.run
    return value_at(each.config, name)


def _rank(value: object) -> tuple[int, Any]:
    """Numbers before words before all else, so that any two values can be compared."""
    if isinstance(value, (int, float)):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, str(value))
