"""What does a task get from its predecessors? Their artifacts, by name, or their failures."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from functools import cached_property

from flowlib.errors import InputError, nearest
from flowlib.failures import Failure
from flowlib.job import Assignment, FailedInput, Job
from flowlib.lent_values import InputStore
from stores import (
    Address,
    Artifact,
    ArtifactDamaged,
    ArtifactMissing,
    Input,
    LazySweep,
    Promise,
    Sweep,
    UniqueConfig,
)


def collect_inputs(job: Job, assignment: Assignment, store: InputStore) -> dict[str, object]:
    """The arguments of `run` that come from predecessors.

    Raises:
        InputError: a name is missing, saved by two predecessors, or cannot be read.
    """
    expects = assignment.signature.expects
    reads = job.inputs or job.failed or job.gathers
    if not reads and all(each.default is not each.empty for each in expects.values()):
        return {}
    sources = _Sources(job, store)
    found: dict[str, object] = {}
    for name, parameter in expects.items():
        savers = sources.savers(name)
        is_lazy = name in assignment.signature.lazy
        if job.gathers and (savers or job.failed or not job.inputs):
            found[name] = sources.gathered(name, savers, is_lazy=is_lazy)
        elif savers:
            found[name] = sources.only_value(name, savers, is_lazy=is_lazy)
        elif job.failed:
            found[name] = _value_of(job.failed[0].failure, is_lazy=is_lazy)
        elif parameter.default is parameter.empty:
            raise InputError(sources.missing_message(name))
    return found


class _FailedPromise(Promise):
    """Gives the failure when the value is asked for."""

    def __init__(self, failure: Failure) -> None:
        self._failure = failure

    def load(self, **kwargs: object) -> Failure:
        return self._failure


def _value_of(failure: Failure, *, is_lazy: bool) -> Failure | Promise:
    return _FailedPromise(failure) if is_lazy else failure


class _Sources:
    """The predecessors of one job and what they have saved, read in one look."""

    def __init__(self, job: Job, store: InputStore) -> None:
        self._job = job
        self._store = store
        self._statuses = store.statuses([each.address for each in job.inputs])
        self._artifacts: dict[str, dict[str, Artifact]] = {
            key: {artifact.name: artifact for artifact in status.artifacts}
            for key, status in self._statuses.items()
        }

    def savers(self, name: str) -> list[Input]:
        """The inputs that have saved `name`, in order."""
        artifacts = self._artifacts
        return [each for each in self._job.inputs if name in artifacts.get(each.address.key, ())]

    def only_value(self, name: str, savers: list[Input], *, is_lazy: bool) -> object:
        """The value of the one predecessor that has saved `name`."""
        if len(savers) > 1:
            listed = ", ".join(str(each.address) for each in savers)
            raise InputError(
                f"{self._job.run.unique_name} reads {name!r}, which {len(savers)} of its "
                f"predecessors have saved: {listed}. Save it under different names"
            )
        return self._value(name, savers[0].address, is_lazy=is_lazy)

    def gathered(self, name: str, savers: list[Input], *, is_lazy: bool) -> list[Sweep | LazySweep]:
        """The values of a reduce; their configs are derived together, when one is asked for."""
        gathered: list[Sweep | LazySweep] = []
        for each in self._with_failures(savers):
            if isinstance(each, FailedInput):
                address = each.failure.address
                value: object = _value_of(each.failure, is_lazy=is_lazy)
            else:
                address = each.address
                value = self._value(name, address, is_lazy=is_lazy)
            config = functools.partial(self._config_of, address.key)
            if is_lazy and isinstance(value, Promise):
                gathered.append(LazySweep(value, config))
            else:
                gathered.append(Sweep(value, config))
        return gathered

    def _with_failures(self, savers: list[Input]) -> Iterator[Input | FailedInput]:
        """The savers of a name, and in their places the failed that would have been some.

        A role of which others have finished without saving the name is none.
        """
        inputs = self._job.inputs
        mute = {each.role for each in inputs} - {each.role for each in savers}
        failed = [each for each in self._job.failed if each.role not in mute]
        wanted = {each.address.key for each in savers}
        for position in range(len(inputs) + 1):
            while failed and failed[0].position == position:
                yield failed.pop(0)
            if position < len(inputs) and inputs[position].address.key in wanted:
                yield inputs[position]

    def missing_message(self, name: str) -> str:
        """What is wanted, who was asked, what they have saved instead."""
        saved = sorted({name for artifacts in self._artifacts.values() for name in artifacts})
        senders = sorted({each.role for each in self._job.inputs})
        return (
            f"{self._job.run.unique_name} wants {name!r}, but none of its predecessors "
            f"({', '.join(senders)}) saved it.{nearest(name, saved)} "
            f"They saved: {', '.join(saved) or 'nothing'}"
        )

    def _value(self, name: str, source: Address, *, is_lazy: bool) -> object:
        artifact = self._artifacts[source.key][name]
        attempt = self._statuses[source.key].attempt
        try:
            return self._store.load_artifact(source, attempt, artifact, lazy=is_lazy)
        except (ArtifactMissing, ArtifactDamaged) as error:
            raise InputError(
                f"{self._job.run.unique_name} cannot read {name!r} of {source}: {error}. "
                f"Run again with force={source.task!r} to compute it anew"
            ) from error

    def _config_of(self, key: str) -> UniqueConfig:
        return self._configs[key]

    @cached_property
    def _configs(self) -> Mapping[str, UniqueConfig]:
        return self._store.unique_configs(self._job.sources)
