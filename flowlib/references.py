"""Which name leads to a class or a function, and what does a name lead to?"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from flowlib.errors import SpecError
from stores.canonical import qualified_name


def reference(thing: Any) -> str:
    """`module:name`, which leads to a class or a function; a script counts by its file's stem.

    Raises:
        SpecError: no name leads to it, as it is local, or something else has its name.
    """
    name = qualified_name(thing)
    if "<" in name:
        raise SpecError(
            f"{name} is defined inside a function, so no name leads to it: define it at the top "
            f"of a module"
        )
    if referred(name) is not thing:
        raise SpecError(f"{name} leads to something else than {thing!r}: give it the name it has")
    return name


def referred(name: str) -> Any:
    """What `module:name` leads to.

    Raises:
        SpecError: there is no such module, or nothing of that name in it.
    """
    module, _, path = name.partition(":")
    found: Any = _module(module, name)
    for part in path.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise SpecError(f"{name} leads to nothing: {module} has no {path}")
    return found


def _module(module: str, name: str) -> ModuleType:
    main = sys.modules.get("__main__")
    if main is not None and qualified_name(_InMain).partition(":")[0] == module:
        return main
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SpecError(f"{name} leads to nothing: {error}") from error


class _InMain:
    """A class as the script would have one: it tells how the module `__main__` is called."""


_InMain.__module__ = "__main__"
