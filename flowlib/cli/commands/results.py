"""What came out: a table of results, or the stored bytes of one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from flowlib import FlowError, ResultTable
from flowlib.cli.completing import task_names
from flowlib.cli.ids import selectors_from
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, only_one, store_option
from flowlib.cli.output import note, signs, write_bytes, write_lines
from flowlib.cli.verbosity import QUIET, verbosity
from flowlib.console_text import Line, plain
from flowlib.last_marks import marked
from flowlib.raw_result import RawResult, split_name
from flowlib.result_text import table_lines
from flowlib.stored_selection import select_records
from flowlib.terminal import terminal_width
from stores import StoreError

_HINT: Final = "--all-columns"
_FORM_HINT: Final = "--csv --json --md --html --open"
_OPEN: Final = "--open"
_WIDE: Final = 100_000
_WRITERS: Final = {
    "csv": ResultTable.to_csv,
    "json": ResultTable.to_json,
    "md": ResultTable.to_markdown,
    "html": ResultTable.to_html,
    "latex": ResultTable.to_latex,
}
_FORMS: Final = {
    ".csv": "csv", ".json": "json", ".md": "md", ".html": "html", ".htm": "html", ".tex": "latex",
}  # fmt: skip


@click.command()
@click.argument("selectors", nargs=-1, shell_complete=task_names)
@click.option(
    "--sort", multiple=True, metavar="[-]COLUMN,…",
    help="Order by these columns; -acc has the largest first.",
)  # fmt: skip
@click.option("--top", type=click.IntRange(min=0), metavar="N", help="Show the first N.")
@click.option("--best", metavar="COLUMN", help="Show the row with the best number only.")
@click.option(
    "--mode", type=click.Choice(["max", "min"]), default="max", show_default=True,
    help="Whether the largest or the smallest is the best.",
)  # fmt: skip
@click.option(
    "--group-by", multiple=True, metavar="COLUMN,…",
    help="Join the rows that agree in these columns; numbers become mean ± std.",
)  # fmt: skip
@click.option(
    "--mean-over", multiple=True, metavar="COLUMN,…",
    help="Join the rows that differ in these parameters only, such as seed.",
)  # fmt: skip
@click.option("--columns", multiple=True, metavar="COLUMN,…", help="Show these columns alone.")
@click.option("--all-columns", is_flag=True, help="Show columns that do not vary, too.")
@click.option("--csv", is_flag=True, help="Write CSV.")
@click.option("--json", is_flag=True, help="Write one JSON document.")
@click.option("--md", is_flag=True, help="Write a table of Markdown.")
@click.option("--html", is_flag=True, help="Write a page.")
@click.option("--latex", is_flag=True, help="Write a tabular; the best is bold.")
@click.option("--open", "is_opened", is_flag=True, help="Show them in the browser as lines.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write to a file; its ending tells the form.",
)  # fmt: skip
@store_option
@common_options
def command(
    selectors: Sequence[str],
    output: Path | None,
    store_uri: str | None,
    **options: Any,
) -> None:
    """Show results as a table, or write the stored bytes of one.

    \b
    flowlib results Train --sort -acc --top 4
    flowlib results Train --mean-over seed --csv > table.csv
    flowlib results Train --sort -acc --open
    flowlib results Train/9a7a08b2:predictions > predictions.npy

    SELECTORS say which tasks: see flowlib help selectors. lr is enough for Train.lr. A single
    result comes as it is stored, a folder as a tar.
    """
    form = _form(options, output)
    named = split_name(selectors[0]) if len(selectors) == 1 else None
    if named is not None and form is not None:
        raise click.UsageError(f"{form} is for tables: {selectors[0]} comes as it is stored")
    store = opened_store(store_uri)
    if named is not None:
        _write_raw(RawResult.find(store, *named), output)
    else:
        found = select_records(store, selectors_from(selectors)) if selectors else None
        table = _table(marked(ResultTable.of(store.records(found)), store), options)
        if form == _OPEN:
            _open(table)
            return
        ending = "" if output is None else output.suffix
        _write_table(table, _FORMS.get(ending) if form is None else form.removeprefix("--"), output)


def _table(table: ResultTable, options: Mapping[str, Any]) -> ResultTable:
    """The table with what was asked for."""
    if group_by := _split(options["group_by"]):
        table = table.group_by(*group_by)
    if mean_over := _split(options["mean_over"]):
        table = table.mean_over(*mean_over)
    columns = _split(options["columns"])
    table = table.with_columns(columns or ("all" if options["all_columns"] else "varying"))
    table = table.sorted(*_split(options["sort"]))
    if (best := options["best"]) is not None:
        table.best(best, mode=options["mode"])  # there is one, or it says what is wrong
        table = table.sorted(best if options["mode"] == "min" else f"-{best}").top(1)
    return table if options["top"] is None else table.top(options["top"])


def _form(options: Mapping[str, Any], output: Path | None) -> str | None:
    """The word that asks for a form, if any does.

    Raises:
        click.UsageError: several do.
    """
    opened = {_OPEN: options["is_opened"]}
    only_one(opened | {"--output": output})
    return only_one({f"--{name}": options[name] for name in _WRITERS} | opened)


def _open(table: ResultTable) -> None:
    """Show a line for each row; what rows are ordered by is what counts."""
    from flowlib import parallel_coordinates  # Bokeh takes half a second

    kinds = {each.name: each.kind for each in table.grid.columns}
    metric = next((key for key in table.keys if kinds[key.name] == "value"), None)
    if metric is None:
        parallel_coordinates(table).show()
    else:
        mode = "max" if metric.is_descending else "min"
        parallel_coordinates(table, metric.name, mode=mode).show()


def _split(words: Iterable[str]) -> list[str]:
    return [name.strip() for word in words for name in word.split(",") if name.strip()]


def _write_table(table: ResultTable, form: str | None, output: Path | None) -> None:
    if form is None and output is None:
        write_lines(_lines(table), use_pager=True)
        return
    text = plain(_lines(table)) if form is None else _WRITERS[form](table)
    if output is None:
        write_bytes(text.encode())  # files are UTF-8, whatever the terminal is
    else:
        _saved(output, [text.encode()])
    if form is not None and verbosity() > QUIET:
        note(" · ".join(table.sheet(_HINT).notes))


def _lines(table: ResultTable) -> list[Line]:
    """The table; a pipe gets all of its columns unless COLUMNS says how wide it is."""
    is_narrow = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = terminal_width() if is_narrow else _WIDE
    sheet = table.sheet(_HINT)
    hinted = replace(sheet, notes=[*sheet.notes, _FORM_HINT])
    return table_lines(hinted, width, signs(), time.time())


def _write_raw(raw: RawResult, output: Path | None) -> None:
    if output is not None:
        _saved(output, raw.chunks())
        return
    if sys.stdout.isatty() and not raw.is_text:
        raise FlowError(f"{raw.artifact.name} is no text: write it to a file with -o FILE")
    for data in raw.chunks():
        write_bytes(data)


def _saved(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file; one that could not be written to its end does not stay."""
    try:
        with path.open("wb") as file:
            for data in chunks:
                file.write(data)
    except OSError as error:
        raise FlowError(f"{path} cannot be written: {error.strerror}") from error
    except StoreError:
        path.unlink()
        raise
