"""What would run, and why: the graph compared with the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowlib.node import Node
from flowlib.plan_facts import PlanFacts
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from flowlib.console_text import Line
    from flowlib.estimates import Cost
    from flowlib.explanation import Why
    from flowlib.signs import Signs


@dataclass(frozen=True, slots=True, repr=False)
class Plan(PlanFacts):
    """What a run would do, and why. Its text is a table; nothing is loaded to make it."""

    @property
    def to_run(self) -> list[Node]:
        """The nodes that would run, predecessors first."""
        return [self.graph.nodes[key] for key in self.reasons]

    @property
    def cached(self) -> list[Node]:
        """The nodes that are wanted and whose results are in the store."""
        return [n for n in self.graph if n.key not in self.reasons and n.key not in self.left_out]

    @property
    def estimate_s(self) -> float | None:
        """How many seconds the run takes at least; None if nobody knows: see docs/plan.md."""
        from flowlib.estimates import Estimates

        return Estimates(self).wall_s

    def why(self, name: str) -> Why:
        """All that is known about why a node is to run or not; `str()` of it are a few lines.

        Args:
            name: Its unique name, the beginning of its key, `Train/9a7a08b2`, or a selector.

        Raises:
            SelectorError: it is no selector.
            NothingSelected: there is no such node; the message names the nearest.
        """
        from flowlib.explanation import why

        return why(self, name)

    def cost(self, selectors: str | Sequence[str]) -> Cost:
        """What an edit of these nodes makes out of date: they, and all that is downstream.

        Args:
            selectors: The nodes; `+` is not needed.

        Raises:
            SelectorError: a selector is none, or selects nothing.
        """
        from flowlib.explanation import cost_of

        return cost_of(self, [selectors] if isinstance(selectors, str) else list(selectors))

    def rows(self) -> list[tuple[str, int, int, int, str]]:
        """Per spec: name, nodes, cached, to run, reasons with their counts."""
        from flowlib.estimates import Estimates
        from flowlib.plan_rows import spec_rows

        found = spec_rows(self, Estimates(self))
        return [(row.name, row.tasks, row.cached, row.run, row.why) for row in found]

    def lines(
        self, signs: Signs | None = None, *, hint: str | None = None, width: int | None = None
    ) -> list[Line]:
        """The table as lines with colours.

        Args:
            signs: The characters; None is Unicode.
            hint: The last line, in which `{id}` becomes a task that would run; None is that for
                Python, "" none at all.
            width: Cells of a line; None is as many as are needed.
        """
        from flowlib.plan_table import HINT, table_lines
        from flowlib.provenance import code_state
        from flowlib.signs import UNICODE_SIGNS

        last = HINT if hint is None else hint
        return table_lines(self, signs or UNICODE_SIGNS, hint=last, code=code_state(), width=width)

    def task_lines(self, signs: Signs | None = None) -> list[Line]:
        """A line for each task that is wanted, with colours."""
        from flowlib.plan_table import task_lines
        from flowlib.signs import UNICODE_SIGNS

        return task_lines(self, signs or UNICODE_SIGNS)

    def tasks_text(self) -> str:
        """A line for each task that is wanted: its state, its id, why it would run."""
        from flowlib.console_text import plain

        return plain(self.task_lines()).rstrip("\n")

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values; docs/plan.md has the schema."""
        from flowlib.plan_document import plan_document

        return plan_document(self)

    def _repr_html_(self) -> str:
        from flowlib.plan_table import table_html

        return table_html(self)

    def __str__(self) -> str:
        from flowlib.console_text import plain

        return plain(self.lines()).rstrip("\n")

    def __repr__(self) -> str:
        return str(self)
