"""How are the command and scripts run hundreds of times without waiting for Python to start each time?

A process that has imported what the command imports waits on a socket. For every call it is handed
the arguments, the variables, the folder and three open files, and forks; the fork runs
`python -m flowlib` or `python script.py` from its first line on and ends as any process does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from tests.architecture.sources import ROOT

OF_THE_START = ("PYTHON", "LC_", "LANG", "LD_")
"""How the names of variables begin that are read once, when a process starts."""
IMPORTED = ("flowlib.flow", "flowlib.showing", "networkx", "rich.table", "stores.backends.file")
LONGEST = 1 << 17


def can_fork(variables: dict[str, str]) -> bool:
    """Whether these variables mean the same to a process that has started already."""
    return not any(name.startswith(OF_THE_START) for name in variables)


def call_forked(arguments, folder, environment, stdin, limit_s):
    """Run Python in a fork; gives its exit code, stdout and stderr.

    Args:
        arguments: Those of Python: `-m flowlib` or the path of a script, and those that follow.
        folder: Where it runs.
        environment: All its variables.
        stdin: What it reads, in bytes.
        limit_s: How long it may take.

    Raises:
        TimeoutError: it takes longer than `limit_s`.
    """
    answer, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with answer, answering, _file() as given, _file() as out, _file() as err:
        given.write(stdin)
        given.seek(0)
        asked = json.dumps([[*map(str, arguments)], os.fspath(folder), environment]).encode()
        files = [each.fileno() for each in (given, out, err, answering)]
        # measured or not: that is settled when a process starts (tests/conftest.py)
        server = _server(os.getpid(), os.environ.get("COVERAGE_PROCESS_CONFIG"))
        socket.send_fds(server, [asked], files)
        answering.close()
        answer.settimeout(limit_s)
        child = int(answer.recv(16))
        try:
            code = int(answer.recv(16))
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            raise
        return code, _content(out), _content(err)


def _file():
    return tempfile.TemporaryFile()


def _content(file):
    file.seek(0)
    return file.read()


@cache
def _server(owner, measured):
    """The socket of a process that forks, one for each process of tests."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.forked", str(theirs.fileno())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()

    def end():
        if os.getpid() == owner:
            ours.close()
            process.wait()

    atexit.register(end)
    return ours


def serve(calls: socket.socket) -> list[str]:
    """Fork for every call; returns in a fork, with the arguments of the Python that it shall be."""
    while True:
        asked, files, *_ = socket.recv_fds(calls, LONGEST, 4)
        if not asked:
            os._exit(0)
        if os.fork() == 0:
            break
        for each in files:
            os.close(each)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    calls.close()
    *streams, answering = files
    child = os.fork()
    if child:
        with socket.socket(fileno=answering) as answer:
            for each in streams:
                os.close(each)
            answer.send(b"%16d" % child)
            _, status = os.waitpid(child, 0)
            answer.send(b"%16d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(answering)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    arguments, folder, environment = json.loads(asked)
    _begin(folder, environment)
    return arguments


def _begin(folder, environment):
    """Be a process that was started in this folder, with these variables."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for name in [each for each in sys.modules if each.partition(".")[0] == "tests"]:
        del sys.modules[name]


def _run(arguments):
    """Do what `python` does with these arguments."""
    sys.orig_argv = [sys.executable, *arguments]
    if arguments[:2] == ["-m", "flowlib"]:
        sys.path[0] = str(Path.cwd())
        sys.argv = ["flowlib", *arguments[2:]]
        runpy.run_module("flowlib", run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        _run_script(Path(arguments[0]).absolute())


def _run_script(path):
    """Make `__main__` of this file; it stays so to the end of the process."""
    sys.path[0] = str(path.resolve().parent)
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__file__, main.__loader__ = str(path), SourceFileLoader("__main__", str(path))
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(main))
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__.tb_next)  # without this frame
        sys.exit(1)


if __name__ == "__main__":
    commands = importlib.import_module("flowlib.cli.commands")
    for found in pkgutil.iter_modules(commands.__path__, "flowlib.cli.commands."):
        importlib.import_module(found.name)
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    _run(serve(socket.socket(fileno=int(sys.argv[1]))))
