"""
Which files do the `.gitignore` of folders leave out, where there is no repository to ask?

The rules are those of gitignore(5): the last one that fits decides, `!` takes back, a slash binds a
rule to the folder of its file, and nothing comes back below a folder that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stores.lazy_dataclass import dataclass

NAME: Final = ".gitignore"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a file.

    Attributes:
        fits: Whether it is about a path, relative to the folder of the file.
        is_out: Whether what fits is left out; else it is taken back.
        is_of_folders: Whether it is about folders only.
    """

    fits: re.Pattern[str]
    is_out: bool
    is_of_folders: bool


def rules_in(text: str) -> Iterator[Rule]:
    """The rules of a file, in their order."""
    for each in text.splitlines():
        line = re.sub(r"(?<!\\) +$", "", each)
        is_out = not line.startswith("!")
        pattern = line.removeprefix("!")
        is_of_folders = pattern.endswith("/")
        pattern = pattern.rstrip("/")
        if not pattern or pattern.startswith("#"):
            continue
        is_bound = "/" in pattern
        try:
            fits = re.compile(("" if is_bound else "(?:.*/)?") + _expression(pattern.lstrip("/")))
        except re.error:
            continue  # git finds nothing by it either
        yield Rule(fits, is_out, is_of_folders)


def is_left_out(path: str, rules: list[tuple[str, Rule]], *, is_folder: bool) -> bool:
    """Whether a file or folder is left out by the rules of the folders above it.

    Args:
        path: Its path below the root, with slashes.
        rules: With the folder of each below the root, from the root downwards.
        is_folder: Whether it is a folder.
    """
    for folder, rule in reversed(rules):
        inner = path[len(folder) + 1 :] if folder else path
        if (is_folder or not rule.is_of_folders) and rule.fits.fullmatch(inner):
            return rule.is_out
    return False


_PART: Final = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?[^\]]*\]|\\.|.", re.DOTALL)


def _expression(pattern: str) -> str:
    return "".join(_part(found[0]) for found in _PART.finditer(pattern))


def _part(text: str) -> str:
    known = {"**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}
    if text in known:
        return known[text]
    if text.startswith("*"):
        return "[^/]*"
    if text.startswith("[") and len(text) > 1:
        is_negative = text[1] in "!^"
        inner = text[1 + is_negative : -1].replace("\\", "\\\\").replace("[", "\\[")
        return f"(?!/)[{'^' * is_negative}{inner.replace(']', chr(92) + ']')}]"
    return re.escape(text[1:] if text.startswith("\\") and len(text) > 1 else text)
