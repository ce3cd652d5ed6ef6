"""How does a program become a task? Files in, programs one after the other, declared files out."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, Final

from flowlib.context import Task
from flowlib.errors import OutputMissing, ProgramFailed, ProgramNotFound, RunError, nearest
from flowlib.input_files import InputFile
from flowlib.program import Program, StopSignal, run_program
from flowlib.program_output import ProgramOutput
from flowlib.program_variables import CHECKPOINTS, program_variables
from flowlib.running import context_of
from flowlib.shell_texts import is_template, rendered, text_of
from flowlib.work_folder import work_folder
from stores import Artifact, Promise

_SCRIPT: Final = b"#!"
_CHUNK_BYTES: Final = 1 << 20
_WRITTEN: Final = object()
"""Stands for a content that lies in its place already."""

_SHOWN_LETTERS: Final = 200
_SHOWN_FILES: Final = 10
_MOST_FILES: Final = 10_000
_SHELL_SIGNAL: Final = 128
"""A shell adds this to the number of the signal that has killed its last program."""


class Shell(Task):
    """Runs programs in a fresh folder.

    Args:
        commands: Each a list of words, or a text for a shell.
        inp: Contents of the files that are there at first, by path.
        out: Paths of the files and folders that are kept.
        env: Variables, beside the usual ones.
        stdin: What the first program reads there.
        shell: Runs the commands that are texts.
        ok_codes: Exit codes that are no failure; None: none is.
        inherit: Names of variables that are as in the worker.
        stop_signal: Is sent when the task should stop; empty: none is.
        checkpoint: Whether the programs are told of a folder that later attempts find again.
    """

    def __init__(
        self,
        commands: Sequence[Any],
        inp: Mapping[str, Promise | Any] = {},  # noqa: B006  # only read
        out: Sequence[str] = (),
        env: Mapping[str, Any] = {},  # noqa: B006  # only read
        stdin: Promise | Any = None,
        shell: str = "",
        ok_codes: Sequence[int] | None = (0,),
        inherit: Sequence[str] = (),
        stop_signal: str = "",
        checkpoint: bool = False,
    ) -> None:
        self.commands = [_argv(each, shell) for each in commands]
        self.inp, self.out, self.env, self.stdin = inp, out, env, stdin
        self.ok_codes, self.inherit = ok_codes, inherit
        self.stop_signal, self.checkpoint = stop_signal, checkpoint

    def run(self) -> None:
        """Run the commands; save what they have written."""
        variables = self._variables()
        for command in self.commands:
            _check_is_there(command[0], variables["PATH"])
        with work_folder() as base, ExitStack() as stack:
            folder = self.put_inputs(base)
            outputs = {
                name: stack.enter_context(ProgramOutput(base / name, name))
                for name in ("stderr", "stdout")
            }
            codes = self._run_commands(base, folder, variables, outputs)
            self._check_is_whole(folder)
            stack.close()
            self._save(base, folder, codes)

    def put_inputs(self, base: Path) -> Path:
        """Write what is there at first: files into `work`, and the file `stdin` beside it.

        Returns:
            The folder in which the programs run.
        """
        folder = base / "work"
        folder.mkdir()
        for path, content in self.inp.items():
            _write(folder / path, content, f"inp[{path!r}]")
        if self.stdin is not None:
            _write(base / "stdin", self.stdin, "stdin")
        return folder

    def _run_commands(
        self,
        base: Path,
        folder: Path,
        variables: Mapping[str, str],
        outputs: Mapping[str, ProgramOutput],
    ) -> list[int]:
        stop = None
        if self.stop_signal:
            stop = StopSignal(signal.Signals[self.stop_signal], self.should_stop)
        codes = []
        for number, words in enumerate(self.commands):
            stdin = base / "stdin" if self.stdin is not None and number == 0 else None
            program = Program(words, folder, variables, stdin)
            code = run_program(program, outputs["stdout"].write, outputs["stderr"].write, stop)
            if stop is not None and stop.is_sent:
                raise KeyboardInterrupt(f"{words[0]} was told to stop by {self.stop_signal}")
            if self.ok_codes is not None and code not in self.ok_codes:
                raise ProgramFailed(_how_it_ended(words, code, outputs), code)
            codes.append(code)
        return codes

    def own_variables(self) -> dict[str, str]:
        """Those of `env`, as text."""
        return {name: text_of(value, f"env[{name!r}]") for name, value in self.env.items()}

    def _variables(self) -> dict[str, str]:
        own = self.own_variables()
        if self.checkpoint:
            own[CHECKPOINTS] = str(self.checkpoint_dir.absolute())
        return program_variables(own, self.inherit)

    def _check_is_whole(self, folder: Path) -> None:
        missing = [path for path in self.out if not (folder / path).exists()]
        if not missing:
            return
        made = list(islice(_files_in(folder), _MOST_FILES))
        new = [path for path in made if path not in self.inp]
        shown = ", ".join(new[:_SHOWN_FILES]) or "nothing"
        more = f" and {len(new) - _SHOWN_FILES} more" if len(new) > _SHOWN_FILES else ""
        hints = "".join(nearest(path, made) for path in missing[:1])
        raise OutputMissing(
            f"{PurePath(self.commands[-1][0]).name} has ended, but there is no "
            f"{', '.join(map(repr, missing))}, which out declares.{hints} "
            f"It has made: {shown}{more}"
        )

    def _save(self, base: Path, folder: Path, codes: Sequence[int]) -> None:
        for path in self.out:
            self._save_file(folder / path, path)
        for name in ("stdout", "stderr"):
            self._save_file(base / name, name)
        unusual = [each for each in codes if each not in (self.ok_codes or (0,))]
        self.save((unusual or codes[-1:])[0], "returncode")
        if len(codes) > 1:
            self.save(codes, "returncodes")

    def _save_file(self, path: Path, name: str) -> None:
        """Save a file or folder piece by piece, however large it is."""
        attempt = context_of(self).attempt
        try:
            kind = path.stat().st_mode
            if stat.S_ISDIR(kind):
                attempt.save(path, name, "path")
            elif stat.S_ISREG(kind):
                with path.open("rb") as stream:
                    size_bytes = os.fstat(stream.fileno()).st_size
                    attempt.take(Artifact(name, "bytes", size_bytes=size_bytes), stream)
            else:
                raise OutputMissing(f"{name!r} is neither file nor folder, so it cannot be kept")
        except OSError as error:
            raise RunError(f"{name!r} cannot be kept: {error}") from error


def _argv(command: object, shell: str) -> list[str]:
    """The words that are executed."""
    if isinstance(command, (list, tuple)):
        return [text_of(each, "a word of the command") for each in command]
    return [shell or "sh", "-c", text_of(command, "the command")]


def _check_is_there(name: str, path: str) -> None:
    """Refuse a name that no folder of PATH holds; files in the folder may be made meanwhile.

    Raises:
        ProgramNotFound: there is no such program.
    """
    if "/" in name:
        if name.startswith("/") and not Path(name).exists():
            raise ProgramNotFound(f"there is no program {name}")
        return
    if shutil.which(name, path=path) is None:
        raise ProgramNotFound(
            f"there is no program {name!r} in the PATH of {socket.gethostname()}."
            f"{nearest(name, _programs_in(path))} One in the folder of the task is ./{name}"
        )


def _programs_in(path: str) -> list[str]:
    found: list[str] = []
    for folder in path.split(os.pathsep):
        try:
            found += os.listdir(folder)  # noqa: PTH208  # names are wanted
        except OSError:
            continue
    return found


def _write(target: Path, content: Any, where: str) -> None:
    """Write an input to a new file, or a new folder; a script may be run."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _put(target, content, where)
    if target.is_file():
        with target.open("rb") as file:
            is_script = file.read(len(_SCRIPT)) == _SCRIPT
        if is_script:
            target.chmod(0o755)


def _put(target: Path, content: Any, where: str) -> None:
    if isinstance(content, Promise):
        content = _copied(content, target)
    if isinstance(content, InputFile):
        content.copy_to(target)
    elif isinstance(content, (bytes, bytearray)):
        target.write_bytes(content)
    elif isinstance(content, str) or is_template(content):
        text = content if isinstance(content, str) else rendered(content, where)
        target.write_bytes(os.fsencode(text))
    elif isinstance(content, PurePath):
        _copy(Path(content), target)
    elif content is not _WRITTEN:
        named = f", so name one of its results: {', '.join(content)}" if _is_named(content) else ""
        raise RunError(
            f"{where} is a {type(content).__name__}{named}; the content of a file is text or bytes"
        )


def _copied(content: Promise, target: Path) -> object:
    """Write bytes that lie in a store, however many they are; other values are loaded."""
    stream = content.stream()
    if stream is None:
        return content.load()
    with stream, target.open("xb") as file:
        shutil.copyfileobj(stream, file, _CHUNK_BYTES)
    return _WRITTEN


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _is_named(content: object) -> bool:
    """Whether it looks like all results of a task."""
    return isinstance(content, dict) and all(isinstance(each, str) for each in content)


def _how_it_ended(words: Sequence[str], code: int, outputs: Mapping[str, ProgramOutput]) -> str:
    """The first line tells the most: views show no more."""
    head = f"{PurePath(words[0]).name} {_ending(code)}"
    command = f"command: {_said(words)}"
    for name, output in outputs.items():
        if tail := output.tail():
            last = tail.splitlines()[-1].strip()[:_SHOWN_LETTERS]
            return f"{head}: {last}\n{command}\nthe end of its {name}:\n{tail}"
    return f"{head}, and printed nothing\n{command}"


def _ending(code: int) -> str:
    number = -code if code < 0 else code - _SHELL_SIGNAL
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = ""
    if code < 0:
        return f"was killed by {name or f'signal {number}'}"
    if name and number > 0:
        return f"ended with exit code {code}, which a shell gives for {name}"
    return f"ended with exit code {code}"


def _said(words: Sequence[str]) -> str:
    text = shlex.join(words)
    return text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}…"


def _files_in(folder: Path) -> Iterator[str]:
    """The files in a folder by their path, those at its top first."""
    for name, folders, files in os.walk(folder):
        folders.sort()
        for each in sorted(files):
            yield (Path(name) / each).relative_to(folder).as_posix()
