"""The value of one result on stdout."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable

import click

from flowlib import FlowError
from flowlib.cli.opening import opened_store
from flowlib.cli.options import common_options, store_option
from flowlib.cli.output import write, write_bytes
from flowlib.console_text import harmless
from flowlib.raw_result import RawResult, split_name
from flowlib.shown_result import shown_chunks
from flowlib.terminal import encoding_of


@click.command()
@click.argument("result", metavar="ID[:NAME]")
@click.option(
    "--unpickle", "may_unpickle", is_flag=True,
    help="Load pickles, too: that runs whatever code they name.",
)  # fmt: skip
@store_option
@common_options
def command(result: str, may_unpickle: bool, store_uri: str | None) -> None:
    """Write the value of one result to stdout.

    \b
    flowlib cat simulate/9a7a08b2:results.csv
    flowlib cat simulate/9a7a08b2            its only result, or result, or stdout
    flowlib cat Train/9a7a08b2:model --unpickle

    Text, JSON and bytes come as they are, other values as Python prints them. What a program has
    printed has control characters in it, perhaps: a pipe gets them, a terminal sees them escaped.
    """
    store = opened_store(store_uri)
    selector, name = split_name(result) or (result, None)
    raw = RawResult.find(store, selector, name)
    chunks = shown_chunks(raw, may_unpickle=may_unpickle)
    if sys.stdout.isatty():
        _show(chunks, raw.artifact.name)
    else:
        for data in chunks:
            write_bytes(data)


def _show(chunks: Iterable[bytes], name: str) -> None:
    """Write text to a terminal, which obeys nothing in it.

    Raises:
        FlowError: it is no text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    encoding = encoding_of(sys.stdout)
    try:
        for data in chunks:
            if b"\0" in data:
                raise UnicodeError
            write(_harmless(decoder.decode(data), encoding))
        write(_harmless(decoder.decode(b"", final=True), encoding))
    except UnicodeError:
        raise FlowError(f"{name} is no text: write it to a file, or give it to a program") from None


def _harmless(text: str, encoding: str) -> str:
    return "\n".join(
        "\t".join(harmless(each, encoding) for each in line.split("\t"))
        for line in text.split("\n")
    )
