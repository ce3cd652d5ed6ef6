"""What do the records upstream of a task tell? Its `unique_config` and its run history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from stores.canonical import decode
from stores.lineage import Config, Lineage, merged, plain
from stores.record import Address, Attempt, Record
from stores.values import UniqueConfig

ReadRecord = Callable[[Address], Record | None]

GATHERS = "gathers"
"""The fact that marks the attempts of a reduce."""


def unique_configs(addresses: Sequence[Address], read: ReadRecord) -> dict[str, UniqueConfig]:
    """The configs of tasks with those of all their ancestors, by key.

    Every record is read once, however many tasks share it. Those that are gone add nothing.
    """
    found = lineages(addresses, read)
    return {each.key: UniqueConfig(plain(found.get(each.key, {})), each) for each in addresses}


def lineages(addresses: Sequence[Address], read: ReadRecord) -> dict[str, Lineage]:
    """The lineages of tasks and of all their ancestors, by key."""
    found: dict[str, Lineage] = {}
    for record in _upstream_first(addresses, read):
        attempt = counting(record)
        sources = [found[each.address.key] for each in attempt.inputs if each.address.key in found]
        found[record.address.key] = merged(
            record.address.task, own_config(record), sources, gathers=GATHERS in attempt.facts
        )
    return found


def run_history(addresses: Sequence[Address], read: ReadRecord) -> dict[str, str]:
    """Task name -> id, for the records at `addresses` and all upstream of them."""
    history = {}
    for record in _upstream_first(addresses, read):
        run = counting(record).run
        if run is not None:
            history[record.address.task] = f"{run.run_name}-{run.sweep_counter}"
    return history


def counting(record: Record) -> Attempt:
    """The attempt that counts, else the last one."""
    return record.finished or record.latest


def own_config(record: Record) -> Config:
    """What the user gave to the task itself."""
    config = decode(record.identity.user_config)
    return config if isinstance(config, dict) else {}


def _upstream_first(addresses: Iterable[Address], read: ReadRecord) -> list[Record]:
    """The records at `addresses` and upstream of them, each once, inputs before readers."""
    records: dict[str, Record | None] = {}
    ordered: list[Record] = []
    stack = [(address, False) for address in reversed(list(addresses))]
    while stack:
        address, is_expanded = stack.pop()
        if is_expanded:
            record = records[address.key]
            if record is not None:
                ordered.append(record)
        elif address.key not in records:
            record = records[address.key] = read(address)
            stack.append((address, True))
            if record is not None:
                inputs = counting(record).inputs
                stack.extend((each.address, False) for each in reversed(inputs))
    return ordered
