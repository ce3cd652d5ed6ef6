"""What does a task get from its predecessors? Their artifacts, by name."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from functools import cached_property

from flowlib.errors import InputError, nearest
from flowlib.job import Assignment, Job
from stores import (
    Address,
    Artifact,
    ArtifactDamaged,
    ArtifactMissing,
    Input,
    LazySweep,
    Promise,
    ResultsStore,
    Sweep,
    UniqueConfig,
)


def collect_inputs(job: Job, assignment: Assignment, store: ResultsStore) -> dict[str, object]:
    """The arguments of `run` that come from predecessors.

    Raises:
        InputError: a name is missing, saved by two predecessors, or cannot be read.
    """
    expects = assignment.signature.expects
    if not expects:
        return {}
    sources = _Sources(job, store)
    found: dict[str, object] = {}
    for name, parameter in expects.items():
        savers = sources.savers(name)
        is_lazy = name in assignment.signature.lazy
        if job.gathers and savers:
            found[name] = sources.gathered(name, savers, is_lazy=is_lazy)
        elif savers:
            found[name] = sources.only_value(name, savers, is_lazy=is_lazy)
        elif parameter.default is parameter.empty:
            raise InputError(sources.missing_message(name))
    return found


class _Sources:
    """The predecessors of one job and what they have saved, read in one look."""

    def __init__(self, job: Job, store: ResultsStore) -> None:
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
        for each in savers:
            value = self._value(name, each.address, is_lazy=is_lazy)
            config = functools.partial(self._config_of, each.address.key)
            if is_lazy and isinstance(value, Promise):
                gathered.append(LazySweep(value, config))
            else:
                gathered.append(Sweep(value, config))
        return gathered

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
        return self._store.unique_configs([each.address for each in self._job.inputs])
