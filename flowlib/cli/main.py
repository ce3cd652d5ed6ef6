"""The commands by name, each imported only when it is called, and how they end."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from flowlib.cli.groups import Commands
from flowlib.cli.verbosity import Wish
from flowlib.errors import FlowError
from stores.errors import StoreError

_GROUPS: Final = {
    "Run": {
        "run": "Run what a document describes; what is stored already is found again",
        "why": "Explain why a task would run, or would not",
        "graph": "Draw the graph of a document",
        "config": "Show the resolved document, the axes of its sweeps and the settings",
        "accept": "Let stored results count although the code has changed",
    },
    "Run later": {
        "submit": "Record the tasks of a script or a document in the store",
        "execute": "Run tasks that were submitted, from any process that reaches the store",
        "wait": "Wait until tasks have ended",
        "debug": "Write all that is needed to run one task by hand into a folder",
        "cluster": "Start, look at and end workers on this machine that serve all runs",
    },
    "Look": {
        "status": "Show the runs, live ones on top",
        "attach": "Show a run that goes on elsewhere",
        "cancel": "Stop a run that goes on elsewhere",
        "ls": "List tasks in the store",
        "show": "Show all about one task",
        "logs": "Show what a task printed and logged",
        "results": "Show results as a table, or one raw result",
        "cat": "Write the value of one result to stdout",
        "diff": "Compare two tasks",
        "dashboard": "Show the store in a browser",
        "reproduce": "Compute a result again from the code of that time, and compare",
        "verify": "Compute some results again with the code of now, and compare",
    },
    "Clean up": {
        "rm": "Delete results",
        "gc": "Delete what is not needed any more",
    },
    "Help": {
        "init": "Write a small project that runs",
        "doctor": "Check what is installed, and what works here",
        "completion": "Write the completion for a shell",
        "help": "Explain overrides, selectors, exit codes, …",
    },
}

COMMANDS: Final = {name: text for group in _GROUPS.values() for name, text in group.items()}
"""What each command does, in a line."""

_EXAMPLES: Final = """\
\b
  flowlib init                                  a small project that runs
  flowlib run flow.yaml                         run what is not stored yet
  flowlib run flow.yaml train.lr=1e-3,1e-4 -n   what would run, and why
  flowlib results Train --sort -accuracy        a table of what came out
"""


class _ReaderGone(Exception):
    """Nobody reads stdout any more."""


class _Commands(Commands):
    """Knows the commands by name and imports the one that is called."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            found = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:  # click would make it exit code 1
            raise _ReaderGone from error
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"flowlib.cli.commands.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)  # noqa: S101  # one in every module
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in _GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


def _tell_version(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import PackageNotFoundError, version  # slow to import

        with contextlib.suppress(PackageNotFoundError):
            click.echo(f"flowlib {version('flowlib-runner')}")
        context.exit()


@click.group(
    cls=_Commands,
    help=f"Run sweeps and graphs of tasks; compute nothing twice.\n\n{_EXAMPLES}",
    context_settings={"max_content_width": 100},
    no_args_is_help=True,
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
@click.help_option("-h", "--help")
def commands() -> None:
    """All commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Those of the command line; None for those of this process.

    Returns:
        The exit code, as `flowlib help exit-codes` lists them.
    """
    wish = Wish()
    try:
        found: Any = commands.main(
            args=None if arguments is None else list(arguments),
            prog_name="flowlib",
            standalone_mode=False,
            obj=wish,
        )
    except click.ClickException as error:
        from flowlib.cli.endings import told_wrong_call

        return told_wrong_call(error)
    except (_ReaderGone, BrokenPipeError):
        return _ended_by(BrokenPipeError(), wish)
    except (click.Abort, KeyboardInterrupt):
        return _ended_by(KeyboardInterrupt(), wish)
    except (FlowError, StoreError, OSError) as error:
        return _ended_by(error, wish)
    return found if isinstance(found, int) else 0


def _ended_by(error: BaseException, wish: Wish) -> int:
    from flowlib.cli.endings import told_error  # imports what no help needs

    return told_error(error, wish)
