"""
Which objects and amounts may a task use while it runs? A pure pool: no process, no device.

Two kinds of resources exist side by side. *Objects* are leased exclusively and come from a list
given to `Flow.run`; they are called `gpu` where a demand names them. *Amounts* are counted and
may be fractions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from flowlib.errors import ResourceError, nearest

OBJECTS: Final = "gpu"
"""The kind under which the objects of a resource list are asked for."""

_LONGEST_TEXT: Final = 60
"""Characters of an object in `as_text`; longer ones are cut."""

_SLACK: Final = 1e-9  # fractions such as 0.1 + 0.2 must still fit


@dataclass(frozen=True, slots=True)
class Demand:
    """What one task needs: so many objects, and amounts by kind."""

    objects: int = 0
    amounts: tuple[tuple[str, float], ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind it takes something of."""
        kinds = {kind for kind, _ in self.amounts}
        return frozenset(kinds | {OBJECTS} if self.objects else kinds)


NOTHING: Final = Demand()


@dataclass(frozen=True, slots=True)
class Grant:
    """What one task holds until it ends."""

    demand: Demand = NOTHING
    objects: tuple[int, ...] = ()


@dataclass(slots=True)
class ResourcePool:
    """All resources of one run.

    Attributes:
        objects: The objects of the list, in order; leased by index, so they may be equal.
        amounts: Totals of the counted kinds.
    """

    objects: tuple[object, ...] = ()
    amounts: Mapping[str, float] = field(default_factory=dict)
    _free_objects: list[int] = field(default_factory=list)
    _free_amounts: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._free_objects = list(range(len(self.objects)))
        self._free_amounts = dict(self.amounts)

    def demand(self, spec: str, wanted: Mapping[str, float] | None) -> Demand:
        """What a spec's `resources` mean in this pool.

        Raises:
            ResourceError: the pool could never meet it.
        """
        if wanted is None:
            return Demand(objects=1) if self.objects else NOTHING
        objects = 0
        amounts = []
        for kind, amount in wanted.items():
            if isinstance(amount, bool) or not isinstance(amount, (int, float)):
                raise ResourceError(f"{spec} needs {amount!r} of {kind}: give a number")
            self._check(spec, kind, amount)
            if kind == OBJECTS and self.objects and kind not in self.amounts:
                objects = math.ceil(amount)
            elif amount > 0:
                amounts.append((kind, float(amount)))
        return Demand(objects, tuple(sorted(amounts)))

    def fits(self, demand: Demand) -> bool:
        """Whether `demand` can be met now."""
        return demand.objects <= len(self._free_objects) and all(
            amount <= self._free_amounts[kind] + _SLACK for kind, amount in demand.amounts
        )

    def take(self, demand: Demand) -> Grant:
        """Lease what `demand` asks for; it must fit."""
        objects = tuple(self._free_objects[: demand.objects])
        del self._free_objects[: demand.objects]
        for kind, amount in demand.amounts:
            self._free_amounts[kind] -= amount
        return Grant(demand, objects)

    def give_back(self, grant: Grant) -> None:
        """Return what a task held."""
        self._free_objects = sorted([*self._free_objects, *grant.objects])
        for kind, amount in grant.demand.amounts:
            self._free_amounts[kind] = min(self._free_amounts[kind] + amount, self.amounts[kind])

    def resource(self, grant: Grant) -> object:
        """What the task sees as `self.resource`: one object, a list of several, or None."""
        granted = [self.objects[index] for index in grant.objects]
        if len(granted) == 1:
            return granted[0]
        if granted:
            return granted
        return dict(grant.demand.amounts) or None

    def _check(self, spec: str, kind: str, amount: float) -> None:
        total = self.amounts.get(kind, len(self.objects) if kind == OBJECTS else None)
        known = {*self.amounts, *([OBJECTS] if self.objects else [])}
        if total is None or (total == 0 and kind not in self.amounts and amount > 0):
            has = ", ".join(sorted(known)) or "none"
            raise ResourceError(
                f"{spec} needs {amount:g} {kind}, but the run has no such resource "
                f"(it has: {has}).{nearest(kind, known)}"
            )
        if not amount >= 0 or amount > total + _SLACK:
            raise ResourceError(
                f"{spec} needs {amount:g} {kind}, but the run has {total:g}: it could never start"
            )


def pool_of(resources: object) -> ResourcePool:
    """The pool for the `resources` argument of `Flow.run`.

    A mapping of kinds to numbers counts; a list holds objects; None is no resource; anything
    else is one object.
    """
    if resources is None:
        return ResourcePool()
    if isinstance(resources, Mapping):
        return ResourcePool(amounts={k: _amount(k, v) for k, v in resources.items()})
    if isinstance(resources, list):
        return ResourcePool(objects=tuple(resources))
    return ResourcePool(objects=(resources,))


def _amount(kind: object, amount: object) -> float:
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not amount >= 0:
        raise ResourceError(f"resources[{kind!r}] must be a number of 0 or more, not {amount!r}")
    return float(amount)


def as_text(resource: object) -> str:
    """What a task was leased, in a few words for people; never raises."""
    if resource is None:
        return ""
    if isinstance(resource, dict):
        return " ".join(f"{kind}={amount:g}" for kind, amount in resource.items())
    if isinstance(resource, list):
        return ",".join(as_text(each) for each in resource)
    try:
        text = str(resource)
    except Exception:  # noqa: BLE001  # the user's own class
        text = type(resource).__name__
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
