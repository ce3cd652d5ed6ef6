"""How are the plan, the ranking and a run shown on a terminal?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from flowlib import Run

ALWAYS = ("mean", "std", "seeds")


def ranking_table(ranking: Sequence[dict[str, Any]], top: int = 10) -> Table:
    """The best `top` rows; parameters that are the same in all of them are left out."""
    from rich.table import Table

    best = ranking[:top]
    table = Table(title=f"the best {len(best)} of {len(ranking)} models", title_justify="left")
    names = varying(best)
    for name in names:
        table.add_column(name, justify="right")
    table.add_column(f"accuracy over {best[0]['seeds']} seeds", justify="right", style="bold")
    for row in best:
        shown = ["" if row.get(name) is None else str(row[name]) for name in names]
        table.add_row(*shown, f"{row['mean']:.4f} ± {row['std']:.4f}")
    return table


def varying(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The parameters that are not the same in all rows, in the order in which they occur."""
    names = dict.fromkeys(name for row in rows for name in row if name not in ALWAYS)
    return [name for name in names if len({repr(row.get(name)) for row in rows}) > 1]


def summary(run: Run) -> str:
    """One line: what ran, what was cached, how long it took."""
    counts = ", ".join(f"{count} {word}" for word, count in run.counts.items())
    return f"{run.name}: {counts} in {run.duration_s:.2f} s"


def reran(run: Run) -> str:
    """One line: which tasks ran, by spec."""
    rows = [f"{name} ×{count}" for name, _, _, count, _ in run.plan.rows() if count]
    return ", ".join(rows) if rows else "nothing"
