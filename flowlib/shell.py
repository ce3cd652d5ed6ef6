"""A program as a task: `sh` gives a spec for it."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Unpack

from flowlib.calls import Call, Callee
from flowlib.declaration import Declaration
from flowlib.errors import SpecError, nearest
from flowlib.parameters import Parameters, call_signature
from flowlib.shell_task import Shell
from flowlib.shell_texts import template
from flowlib.shell_words import (
    check_content,
    check_name,
    commands_of,
    inputs_of,
    ok_codes_of,
    outputs_of,
    program_name,
    variables_of,
)
from flowlib.spec_options import OptionArguments, options_of

_IGNORED: Final = frozenset({"checkpoint", "inherit", "stop_signal"})
"""What is no part of the identity of a task."""

_USUAL: Final[Mapping[str, object]] = {
    "inp": {},
    "out": [],
    "env": {},
    "stdin": None,
    "shell": "",
    "ok_codes": [0],
    "inherit": [],
    "stop_signal": "",
    "checkpoint": False,
}
"""What is not told of a task: it is what `Shell` takes for granted."""

_REFUSED: Final = ("additional_kwargs", "config", "expand", "reduce", "task")


class _Sh:
    """Called, it gives a spec; see `__call__`."""

    def __call__(
        self,
        cmd: Any,
        inp: Mapping[Any, Any] = {},  # noqa: B006  # only read
        out: Iterable[Any] = (),
        env: Mapping[str, Any] = {},  # noqa: B006  # only read
        *,
        shell: bool | str = False,
        stdin: Any = None,
        check: bool = True,
        ok_codes: int | Iterable[int] | None = None,
        inherit: Sequence[str] = (),
        stop_signal: str | None = None,
        checkpoint: bool = False,
        name: str | None = None,
        version: str | int | None = None,
        **options: Unpack[OptionArguments],
    ) -> Call[Any]:
        """A spec that runs a program in a fresh folder.

        Its results are the files of `out` by their path, `stdout`, `stderr` (bytes; a folder is a
        path) and `returncode`. In words, inputs and variables there may be sweeps, other specs and
        items of them, `spec["results.csv"]`. All is part of the identity but `inherit`,
        `stop_signal`, `checkpoint` and the options.

        Args:
            cmd: The program and its arguments, `["simulate", "-n", 10]`; a text that holds no
                sign of a shell is split into words; a list of such lists runs one after the other.
                With `shell`, a text, or a list of them, for a shell.
            inp: The files that are there at first: path in the folder -> text, bytes, `InputFile`,
                or a result of another task.
            out: The files and folders that are kept; all else is dropped. One that is missing in
                the end is a failure.
            env: Variables of the program; it sees few others, see docs/shell.md.
            shell: Whether `cmd` is for `sh`, or the name of another shell, `"bash"`.
            stdin: What the first program reads there, as in `inp`; there is nothing by default.
            check: Whether an exit code other than 0 is a failure.
            ok_codes: The exit codes that are no failure.
            inherit: Names of more variables that are as in the worker, whatever their values.
            stop_signal: Sent to the program when the task should stop: when the run is being
                stopped, or its time is almost over. It then does not count as finished.
            checkpoint: Whether `FLOWLIB_CHECKPOINT_DIR` names a folder that later attempts find.
            name: What its records are filed under; the name of the program if None.
            version: A new value makes all results count as not yet computed.
            **options: Those of `TaskSpec`: `resources`, `retries`, `timeout`, …

        Raises:
            SpecError: something in the call cannot be right.
        """
        _refuse_others(options)
        is_shell = shell is not False
        commands = commands_of(cmd, is_shell=is_shell)
        if stdin is not None:
            check_content(stdin, "stdin")
        if name is None:
            name = program_name(commands, is_shell=is_shell)
        given = {
            "commands": commands,
            "inp": inputs_of(inp),
            "out": outputs_of(out),
            "env": variables_of(env),
            "stdin": stdin,
            "shell": _shell_of(shell),
            "ok_codes": ok_codes_of(check, ok_codes),
            "inherit": _inherited(inherit),
            "stop_signal": _signal_of(stop_signal),
            "checkpoint": checkpoint,
        }
        given = {name: value for name, value in given.items() if value != _USUAL.get(name, given)}
        callee = shell_callee(name, version)
        return Call(callee.with_options(options) if options else callee, given)

    @staticmethod
    def template(text: str, /, **values: Any) -> Any:
        """A text with values in it, for a file, a word of a command, a variable.

        The places are those of `string.Template`: `$name`, `${name}`, and `$$` for a dollar.

        Args:
            text: It.
            **values: Texts, numbers, `sweep`s; the result is a str if all of them are known now.

        Raises:
            SpecError: a place has no value, or a value no place.
        """
        return template(text, values)


sh: Final = _Sh()


@lru_cache(maxsize=1024, typed=True)
def shell_callee(name: str, version: str | int | None) -> Callee:
    """What all calls have in common that are filed under one name."""
    if not isinstance(name, str) or not name:
        raise SpecError(f"sh: a name is text that is not empty, not {name!r}")
    declaration = Declaration(
        name=name,
        task=Shell,
        signature=call_signature(Shell),
        version=version,
        options=options_of(name, {}, is_reduce=False),
        is_call=True,
        ignored=_IGNORED,
    )
    return Callee(declaration, Parameters(Shell, name))


def _refuse_others(options: Mapping[str, object]) -> None:
    for name in options:
        if name in _REFUSED:
            raise SpecError(
                f"sh: {name} is no option of a shell task; many tasks are made by sweep(…) "
                f"anywhere in the command, inp or env"
            )
        known = OptionArguments.__annotations__
        if name not in known:
            names = [*known, *(_Sh.__call__.__kwdefaults__ or {}), "cmd", "inp", "out", "env"]
            raise SpecError(f"sh: there is no option {name!r}.{nearest(name, names)}")


def _shell_of(shell: bool | str) -> str:
    if isinstance(shell, bool):
        return "sh" if shell else ""
    if not isinstance(shell, str) or not shell:
        raise SpecError(f"sh: shell is True, False or the name of a shell, not {shell!r}")
    return shell


def _inherited(names: Sequence[str]) -> list[str]:
    found = [names] if isinstance(names, str) else list(names)
    for each in found:
        check_name(each, "inherit")
    return found


def _signal_of(name: str | None) -> str:
    """The name of a signal as Python has it: TERM and SIGTERM are the same."""
    if name is None:
        return ""
    known = [each.name for each in signal.Signals]
    full = name if isinstance(name, str) and name.startswith("SIG") else f"SIG{name}"
    if full not in known:
        raise SpecError(f"sh: there is no signal {name!r}.{nearest(full, known)}")
    return full
