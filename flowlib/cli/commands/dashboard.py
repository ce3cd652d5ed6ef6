"""How does the store look in a browser?"""

from __future__ import annotations

import contextlib

import click

from flowlib.cli.opening import opened_store
from flowlib.cli.opening import store_uri as uri_of
from flowlib.cli.options import common_options, store_option
from flowlib.cli.output import note, write_line
from flowlib.dashboard.serving import (
    TOKEN_VARIABLE,
    USUAL_PORT,
    Serving,
    need_extra,
    serve,
    serve_and_reload,
)


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=USUAL_PORT, show_default=True,
    help="Where to listen; 0 takes a free port.",
)  # fmt: skip
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
    help=f"Another address lets others ask; they need a token, {TOKEN_VARIABLE} or a new one.",
)  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Open it in a browser.")
@click.option("--api-only", is_flag=True, help="Serve the JSON API alone, without pages.")
@click.option("--reload", "reloads", is_flag=True, help="Start anew when code of flowlib changes.")
@store_option
@common_options
def command(
    port: int,
    host: str,
    opens: bool,
    api_only: bool,
    reloads: bool,
    store_uri: str | None = None,
) -> None:
    """Show the store in a browser: tasks, runs, graphs, sweeps, live while runs go on.

    \b
    flowlib dashboard
    flowlib dashboard --port 0 --open
    flowlib dashboard --host 0.0.0.0

    It prints its address and serves until Ctrl-C. It only reads, and only this host can ask unless
    --host says otherwise. /api/openapi.json describes the API.
    """
    need_extra()
    how = Serving.of(host, port, api_only=api_only, opens=opens)
    store = opened_store(store_uri)
    note("Ctrl-C ends it")
    with contextlib.closing(store):
        if reloads:
            serve_and_reload(uri_of(store_uri), how, _tell, _version())
        else:
            serve(store, how, _tell, _version())


def _tell(address: str) -> None:
    write_line(address)
    import sys

    sys.stdout.flush()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return version("flowlib-runner")
    except PackageNotFoundError:
        return ""
