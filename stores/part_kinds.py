"""Of which kinds may the parts of a record be that JSON tells of?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

TEXT: Final = frozenset({str})
TEXT_OR_NONE: Final[frozenset[type]] = frozenset({str, type(None)})
NUMBER: Final = frozenset({int})
PARTS: Final = frozenset({dict})
LIST_OR_NONE: Final[frozenset[type]] = frozenset({list, type(None)})
_LATEST_S: Final = 1e306
"""Beyond it, differences of times are no numbers."""


def is_time(value: object) -> bool:
    """Whether it may stand for a time in a record: a number, or None."""
    return value is None or (type(value) in (int, float) and abs(value) < _LATEST_S)  # type: ignore[arg-type]  # a number


def check_kinds(values: Iterable[object], kinds: frozenset[type]) -> None:
    """See that parts of a record are what they may be.

    Raises:
        ValueError: one is of none of these kinds.
    """
    if not kinds.issuperset(map(type, values)):
        wanted = " or ".join(sorted(each.__name__ for each in kinds))
        raise ValueError(f"a part is of another kind than {wanted}")
