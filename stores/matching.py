"""Which record is meant? By name and config, by prefix; and which of its artifacts are in force?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from stores import ancestry
from stores.canonical import digest, encode
from stores.errors import AmbiguousConfig, RecordMissing, nearest
from stores.record import Address, Artifact, Attempt, Identity, Record, TaskState
from stores.values import UniqueConfig


class Readable(Protocol):
    """What is needed of a store to find a record by its config."""

    def record(self, address: Address) -> Record | None: ...
    def addresses(self, task: str | None = None) -> Iterator[Address]: ...
    def unique_configs(self, addresses: Sequence[Address]) -> dict[str, UniqueConfig]: ...


HIDDEN: Final = "flowlib:"
"""Artifacts whose names begin so are no results: whoever runs tasks keeps them for itself."""


def artifacts_in_force(record: Record) -> dict[str, tuple[Attempt, Artifact]]:
    """What readers see: the attempt that counts, and what was saved by hand after it."""
    found = {}
    for attempt in (record.finished, record.latest):
        if attempt is not None and (attempt is record.finished or _is_saved(attempt)):
            artifacts = [each for each in attempt.artifacts if not each.name.startswith(HIDDEN)]
            found.update({artifact.name: (attempt, artifact) for artifact in artifacts})
    return found


def whole(artifact: Artifact, read: Callable[[], Record | None]) -> Artifact:
    """An artifact with its value, where a status has left out what the record holds."""
    if artifact.inline is not None or artifact.file is not None:
        return artifact
    record = read()
    found = artifacts_in_force(record).get(artifact.name) if record is not None else None
    return artifact if found is None else found[1]


def saved_artifacts(record: Record | None) -> dict[str, Artifact]:
    """What was saved by hand, to be carried into the next such attempt."""
    if record is None or not _is_saved(record.latest):
        return {}
    return {artifact.name: artifact for artifact in record.latest.artifacts}


def without(record: Record, name: str) -> list[Artifact]:
    """The artifacts in force but one."""
    return [each for key, (_, each) in artifacts_in_force(record).items() if key != name]


def saved_address(task_name: str, config: Mapping[str, Any]) -> Address:
    """Where values saved by hand lie that belong to no record of a run."""
    return Address(task_name, digest(encode(["saved", task_name, dict(config)], task_name)))


def saved_identity(address: Address, config: Mapping[str, Any]) -> Identity:
    """The identity of such a record: all configs, and the task's entry, if there is one."""
    own = config.get(address.task, {})
    text = encode(dict(own)) if isinstance(own, Mapping) else "{}"
    return Identity(address, None, encode(dict(config), address.task), text)


def saved_outcome(previous: Record | None) -> Attempt:
    """What is told of an attempt by hand: it has the lineage of what was there before it."""
    if previous is None:
        return Attempt(0, TaskState.SAVED)
    counts = ancestry.counting(previous)
    facts = {name: text for name, text in counts.facts.items() if name == ancestry.GATHERS}
    return Attempt(0, TaskState.SAVED, inputs=counts.inputs, facts=facts, run=counts.run)


def match(task_name: str, config: Mapping[str, Any], store: Readable) -> Address | None:
    """The record of a task whose `unique_config` equals a plain dict; None if there is none.

    Raises:
        AmbiguousConfig: several do, under different versions of the task, say.
    """
    by_hand = saved_address(task_name, config)
    if store.record(by_hand) is not None:
        return by_hand
    wanted = encode(dict(config), task_name)
    candidates = list(store.addresses(task_name))
    configs = store.unique_configs(candidates)
    found = [each for each in candidates if encode(configs[each.key]) == wanted]
    found = [each for each in found if not _is_by_hand(each, store.record(each))]
    if len(found) > 1:
        listed = ", ".join(f"{each.task}/{each.key}" for each in sorted(found))
        raise AmbiguousConfig(
            f"{len(found)} records of {task_name} have this config: {listed}. "
            f"Pass the unique_config of a task or of a result, which knows its record"
        )
    return found[0] if found else None


def in_lineage(
    address: Address, task_name: str, read: Callable[[Address], Record | None]
) -> Address | None:
    """The record of `task_name` among the one at `address` and those upstream of it."""
    stack, seen = [address], set()
    while stack:
        each = stack.pop()
        if each.task == task_name or not task_name:
            return each
        if each.key not in seen:
            seen.add(each.key)
            record = read(each)
            if record is not None:
                stack.extend(i.address for i in ancestry.counting(record).inputs)
    return None


def find_by_prefix(prefix: str, addresses: Callable[[str | None], Iterator[Address]]) -> Address:
    """The address that `Train/9a7a` (or a prefix of the key alone) means.

    Raises:
        RecordMissing: none begins like this.
        AmbiguousConfig: several do.
    """
    task, slash, key = prefix.rpartition("/")
    found = [a for a in addresses(task if slash else None) if a.key.startswith(key)]
    if not found:
        tasks = sorted({each.task for each in addresses(None)})
        raise RecordMissing(f"the store has no record {prefix!r}.{nearest(task, tasks)}")
    if len(found) > 1:
        listed = ", ".join(f"{each.task}/{each.key}" for each in sorted(found)[:5])
        raise AmbiguousConfig(f"{prefix!r} means {len(found)} records: {listed}")
    return found[0]


def _is_by_hand(address: Address, record: Record | None) -> bool:
    """Whether a record belongs to no run; then it is found by its whole config alone."""
    if record is None:
        return False
    text = f'["saved",{encode(address.task)},{record.identity.config}]'
    return address.key == digest(text)


def _is_saved(attempt: Attempt) -> bool:
    return attempt.state is TaskState.SAVED
