"""What may be said to `Flow.plan` and `Flow.run` by name? Documented once for both."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypedDict

from flowlib.errors import nearest

Selectors = str | Sequence[str] | None
"""One selector, several, or none."""


class WantedArguments(TypedDict, total=False):
    """Keyword arguments of `Flow.plan` and `Flow.run` that tell what is wanted: docs/plan.md.

    Attributes:
        only: Selectors of the nodes that are wanted; None is all. What is upstream of them is
            looked at only if something missing needs it.
        skip: Selectors of nodes that do not run; nor does what needs a result of theirs that is
            not there.
        keep: Selectors of nodes whose success counts, whatever a default, the code or something
            upstream says; `force` is stronger.
        resume: Name of an earlier run: what it wanted is wanted again, and what had finished
            in it counts.
        on_code_change: What is done with results that other code has made: "warn" uses them and
            says so, "ignore" uses them, "rerun" computes them again with all downstream, "error"
            runs nothing. None leaves it to the specs, and then to the setting: docs/code.md.
    """

    only: Selectors
    skip: Selectors
    keep: Selectors
    resume: str | None
    on_code_change: str | None


class RunArguments(WantedArguments, total=False):
    """Keyword arguments of `Flow.run` alone.

    Attributes:
        max_failures: After how many failed tasks no new ones start; None is one under
            `exit_on_error`, else any number.
        executor: "inline", "processes" or another name, an `Executor`, or a pool of
            `concurrent.futures`; None decides by `num_workers`: see docs/scaling.md.
        progress: How the run is shown: "live" bars on a terminal, plain "lines", in a
            "notebook", or "none" (also None). "auto", the default, is the setting of that name,
            or else live on a terminal, in a notebook there, and none in a pipe.
        grace_s: How many seconds running tasks may go on after SIGTERM or SIGHUP.
        snapshot: Whether the project's own files are kept beside the records, and the workers
            import from there, whatever is edited meanwhile: docs/provenance.md.
    """

    max_failures: int | None
    executor: object
    progress: str | None
    grace_s: float
    snapshot: bool


class ViewArguments(TypedDict, total=False):
    """Keyword arguments of `Flow.draw` that tell what is to be seen.

    Attributes:
        expand: Specs that are shown task by task.
        around: `Train-12`, `Train/9a7a08b2` or a spec: only what it comes from and leads to.
        tasks: Whether all tasks are shown, or specs only; None decides by number and width.
    """

    expand: str | Sequence[str]
    around: str | None
    tasks: bool | None


class DrawArguments(ViewArguments, total=False):
    """Keyword arguments of `Flow.draw` for the console.

    Attributes:
        width: Cells of a line; None is the width of the terminal.
        use_unicode: Whether lines and icons are Unicode; None is yes where stdout can.
        use_pager: Whether $PAGER shows it on a terminal.
    """

    width: int | None
    use_unicode: bool | None
    use_pager: bool


def refuse_unknown(
    method: str,
    given: Iterable[str],
    known: Mapping[str, object],
    called: Callable[..., object] | None = None,
) -> None:
    """Refuse arguments that a method does not take.

    Args:
        method: `Flow.run`.
        given: The names that a user gave.
        known: The names that it takes, beside those in its signature.
        called: The method itself, of which the message may name an argument.

    Raises:
        TypeError: it takes no argument of that name.
    """
    for name in given:
        if name not in known:
            names = [*known, *(inspect.signature(called).parameters if called else ())]
            raise TypeError(f"{method}() takes no argument {name!r}.{nearest(name, names)}")
