"""Follows the lines of a painted graph with nothing but the characters, as a reader would."""

from __future__ import annotations

import re
from collections.abc import Sequence

UP, DOWN, LEFT, RIGHT = "UDLR"
UNICODE_ARMS = {
    "─": "LR",
    "│": "UD",
    "╭": "DR",
    "╮": "DL",
    "╰": "UR",
    "╯": "UL",
    "├": "UDR",
    "┤": "UDL",
    "┬": "DLR",
    "┴": "ULR",
    "┼": "UDLR",
}
STEPS = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}
BACK = {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}


class Tracer:
    """A picture of nodes called n0, n1, …, with or without icons, and which its lines join."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.labels = {
            (y, found.start()): found for y, line in enumerate(lines) for found in _nodes(line)
        }

    def names(self) -> list[str]:
        """All labels, as often as they are there."""
        return sorted(found[1] for found in self.labels.values())

    def edges(self) -> set[tuple[str, str]]:
        """Which node leads to which."""
        return {
            (found[1], target)
            for (y, _), found in self.labels.items()
            for target in self._reached(y, found.end() + 1)
        }

    def _reached(self, y: int, x: int) -> set[str]:
        """The labels to which the line leads that begins at a place, if one does."""
        if self._char(y, x) == " ":
            return set()
        reached = set()
        seen = set()
        ways = [(y, x, RIGHT)]
        while ways:
            way = ways.pop()
            if way in seen:
                continue
            seen.add(way)
            y, x, towards = way
            if towards == RIGHT and self._char(y, x) == " ":
                assert (y, x + 1) in self.labels, f"a line ends in nothing at {y}, {x}"
                reached.add(self.labels[y, x + 1][1])
                continue
            for arm in self._onwards(y, x, towards):
                down, right = STEPS[arm]
                ways.append((y + down, x + right, arm))
        return reached

    def _onwards(self, y: int, x: int, towards: str) -> str:
        """Where a line goes on: never back, never to the left; behind what is not open to it."""
        arms = self._arms(y, x)
        if BACK[towards] not in arms:
            assert towards == RIGHT, f"a line is broken at {y}, {x}"
            assert UP in arms or DOWN in arms, f"a line is broken at {y}, {x}"
            return RIGHT
        return "".join(arm for arm in arms if arm not in (LEFT, BACK[towards]))

    def _arms(self, y: int, x: int) -> str:
        char = self._char(y, x)
        return UNICODE_ARMS[char] if char in UNICODE_ARMS else self._ascii_arms(y, x, char)

    def _ascii_arms(self, y: int, x: int, char: str) -> str:
        goes_right = self._char(y, x + 1) == "-"
        if char == "+":
            arms = RIGHT if goes_right else ""
            arms += LEFT if self._char(y, x - 1) == "-" else ""
            arms += UP if self._char(y - 1, x) in "|.+[" else ""
            return arms + (DOWN if self._char(y + 1, x) in "|'+[" else "")
        side = RIGHT if goes_right else LEFT
        return {"-": "LR", "|": "UD", "[": "UDR", ".": DOWN + side, "'": UP + side}[char]

    def _char(self, y: int, x: int) -> str:
        if not (0 <= y < len(self.lines) and 0 <= x < len(self.lines[y])):
            return " "
        return self.lines[y][x]


def _nodes(line: str) -> list[re.Match[str]]:
    return [*re.finditer(r"(?:(?<!\S)[✔≡▶✖⊘◌+=>x/.] )?(n\d+)", line)]
