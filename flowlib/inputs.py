"""What does a task get from its predecessors? Their artifacts, by name."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from functools import cached_property

from flowlib.errors import InputError, nearest
from flowlib.job import Assignment, Job
from stores import (
    Address,
    ArtifactDamaged,
    ArtifactMissing,
    Input,
    LazySweep,
    Promise,
    ResultsStore,
    Status,
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
    statuses = store.statuses(each.address for each in job.inputs)
    found: dict[str, object] = {}
    gather = _Gathered(job, store) if job.gathers else None
    for name, parameter in expects.items():
        sources = [s for s in job.inputs if name in _names(statuses.get(s.address.key))]
        is_lazy = name in assignment.signature.lazy
        if gather is not None and sources:
            found[name] = gather.values(name, sources, is_lazy=is_lazy)
        elif sources:
            found[name] = _only_value(job, name, sources, store, is_lazy=is_lazy)
        elif parameter.default is parameter.empty:
            raise InputError(_missing_message(job, name, statuses.values()))
    return found


def _only_value(
    job: Job, name: str, sources: list[Input], store: ResultsStore, *, is_lazy: bool
) -> object:
    if len(sources) > 1:
        savers = ", ".join(str(each.address) for each in sources)
        raise InputError(
            f"{job.run.unique_name} reads {name!r}, which {len(sources)} of its predecessors "
            f"have saved: {savers}. Save it under different names"
        )
    return _value(job, name, sources[0].address, store, is_lazy=is_lazy)


def _value(job: Job, name: str, source: Address, store: ResultsStore, *, is_lazy: bool) -> object:
    try:
        return store.get(source, name, lazy=is_lazy)
    except (ArtifactMissing, ArtifactDamaged) as error:
        raise InputError(
            f"{job.run.unique_name} cannot read {name!r} of {source}: {error}. "
            f"Run again with force={source.task!r} to compute it anew"
        ) from error


class _Gathered:
    """The values of a reduce; the configs of its members are derived together, when asked for."""

    def __init__(self, job: Job, store: ResultsStore) -> None:
        self._job = job
        self._store = store

    def values(self, name: str, sources: list[Input], *, is_lazy: bool) -> list[Sweep | LazySweep]:
        gathered: list[Sweep | LazySweep] = []
        for source in sources:
            value = _value(self._job, name, source.address, self._store, is_lazy=is_lazy)
            config = functools.partial(self._config_of, source.address)
            if is_lazy and isinstance(value, Promise):
                gathered.append(LazySweep(value, config))
            else:
                gathered.append(Sweep(value, config))
        return gathered

    def _config_of(self, address: Address) -> UniqueConfig:
        return self._configs[address.key]

    @cached_property
    def _configs(self) -> Mapping[str, UniqueConfig]:
        return self._store.unique_configs([each.address for each in self._job.inputs])


def _names(status: Status | None) -> frozenset[str]:
    return frozenset() if status is None else frozenset(a.name for a in status.artifacts)


def _missing_message(job: Job, name: str, statuses: Iterable[Status]) -> str:
    saved = sorted({artifact.name for status in statuses for artifact in status.artifacts})
    senders = sorted({each.role for each in job.inputs})
    return (
        f"{job.run.unique_name} wants {name!r}, but none of its predecessors "
        f"({', '.join(senders)}) saved it.{nearest(name, saved)} "
        f"They saved: {', '.join(saved) or 'nothing'}"
    )
