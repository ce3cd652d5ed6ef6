"""What does a notebook show of a store? How many records of which task, and how large they are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from stores.primitives import StorePrimitives
from stores.query import Query

if TYPE_CHECKING:
    from stores.housekeeping.usage import TaskUsage

_MOST_READ: Final = 2000
"""More records are counted, but not read to know how large they are."""

_MOST_TASKS: Final = 50
_LONGEST_NAME: Final = 60
_LONGEST_STORE: Final = 500


def store_html(store: StorePrimitives) -> str:
    """A static piece of a page, under 50 kB: the store, its tasks, records and bytes."""
    from stores.housekeeping.usage import disk_usage  # every store has a page, few are shown

    addresses = sorted(store.addresses())
    counts = Counter(each.task for each in addresses)
    usage = disk_usage(store, Query.of(addresses[:_MOST_READ])) if addresses else None
    known = {} if usage is None else {each.task: each for each in usage.tasks}
    rows = [_row(task, count, known.get(task)) for task, count in counts.most_common(_MOST_TASKS)]
    notes = []
    if len(counts) > _MOST_TASKS:
        notes.append(f"… and {len(counts) - _MOST_TASKS} more tasks")
    records = "record" if len(addresses) == 1 else "records"
    total = f"{len(addresses):,} {records}"
    if usage is not None:
        part = "" if len(addresses) <= _MOST_READ else f" in the first {_MOST_READ:,} of them"
        total = f"{total}, {usage.size_bytes:,} bytes{part}"
    notes.append(total)
    head = "".join(f"<th>{name}</th>" for name in ("task", "records", "bytes"))
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>" if rows else ""
    below = "".join(f"<div>{each}</div>" for each in notes)
    return f"<div><div>{_cut(repr(store), _LONGEST_STORE)}</div>{table}{below}</div>"


def _row(task: str, count: int, usage: TaskUsage | None) -> str:
    is_whole = usage is not None and usage.records == count
    size = f"{usage.size_bytes:,}" if usage is not None and is_whole else "…"
    return (
        f'<tr><td style="text-align:left">{_cut(task, _LONGEST_NAME)}</td>'
        f'<td style="text-align:right">{count:,}</td><td style="text-align:right">{size}</td></tr>'
    )


def _cut(text: str, longest: int) -> str:
    import html

    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return html.escape(text.encode("utf-8", "backslashreplace").decode())
