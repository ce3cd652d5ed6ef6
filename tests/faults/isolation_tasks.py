"""Tasks that leave their process in another state than they found it, and a witness."""

from __future__ import annotations

import faulthandler
import gc
import io
import locale
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path


def trace() -> dict[str, object]:
    """What a task can see of its process, as text."""
    seen = {
        "cwd": str(Path.cwd()),
        "environment": sorted(os.environ.items()),
        "umask": _umask(),
        "handlers": [signal.getsignal(n) for n in sorted(signal.valid_signals()) if n < 32],
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "alarm": signal.getitimer(signal.ITIMER_REAL),
        "path": list(sys.path),
        "argv": list(sys.argv),
        "streams": [id(each) for each in (sys.stdin, sys.stdout, sys.stderr)],
        "hooks": [sys.excepthook, sys.displayhook, threading.excepthook, sys.gettrace()],
        "root level": logging.getLogger().level,
        "root handlers": list(logging.getLogger().handlers),
        "logging off": logging.root.manager.disable,
        "warnings": list(warnings.filters),
        "show": warnings.showwarning,
        "locale": locale.setlocale(locale.LC_ALL),
        "faulthandler": faulthandler.is_enabled(),
        "gc": (gc.isenabled(), gc.get_threshold()),
        "recursion": sys.getrecursionlimit(),
        "switch": sys.getswitchinterval(),
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE)],
        "print": print,
    }
    return {name: str(value) for name, value in seen.items()}


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _set_limit(number: int, soft: int) -> None:
    resource.setrlimit(number, (soft, resource.getrlimit(number)[1]))


CHANGES = {
    "cwd": lambda: os.chdir("/"),
    "cwd that is gone": lambda: _vanish(),
    "environment": lambda: os.environ.update(FLOWLIB_LEAK="1", HOME="/elsewhere"),
    "variable removed": lambda: os.environ.pop("PATH"),
    "umask": lambda: os.umask(0o077),
    "handlers": lambda: signal.signal(signal.SIGTERM, lambda *given: None),
    "ignored": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    "mask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1}),
    "alarm": lambda: signal.alarm(1),
    "path": lambda: sys.path.insert(0, "/leak"),
    "new path": lambda: setattr(sys, "path", ["/leak", *sys.path]),
    "argv": lambda: sys.argv.append("--leak"),
    "stdout": lambda: setattr(sys, "stdout", io.StringIO()),
    "stderr": lambda: setattr(sys, "stderr", None),
    "hooks": lambda: setattr(sys, "excepthook", lambda *given: None),
    "trace": lambda: sys.settrace(lambda *given: None),
    "root level": lambda: logging.getLogger().setLevel(logging.CRITICAL),
    "root handlers": lambda: logging.getLogger().addHandler(logging.NullHandler()),
    "logging off": lambda: logging.disable(logging.CRITICAL),
    "basicConfig": lambda: logging.basicConfig(level=1, force=True),
    "warnings": lambda: warnings.simplefilter("error"),
    "show": lambda: setattr(warnings, "showwarning", lambda *given: None),
    "locale": lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8"),
    "faulthandler": lambda: faulthandler.enable(),
    "dump later": lambda: faulthandler.dump_traceback_later(0.2, exit=True),
    "gc": lambda: (gc.disable(), gc.set_threshold(1, 1, 1)),
    "recursion": lambda: sys.setrecursionlimit(200),
    "memory": lambda: _set_limit(resource.RLIMIT_AS, 1 << 30),
    "files": lambda: _set_limit(resource.RLIMIT_NOFILE, 32),
    "print": lambda: setattr(sys.modules["builtins"], "print", lambda *given: None),
}
"""What a task may do to its process."""


def _vanish() -> None:
    folder = Path("/tmp", f"flowlib-gone-{os.getpid()}")
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()


def change(how: str) -> dict[str, object]:
    """Tell what the process is like, then change it."""
    seen = trace()
    CHANGES.get(how, time.time)()
    return {"seen": seen, "pid": os.getpid()}


def change_for_good(x: int, how: str) -> dict[str, object]:
    """Change what cannot be put back without more rights, then tell what is seen next."""
    seen = {"nice": os.getpriority(os.PRIO_PROCESS, 0), "files": _files()}
    if x == 0 and how == "nice":
        os.nice(3)
    elif x == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    return {"seen": seen, "pid": os.getpid()}


def _files() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def draw(x: int, seeds: bool) -> dict[str, object]:
    """Draw from the global generator, seeded or not."""
    if seeds:
        random.seed(0)
    return {"drawn": random.random(), "pid": os.getpid()}


def draw_numpy(x: int, seeds: bool) -> dict[str, object]:
    """The same of numpy."""
    import numpy

    if seeds:
        numpy.random.seed(0)
    error = numpy.geterr()["divide"]
    numpy.seterr(divide="raise")
    return {"drawn": float(numpy.random.random()), "divide": error, "pid": os.getpid()}


def pid_of(x: int) -> dict[str, int]:
    """Who am I?"""
    return {"pid": os.getpid(), "parent": os.getppid()}


def leave_thread(x: int, seconds: float, is_daemon: bool) -> dict[str, int]:
    """Leave a thread behind that goes on."""
    thread = threading.Thread(target=time.sleep, args=(seconds,), daemon=is_daemon)
    if x == 0:
        thread.start()
    return {"pid": os.getpid()}


SLEEPER = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(100)"]
GRANDCHILD = [
    sys.executable,
    "-I",
    "-c",
    f"import subprocess; print(subprocess.Popen({SLEEPER!r}, stdout=subprocess.DEVNULL).pid)",
]


def leave_children(folder: str, how: str) -> dict[str, list[int]]:
    """Leave processes behind: a child, one in a session of its own, an orphan."""
    child = subprocess.Popen(SLEEPER, stdout=subprocess.DEVNULL)
    alone = subprocess.Popen(SLEEPER, stdout=subprocess.DEVNULL, start_new_session=True)
    found = subprocess.run(GRANDCHILD, stdout=subprocess.PIPE, start_new_session=True, check=True)
    pids = [child.pid, alone.pid, int(found.stdout)]
    Path(folder, "pids").write_text(" ".join(map(str, [*pids, os.getpid()])))
    match how:
        case "sleep":
            time.sleep(100)
        case "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "fail":
            raise ValueError("on purpose")
    return {"pids": pids}


def eat_memory(x: int, limit: int) -> dict[str, int]:
    """Ask for more memory than there is."""
    if x == 0:
        _set_limit(resource.RLIMIT_AS, limit)
        return {"size": len(bytearray(4 * limit))}
    return {"size": len(bytearray(limit // 8))}


def flood(x: int, megabytes: int) -> dict[str, int]:
    """Print far more than a pipe holds, to both streams, by Python and by the descriptor."""
    line = "x" * 1023 + "\n"
    for _ in range(megabytes * 256):
        sys.stdout.write(line)
        sys.stderr.write(line)
        os.write(1, line.encode())
        os.write(2, line.encode())
    return {"x": x}
