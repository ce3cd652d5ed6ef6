"""Show the resolved document, the axes of its sweeps and the settings."""

from __future__ import annotations

import click

from flowlib import settings
from flowlib.cli.options import common_options, json_option, only_one, store_option
from flowlib.cli.output import note, write, write_json


@click.command()
@click.argument("document", required=False)
@click.argument("overrides", nargs=-1)
@click.option("--origin", is_flag=True, help="Show where each value comes from.")
@click.option("--json-schema", is_flag=True, help="Write the JSON schema of documents.")
@store_option
@json_option
@common_options
def command(
    document: str | None,
    overrides: tuple[str, ...],
    origin: bool,
    json_schema: bool,
    store_uri: str | None,
    as_json: bool,
) -> None:
    """Show what holds: the settings, or a document with overrides as it will be run.

    \b
    flowlib config                                every setting and where it comes from
    flowlib config flow.yaml train.lr=1e-3,1e-4   the document, and how many tasks there are
    flowlib config flow.yaml --origin             file and line of each value
    flowlib config --json-schema > flow.schema.json
    """
    only_one({"--json-schema": json_schema, "--json": as_json})
    only_one({"--json-schema": json_schema, "--origin": origin})
    if json_schema:
        _write_schema()
    elif document is None:
        _show_settings(as_json=as_json)
    elif origin:
        _show_origins(document, overrides, as_json=as_json)
    else:
        _show_document(document, overrides, store_uri, as_json=as_json)


def _write_schema() -> None:
    import json

    from flowlib.document_model import json_schema

    write(f"{json.dumps(json_schema(), indent=2)}\n")


def _show_settings(*, as_json: bool) -> None:
    from flowlib.configuration import TABLE

    known = settings()
    rows = [(name, getattr(known, name), known.origin(name)) for name in TABLE]
    if as_json:
        write_json({"settings": {name: {"value": v, "origin": o} for name, v, o in rows}})
        return
    texts = [(name, _shown(value), origin) for name, value, origin in rows]
    widths = [max(len(row[at]) for row in texts) for at in (0, 1)]
    for name, value, origin in texts:
        write(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}\n")


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _show_origins(document: str, overrides: tuple[str, ...], *, as_json: bool) -> None:
    from flowlib.document_origins import origins

    found = origins(document, overrides)
    if as_json:
        write_json({"values": {path: {"value": v, "origin": o} for path, v, o in found}})
        return
    width = max((len(path) for path, _, _ in found), default=0)
    wide = min(40, max((len(_shown(value)) for _, value, _ in found), default=0))
    for path, value, place in found:
        write(f"{path:<{width}}  {_shown(value):<{wide}}  {place}\n")


def _show_document(
    document: str, overrides: tuple[str, ...], store_uri: str | None, *, as_json: bool
) -> None:
    from flowlib.cli.documents import flow_of
    from flowlib.config_axes import config_axes
    from flowlib.document_text import yaml_of

    flow = flow_of(document, overrides, store_uri)
    resolved, by_spec = flow.to_document(), flow.graph.by_spec
    axes = {name: config_axes(node.config for node in nodes) for name, nodes in by_spec.items()}
    if as_json:
        counts = {name: len(nodes) for name, nodes in by_spec.items()}
        write_json({"document": resolved, "tasks": counts, "axes": axes})
        return
    write(yaml_of(resolved))
    for name, nodes in by_spec.items():
        varying = " × ".join(f"{path} ({len(values)})" for path, values in axes[name].items())
        note(f"# {name}: {len(nodes)} task{'s' * (len(nodes) != 1)}{'  ' * bool(varying)}{varying}")
