"""Which picture of a graph fits a terminal: tasks, specs, shorter labels, or a list at last?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from rich.cells import cell_len

from flowlib.console_painter import (
    ASCII_PEN,
    UNICODE_PEN,
    Label,
    Pen,
    Sketch,
    layer_widths,
    painted,
    sketched,
)
from flowlib.console_text import Line, Span, elided, harmless, merged
from flowlib.graph_summary import (
    MOST_TASKS,
    GraphFacts,
    ShownGraph,
    ShownNode,
    Wish,
    related,
    shown,
)
from flowlib.layering import levels_of
from flowlib.vocabulary import SHOWN_STATES, shown_state
from stores.lazy_dataclass import dataclass

SHORTEST_NAME: Final = 5
"""Cells that an elided name keeps; a picture that needs shorter ones becomes a list."""

_COUNTED: Final = ("cached", "finished", "running", "failed", "killed", "skipped", "pending")


@dataclass(frozen=True, slots=True)
class Charset:
    """The characters of a picture.

    Attributes:
        pen: Of its lines.
        is_ascii: Whether it keeps to ASCII, but for names.
        encoding: What the stream can tell of names.
    """

    pen: Pen
    is_ascii: bool
    encoding: str = "utf-8"

    @property
    def times(self) -> str:
        """Stands before a number of tasks."""
        return "x" if self.is_ascii else "×"

    @property
    def from_(self) -> str:
        """Stands before what a node reads from."""
        return "<-" if self.is_ascii else "←"

    @property
    def mark(self) -> str:
        """Stands for what is left out."""
        return ".." if self.is_ascii else "…"

    def icon(self, word: str) -> str:
        """The icon of a state."""
        state = SHOWN_STATES[word]
        return state.ascii_icon if self.is_ascii else state.icon

    def clean(self, text: str) -> str:
        """Text of a user as it can be shown."""
        return harmless(text.replace("…", self.mark), self.encoding)


def charset(use_unicode: bool, encoding: str = "utf-8") -> Charset:
    """The characters of pictures."""
    return Charset(UNICODE_PEN if use_unicode else ASCII_PEN, not use_unicode, encoding)


def graph_lines(facts: GraphFacts, width: int, chars: Charset, wish: Wish) -> list[Line]:
    """The picture of a graph, no line wider than `width`.

    Raises:
        GraphError: the graph has a circle.
        SelectorError: the wish names what is not there.
        ValueError: the width is less than 1.
    """
    if width < 1:
        raise ValueError(f"a picture is at least 1 wide, not {width}")
    focus: frozenset[int] = frozenset()
    if wish.around is not None:
        facts, focus = related(facts, wish.around)
    lines = None
    if wish.tasks is None and not wish.expand and len(facts.tasks) <= MOST_TASKS:
        lines = _picture(shown(facts, None, focus), width, chars, is_shortened=False)
    if lines is None:
        graph = shown(facts, None if wish.tasks else wish.expand, focus)
        lines = _picture(graph, width, chars, is_shortened=True) or _list(graph, width, chars)
    return lines + _legend(facts, width, chars)


def _picture(
    graph: ShownGraph, width: int, chars: Charset, *, is_shortened: bool
) -> list[Line] | None:
    """The graph with the longest labels that fit; None if none do."""
    sketch = sketched(graph.targets, chars.pen, width)
    if sketch is None:
        return None
    room = width - sum(sketch.channel_widths)
    for labels in _labellings(graph.nodes, sketch, room, chars):
        if sum(layer_widths(sketch, labels)) <= room:
            return painted(sketch, labels)
        if not is_shortened:
            break
    return None


def _labellings(
    nodes: Sequence[ShownNode], sketch: Sketch, room: int, chars: Charset
) -> Iterator[list[Label]]:
    """Ever shorter labels: without counts, without config, with names cut in the middle."""
    for has_counts, has_detail in ((True, True), (False, True), (False, False)):
        yield [_label(_parts(node, chars, has_counts, has_detail)) for node in nodes]
    names = [chars.clean(node.short_name) for node in nodes]
    icons = [_icon(node, chars) for node in nodes]
    longest = max((cell_len(name) for name in names), default=0)
    layer_of = sketch.places.layers.layer_of
    needed = Counter[tuple[int, int]]()
    for layer, name, icon in zip(layer_of, names, icons, strict=False):
        needed[layer, 2 * len(icon)] = max(needed[layer, 2 * len(icon)], cell_len(name))
    for most in range(longest, SHORTEST_NAME - 1, -1):
        widths: Counter[int] = Counter()
        for (layer, extra), name_width in needed.items():
            widths[layer] = max(widths[layer], extra + min(name_width, most))
        if widths.total() <= room:
            yield [
                _label([*icon, Span(elided(name, most, chars.mark), _name_style(node))])
                for icon, name, node in zip(icons, names, nodes, strict=True)
            ]
            return


def _label(parts: Sequence[Span]) -> Label:
    spans = [Span(f" {part.text}", part.style) if i else part for i, part in enumerate(parts)]
    return Label(tuple(spans), sum(cell_len(span.text) for span in spans))


def _parts(node: ShownNode, chars: Charset, has_counts: bool, has_detail: bool) -> list[Span]:
    """What a node is labelled with; a space comes between the parts."""
    name = node.name if has_detail or node.is_spec else node.short_name
    parts = [*_icon(node, chars), Span(chars.clean(name), _name_style(node))]
    if node.detail and has_detail:
        parts.append(Span(chars.clean(node.detail), "dim"))
    if node.size > 1:
        parts.append(Span(f"{chars.times}{node.size}"))
    return [*parts, *(_counts(node.counts, chars) if has_counts else ())]


def _icon(node: ShownNode, chars: Charset) -> list[Span]:
    if node.state is None:
        return []
    return [Span(chars.icon(node.state), SHOWN_STATES[node.state].colour)]


def _name_style(node: ShownNode) -> str:
    return "bold" if node.is_focus else ""


def _counts(counts: Counter[str | None], chars: Charset) -> Iterator[Span]:
    """How many tasks are in each state, if not all are in one."""
    by_icon: dict[str, tuple[int, str]] = {}
    for word in _COUNTED:
        if counts[word]:
            icon, colour = chars.icon(word), SHOWN_STATES[word].colour
            by_icon[icon] = (by_icon.get(icon, (0, ""))[0] + counts[word], colour)
    if len(by_icon) > 1:
        for icon, (count, colour) in by_icon.items():
            yield Span(f"{icon}{count}", colour)


def _list(graph: ShownGraph, width: int, chars: Charset) -> list[Line]:
    """A line per node, after those it reads from, which it names."""
    sources: list[list[int]] = [[] for _ in graph.nodes]
    for source, targets in enumerate(graph.targets):
        for target in targets:
            sources[target].append(source)
    levels = levels_of(graph.targets)
    lines: list[Line] = []
    for index in sorted(range(len(levels)), key=levels.__getitem__):
        node = graph.nodes[index]
        parts = _parts(replace(node, name=node.short_name), chars, True, True)
        names = [chars.clean(graph.nodes[each].short_name) for each in sources[index]]
        arrows = [f"{chars.from_} ", *([""] * len(names))]
        commas = [*([","] * (len(names) - 1)), ""]
        parts += [Span("".join(each)) for each in zip(arrows, names, commas, strict=False)]
        lines.extend(_wrapped(parts, width, chars))
    return lines


def _legend(facts: GraphFacts, width: int, chars: Charset) -> list[Line]:
    """What the icons mean, with counts of all tasks."""
    states = Counter(task.state for task in facts.tasks if task.state is not None)
    counts: Counter[str] = Counter()
    for state, count in states.items():
        counts[shown_state(state).word] += count
    parts = [
        Span(f"{chars.icon(word)} {counts[word]} {word} ", SHOWN_STATES[word].colour)
        for word in _COUNTED
        if counts[word]
    ]
    return [(), *_wrapped(parts, width, chars)] if parts else []


def _wrapped(parts: Iterable[Span], width: int, chars: Charset) -> Iterator[Line]:
    """Parts one after the other, on as many lines as are needed."""
    indent = min(4, width // 4)
    line: list[Span] = []
    used = 0
    for part in parts:
        text = elided(part.text, width - indent, chars.mark)
        if line and used + 1 + cell_len(text) > width:
            yield merged(line)
            line, used = [Span(" " * indent)], indent
        elif line:
            line, used = [*line, Span(" ")], used + 1
        line.append(Span(text, part.style))
        used += cell_len(text)
    yield merged(line)
