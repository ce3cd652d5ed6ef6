"""What does a call get in the places of the specs in its arguments? Their values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Protocol, TypeGuard

from flowlib.errors import InputError, nearest
from flowlib.failures import Failure
from flowlib.items import is_slot, replaced, slot_parts, steps_text
from flowlib.job import Job
from flowlib.lent_values import InputStore
from flowlib.parameters import root_of
from stores import (
    Address,
    Artifact,
    ArtifactDamaged,
    ArtifactMissing,
    Promise,
    Status,
    canonical,
)

VALUE: Final = "value"
"""The fact that tells what a task has returned where its artifacts alone do not."""

RESULT: Final = "result"
"""The artifact of a value that is no dict by name."""

_ONLY_RESULT: Final = canonical.encode([RESULT])


def value_fact(returned: object, saved: tuple[str, ...]) -> str:
    """What a record has to tell of what was returned; empty if the artifacts tell it.

    Args:
        returned: By the task.
        saved: Names of the artifacts that the task has saved itself.
    """
    if returned is None:
        return _ONLY_RESULT if saved == (RESULT,) else ""
    if not is_by_name(returned):
        return canonical.encode(RESULT) if saved else ""
    names = list(returned)
    return canonical.encode(names) if saved or names in ([], [RESULT]) else ""


def is_by_name(returned: object) -> TypeGuard[dict[str, object]]:
    """Whether each item of what was returned is an artifact of its own."""
    return isinstance(returned, dict) and all(isinstance(key, str) for key in returned)


def value_names(status: Status) -> list[str] | None:
    """The artifacts that make up the value, a dict; None if it is that of `RESULT`, or None."""
    return _told_names(status, [each.name for each in status.artifacts])


def _told_names(status: Status, artifacts: list[str]) -> list[str] | None:
    if told := status.facts.get(VALUE):
        names = canonical.decode(told)
        return [str(each) for each in names] if isinstance(names, list) else None
    return None if artifacts in ([], [RESULT]) else artifacts


def value_of(
    store: InputStore, address: Address, status: Status, steps: list[Any], *, lazy: bool = False
) -> Any:
    """The value of a task, or a part of it; of a dict only what is asked for is loaded.

    Args:
        store: Where the task has its record.
        address: Of the record.
        status: Of the record: it has finished.
        steps: From the value to the part.
        lazy: Whether a `Promise` is wanted.

    Raises:
        InputError: there is no such part.
        ArtifactDamaged: an artifact cannot be read.
        ArtifactMissing: it is gone.
    """
    artifacts = {each.name: each for each in status.artifacts}

    def loaded(name: str) -> Any:
        artifact: Artifact | None = artifacts.get(name)
        if artifact is None:
            raise ArtifactMissing(address, name)
        return store.load_artifact(address, status.attempt, artifact, lazy=lazy)

    names = _told_names(status, list(artifacts))
    if names is None:
        value = loaded(RESULT) if RESULT in artifacts else None
        return part_of(value, steps, address, [])
    if not steps:
        return {name: loaded(name) for name in names}
    if steps[0] not in names:
        raise InputError(
            f"{address} has no item {steps[0]!r}.{nearest(str(steps[0]), names)} "
            f"It has: {', '.join(names) or 'none'}"
        )
    return part_of(loaded(steps[0]), steps[1:], address, steps[:1])


def part_of(value: Any, steps: list[Any], address: Address, done: list[Any]) -> Any:
    """A part of a value.

    Args:
        value: It, or a part of it already.
        steps: From there to the part that is meant.
        address: Of the task that gave it, for errors.
        done: The steps to `value`, for errors.

    Raises:
        InputError: there is no such part.
    """
    for at, step in enumerate(steps):
        try:
            value = (value.load() if isinstance(value, Promise) else value)[step]
        except Exception as error:
            where = steps_text((*done, *steps[:at]))
            kind = type(value).__name__
            raise InputError(
                f"the value of {address}{where and f' at {where}'} is of the type {kind} and has "
                f"no item {step!r}: {type(error).__name__}: {error}"
            ) from error
    return value


class Values(Protocol):
    """Gives the values of tasks that have finished, or parts of them."""

    def value(
        self, address: Address, status: Status, steps: list[Any], *, lazy: bool = False
    ) -> Any:
        """As `value_of`, from the store that it knows."""


class InputValues:
    """The values that one job reads, each loaded once.

    Args:
        job: It.
        lazy: The parameters that want promises.
        store: Where the values are.
        values: Gives values where the store alone does not.
    """

    def __init__(
        self,
        job: Job,
        lazy: Collection[str],
        store: InputStore,
        values: Values | None = None,
    ) -> None:
        self._values = values
        self._job = job
        self._lazy = lazy
        self._store = store
        addresses = {each.address.key: each.address for each in job.inputs}
        self._statuses = store.statuses(list(addresses.values())) if addresses else {}
        self._loaded: dict[tuple[object, ...], object] = {}
        self._by_role: dict[str, list[Address | Failure]] = {}
        for role, source in _in_order(job):
            self._by_role.setdefault(role, []).append(source)

    def arguments(self) -> dict[str, Any]:
        """The config of the job, with values in the places of specs.

        Raises:
            InputError: a value cannot be read, or has no such part.
        """
        config = self._job.config
        if not self._by_role:
            return dict(config)
        return {name: replaced(value, name, self._filled) for name, value in config.items()}

    def _filled(self, leaf: object, path: str) -> object:
        if not is_slot(leaf):
            return leaf
        role, steps = slot_parts(leaf)
        is_lazy = root_of(role) in self._lazy
        found = [self._value(each, steps, lazy=is_lazy) for each in self._by_role.get(role, ())]
        return found if self._job.gathers or len(found) > 1 else found[0]

    def _value(self, source: Address | Failure, steps: list[Any], *, lazy: bool) -> object:
        if isinstance(source, Failure):
            return source
        known = (source.key, lazy, canonical.encode(steps))
        if known not in self._loaded:
            self._loaded[known] = self._read(source, steps, lazy=lazy)
        return self._loaded[known]

    def _read(self, source: Address, steps: list[Any], *, lazy: bool) -> object:
        status = self._statuses.get(source.key)
        who = self._job.run.unique_name
        if status is None:
            raise InputError(f"{who} reads {source}, which is not in the store any more")
        try:
            if self._values is not None:
                return self._values.value(source, status, steps, lazy=lazy)
            return value_of(self._store, source, status, steps, lazy=lazy)
        except InputError as error:
            raise InputError(f"{who} cannot read its argument: {error}") from error.__cause__
        except (ArtifactMissing, ArtifactDamaged) as error:
            raise InputError(
                f"{who} cannot read {source}: {error}. "
                f"Run again with force={source.task!r} to compute it anew"
            ) from error


def _in_order(job: Job) -> Iterator[tuple[str, Address | Failure]]:
    """What is read and what has failed, each under its role, in order."""
    failed: Mapping[int, list[Any]] = {}
    if job.failed:
        failed = {
            at: [f for f in job.failed if f.position == at] for at in range(len(job.inputs) + 1)
        }
    for at, each in enumerate(job.inputs):
        for lost in failed.get(at, ()):
            yield lost.role, lost.failure
        yield each.role, each.address
    for lost in failed.get(len(job.inputs), ()):
        yield lost.role, lost.failure
