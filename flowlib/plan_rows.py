"""What stands in the table of a plan? Per spec: counts, reasons, how long it takes."""

from __future__ import annotations

from collections.abc import Iterator

from flowlib.estimates import Estimates
from flowlib.plan_facts import PlanFacts
from flowlib.plan_reasons import reasons_of_spec
from flowlib.progress_picture import clock
from flowlib.reasons import Reason
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SpecRow:
    """One line of the table.

    Attributes:
        name: Of the spec.
        tasks: How many of its tasks are wanted.
        cached: How many of those need not run.
        run: How many would run.
        reasons: Why, each with its words.
        expected_s: How long that takes one after the other; None if nobody knows.
    """

    name: str
    tasks: int
    cached: int
    run: int
    reasons: tuple[tuple[Reason, str], ...]
    expected_s: float | None

    @property
    def why(self) -> str:
        """The reasons in one line."""
        return "  ".join(words for _, words in self.reasons)


def spec_rows(plan: PlanFacts, estimates: Estimates) -> list[SpecRow]:
    """The specs of which something is wanted."""
    return [row for name in plan.graph.by_spec if (row := _row(plan, name, estimates)).tasks]


def wall_text(plan: PlanFacts, estimates: Estimates) -> str:
    """How long all of it takes: `~7:20 with 4 workers`; empty if nothing would run."""
    if not plan.reasons:
        return ""
    seconds = estimates.wall_s
    text = estimate_text(seconds)
    if seconds is not None:
        about = ">" if not estimates.is_complete else "" if text.startswith("<") else "~"
        text = f"{about}{text.lstrip('<') if about else text}"
    workers = f"{plan.workers} worker{'s' * (plan.workers > 1)}"
    return f"{text} with {workers}"


def estimate_text(seconds: float | None) -> str:
    """A length of time that is guessed: `7:20`, `<0:01`, or `?` if nobody knows."""
    if seconds is None:
        return "?"
    return "<0:01" if seconds < 1 else clock(round(seconds))


def notes_of(plan: PlanFacts) -> Iterator[str]:
    """What is to be said below the table."""
    if out := len(plan.left_out):
        yield f"{out} of {len(plan.graph)} tasks {'is' if out == 1 else 'are'} left out"
    if plan.stale:
        names = ", ".join(sorted({node.name for node in plan.stale}))
        one = len(plan.stale) == 1
        what = "task is older than its input" if one else "tasks are older than their input"
        yield f"{len(plan.stale)} cached {what}: {names}"
    if unknown := plan.unknown:
        yield f"+ unknown: {', '.join(unknown)} may return more tasks when they have run"
    yield from plan.notes


def _row(plan: PlanFacts, name: str, estimates: Estimates) -> SpecRow:
    nodes = [node for node in plan.graph.by_spec[name] if node.key not in plan.left_out]
    run = sum(node.key in plan.reasons for node in nodes)
    return SpecRow(
        name,
        len(nodes),
        len(nodes) - run,
        run,
        tuple(reasons_of_spec(plan, nodes)),
        estimates.spec_s(name) if run else 0.0,
    )
