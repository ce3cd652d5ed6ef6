"""Why does a node run? The words for it, the first that applies first."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Reason(str, Enum):
    """Why a node would run; the first that applies."""

    FORCE = "force"
    NEW = "new"
    MISSING = "missing"
    DAMAGED = "damaged"
    INVALID = "invalid"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    VERSION = "version"
    DEFAULT = "default"
    CODE = "code"
    UPSTREAM = "upstream"
    GROWTH = "growth"


WHY: Final = "why"
"""The fact that tells why an attempt was made, if it was not because the node was new."""

SPREADING: Final = frozenset({Reason.DEFAULT, Reason.CODE, Reason.UPSTREAM})
"""Reasons that make the results of everything downstream out of date."""

KEEPABLE: Final = SPREADING | {Reason.INVALID}
"""Reasons for which there is an old result that `keep` lets count."""

EXPLANATIONS: Final[Mapping[Reason, str]] = {
    Reason.FORCE: "it is forced",
    Reason.NEW: "the store has no result for this configuration",
    Reason.MISSING: "a file of its result is gone",
    Reason.DAMAGED: "a file of its result is damaged",
    Reason.INVALID: "its validate() says that its result does not count",
    Reason.FAILED: "it failed the last time",
    Reason.INTERRUPTED: "it was interrupted the last time",
    Reason.VERSION: "there is a result of another version of the task",
    Reason.DEFAULT: "a default of the task was changed since",
    Reason.CODE: "its result was computed by other code",
    Reason.UPSTREAM: "something upstream is computed again",
    Reason.GROWTH: "it has returned tasks, whose results are to become its own",
}
