"""Explain overrides, selectors, exit codes, and whatever else has a name."""

from __future__ import annotations

import click

from flowlib.cli.completing import topic_names
from flowlib.cli.main import COMMANDS, commands
from flowlib.cli.options import common_options
from flowlib.cli.output import write
from flowlib.cli.topics import TOPICS
from flowlib.errors import NothingSelected, nearest


@click.command()
@click.argument("topic", required=False, shell_complete=topic_names)
@common_options
def command(topic: str | None) -> None:
    """Explain a topic or a command.

    \b
    flowlib help selectors
    flowlib help run
    """
    context = click.get_current_context()
    if topic is None:
        names = ", ".join(TOPICS)
        write(f"{commands.get_help(context.find_root())}\n\nflowlib help TOPIC: {names}\n")
    elif topic in TOPICS:
        write(f"{TOPICS[topic]}\n")
    elif (found := commands.get_command(context, topic)) is not None:
        with click.Context(found, info_name=topic, parent=context.find_root()) as inner:
            write(f"{found.get_help(inner)}\n")
    else:
        known = [*TOPICS, *COMMANDS]
        hint = nearest(topic, known) or f" Topics are: {', '.join(TOPICS)}"
        raise NothingSelected(f"there is no help about {topic!r}.{hint}")
