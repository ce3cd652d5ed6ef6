"""May a program still choose how its processes start, after a run has started some?

Whatever context a process is started by, multiprocessing asks for the start method of the program
then, to tell it to the child, and so decides it: `set_start_method` would be refused from then on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from multiprocessing import context
from typing import Any


@contextlib.contextmanager
def left_undecided() -> Iterator[None]:
    """Start processes here; a program that has not chosen a start method may do so afterwards."""
    chosen: Any = getattr(context, "_default_context", None)
    was_open = getattr(chosen, "_actual_context", chosen) is None
    try:
        yield
    finally:
        by_default = getattr(chosen, "_default_context", None)
        if was_open and getattr(chosen, "_actual_context", None) is by_default:
            chosen._actual_context = None  # there is no other way
