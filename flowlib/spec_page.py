"""What does a notebook show of a spec? Its config, and what varies in it, how often."""

from __future__ import annotations

import itertools
import reprlib
from collections.abc import Iterable, Mapping
from typing import Final

from flowlib.config_axes import config_axes
from flowlib.errors import FlowError
from flowlib.page_table import page_table

_MOST_CONFIGS: Final = 2000
"""Of larger sweeps no more are looked at."""


def spec_html(
    name: str, config: Mapping[str, object], configs: Iterable[Mapping[str, object]], about: str
) -> str:
    """A static piece of a page, under 50 kB: the config, the sizes of its axes.

    Args:
        name: Of the spec.
        config: As the user gave it.
        configs: What it stands for, one after the other; it may raise FlowError.
        about: What else is to be said, in a line.
    """
    try:
        found = list(itertools.islice(configs, _MOST_CONFIGS + 1))
        axes, count = config_axes(found[:_MOST_CONFIGS]), len(found)
    except FlowError as error:
        return _table(name, config, {}, f"{about} · {error}")
    is_whole = count <= _MOST_CONFIGS
    several = f"{count:,}" if is_whole else f"more than {_MOST_CONFIGS:,}"
    sizes = {
        path: len(values) if is_whole else f"{len(values)} or more" for path, values in axes.items()
    }
    product = " × ".join(f"{path} {size}" for path, size in sizes.items())
    axes_text = f" · axes: {product}" if product else ""
    return _table(name, config, sizes, f"{about} · configs: {several}{axes_text}")


def _table(name: str, config: Mapping[str, object], sizes: Mapping[str, object], note: str) -> str:
    rows = [(key, reprlib.repr(value), _size(key, sizes)) for key, value in config.items()]
    return page_table((name, "value", "values"), rows, note[:2000])


def _size(key: str, sizes: Mapping[str, object]) -> object:
    """How many values a parameter has; of a dict, how many what stands in it."""
    found = [
        (path.removeprefix(key).removeprefix("."), size)
        for path, size in sizes.items()
        if path == key or path.startswith(f"{key}.")
    ]
    if len(found) == 1 and not found[0][0]:
        return found[0][1]
    return ", ".join(f"{path} {size}" if path else f"{size}" for path, size in found)
