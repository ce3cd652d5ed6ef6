"""A row for each worker, as SVG: what it ran, what failed, when it had nothing to do."""

from __future__ import annotations

from typing import Final

from flowlib.dashboard.frame import task_url
from flowlib.dashboard.markup import Markup, tag
from flowlib.dashboard.run_history import MOST_SPANS
from flowlib.durations import took
from flowlib.timeline import Span, Timeline
from stores import Address

_WIDTH_PX: Final = 1000
_LEFT_PX: Final = 70
_ROW_PX: Final = 22
_BOX_PX: Final = 16
_MOST_WORKERS: Final = 200
_STEPS: Final = 5


def timeline_picture(timeline: Timeline) -> Markup:
    """What the workers of a run did.

    Args:
        timeline: It.
    """
    if not timeline.spans:
        return tag("p", "No task ran, or what happened was not kept.")
    workers = timeline.workers[:_MOST_WORKERS]
    rows = {worker: number for number, worker in enumerate(workers)}
    spans = [each for each in timeline.spans if each.worker in rows]
    kept = sorted(spans, key=lambda each: each.start - each.end)[:MOST_SPANS]
    scale = (_WIDTH_PX - _LEFT_PX) / max(timeline.duration_s, 1e-3)
    height = _ROW_PX * (len(workers) + 1)
    hidden = timeline.hidden + len(spans) - len(kept)
    note = f"without the {hidden:,} shortest" if hidden else ""
    return tag(
        "div",
        tag("p", note, class_="warning") if note else None,
        tag(
            "div",
            tag(
                "svg",
                *(_label(timeline, worker, row) for worker, row in rows.items()),
                *(_span(each, rows[each.worker], scale) for each in kept),
                *_axis(timeline.duration_s, scale, height),
                xmlns="http://www.w3.org/2000/svg", width=_WIDTH_PX, height=height,
                viewBox=f"0 0 {_WIDTH_PX} {height}", class_="timeline",
            ),
            class_="scroll",
        ),
    )  # fmt: skip


def _label(timeline: Timeline, worker: int, row: int) -> Markup:
    text = f"w{worker} {timeline.busy(worker):.0%}"
    return tag("text", text, x=0, y=row * _ROW_PX + _BOX_PX - 3)


def _span(span: Span, row: int, scale: float) -> Markup:
    lasted = span.end - span.start
    told = f"{span.task.unique_name} {span.task.label} {span.word} {took(lasted)} {span.told[:200]}"
    box = tag(
        "rect", tag("title", told), x=f"{_LEFT_PX + span.start * scale:.2f}", y=row * _ROW_PX,
        width=f"{max(1.0, lasted * scale):.2f}", height=_BOX_PX, class_=f"span fill {span.word}",
    )  # fmt: skip
    return tag("a", box, href=task_url(Address(span.task.spec, span.task.key)))


def _axis(duration_s: float, scale: float, height: int) -> list[Markup]:
    steps = [duration_s * step / _STEPS for step in range(_STEPS + 1)]
    return [
        tag(
            "text", took(each), x=f"{_LEFT_PX + each * scale:.1f}", y=height - 4, class_="tick",
            text_anchor="end" if number == _STEPS else "start",
        )
        for number, each in enumerate(steps)
    ]  # fmt: skip
