"""Draw the graph of a document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from flowlib import NothingSelected
from flowlib.cli.documents import document_arguments, flow_of
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, only_one, store_option, writable_file
from flowlib.cli.output import note, write
from flowlib.script_flows import flows_of_script, is_script
from flowlib.submitted_drawing import SubmittedPicture

if TYPE_CHECKING:
    from flowlib import Flow

_ENDINGS: Final = (".yaml", ".yml", ".toml", ".json")
_TEXTS: Final = ("dot", "mermaid", "json")
"""Forms for stdout, which has room for one; pictures and pages are files of their own."""


@click.command()
@document_arguments()
@click.option("--tasks/--specs", "tasks", default=None, help="Show all tasks, or specs only.")
@click.option("--expand", multiple=True, metavar="SPEC", help="Show the tasks of this spec.")
@click.option("--around", metavar="ID", help="Only what it comes from and leads to.")
@click.option("--width", type=click.IntRange(20), help="Cells of a line.")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser.")
@click.option(
    "--html", metavar="FILE", callback=writable_file, help="Write a page that answers the mouse."
)
@click.option("--svg", metavar="FILE", callback=writable_file, help="Write a picture.")
@click.option("--dot", is_flag=True, help="Write the language of Graphviz.")
@click.option("--mermaid", is_flag=True, help="Write the language of Mermaid.")
@click.option("--json", is_flag=True, help="Write one JSON document to stdout.")
@store_option
@common_options
def command(
    document: str, overrides: tuple[str, ...], store_uri: str | None, **options: Any
) -> None:
    """Draw the graph of a document, with what the store knows of its tasks.

    \b
    flowlib graph flow.yaml
    flowlib graph flow.yaml --expand Train --around Best
    flowlib graph flow.yaml --html graph.html --svg graph.svg
    flowlib graph flow.yaml --dot | dot -Tpdf > graph.pdf
    flowlib graph train.py
    flowlib graph 9a7a08b2

    DOCUMENT may be a script, too, or the beginning of the key of a submitted task.
    """
    form = only_one({f"--{name}": options[name] for name in _TEXTS})
    flow = _pictured(document, overrides, store_uri)
    wish = {name: options[name] for name in ("tasks", "expand", "around")}
    if form is not None:
        write(_text(flow, form.removeprefix("--"), wish))
    files = {"bokeh": options["html"], "svg": options["svg"]}
    for view, file in files.items():
        if file is not None:
            _drawn(flow, view, wish).save(file)
            note(f"written: {Path(file).absolute()}")
    if options["is_opened"]:
        _drawn(flow, "bokeh", wish).show()
    elif form is None and not any(files.values()):
        flow.draw(width=options["width"], use_pager=True, **wish)


def _pictured(
    document: str, overrides: tuple[str, ...], store_uri: str | None
) -> Flow | SubmittedPicture:
    """What is drawn: the flow of a document or a script, or what was submitted."""
    is_file = document == "-" or Path(document).suffix in _ENDINGS or Path(document).is_file()
    if not (is_file or is_script(document)):
        try:
            return SubmittedPicture(opened_store(store_uri), document)
        except NothingSelected as error:
            raise NothingSelected(f"there is no document {document}, and {error}") from None
    if is_script(document):
        name, *others = flows = flows_of_script(document)
        if others:
            raise click.UsageError(f"{document} has several flows, so name one: {document}:{name}")
        flow = flows[name]
        flow.results_store = flow.results_store or opened_store(store_uri, must_exist=False)
    else:
        flow = flow_of(document, overrides, store_uri)
    flow.plan()
    return flow


def _drawn(flow: Flow | SubmittedPicture, view: Any, wish: dict[str, Any]) -> Any:
    return flow.draw(view, **wish)


def _text(flow: Flow | SubmittedPicture, form: str, wish: dict[str, Any]) -> str:
    text = str(_drawn(flow, form, wish))
    return text if text.endswith("\n") else f"{text}\n"
