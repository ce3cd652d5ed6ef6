"""What is told of computing a result again, before and afterwards?"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from flowlib.console_text import Line, Span, harmless
from flowlib.recipe import Recipe
from flowlib.reproduction import Reproduction, Verdict
from flowlib.result_comparison import ComparedArtifact
from flowlib.signs import Signs

_FEW = 5


def recipe_lines(recipe: Recipe, signs: Signs, *, is_long: bool) -> list[Line]:
    """What will be run, what differs here, and what stands in the way.

    Args:
        recipe: It.
        signs: What lines are made of.
        is_long: Whether all differences of the environment are told.
    """
    changes = "+changes" * bool(recipe.patch)
    code = f"git {recipe.commit[:8]}{changes} from {recipe.repository}"
    if recipe.snapshot:
        code = f"the snapshot {recipe.snapshot[:8]} of {recipe.root}"
    rows = [
        ("result", f"{recipe.address}, attempt {recipe.attempt.number}"),
        ("code", code),
        ("command", shlex.join(recipe.words)),
    ]
    lines = [_line(name, text, signs) for name, text in rows if recipe.commit or recipe.snapshot]
    found = recipe.environment
    shown = found if is_long else found[:_FEW]
    lines += [_line("differs", _apart(*each), signs) for each in shown]
    if len(shown) < len(found):
        lines.append(_line("", f"{len(found) - len(shown)} more differ: -v", signs))
    lines += [_line("doubt", each, signs, "yellow") for each in recipe.doubts]
    lines += [_line("obstacle", each, signs, "red") for each in recipe.obstacles]
    return lines


def reproduction_lines(found: Reproduction, signs: Signs) -> list[Line]:
    """What came of it."""
    lines = list(comparison_lines(found.artifacts, signs))
    if found.same_code is False:
        text = "the code that ran is not that of the record: is the project installed elsewhere?"
        lines.append(_line("doubt", text, signs, "yellow"))
    lines += [_line("error", each, signs, "red") for each in found.error.splitlines()]
    if found.folder is not None:
        lines.append(_line("kept", found.folder, signs))
    words = {
        Verdict.EQUAL: ("done", f"{found.recipe.address} came out equal"),
        Verdict.DIFFERS: ("failed", f"{found.recipe.address} came out differently"),
        Verdict.FAILED: ("failed", f"{found.recipe.address} could not be computed again"),
    }
    state, text = words[found.verdict]
    style = "green" if found.verdict is Verdict.EQUAL else "red"
    icon = signs.icon("finished" if state == "done" else "failed")
    lines.append((Span(f"{icon} {harmless(text, signs.encoding)}", style),))
    return lines


def comparison_lines(compared: Iterable[ComparedArtifact], signs: Signs) -> Iterator[Line]:
    """A line for each artifact."""
    for each in compared:
        detail = f": {each.detail}" if each.detail else ""
        style = "" if each.match.is_good else "red"
        yield _line(each.name, f"{each.match.value}{detail}", signs, style)


def _apart(name: str, then: str, now: str) -> str:
    return f"{name}: {then or 'not there'} then, {now or 'not there'} now"


def _line(name: str, text: str, signs: Signs, style: str = "") -> Line:
    return (
        Span(f"  {harmless(name, signs.encoding):<9} ", "dim"),
        Span(harmless(text, signs.encoding), style),
    )
