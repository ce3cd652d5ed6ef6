"""Two tasks or more, side by side: what differs, and how much is the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowlib.dashboard.frame import table, task_link
from flowlib.dashboard.markup import Markup, cut, tag
from flowlib.dashboard.questions import BadQuestion
from flowlib.durations import took
from flowlib.record_difference import Change, difference
from flowlib.record_list import short
from flowlib.record_story import RecordStory, record_story
from stores import Address, RecordMissing, RecordTooNew, ResultsStore
from stores.config_paths import ABSENT

MOST: Final = 12
_LONGEST_CELL: Final = 300
_TIME: Final = "duration_s"


def compare(store: ResultsStore, addresses: Sequence[Address]) -> Markup:
    """What is told of several tasks; each is compared with the first.

    Raises:
        BadQuestion: there are too few, too many, or one has no record.
    """
    if not 2 <= len(addresses) <= MOST:
        raise BadQuestion(
            f"{len(addresses)} tasks are selected: select from 2 to {MOST} in a list, then compare"
        )
    stories = [_story(store, each) for each in addresses]
    first, *others = stories
    differences = [difference(first, each) for each in others]
    names = dict.fromkeys((c.group, c.name) for each in differences for c in each.changes)
    changes = [{(c.group, c.name): c for c in each.changes} for each in differences]
    rows, group = [], ""
    for key in sorted(names, key=lambda key: _GROUPS.index(key[0])):
        if key[0] != group:
            group = key[0]
            rows.append(tag("tr", tag("th", group, colspan=len(stories) + 1, scope="rowgroup")))
        rows.append(_row(key, changes))
    same = {group: min(each.same[group] for each in differences) for group in _GROUPS}
    told = ", ".join(f"{count:,} of {group}" for group, count in same.items() if count)
    head = [tag("th", ""), *(tag("th", task_link(each.address), scope="col") for each in stories)]
    return tag(
        "div",
        tag("h1", f"{len(stories)} tasks compared"),
        table(head, rows, class_="compared") if rows else tag("p", "Nothing recorded differs."),
        tag("p", f"the same: {told or 'nothing'}", class_="note"),
    )


_GROUPS: Final = ("config", "code", "upstream", "values", "artifacts", "environment")


def _story(store: ResultsStore, address: Address) -> RecordStory:
    try:
        return record_story(store, address, readers=())  # those are not compared
    except (RecordMissing, RecordTooNew) as error:
        raise BadQuestion(str(error)) from None


def _row(key: tuple[str, str], changes: Sequence[dict[tuple[str, str], Change]]) -> Markup:
    """What each task has; of one that does not differ from the first, what that has."""
    known = next(each[key] for each in changes if key in each)
    cells = [_cell(key[1], known.first, None)]
    for each in changes:
        change = each.get(key)
        value = known.first if change is None else change.second
        cells.append(_cell(key[1], value, None if change is None else change.delta))
    return tag("tr", tag("th", cut(key[1], _LONGEST_CELL), scope="row"), *cells)


def _cell(name: str, value: object, delta: float | None) -> Markup:
    if value is ABSENT:
        return tag("td", "–")
    if name == _TIME and isinstance(value, float):
        text = took(value)
    elif isinstance(value, tuple) and len(value) == 3:  # an artifact: type, size, digest
        text = f"{value[0]} {value[1]}"
    else:
        text = value if isinstance(value, str) else short(value)
    note = "" if delta is None or name == _TIME else f" ({delta:+.6g})"
    return tag("td", cut(text, _LONGEST_CELL), tag("small", note) if note else None)
