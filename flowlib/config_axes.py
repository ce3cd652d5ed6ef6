"""In which parameters do configs differ, and which values have they?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stores.canonical import encode
from stores.config_paths import leaves


def config_axes(configs: Iterable[Mapping[str, object]]) -> dict[str, list[object]]:
    """The paths at which configs differ, with their values in order.

    A path that some configs do not have is one of them.
    """
    found: dict[str, dict[str, object]] = {}
    present: dict[str, int] = {}
    count = 0
    for config in configs:
        count += 1
        for path, value in leaves(config):
            found.setdefault(path, {}).setdefault(encode(value), value)
            present[path] = present.get(path, 0) + 1
    return {
        path: list(values.values())
        for path, values in found.items()
        if len(values) > 1 or present[path] < count
    }
