"""
Which objects and amounts may a task use while it runs? A pure pool: no process, no device.

Two sorts of resources exist side by side, each under the name of its kind. *Objects* are leased:
whole ones to one task at a time, and parts of one to tasks that ask for a fraction. *Amounts* are
counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from flowlib.amounts import PARTS, Amount, amount_of, amounts_of
from flowlib.demands import NOTHING, Demand, Grant
from flowlib.devices import Environment, Gpu, all_gpus, environment_of, gpus_of, names_inside
from flowlib.errors import ResourceError, nearest
from flowlib.gpu_memory import memory_of
from stores.lazy_dataclass import dataclass

OBJECTS: Final = "gpu"
"""The kind under which the objects of a resource list are asked for."""

CPUS: Final = "cpu"
"""The kind whose amounts are numbers of threads."""

_LONGEST_TEXT: Final = 60
"""Characters of an object in `as_text`; longer ones are cut."""


@dataclass(slots=True)
class ResourcePool:
    """All resources of one run.

    Attributes:
        objects: By kind; they are leased by index, so they may be equal, and of any type.
        amounts: Totals of the counted kinds.
        default: What a task gets that asks for nothing.
        environ: The environment of this process.
    """

    objects: Mapping[str, Sequence[object]] = field(default_factory=dict)
    amounts: Mapping[str, Amount] = field(default_factory=dict)
    default: Demand = NOTHING
    environ: Mapping[str, str] = field(default_factory=dict)
    _free_objects: dict[str, list[int]] = field(default_factory=dict)  # parts of each object
    _free_amounts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._free_objects = {kind: [PARTS] * len(all_) for kind, all_ in self.objects.items()}
        self._free_amounts = {kind: total.parts for kind, total in self.amounts.items()}

    def demand(self, spec: str, wanted: Mapping[str, float | str] | None) -> Demand:
        """What a spec's `resources` mean in this pool.

        Raises:
            ResourceError: the pool could never meet it.
        """
        if wanted is None:
            return self.default
        parts = []
        for kind, given in amounts_of(spec, wanted).items():
            is_memory = kind == OBJECTS and given.is_size and self.has_devices
            amount = self._part_of_device(spec, given) if is_memory else given
            self._check(spec, kind, amount)
            if amount.parts:
                parts.append((kind, amount.parts))
        return Demand(tuple(sorted(parts)))

    def fits(self, demand: Demand) -> bool:
        """Whether `demand` can be met now."""
        return not demand.parts or all(self._has(kind, parts) for kind, parts in demand.parts)

    def take(self, demand: Demand) -> Grant:
        """Lease what `demand` asks for; it must fit."""
        if not demand.parts:
            return Grant(demand)
        objects = []
        for kind, parts in demand.parts:
            if kind in self._free_objects:
                objects.append((kind, self._lease(self._free_objects[kind], parts)))
            else:
                self._free_amounts[kind] -= parts
        return Grant(demand, tuple(objects))

    def give_back(self, grant: Grant) -> None:
        """Return what a task held."""
        if not grant.demand.parts:
            return
        objects = dict(grant.objects)
        for kind, parts in grant.demand.parts:
            for index in objects.get(kind, ()):
                self._free_objects[kind][index] += min(parts, PARTS)
            if kind in self._free_amounts:
                self._free_amounts[kind] += parts

    def resource(self, grant: Grant) -> object:
        """What the task sees as `self.resource`.

        One object, or a list of several; by kind, if there are objects of several kinds. Amounts
        by kind, if it was leased amounts only. None for nothing.
        """
        if not grant.demand.parts:
            return None
        if grant.objects:
            return _alone({kind: _seen(held) for kind, held in self._held(grant).items()})
        return {kind: each.value for kind, each in self._counted(grant)} or None

    def label(self, grant: Grant) -> str:
        """What the task was leased, in a few words for people."""
        if not grant.demand.parts:
            return ""
        if grant.objects:
            return as_text(_alone(self._held(grant)))
        return as_text(dict(self._counted(grant)) or None)

    def environment(self, grant: Grant) -> Environment:
        """The variables that a process needs to run the task of `grant`."""
        if not grant.demand.parts and not self.objects:
            return ()
        gpus = None
        if self.has_devices:
            gpus = [each for each in self._held(grant).get(OBJECTS, ()) if isinstance(each, Gpu)]
        cpus = next((parts / PARTS for kind, parts in grant.demand.parts if kind == CPUS), None)
        return environment_of(gpus, cpus, self.environ)

    @property
    def has_devices(self) -> bool:
        """Whether it leases devices that only the task may see that has leased them."""
        return any(isinstance(each, Gpu) for each in self.objects.get(OBJECTS, ()))

    def _held(self, grant: Grant) -> dict[str, list[object]]:
        return {kind: [self.objects[kind][i] for i in held] for kind, held in grant.objects}

    def _counted(self, grant: Grant) -> list[tuple[str, Amount]]:
        totals = self.amounts
        counted = [(kind, parts) for kind, parts in grant.demand.parts if kind in totals]
        return [(kind, Amount(parts, totals[kind].is_size)) for kind, parts in counted]

    def _has(self, kind: str, parts: int) -> bool:
        if kind not in self._free_objects:
            return parts <= self._free_amounts[kind]
        free = self._free_objects[kind]
        if parts < PARTS:
            return any(parts <= each for each in free)
        return parts // PARTS <= free.count(PARTS)

    @staticmethod
    def _lease(free: list[int], parts: int) -> tuple[int, ...]:
        """Whole objects in order; for a fraction the fullest object that has room for it."""
        if parts < PARTS:
            left, index = min((left, index) for index, left in enumerate(free) if left >= parts)
            free[index] = left - parts
            return (index,)
        indices = [index for index, left in enumerate(free) if left == PARTS][: parts // PARTS]
        for index in indices:
            free[index] = 0
        return tuple(indices)

    def _check(self, spec: str, kind: str, amount: Amount) -> None:
        total = self._total(kind)
        if total is None:
            known = {*self.amounts, *self.objects}
            has = ", ".join(sorted(known)) or "none"
            raise ResourceError(
                f"{spec} needs {amount} {kind}, but the run has no such resource "
                f"(it has: {has}).{nearest(kind, known)}"
            )
        if amount.is_size is not total.is_size and amount.parts:
            raise ResourceError(
                f"{spec} needs {amount} {kind}, but the run has {total} of it: write both as "
                f"numbers, or both as sizes such as '8GB'"
            )
        if amount.parts > total.parts:
            raise ResourceError(
                f"{spec} needs {amount} {kind}, but the run has {total}: it could never start"
            )
        if kind in self.objects and amount.parts > PARTS and amount.parts % PARTS:
            raise ResourceError(
                f"{spec} needs {amount} {kind}, but these are leased one by one: ask for a whole "
                f"number of them, or for a fraction of one"
            )

    def _part_of_device(self, spec: str, memory: Amount) -> Amount:
        """The fraction of a device that has so much of its memory; of the smallest device."""
        gpus = [each for each in self.objects[OBJECTS] if isinstance(each, Gpu)]
        sizes = memory_of([each.id for each in gpus])
        if sizes is None:
            raise ResourceError(
                f"{spec} needs {memory} of a gpu, but how much memory the GPUs have cannot be "
                f"found out: install flowlib-runner[nvidia], or ask for a fraction, such as 0.5"
            )
        smallest = Amount(min(sizes) * PARTS, is_size=True)
        if memory.parts > smallest.parts:
            raise ResourceError(
                f"{spec} needs {memory} of a gpu, but the smallest has {smallest}: it could "
                f"never start"
            )
        return Amount(max(1, memory.parts // min(sizes)))

    def _total(self, kind: str) -> Amount | None:
        if kind in self.objects:
            return Amount(len(self.objects[kind]) * PARTS)
        return self.amounts.get(kind)


def pool_of(resources: object, environ: Mapping[str, str] | None = None) -> ResourcePool:
    """The pool for the `resources` argument of `Flow.run`.

    A list holds objects, of which each task gets one that does not say otherwise. A mapping names
    kinds: a number or a size is counted, a list holds objects. The number of `gpu` is one of
    devices, and so is a list of their indices; "auto" is all of them. None is no resource;
    anything else is one object.

    Raises:
        ResourceError: an amount is none, or there is no such device.
    """
    environ = environ or {}
    if isinstance(resources, Mapping):
        return _pool_of_kinds(resources, environ)
    objects = tuple(resources) if isinstance(resources, list) else (resources,)
    if resources is None or not objects:
        return ResourcePool(environ=environ)
    return ResourcePool({OBJECTS: objects}, default=Demand(((OBJECTS, PARTS),)), environ=environ)


def as_text(resource: object) -> str:
    """What a task was leased, in a few words for people; never raises."""
    if resource is None:
        return ""
    if isinstance(resource, dict):
        return " ".join(f"{kind}={as_text(amount)}" for kind, amount in resource.items())
    if isinstance(resource, list):
        return ",".join(as_text(each) for each in resource)
    try:
        text = f"{resource:g}" if isinstance(resource, float) else str(resource)
    except Exception:  # noqa: BLE001  # the user's own class
        text = type(resource).__name__
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _pool_of_kinds(resources: Mapping[str, object], environ: Mapping[str, str]) -> ResourcePool:
    objects: dict[str, Sequence[object]] = {}
    amounts: dict[str, Amount] = {}
    for kind, given in resources.items():
        value = all_gpus(environ) if (kind, given) == (OBJECTS, "auto") else given
        if not isinstance(kind, str) or not kind:
            raise ResourceError(f"the kinds of resources are words such as 'cpu', not {kind!r}")
        if isinstance(value, list):
            gpus = gpus_of(value, environ) if kind == OBJECTS else None
            objects[kind] = tuple(value) if gpus is None else gpus
            continue
        amount = amount_of(value)
        if amount is None or (kind == OBJECTS and (amount.is_size or amount.parts % PARTS)):
            what = "a whole number of devices" if kind == OBJECTS else "a number of 0 or more"
            raise ResourceError(
                f"resources[{kind!r}] is {value!r}; give {what}, a list of objects"
                f"{'' if kind == OBJECTS else ', or a size such as 32GB'}"
            )
        if kind == OBJECTS:
            objects[kind] = gpus_of(amount.parts // PARTS, environ) or ()
        else:
            amounts[kind] = amount
    return ResourcePool(objects, amounts, environ=environ)


def _seen(held: list[object]) -> list[object]:
    """Objects as the task sees them: devices by the names they have in its process."""
    gpus = [each for each in held if isinstance(each, Gpu)]
    return [*names_inside(gpus)] if gpus else held


def _alone(held: Mapping[str, list[object]]) -> object:
    """The only object, or a list of them; by kind if there are several kinds."""
    unpacked = {kind: each[0] if len(each) == 1 else each for kind, each in held.items()}
    return unpacked if len(unpacked) > 1 else next(iter(unpacked.values()))
