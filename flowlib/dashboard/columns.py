"""What varies in the configs of some rows? Only that is worth a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowlib.dashboard.answers import Answers
from flowlib.dashboard.questions import Question
from flowlib.dashboard.rows import Row
from flowlib.dashboard.stock import Stock
from flowlib.record_list import short
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Varying:
    """What varies, by task.

    Attributes:
        paths: Of each task the paths that not all its rows have with the same value, in order.
        single: The tasks with one row only.
        constant: Of each task what all its rows have.
    """

    paths: Mapping[str, tuple[str, ...]]
    single: frozenset[str]
    constant: Mapping[str, Mapping[str, object]]

    def label(self, row: Row) -> str:
        """`lr=0.001 depth=3`: what tells a row from the others of its task."""
        if row.task in self.single:
            given = [path for path in row.paths if path.partition(".")[0] in row.given]
        else:
            wanted = self.paths.get(row.task, ())
            given = [path for path in row.paths if path in wanted]
        config = row.config
        return " ".join(f"{path}={short(config[path])}" for path in given)


def varying(answers: Answers, question: Question, stock: Stock) -> Varying:
    """What varies in the rows that fit a question; nothing as long as only some are known."""
    if not answers.knows_all:
        return Varying(dict.fromkeys(stock.tasks, ()), frozenset(stock.tasks), {})
    asked = question.filters

    def find() -> Varying:
        by_task: dict[str, list[Row]] = {}
        for row in answers.fitting(asked, stock):
            by_task.setdefault(row.task, []).append(row)
        found = {task: _of_task(rows) for task, rows in by_task.items()}
        return Varying(
            {task: paths for task, (paths, _) in found.items()},
            frozenset(task for task, rows in by_task.items() if len(rows) == 1),
            {task: constant for task, (_, constant) in found.items()},
        )

    made: Varying = answers.remembered(("varying", repr(asked)), stock, find)
    return made


def _of_task(rows: Sequence[Row]) -> tuple[tuple[str, ...], Mapping[str, object]]:
    """The paths that vary, and what does not."""
    shapes = dict.fromkeys(row.paths for row in rows)
    order = dict.fromkeys(path for shape in shapes for path in shape)
    common = set(order).intersection(*shapes)
    first = rows[0].config
    wanted = {path for path in order if path not in common}
    for shape in shapes:
        alike = [row.values for row in rows if row.paths == shape]
        for at, path in enumerate(shape):
            if path not in wanted and not _is_constant(alike, at, first[path]):
                wanted.add(path)
    constant = {path: first[path] for path in order if path not in wanted}
    return tuple(path for path in order if path in wanted), constant


def _is_constant(values: Sequence[tuple[object, ...]], at: int, known: object) -> bool:
    """Whether one and the same value stands at a place in all rows; equal ones mostly are one."""
    kind = type(known)
    for each in values:
        value = each[at]
        if value is not known and (type(value) is not kind or value != known):
            return False
    return True
