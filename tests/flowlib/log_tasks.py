"""Tasks that say something, in all ways in which a program can."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

from flowlib import Flow, Task, TaskSpec


class Say(Task):
    """Says `what` on every way there is."""

    def __init__(self, what: str) -> None:
        self.what = what

    def run(self):
        print("print", self.what)
        print("stderr", self.what, file=sys.stderr)
        os.write(1, f"descriptor {self.what}\n".encode())
        ctypes.CDLL(None).puts(f"C {self.what}".encode())  # stays in a buffer of C
        subprocess.run([sys.executable, "-S", "-c", f"print('child {self.what}')"], check=True)
        logging.getLogger("mine").debug("debug %s", self.what)
        self.logger.info("info %s", self.what)
        warnings.warn(f"warning {self.what}", stacklevel=1)
        return self.what


class Streams(Task):
    """Saves what its streams are like."""

    def __init__(self, x: int = 0) -> None:
        self.x = x

    def run(self):
        print("odd: \ud800 é")
        streams = (sys.stdout, sys.stderr)
        return {
            "facts": [[s.isatty(), s.fileno(), s.encoding, s.writable(), s.errors] for s in streams]
        }


class Misbehave(Task):
    """Says something and then ends in a bad way; the second try is a good one."""

    def __init__(self, how: str) -> None:
        self.how = how

    def run(self):
        print("before", self.how)
        {
            "raise": _raise,
            "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "exit": lambda: os._exit(3),
            "crash": lambda: ctypes.string_at(0),
            "close": lambda: (os.close(1), os.close(2)),
            "replace": lambda: (setattr(sys, "stdout", None), logging.root.handlers.clear()),
            "hang": lambda: time.sleep(60),
        }[self.how]()
        return 1


def _raise():
    raise ValueError("on purpose")


class Quiet(Task):
    """Says nothing."""

    def __init__(self, x: int) -> None:
        self.x = x

    def run(self):
        return self.x


class Flood(Task):
    """Prints `megabytes`, by itself or by a child."""

    def __init__(self, megabytes: int, by: str = "print") -> None:
        self.megabytes, self.by = megabytes, by

    def run(self):
        print("first")
        if self.by == "child":
            code = f"import os\nfor _ in range({self.megabytes}): os.write(1, b'x' * (1 << 20))"
            subprocess.run([sys.executable, "-S", "-c", code], check=True)
        else:
            for _ in range(self.megabytes):
                print("x" * ((1 << 20) - 1))
        print("last")


class Odd:
    """Cannot be shown and cannot be pickled."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class OddRecords(Task):
    """Logs what cannot travel."""

    def __init__(self, x: int) -> None:
        self.x = x

    def run(self):
        log = logging.getLogger("odd")
        log.warning("%s", Odd())
        log.warning("%d", "no number")
        log.warning("extra", extra={"thing": Odd()})
        log.warning("long %s", "y" * 100_000)
        log.warning("good %s", self.x)
        return 1


class Many(Task):
    """Logs many records."""

    def __init__(self, x: int, count: int) -> None:
        self.x, self.count = x, count

    def run(self):
        for number in range(self.count):
            logging.getLogger("many").info("record %d of %d", number, self.x)


class Wait(Task):
    """Says something and waits until a file is there."""

    def __init__(self, path: str) -> None:
        self.path = path

    def run(self):
        print("waiting")
        while not Path(self.path).exists():
            time.sleep(0.01)


class Inner(Task):
    """Runs a flow of its own."""

    def __init__(self, x: int = 0) -> None:
        self.x = x

    def run(self):
        logging.getLogger("outer").debug("outer before")
        inner = Flow([TaskSpec(Say, {"what": "inner"})]).run(num_workers=1)
        logging.getLogger("outer").debug("outer after")
        return Path(inner["Say"][0].log).read_text()


class Forks(Task):
    """Leaves most of its work to children, which log and print."""

    def __init__(self, x: int) -> None:
        self.x = x

    def run(self):
        for number in range(5):
            child = os.fork()
            if child == 0:
                logging.getLogger("forked").warning("child %d", number)
                print("printed by", number, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
        logging.getLogger("forked").warning("parent")


class FailTwice(Task):
    """Fails at its first two tries."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def run(self):
        number = len(list(Path(self.folder).iterdir())) + 1
        Path(self.folder, str(number)).touch()
        print("try", number)
        if number < 3:
            raise ValueError(f"try {number} fails")
