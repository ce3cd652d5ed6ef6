"""What would run, as a table: per spec, per task, for a terminal, a page and a program."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.cells import cell_len

from flowlib.console_lines import cut, width_of
from flowlib.console_text import Line, Span, elided, harmless, merged, plain
from flowlib.estimates import Estimates
from flowlib.labels import TaskRefs
from flowlib.next_commands import store_text
from flowlib.node import Node
from flowlib.page_table import page_table
from flowlib.plan_facts import PlanFacts
from flowlib.plan_reasons import reason_of
from flowlib.plan_rows import SpecRow, estimate_text, notes_of, spec_rows, wall_text
from flowlib.reasons import Reason
from flowlib.signs import UNICODE_SIGNS, Signs
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
_SHORTEST_WHY: Final = 8
_GAP: Final = 2
_LONGEST_TITLE: Final = 400


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
    told = [_cells(row) for row in spec_rows(plan, estimates)]
    rows = [{name: _told(cell, signs) for name, cell in row.items()} for row in told]
    total = _total(plan, estimates)
    head = dict(zip(_HEAD, _HEAD, strict=True))
    widths = _widths([head, *rows], total, width)
    rule = signs.box[4] * (sum(widths.values()) + 2 * len(_HEAD) - 1)
    lines = [
        *_title(plan, signs, code, width),
        _line(head, widths, "dim", signs),
        (Span(f" {rule}", "dim"),),
        *(_line(row, widths, "", signs) for row in rows),
        _line(total, widths, "bold", signs),
        *_below(plan, signs, hint, width),
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
    title = plain(_title(plan, UNICODE_SIGNS, "", None))[:_LONGEST_TITLE]
    table = page_table(_HEAD, values, "; ".join(notes_of(plan))[:_LONGEST_TITLE])
    return f"<div><div>{html.escape(title)}</div>{table}</div>"


def _number(cell: str) -> str | int:
    return int(cell) if cell.isdecimal() else cell


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
        f"{tasks} + unknown" if plan.unknown else str(tasks),
        str(tasks - run or ""),
        str(run or ""),
        "",
        wall_text(plan, estimates),
    )
    return dict(zip(_HEAD, values, strict=True))


def _widths(
    rows: Sequence[Mapping[str, str]], total: Mapping[str, str], width: int | None
) -> dict[str, int]:
    """Cells of each column; where there is no room the reasons are cut, then the names."""
    widths = {name: max(cell_len(row[name]) for row in [*rows, total]) for name in _HEAD}
    widths["est."] = max(cell_len(row["est."]) for row in rows)
    room = cell_len(total["est."]) - widths["est."] - _GAP  # the total reaches below the reasons
    widths["why"] = max(widths["why"], room)
    if width is not None:
        widths["spec"] = min(widths["spec"], max(cell_len("total"), width // 3))
        others = sum(cells + _GAP for name, cells in widths.items() if name != "why") + _GAP
        widths["why"] = max(min(widths["why"], width - others), room, _SHORTEST_WHY)
    return widths


def _title(plan: PlanFacts, signs: Signs, code: str, width: int | None) -> Iterator[Line]:
    """What is planned, where results are, which code it is; in several lines if need be."""
    store = store_text(plan.store)
    where = "in memory" if "InMemoryStore" in store else store
    parts: list[Line] = [(Span(f"Plan {_told(plan.title, signs)}".rstrip(), "bold"),)]
    for name, text in (("store", where), ("code", code)):
        parts += [(Span(f"   {name} ", "dim"), Span(_told(text, signs)))] if text else []
    line = parts[0]
    for part in parts[1:]:
        if width is not None and width_of((*line, *part)) > width:
            yield line
            line = part
        else:
            line = (*line, *part)
    yield line


def _line(row: Mapping[str, str], widths: Mapping[str, int], style: str, signs: Signs) -> Line:
    spans = []
    is_total = cell_len(row["est."]) > widths["est."]
    for name in _HEAD:
        if name == "why" and is_total:
            continue
        cells = widths[name] + (widths["why"] + _GAP if name == "est." and is_total else 0)
        text = elided(row[name], cells, signs.more)
        pad = " " * (cells - cell_len(text))
        shown = pad + text if name in _TO_THE_RIGHT else text + pad
        spans.append(Span(f"  {shown}", style or _COLOURS.get(name, "")))
    return merged(spans)


def _below(plan: PlanFacts, signs: Signs, hint: str, width: int | None) -> Iterator[Line]:
    for note in notes_of(plan):
        yield from _wrapped(f"note: {_told(note, signs)}", "yellow", width)
    if not hint:
        return
    some = next((plan.graph.nodes[key] for key in plan.reasons), None)
    text = "nothing is to be run" if some is None else hint.replace("{id}", str(some.address))
    yield from _wrapped(_told(text, signs), "dim", width)


def _wrapped(text: str, style: str, width: int | None) -> Iterator[Line]:
    """Text in lines that fit, below the table."""
    room = max(20, width - _GAP) if width is not None else max(1, len(text))
    for each in textwrap.wrap(text, room, break_on_hyphens=False):
        yield (Span(f"  {each}", style),)


def _told(text: str, signs: Signs) -> str:
    """Text in the characters of the table."""
    if signs.is_ascii:
        text = text.replace("→", "->").replace("×", signs.times).replace("…", signs.more)
    return harmless(text, signs.encoding)


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
        Span(_told(why, signs)),
        Span(expected, "dim"),
    )
    return merged(line)
