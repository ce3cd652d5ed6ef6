"""What may be said of a run on the command line, and what is it to `Flow.run`?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

import click
from click.core import ParameterSource

from flowlib.cli.options import only_one
from flowlib.cli.resource_words import resources_of
from flowlib.cli.slurm_words import slurm_of
from flowlib.cli.verbosity import QUIET, verbosity
from flowlib.credentials import without_secret_words

_MEANS: Final = (
    click.option("-w", "--workers", "num_workers", type=click.IntRange(1), help="Tasks at once."),
    click.option("--gpus", metavar="0,1", help="GPUs to lease to tasks; auto for all, none."),
    click.option(
        "--resource", "amounts", multiple=True, metavar="KIND=AMOUNT",
        help="Another resource: cpu=8, mem=64GB. May be given several times.",
    ),
    click.option("--executor", metavar="NAME", help="Where tasks run: processes, inline, …"),
    click.option(
        "--slurm", "slurm_words", multiple=True, metavar="NAME=VALUE,…",
        help="What to ask SLURM for: partition=gpu,time=2h,gpus=1,memory=16GB.",
    ),
    click.option("--inline", is_flag=True, help="Run in this process, one task after the other."),
)  # fmt: skip

_CONDUCT: Final = (
    click.option("--fail-fast", is_flag=True, help="Start nothing more after the first failure."),
    click.option("--max-failures", type=click.IntRange(1), help="Stop after so many failures."),
    click.option("--name", "run_name", metavar="NAME", help="What to call the run."),
    click.option(
        "--progress", type=click.Choice(["auto", "live", "lines", "none"]),
        help="How the run is shown on stderr.",
    ),
    click.option("--tmux", "log_to_tmux", is_flag=True, help="A pane of tmux for each worker."),
)  # fmt: skip

_REPEATED: Final = frozenset({
    "num_workers", "gpus", "amounts", "executor", "slurm_words", "inline", "timeout", "retries",
    "fail_fast", "max_failures", "keep", "on_code_change", "project_name", "snapshot", "once",
})  # fmt: skip
"""What has to be said again for the same; not what is wanted of the tasks, nor how it is shown."""

_UNSAID: Final = (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None)


def means_options(function: Any) -> Any:
    """With what a run works."""
    return with_options(function, _MEANS)


def conduct_options(function: Any) -> Any:
    """How far a run goes, and how it is shown."""
    return with_options(function, _CONDUCT)


def with_options(function: Any, options: Any) -> Any:
    """Add options to a command, in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def run_arguments(options: Mapping[str, Any], *, as_json: bool, is_inline: bool) -> dict[str, Any]:
    """What a run is called with.

    Args:
        options: Those of the command line, by name; what is not given is None.
        as_json: Whether events are written to stdout.
        is_inline: Whether it is to run in this process, whatever the options say.

    Raises:
        click.UsageError: they exclude each other.
    """
    known = dict(options)
    only_one({"--fail-fast": known["fail_fast"], "--max-failures": known["max_failures"]})
    is_shown = known["progress"] in ("live", "lines")
    only_one({"--json": as_json, f"--progress {known['progress']}": is_shown})
    resources = resources_of(known.pop("gpus"), known.pop("amounts"))
    known["executor"] = slurm_of(known.pop("slurm_words"), known["executor"])
    if known.pop("inline") or is_inline:
        if known["num_workers"] not in (None, 1) or known["executor"] not in (None, "inline"):
            raise click.UsageError("--inline and --pdb run one task at a time, in this process")
        known |= {"num_workers": 1, "executor": "inline"}
    if known.pop("fail_fast"):
        known["max_failures"] = 1
    if as_json:
        known["progress"] = "events"
    elif known["progress"] is None:
        known["progress"] = _progress()
    return {
        "resources": resources,
        **{name: value for name, value in known.items() if value is not None},
    }


def words_of_means() -> tuple[str, ...]:
    """The words of this call that tell with what is run, and how far: those to run it alike."""
    context = click.get_current_context()
    words: list[str] = []
    for option in context.command.params:
        name = option.name or ""
        if name not in _REPEATED or context.get_parameter_source(name) in _UNSAID:
            continue
        word, value = max(option.opts, key=len), context.params[name]
        for each in value if isinstance(value, tuple) else (value,):
            words += [word] if each is True else [word, str(each)]
    return tuple(without_secret_words(words))


def _progress() -> str:
    """A command that was called by hand shows its run: where there are no bars, by lines."""
    from flowlib.live_terminal import is_live

    if verbosity() == QUIET:
        return "end"
    return "auto" if is_live(sys.stderr) else "lines"
