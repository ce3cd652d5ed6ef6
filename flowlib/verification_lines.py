"""What is told of results that were computed again to compare them?"""

from __future__ import annotations

from typing import Final

from flowlib.console_text import Line, Span, harmless
from flowlib.reproduction_lines import comparison_lines
from flowlib.signs import Signs
from flowlib.verification import Verification, VerifiedResult

_MEANINGS: Final = {
    "equal": "came out equal",
    "differs": "came out differently, with the same code: it is not deterministic",
    "stale": "came out differently: its code has changed since",
    "failed": "could not be computed",
}


def verification_lines(found: Verification, signs: Signs, *, is_long: bool) -> list[Line]:
    """A paragraph for each result that is not the same, and a last line.

    Args:
        found: What came of it.
        signs: What lines are made of.
        is_long: Whether those that are the same are told, too.
    """
    lines: list[Line] = []
    for each in found.results:
        if is_long or not each.is_equal:
            lines += _told(each, signs)
    good = sum(each.is_equal for each in found.results)
    text = f"{good} of {len(found.results)} came out equal, drawn of {found.population}"
    icon = signs.icon("finished" if found.ok else "failed")
    lines.append((Span(f"{icon} {text}", "green" if found.ok else "red"),))
    return lines


def _told(result: VerifiedResult, signs: Signs) -> list[Line]:
    text = f"{result.address} {_MEANINGS[result.verdict]}"
    if result.verdict == "differs" and result.same_code is None:
        text = f"{result.address} came out differently; whether its code has changed is unknown"
    lines: list[Line] = [(Span(harmless(text, signs.encoding), "" if result.is_equal else "red"),)]
    lines += comparison_lines(result.artifacts, signs)
    if result.error:
        lines.append((Span(f"  {harmless(result.error, signs.encoding)}", "red"),))
    return lines
