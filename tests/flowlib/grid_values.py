"""What becomes of a config with choices, and how many steps does that take?"""

from __future__ import annotations

import sys

from flowlib.grid import expand_config


def values(config, expand="product", **options):
    """The configs that it becomes."""
    points = expand_config(config, expand, **options)
    return [{name: choice.value for name, choice in point.items()} for point in points]


def calls_of(function):
    """How many functions and builtins are called while `function` runs."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count
