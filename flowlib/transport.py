"""How do tasks and values reach another process? By reference where possible, or by value."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from flowlib.errors import RunError


def dumps(value: object, what: str, *, by_value: bool = False) -> bytes:
    """`value` as bytes for a worker.

    Classes and functions travel by reference. Those of a `__main__` without a file (a notebook,
    `python -c`) and those defined inside functions travel by value.

    Args:
        value: What is sent.
        what: What to call it in an error: "the config of Train-3".
        by_value: Whether also what a script defines travels by value.

    Raises:
        RunError: it cannot be sent at all.
    """
    if main_has_file() and not by_value:
        try:
            return pickle.dumps(value, protocol=5)
        except (pickle.PicklingError, AttributeError, TypeError):
            pass  # defined inside a function, say: try by value
    import cloudpickle

    try:
        data: bytes = cloudpickle.dumps(value, protocol=5)
    except Exception as error:  # any class may refuse in its own way
        raise RunError(
            f"{what} cannot be sent to a worker process: {error}. Give the task what it needs to "
            f"make the object itself, or run with num_workers=1"
        ) from error
    return data


def loads(data: bytes) -> object:
    """The value of `dumps`."""
    return pickle.loads(data)  # noqa: S301  # comes from the driver that started this process


@contextmanager
def hidden_main() -> Iterator[None]:
    """Keep a new process from importing a `__main__` that has a name but no file (`<stdin>`)."""
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    if main is None or path is None or main_has_file():
        yield
        return
    del main.__file__
    try:
        yield
    finally:
        main.__file__ = path


def main_has_file() -> bool:
    """Whether workers can import `__main__`: it is a script or a module, not a notebook."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return path is not None and _is_there(path)


@lru_cache(maxsize=8)  # asked for every job
def _is_there(path: str) -> bool:
    return Path(path).exists()
