"""Which tasks do the acceptance tests run? Importable, so that worker processes find them."""

from __future__ import annotations

import enum
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, List, Optional  # noqa: UP035  # the seed's scripts spell them so

from flowlib import Task
from stores import LazySweep, Promise, Sweep


def note(log: str | None, text: str) -> None:
    """Append one line to `log`; several processes may do so at once."""
    if log is not None:
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{text}\n".encode())
        os.close(descriptor)


def noted(log: Path) -> list[str]:
    """The lines of `log`, in the order in which they were written."""
    return log.read_text().splitlines() if log.exists() else []


def counted(log: Path) -> dict[str, int]:
    """How often each line was written to `log`."""
    return dict(Counter(noted(log)))


class Anything(Task):
    """Takes any config and saves it, with what it is called, as `out`."""

    def __init__(self, log: str | None = None, **config: Any) -> None:
        self.given = config
        self.log = log

    def run(self) -> None:
        """Save the config."""
        note(self.log, self.unique_name)
        self.save({"name": self.unique_name, **self.given}, "out")


class Number(Task):
    """Saves its parameter `x` as `value`."""

    def __init__(self, x: object = 0, log: str | None = None) -> None:
        self.x = x
        self.log = log

    def run(self) -> None:
        """Save it."""
        note(self.log, self.unique_name)
        self.save(self.x, "value")


class Add(Task):
    """Adds `y` to the `value` of its predecessor and saves the `total`."""

    def __init__(self, y: int = 0, log: str | None = None) -> None:
        self.y = y
        self.log = log

    def run(self, value: int) -> None:
        """Save the sum."""
        note(self.log, self.unique_name)
        self.save(value + self.y, "total")


class Increments(Task):
    """Adds 1 to the `value` upstream."""

    def run(self, value: int) -> dict[str, int]:
        """Return the sum, again as `value`."""
        return {"value": value + 1}


class Gather(Task):
    """A reduce: saves the pairs of value and config as `gathered`."""

    def __init__(self, log: str | None = None) -> None:
        self.log = log

    def run(self, value: list[Sweep]) -> None:
        """Save what arrived."""
        note(self.log, self.unique_name)
        self.save([[each.value, dict(each.config)] for each in value], "gathered")


class GatherTotals(Task):
    """A reduce over `total`."""

    def __init__(self, log: str | None = None) -> None:
        self.log = log

    def run(self, total: list[Sweep]) -> None:
        """Save the totals in the order in which they arrived."""
        note(self.log, self.unique_name)
        self.save([each.value for each in total], "totals")


class Both(Task):
    """Reads `left` and `right` of two predecessors."""

    def __init__(self, w: int = 0, log: str | None = None) -> None:
        self.w = w
        self.log = log

    def run(self, left: int, right: int) -> dict[str, list[int]]:
        """Return both."""
        note(self.log, self.unique_name)
        return {"both": [left, right]}


class Left(Task):
    """Saves `left`: the `value` upstream plus `y`, after `pause_s` seconds."""

    def __init__(self, y: int = 0, pause_s: float = 0.0, log: str | None = None) -> None:
        self.y = y
        self.pause_s = pause_s
        self.log = log

    def run(self, value: int) -> dict[str, int]:
        """Return it."""
        note(self.log, self.unique_name)
        time.sleep(self.pause_s)
        return {"left": value + self.y}


class Right(Task):
    """Saves `right`: the `value` upstream plus `z`."""

    def __init__(self, z: int = 0, log: str | None = None) -> None:
        self.z = z
        self.log = log

    def run(self, value: int) -> dict[str, int]:
        """Return it."""
        note(self.log, self.unique_name)
        return {"right": value + self.z}


class Mixed(Task):
    """Reads the `value` of an ordinary predecessor and what a reduce has `gathered`."""

    def __init__(self, w: int = 0) -> None:
        self.w = w

    def run(self, value: int, gathered: list[Any]) -> dict[str, Any]:
        """Return the ordinary value."""
        return {"seen": value, "count": len(gathered)}


class OptionalInput(Task):
    """Adds the `value` upstream where there is one."""

    def __init__(self, x: int = 0) -> None:
        self.x = x

    def run(self, value: int = 0) -> dict[str, int]:
        """Return the sum."""
        return {"total": self.x + value}


class WithDefault(Task):
    """Wants something that no predecessor saves, but has a default for it."""

    def run(self, value: int, absent: str = "default") -> dict[str, Any]:
        """Return what arrived."""
        return {"seen": [value, absent]}


class Wanting(Task):
    """Wants something that no predecessor saves."""

    def run(self, value: int, absent: str) -> None:
        """Never reached."""


class Greedy(Task):
    """Takes whatever is offered."""

    def run(self, **results: Any) -> dict[str, list[str]]:
        """Return the names that arrived."""
        return {"names": sorted(results)}


class SavesNone(Task):
    """Saves None as `value`."""

    def run(self) -> None:
        """Save it."""
        self.save(None, "value")


class SeesNone(Task):
    """Tells whether None arrived."""

    def run(self, value: object) -> dict[str, bool]:
        """Return the answer."""
        return {"is_none": value is None}


class SavesSometimes(Task):
    """Saves `value` only if `x` is odd."""

    def __init__(self, x: int) -> None:
        self.x = x

    def run(self) -> None:
        """Save it or not."""
        if self.x % 2:
            self.save(self.x, "value")


class LazyPromise(Task):
    """Asks for a promise."""

    def run(self, value: Promise) -> dict[str, Any]:
        """Return its kind and its value."""
        return {"seen": [isinstance(value, Promise), value.load()]}


class LazyOptional(Task):
    """Asks for a promise as the seed's scripts do."""

    def run(self, value: Optional[Promise] = None) -> dict[str, Any]:  # noqa: UP045  # the seed's form
        """Return its kind and its value."""
        assert value is not None
        return {"seen": [isinstance(value, Promise), value.load()]}


class LazyUnion(Task):
    """Asks for a promise with the newer form of a union."""

    def run(self, value: Promise | None) -> dict[str, Any]:
        """Return its kind and its value."""
        assert value is not None
        return {"seen": [isinstance(value, Promise), value.load()]}


class LazyList(Task):
    """Asks for lazy sweeps."""

    def run(self, value: list[LazySweep]) -> dict[str, Any]:
        """Return their kinds and values."""
        return {"seen": [[type(each).__name__, each.value.load()] for each in value]}


class LazyOldList(Task):
    """Asks for lazy sweeps as the seed's scripts do."""

    def run(self, value: List[LazySweep]) -> dict[str, Any]:  # noqa: UP006  # the seed's form
        """Return their kinds and values."""
        return {"seen": [[type(each).__name__, each.value.load()] for each in value]}


class Mutator(Task):
    """Saves a list, then changes it."""

    def run(self) -> None:
        """Only what was saved counts."""
        values = [1, 2]
        self.save(values, "value")
        values.append(3)


class MutatesInput(Task):
    """Changes what arrives and saves how long it is then."""

    def __init__(self, who: str) -> None:
        self.who = who

    def run(self, value: list[int]) -> dict[str, int]:
        """Return the new length."""
        value.append(9)
        return {"length": len(value)}


class Attributes(Task):
    """Saves what its attributes say."""

    def __init__(self, x: int, nested: dict[str, Any] | None = None) -> None:
        self.x = x
        self.name_in_init = self.unique_name

    def run(self, value: int = 0) -> dict[str, Any]:
        """Return them by name."""
        return {
            "facts": {
                "name": self.name,
                "unique_name": self.unique_name,
                "name_in_init": self.name_in_init,
                "project_name": self.project_name,
                "run_name": self.run_name,
                "state": self.state,
                "has_started": self.started is not None,
                "has_ended": self.ended is not None,
                "duration_s": self.duration.total_seconds() if self.duration else None,
                "run_history": dict(self.run_history),
                "sweep_counter": self.sweep_counter,
                "unique_config_hash": self.unique_config_hash,
                "unique_config": dict(self.unique_config),
                "store": type(self.results_store).__name__,
                "resource": self.resource,
                "force": self.force,
                "expects": sorted(self.expects),
                "reduce": bool(self.reduce),
                "config": dict(self.config),
                "config_x": self.config.x,
                "nested_y": self.config.nested.y if "nested" in self.config else None,
                "id": self.id,
                "info": self.info.model_dump(mode="json"),
                "predecessors": [each.name for each in self.predecessors],
                "successors": [each.name for each in self.successors],
            }
        }


class OwnResource(Task):
    """Sets its own resource, which wins over the leased one."""

    def __init__(self) -> None:
        self.resource = "mine"

    def run(self) -> dict[str, str]:
        """Return the resource."""
        return {"resource": self.resource}


class Fields(Task):
    """Takes its config in annotated fields."""

    x: int
    y: int = 5

    def run(self) -> dict[str, int]:
        """Return both."""
        return {"sum": self.x + self.y}


class WithSuper(Task):
    """Calls `super().__init__()`, which it need not."""

    def __init__(self, x: int) -> None:
        super().__init__()
        self.x = x

    def run(self) -> dict[str, int]:
        """Return the parameter."""
        return {"x": self.x}


class Returns(Task):
    """Returns what `what` names."""

    def __init__(self, what: str) -> None:
        self.what = what

    def run(self) -> object:
        """Return it."""
        return {"dict": {"a": 1, "b": 2}, "none": None, "number": 7, "list": [1, 2]}[self.what]


class SavesTwice(Task):
    """Saves and returns the same name."""

    def run(self) -> dict[str, int]:
        """The clash."""
        self.save(1, "value")
        return {"value": 2}


class StoreUser(Task):
    """Saves, loads, deletes and opens its own artifacts."""

    def run(self) -> dict[str, Any]:
        """Return what was seen on the way."""
        self.save({"a": 1}, "kept", type_="json")
        self.save("gone", "dropped", type_="text")
        loaded = self.load("kept")
        self.delete("dropped")
        with self.open("lines", mode="w", type_="text") as file:
            written = file.write("one\ntwo\n")
        with self.open("lines", mode="r") as file:
            lines = file.readlines()
        context = self.get_store_context()
        return {
            "seen": {
                "loaded": loaded,
                "written": written,
                "lines": lines,
                "has_folder": Path(context.run_dir or "/nonexistent").is_dir(),
                "same_folder": str(self.run_dir) == context.run_dir,
                "sweep_counter": context.sweep_counter,
            }
        }


class LoadsUpstream(Task):
    """Loads an artifact of a grandparent by its name and by the config of a sweep."""

    def run(self, total: list[Sweep]) -> dict[str, list[int]]:
        """Return the values of the grandparents."""
        values = [
            self.load("value", task_name="Number", task_unique_config=each.config) for each in total
        ]
        return {"values": values}


class Failing(Task):
    """Fails in the way that `how` names while the file `while_exists` exists."""

    def __init__(
        self,
        how: str = "error",
        x: int = 0,
        while_exists: str | None = None,
        log: str | None = None,
    ) -> None:
        self.how = how
        self.x = x
        self.while_exists = while_exists
        self.log = log

    def run(self) -> dict[str, int]:
        """Return `value` if it does not fail."""
        note(self.log, self.unique_name)
        if self.while_exists is None or Path(self.while_exists).exists():
            self.save("partial", "old")
            fail(self.how)
        return {"value": self.x}


class TwoArguments(Exception):
    """Cannot be rebuilt from its `args`, as pickle would do."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")
        self.first = first
        self.second = second


class Unpicklable(Exception):
    """Holds something that no process can send to another."""

    def __init__(self) -> None:
        super().__init__("holds a lock")
        self.lock = threading.Lock()


def fail(how: str) -> None:
    """End in one of the ways in which tasks end badly."""
    if how == "sigkill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "exit":
        raise SystemExit(3)
    elif how == "two_arguments":
        raise TwoArguments("this", "that")
    elif how == "unpicklable":
        raise Unpicklable
    raise ValueError("failed on purpose")


class SavesUnserialisable(Task):
    """Saves, as JSON, something that JSON cannot hold; only while a file exists."""

    def __init__(self, while_exists: str) -> None:
        self.while_exists = while_exists

    def run(self) -> None:
        """Break in the middle of the artifact."""
        value: dict[str, object] = {"a": 1}
        if Path(self.while_exists).exists():
            value["b"] = object()
        self.save(value, "value", type_="json")


class ReadsFile(Task):
    """Saves the text of a file: its result may change from run to run."""

    def __init__(self, path: str, log: str | None = None) -> None:
        self.path = path
        self.log = log

    def run(self) -> dict[str, str]:
        """Return the text as `value`; fail if it is `fail`."""
        note(self.log, self.unique_name)
        text = Path(self.path).read_text()
        if text == "fail":
            raise ValueError("told to fail")
        return {"value": text}


class Shouts(Task):
    """Saves the `value` upstream in capitals as `loud`."""

    def __init__(self, log: str | None = None) -> None:
        self.log = log

    def run(self, value: str) -> dict[str, str]:
        """Return it."""
        note(self.log, self.unique_name)
        return {"loud": value.upper()}


class HoldsResource(Task):
    """Notes when it holds its resource, and for how long."""

    def __init__(self, x: int, log: str, pause_s: float = 0.05) -> None:
        self.x = x
        self.log = log
        self.pause_s = pause_s

    def run(self) -> dict[str, object]:
        """Return the resource."""
        note(self.log, f"{self.resource} take")
        time.sleep(self.pause_s)
        note(self.log, f"{self.resource} give")
        return {"resource": self.resource}


class Meets(Task):
    """Ends when so many tasks have begun, or after a minute."""

    def __init__(self, x: int, log: str, count: int) -> None:
        self.x = x
        self.log = log
        self.count = count

    def run(self) -> dict[str, bool]:
        """Whether the others came while this one ran."""
        note(self.log, "begun")
        limit = time.monotonic() + 60.0
        while len(noted(Path(self.log))) < self.count and time.monotonic() < limit:
            time.sleep(0.01)
        return {"has_met": len(noted(Path(self.log))) >= self.count}


class Sleeps(Task):
    """Notes in which process it runs, then sleeps."""

    def __init__(self, x: int, log: str, pause_s: float = 0.0) -> None:
        self.x = x
        self.log = log
        self.pause_s = pause_s

    def run(self) -> dict[str, int]:
        """Return `value`."""
        note(self.log, f"pid {os.getpid()}")
        time.sleep(self.pause_s)
        return {"value": self.x}


class OddNames(Task):
    """Saves artifacts under names that are not file names."""

    def run(self) -> None:
        """Save them all."""
        for name in ODD_NAMES:
            self.save({"name": name}, name)


ODD_NAMES = ("a/b", ".x", "x", "config", "record", "..", "a b", "ü", "n" * 300)


class TwoTypes(Task):
    """Saves one name twice, with two types."""

    def run(self) -> None:
        """The second counts."""
        self.save({"a": 1}, "value", type_="json")
        self.save("text", "value", type_="text")


class DrawsRandom(Task):
    """Draws from the global random numbers, which belong to the user."""

    def run(self) -> dict[str, float]:
        """Return a number."""
        import random

        return {"value": random.random()}


class Kwargs(Task):
    """Tells what its additional keyword arguments are."""

    def __init__(self, x: int, extra: object = None, callback: object = None) -> None:
        self.x = x
        self.extra = extra
        self.callback = callback

    def run(self) -> dict[str, Any]:
        """Return their types."""
        called = self.callback(self.x) if callable(self.callback) else None
        return {"seen": {"x": self.x, "extra": type(self.extra).__name__, "called": called}}


class Colour(enum.Enum):
    """A value that JSON cannot hold."""

    RED = 1


class Opaque:
    """An object that JSON cannot hold."""


def double(x: int) -> int:
    """Twice `x`."""
    return 2 * x


def plain_source(x: int) -> dict[str, int]:
    """A function as task, without `task`."""
    return {"value": x}


def with_task(value: int, y: int, task: Task) -> None:
    """A function as task that asks for `task`."""
    task.save(value * y, "product")
    task.save(task.unique_name, "name")


def plain_reduce(product: list[Sweep]) -> dict[str, list[int]]:
    """A function as reduce."""
    return {"products": [each.value for each in product]}


class Second(Task):
    """Saves `value` as `Number` does."""

    def run(self) -> dict[str, int]:
        """Return it."""
        return {"value": 2}


class Chatty(Task):
    """Prints more than a pipe holds."""

    def __init__(self, x: int, how: str = "") -> None:
        self.x = x
        self.how = how

    def run(self) -> dict[str, int]:
        """Print 200 kB, then return or fail."""
        for _ in range(2000):
            print("x" * 100)
        if self.how:
            fail(self.how)
        return {"value": self.x}


class MutatesConfig(Task):
    """Changes its own config, which must not change its identity."""

    def __init__(self, nested: dict[str, Any]) -> None:
        nested["new"] = 1
        nested["inner"].append(4)
        self.nested = nested

    def run(self) -> dict[str, Any]:
        """Return the changed config."""
        return {"nested": dict(self.nested)}


class EndsItsProcess(Task):
    """Forks a process, sends it a signal, and waits for it."""

    def __init__(self, number: int) -> None:
        self.number = number

    def run(self) -> dict[str, int | None]:
        """Return with what code it has ended."""
        context = multiprocessing.get_context("fork")
        begun = context.Event()
        process = context.Process(target=_waits, args=(begun,))
        process.start()
        begun.wait()
        assert process.pid is not None
        os.kill(process.pid, self.number)
        process.join()
        return {"code": process.exitcode}


def _waits(begun: Any) -> None:
    begun.set()
    signal.pause()


class TellsHandlers(Task):
    """Forks a process that tells what it does at signals."""

    def run(self) -> dict[str, bool]:
        """Return whether that is what Python does."""
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            found = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
            is_usual = found == [signal.default_int_handler, signal.SIG_DFL]
            os.write(write, b"yes" if is_usual else repr(found).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        told = os.read(read, 1000)
        os.close(read)
        os.close(write)
        return {"is_usual": told == b"yes"}


class UsesPool(Task):
    """Computes squares in a pool of processes."""

    def __init__(self, method: str) -> None:
        self.method = method

    def run(self) -> dict[str, list[int]]:
        """Return them."""
        with multiprocessing.get_context(self.method).Pool(2) as pool:
            return {"squares": pool.map(_square, range(4))}


def _square(x: int) -> int:
    return x * x
