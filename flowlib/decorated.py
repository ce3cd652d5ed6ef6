"""Which function stands behind a name that `@task` has decorated, and how does it travel?"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MAINS = ("__main__", "__mp_main__")


class Decorated:
    """What a decorated name stands for; known by the names of the function behind it.

    It is pickled by reference to the decorated name, as functions are: what is found under the
    name elsewhere is decorated, too. Where no name leads to it (inside of another function, in a
    notebook) it is pickled by value, which cloudpickle can.

    Args:
        fn: The function.

    Attributes:
        fn: The function as it was written.
    """

    fn: Callable[..., object]
    __name__: str
    __qualname__: str

    def __init__(self, fn: Callable[..., object]) -> None:
        self.fn = fn
        functools.update_wrapper(self, fn)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What a call of the decorated name means; not a call of the function."""
        raise NotImplementedError(f"{self!r} cannot be called: call its fn")

    def __repr__(self) -> str:
        return f"<task {self.__module__}.{self.__qualname__}>"

    def __reduce__(self) -> str | tuple[object, ...]:
        if _leads_to(self.__module__, self.__qualname__, self):
            return self.__qualname__
        state = {name: each for name, each in self.__dict__.items() if name != "_callee"}
        return _blank, (type(self),), state


def _blank(kind: type[Decorated]) -> Decorated:
    return kind.__new__(kind)


def function_of(task: Callable[..., object]) -> Callable[..., object]:
    """The function behind a decorated name; anything else is itself."""
    return task.fn if isinstance(task, Decorated) else task


def _leads_to(module: str, name: str, thing: object) -> bool:
    """Whether another process finds `thing` under this name."""
    found: object = sys.modules.get(module)
    path = getattr(found, "__file__", None)
    if module in _MAINS and (path is None or not Path(path).exists()):
        return False
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is thing
