"""What would run, as a table: per spec, per task, for a terminal, a page and a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from flowlib.console_lines import cut
from flowlib.console_text import Line, Span, harmless, merged
from flowlib.estimates import Estimates
from flowlib.labels import TaskRefs
from flowlib.next_commands import store_text
from flowlib.node import Node
from flowlib.page_table import page_table
from flowlib.plan_facts import PlanFacts
from flowlib.plan_reasons import reason_of, reasons_of_spec
from flowlib.progress_picture import clock
from flowlib.reasons import Reason
from flowlib.signs import Signs
from flowlib.vocabulary import SHOWN_STATES

HINT: Final = (
    "nothing was run or written; print(plan.tasks_text()) lists tasks, "
    'plan.why("{id}") explains one, flow.run(…) goes'
)
"""The last line for those who plan in Python; `{id}` is one of the tasks that would run."""

_HEAD: Final = ("spec", "tasks", "cached", "run", "why", "est.")
_TO_THE_RIGHT: Final = frozenset({"tasks", "cached", "run", "est."})
_COLOURS: Final = {"cached": SHOWN_STATES["cached"].colour, "run": SHOWN_STATES["running"].colour}
_MOST_NEAREST: Final = 50
_WIDEST_WHY: Final = 76


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


def table_lines(
    plan: PlanFacts, signs: Signs, *, hint: str = HINT, code: str = "", width: int | None = None
) -> list[Line]:
    """The table of a plan.

    Args:
        plan: It.
        signs: What it is made of.
        hint: The last line; `{id}` becomes the id of a task that would run; empty for none.
        code: Which state of the code it is about; empty for nothing.
        width: Cells of a line; None is as many as are needed.
    """
    estimates = Estimates(plan)
    rows = [_cells(row) for row in spec_rows(plan, estimates)]
    total = _total(plan, estimates)
    head = dict(zip(_HEAD, _HEAD, strict=True))
    widths = {name: max(cell_len(row[name]) for row in [head, *rows, total]) for name in _HEAD}
    widths["est."] = max(cell_len(row["est."]) for row in [head, *rows])
    rule = signs.box[4] * (sum(widths.values()) + 2 * len(_HEAD) + 1)
    lines = [
        _title(plan, signs, code),
        _line(head, widths, "dim", signs),
        (Span(f" {rule}", "dim"),),
        *(_line(row, widths, "", signs) for row in rows),
        _line(total, widths, "bold", signs),
        *_below(plan, signs, hint),
    ]
    return lines if width is None else [cut(line, width, signs.more) for line in lines]


def task_lines(plan: PlanFacts, signs: Signs) -> list[Line]:
    """One line for each task that is wanted: its state, what it is called, why it would run."""
    estimates, refs = Estimates(plan), TaskRefs(plan.graph.by_spec)
    wanted = [node for node in plan.graph if node.key not in plan.left_out]
    names = [harmless(f"{n.name} {refs.label(n)}".rstrip(), signs.encoding) for n in wanted]
    longest = max(map(cell_len, names), default=0)
    near = [n.key for n in wanted if plan.reasons.get(n.key) in (Reason.NEW, Reason.VERSION)]
    told = frozenset(near[:_MOST_NEAREST])
    return [
        _task_line(plan, node, name + " " * (longest - cell_len(name)), estimates, signs, told)
        for node, name in zip(wanted, names, strict=True)
    ]


def table_html(plan: PlanFacts) -> str:
    """The table as a static piece of a page, under 50 kB."""
    estimates = Estimates(plan)
    rows = [_cells(row) for row in spec_rows(plan, estimates)]
    values = [[_number(each) for each in row.values()] for row in [_total(plan, estimates), *rows]]
    return page_table(_HEAD, values, "; ".join(_notes(plan))[:400])


def _number(cell: str) -> str | int:
    return int(cell) if cell.isdecimal() else cell


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


def _cells(row: SpecRow) -> dict[str, str]:
    values = (
        row.name,
        str(row.tasks),
        str(row.cached or ""),
        str(row.run or ""),
        row.why,
        estimate_text(row.expected_s) if row.run else "",
    )
    return dict(zip(_HEAD, values, strict=True))


def _total(plan: PlanFacts, estimates: Estimates) -> dict[str, str]:
    tasks, run = len(plan.graph) - len(plan.left_out), len(plan.reasons)
    values = (
        "total",
        str(tasks),
        str(tasks - run or ""),
        str(run or ""),
        "",
        _wall(estimates, plan),
    )
    return dict(zip(_HEAD, values, strict=True))


def _wall(estimates: Estimates, plan: PlanFacts) -> str:
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


def _title(plan: PlanFacts, signs: Signs, code: str) -> Line:
    store = store_text(plan.store)
    where = "in memory" if "InMemoryStore" in store else store
    title = f"Plan {harmless(plan.title, signs.encoding)}".rstrip()
    spans = [Span(title, "bold"), Span("   store ", "dim"), Span(harmless(where, signs.encoding))]
    if code:
        spans += [Span("   code ", "dim"), Span(harmless(code, signs.encoding))]
    return tuple(spans)


def _line(row: dict[str, str], widths: dict[str, int], style: str, signs: Signs) -> Line:
    spans = []
    for name in _HEAD:
        text = harmless(row[name], signs.encoding)
        if name == "why":
            text = text.replace("×", signs.times)
        pad = " " * (widths[name] - cell_len(text))
        shown = pad + text if name in _TO_THE_RIGHT else text + pad
        spans.append(Span(f"  {shown}", style or _COLOURS.get(name, "")))
    return merged(spans)


def _below(plan: PlanFacts, signs: Signs, hint: str) -> Iterator[Line]:
    for note in _notes(plan):
        yield (Span(f"  note: {harmless(note, signs.encoding)}", "yellow"),)
    if not hint:
        return
    some = next((plan.graph.nodes[key] for key in plan.reasons), None)
    if some is None:
        yield (Span("  nothing is to be run", "dim"),)
    else:
        yield (Span(f"  {hint.replace('{id}', str(some.address))}", "dim"),)


def _notes(plan: PlanFacts) -> Iterator[str]:
    if plan.left_out:
        yield f"{len(plan.left_out)} of {len(plan.graph)} tasks are left out"
    if plan.stale:
        names = ", ".join(sorted({node.name for node in plan.stale}))
        yield f"{len(plan.stale)} cached tasks are older than their input: {names}"
    yield from plan.notes


def _task_line(
    plan: PlanFacts, node: Node, name: str, estimates: Estimates, signs: Signs, told: frozenset[str]
) -> Line:
    is_run = node.key in plan.reasons
    word = "pending" if is_run else "cached"
    state = SHOWN_STATES[word]
    why = f"{reason_of(plan, node)}" if is_run else "cached"
    if node.key in told and (nearest := plan.earlier.nearest(node)) is not None:
        why += f" ({nearest})"
    expected = f"  {estimate_text(estimates.of(node))}" if is_run else ""
    line = (
        Span(f" {signs.icon(word)} ", state.colour),
        Span(f"{name}  "),
        Span(f"{harmless(str(node.address), signs.encoding)}  ", "dim"),
        Span(harmless(why, signs.encoding)),
        Span(expected, "dim"),
    )
    return merged(line)
