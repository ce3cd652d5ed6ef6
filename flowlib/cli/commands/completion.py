"""Write the completion for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from flowlib.cli.main import commands
from flowlib.cli.options import common_options
from flowlib.cli.output import write


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def command(shell: str) -> None:
    """Write the completion for a shell: commands, options, specs, runs and ids of the store.

    \b
    flowlib completion bash >> ~/.bashrc
    flowlib completion zsh >> ~/.zshrc
    flowlib completion fish > ~/.config/fish/completions/flowlib.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # click knows these shells
    write(kind(commands, {}, "flowlib", "_FLOWLIB_COMPLETE").source() + "\n")
