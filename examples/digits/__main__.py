"""Which model reads digits best? Run: `python -m examples.digits [--store DIR] [--workers N]`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console

from examples.digits.flow import build
from examples.digits.tables import ranking_table, reran, summary
from flowlib import Run
from stores import LocalFileStore

FORCED = "Evaluate+"


def main() -> None:
    """Run the sweep, then again with all cached, then with one part of it forced."""
    arguments = _arguments()
    store = LocalFileStore(arguments.store)
    console = Console(highlight=False)

    flow = build()
    flow.draw()
    console.print("\n[bold]1. The sweep[/]: what would run, and why")
    console.print(str(flow.plan(results_store=store)), markup=False)
    first = flow.run(num_workers=arguments.workers, results_store=store)
    console.print(summary(first), markup=False)
    console.print(ranking_table(first["Select"][0]["ranking"]))
    _say_where(console, arguments.store, first)

    console.print("\n[bold]2. The same again[/], as a new script would")
    began = time.perf_counter()
    second = build().run(
        num_workers=arguments.workers, results_store=LocalFileStore(store.base_dir)
    )
    seconds = time.perf_counter() - began
    is_cached = second.counts == {"cached": flow.num_tasks}
    console.print("all is cached" if is_cached else f"not all is cached: {second.counts}")
    console.print(f"graph, plan and run took {seconds:.2f} s")

    console.print(f'\n[bold]3. One part forced[/]: force="{FORCED}"')
    console.print(str(flow.plan(force=FORCED, results_store=store)), markup=False)
    third = build().run(num_workers=arguments.workers, results_store=store, force=FORCED)
    console.print(f"ran: {reran(third)}", markup=False)
    console.print(summary(third), markup=False)


def _say_where(console: Console, folder: str, run: Run) -> None:
    best = run["Select"][0].address
    console.print(f"stored in {Path(folder).resolve()}", markup=False, soft_wrap=True)
    console.print(f"the ranking is artifact `ranking` of {best.task}/{best.key[:8]}", markup=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.digits", description=__doc__)
    parser.add_argument("--store", default="runs/digits", help="folder of the results")
    parser.add_argument("--workers", type=int, default=None, help="tasks at once; one per CPU")
    return parser.parse_args()


if __name__ == "__main__":
    main()
