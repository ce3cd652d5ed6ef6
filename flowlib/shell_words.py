"""What may stand in a call of `sh`: commands, names of files, texts. All of it is checked early."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from flowlib.choices import Varying
from flowlib.errors import SpecError
from flowlib.input_files import InputFile
from flowlib.shell_texts import check_text, choices_in, is_plain, is_template, refuse_nul

OWN_NAMES: Final = ("stdout", "stderr", "returncode", "returncodes")
"""Artifacts that every shell task has; the last one if it has several commands."""

_SHELL_SIGNS: Final = frozenset("|&;<>()$`*\n")


def commands_of(cmd: object, *, is_shell: bool) -> list[Any]:
    """The commands of a call: each a list of words, or a text for a shell.

    Raises:
        SpecError: there is none, or a text that means a shell where there is none.
    """
    if isinstance(cmd, (str, Varying)) or is_template(cmd):
        found = [cmd]
    elif not isinstance(cmd, (list, tuple)):
        raise SpecError(f"sh: the command is a list of words, or a text, not {cmd!r}")
    elif is_shell or (cmd and isinstance(cmd[0], (list, tuple))):
        found = list(cmd)
    else:
        found = [list(cmd)]
    if not found:
        raise SpecError('sh: a command needs a program: sh(["simulate", "cfg.toml"])')
    return [_script(each) if is_shell else _words(each) for each in found]


def _script(command: object) -> object:
    if isinstance(command, (list, tuple)):
        raise SpecError(f"sh: with shell=True a command is a text, not {command!r}")
    if isinstance(command, str):
        refuse_nul(command)
        if not command.strip():
            raise SpecError("sh: a command is empty")
    return command


def _words(command: object) -> object:
    if isinstance(command, str):
        return _split(command)
    if not isinstance(command, (list, tuple)):
        return command
    if not command:
        raise SpecError('sh: a command needs a program: sh(["simulate", "cfg.toml"])')
    for word in command:
        check_text(word, "a word of the command")
    if command[0] == "":
        raise SpecError("sh: the name of the program is empty")
    return list(command)


def _split(text: str) -> list[str]:
    """The words of a text without any sign that only a shell understands."""
    refuse_nul(text)
    for sign in _unquoted(text):
        if sign in _SHELL_SIGNS:
            raise SpecError(
                f"sh: {text!r} holds {sign!r}, which only a shell understands: say shell=True, "
                f"or quote it, or give a list of words"
            )
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise SpecError(f"sh: {text!r} cannot be split into words: {error}") from error
    if not words or not words[0]:
        raise SpecError('sh: a command needs a program: sh(["simulate", "cfg.toml"])')
    return words


def _unquoted(text: str) -> Iterator[str]:
    quote, is_escaped = "", False
    for each in text:
        if is_escaped:
            is_escaped = False
        elif each == "\\" and quote != "'":
            is_escaped = True
        elif quote:
            quote = "" if each == quote else quote
        elif each in "'\"":
            quote = each
        else:
            yield each


def inputs_of(inp: object) -> dict[str, object]:
    """The input files of a call by their path in the folder of the task.

    Raises:
        SpecError: a path leads out of the folder, or there twice, or a value is no content.
    """
    if not isinstance(inp, Mapping):
        raise SpecError(f"sh: inp is a mapping from paths to contents, not {inp!r}")
    found = {path_of(path, "inp"): value for path, value in inp.items()}
    if len(found) < len(inp):
        raise SpecError(f"sh: inp names a file twice: {', '.join(map(str, inp))}")
    for path in found:
        above = [each for each in found if path.startswith(f"{each}/")]
        if above:
            raise SpecError(f"sh: inp has {above[0]!r} as a file, and {path!r} below it")
    for path, value in found.items():
        check_content(value, f"inp[{path!r}]")
    return found


def outputs_of(out: object) -> list[str]:
    """The declared files of a call, sorted.

    Raises:
        SpecError: a path leads out of the folder, is there twice, or is the name of another result.
    """
    if isinstance(out, (str, PurePath)):
        out = [out]
    if not isinstance(out, Iterable) or isinstance(out, (bytes, Mapping)):
        raise SpecError(f"sh: out is a list of paths, not {out!r}")
    found = [path_of(path, "out") for path in out]
    for path in found:
        if found.count(path) > 1:
            raise SpecError(f"sh: out names {path!r} twice")
        if path in OWN_NAMES:
            raise SpecError(
                f"sh: out names {path!r}, which is what the task itself calls one of its "
                f"results: let the program write to another file"
            )
    return sorted(found)


def path_of(path: object, where: str) -> str:
    """A path within the folder of a task, in its shortest form.

    Raises:
        SpecError: it is none.
    """
    if isinstance(path, PurePath):
        path = path.as_posix()
    if not isinstance(path, str) or not path:
        raise SpecError(f"sh: {where} names a file by its path, not {path!r}")
    refuse_nul(path)
    short = posixpath.normpath(path)
    if short.startswith("/") or ".." in path.split("/") or short == ".":
        raise SpecError(
            f"sh: {where} has {path!r}, which is no file below the folder of the task: programs "
            f"run in a fresh folder, and paths are relative to it"
        )
    return short


def variables_of(env: object) -> dict[str, object]:
    """The variables of a call, checked.

    Raises:
        SpecError: a name or a value can be none.
    """
    if not isinstance(env, Mapping):
        raise SpecError(f"sh: env is a mapping from names to values, not {env!r}")
    for name, value in env.items():
        check_name(name, "env")
        check_text(value, f"env[{name!r}]")
    return dict(env)


def check_name(name: object, where: str) -> None:
    """Refuse what can be no name of a variable.

    Raises:
        SpecError: it is none.
    """
    if not isinstance(name, str) or not name or "=" in name or "\0" in name:
        raise SpecError(f"sh: {where} has {name!r}, which is no name of a variable")


def check_content(value: object, where: str) -> None:
    """Refuse what can be no content of a file.

    Raises:
        SpecError: it is none.
    """
    if isinstance(value, PurePath):
        raise SpecError(
            f"sh: {where} is a path: InputFile({str(value)!r}) is the file that lies there, "
            f"and str(…) its name as text"
        )
    for each in choices_in(value):
        check_content(each, where)
    if isinstance(value, (bytes, bytearray, InputFile)) or not is_plain(value):
        return
    if not isinstance(value, str) and not is_template(value):
        raise SpecError(
            f"sh: {where} is {value!r} ({type(value).__name__}); the content of a file is text, "
            f"bytes, an InputFile, a template, or what another task has made"
        )


def ok_codes_of(check: object, ok_codes: object) -> list[int] | None:
    """The exit codes that are no failure, sorted; None: none is.

    Raises:
        SpecError: they are no numbers.
    """
    if check not in (True, False):
        raise SpecError(f"sh: check is True or False, not {check!r}")
    if ok_codes is None:
        return [0] if check else None
    if not check:
        raise SpecError("sh: with check=False every exit code is fine: leave out ok_codes")
    found = [ok_codes] if isinstance(ok_codes, int) else ok_codes
    if not isinstance(found, Iterable) or isinstance(found, (str, bytes)):
        raise SpecError(f"sh: ok_codes are numbers, not {ok_codes!r}")
    codes = list(found)
    if not codes or any(isinstance(n, bool) or not isinstance(n, int) for n in codes):
        raise SpecError(f"sh: ok_codes are numbers, not {ok_codes!r}")
    return sorted(set(codes))


def program_name(commands: Sequence[Any], *, is_shell: bool) -> str:
    """What a spec is called whose user gave no name: as its first program."""
    first = commands[0]
    if is_shell:
        first = first.split() if isinstance(first, str) else []
    word = first[0] if isinstance(first, list) and first and isinstance(first[0], str) else ""
    name = posixpath.basename(word)
    is_name = bool(name) and all(each.isalnum() or each in "._+-" for each in name)
    return name if is_name else "sh"
