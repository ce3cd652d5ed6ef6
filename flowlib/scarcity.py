"""What should a user know of the resources of a run? Which nobody uses, and which are short."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from flowlib.amounts import PARTS
from flowlib.demands import Demand
from flowlib.resources import ResourcePool


def notes_on(pool: ResourcePool, demands: Collection[Demand], workers: int | None) -> Iterator[str]:
    """One line for each thing that may be a mistake.

    Args:
        pool: The resources of the run.
        demands: What each spec needs.
        workers: How many workers the user asked for; None if not at all.
    """
    asked = {kind for demand in demands for kind in demand.kinds}
    for kind in sorted({*pool.objects, *pool.amounts} - asked):
        yield (
            f"the run has {kind}, but no task asks for it: say so in its spec, "
            f"TaskSpec(..., resources={{{kind!r}: 1}})"
        )
    for kind in sorted(asked & pool.objects.keys()):
        at_once = _at_once(len(pool.objects[kind]), kind, demands)
        if workers is not None and at_once < workers:
            yield (
                f"{workers} workers share {len(pool.objects[kind])} {kind}: at most {at_once} of "
                f"the tasks that need one run at once, the others wait"
            )


def _at_once(objects: int, kind: str, demands: Iterable[Demand]) -> int:
    """How many tasks can hold some of a kind at the same time."""
    wanted = [dict(each.parts)[kind] for each in demands if kind in each.kinds]
    least = min(wanted)
    return objects // (least // PARTS) if least >= PARTS else objects * (PARTS // least)
