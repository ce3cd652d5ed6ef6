"""Where does each value of a document come from? A line of a file, or an override."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from flowlib.documents import with_includes
from flowlib.overrides import Override
from flowlib.overriding import parsed
from flowlib.sources import Place, Source


def origins(path: str | Path, overrides: Sequence[str] = ()) -> list[tuple[str, object, str]]:
    """The values of a document by path, as they are written, and `file:line` of each.

    An override stands for itself. Nothing is imported, so nothing is checked but the grammar.

    Args:
        path: The document.
        overrides: As on the command line.

    Raises:
        ConfigError: a file or an override cannot be read.
    """
    source = with_includes(Path(path))
    changes = parsed(overrides)
    found = [
        (_dotted(place), value, source.where(place))
        for place, value in _leaves(source, (), source.value)
        if not any(_touches(each, place) for each in changes)
    ]
    made = [(".".join(each.path), _right(each), each.text) for each in changes]
    return [*found, *made]


def _leaves(source: Source, place: Place, value: object) -> Iterator[tuple[Place, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(source, (*place, key), inner)
    elif value is not None and place:
        yield place, value


def _dotted(place: Place) -> str:
    """`Train.lr` for a parameter, `Train.retries` for an option, `store` for all else."""
    steps = list(place)
    if steps[0] == "specs":
        del steps[0]
        if len(steps) > 2 and steps[1] == "config":
            del steps[1]
    return ".".join(map(str, steps))


def _touches(override: Override, place: Place) -> bool:
    """Whether an override replaces what stands at a place."""
    if place[:1] != ("specs",) or len(place) < 4 or place[2] != "config":
        return False
    spec, path = str(place[1]), place[3:]
    wanted = override.path[1:]
    return spec.casefold() == override.path[0].casefold() and path[: len(wanted)] == wanted


def _right(override: Override) -> str:
    return override.text.partition("=")[2]
