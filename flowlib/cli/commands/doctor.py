"""Check what is installed, and what works here."""

from __future__ import annotations

from collections.abc import Iterable

import click

from flowlib.cli.exits import ExitCode
from flowlib.cli.opening import store_uri as uri_of
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import signs, write_json, write_lines
from flowlib.console_text import Line, Span, harmless
from flowlib.doctor import Check, checks
from flowlib.vocabulary import SHOWN_STATES


@click.command()
@store_option
@json_option
@common_options
def command(store_uri: str | None, as_json: bool) -> int:
    """Check what is installed, and what works here: store, workers, GPUs, tmux, terminal.

    \b
    flowlib doctor
    flowlib doctor --store mongodb://db/experiments

    It exits with 1 if something that is needed does not work.
    """
    found = list(checks(uri_of(store_uri)))
    if as_json:
        rows = [{"name": c.name, "ok": c.is_ok, "detail": c.detail} for c in found]
        write_json({"checks": rows})
    else:
        write_lines(_lines(found))
    return ExitCode.FAILED if any(each.is_ok is False for each in found) else ExitCode.OK


def _lines(found: Iterable[Check]) -> Iterable[Line]:
    words = {True: "finished", False: "failed", None: "pending"}
    known = list(found)
    width = max(len(each.name) for each in known)
    shown = signs()
    for each in known:
        word = words[each.is_ok]
        icon = Span(f"{shown.icon(word)} ", SHOWN_STATES[word].colour)
        detail = harmless(" ".join(each.detail.split()), shown.encoding)
        yield (icon, Span(f"{each.name:<{width}}  "), Span(detail, "dim" if not each.is_ok else ""))
