"""Which nodes does the user mean by `force`?"""

from __future__ import annotations

from collections.abc import Sequence

from flowlib.errors import SelectorError
from flowlib.graph import TaskGraph
from flowlib.selection import Selected, select


def forced_nodes(graph: TaskGraph, force: str | Sequence[str] | None) -> Selected:
    """The nodes that `force` selects.

    Raises:
        SelectorError: a selector is none, or selects nothing.
        TypeError: `force` is of another type, or mixes "all" with selectors.
    """
    if force is None:
        return Selected(frozenset(), frozenset())
    if isinstance(force, str):
        texts = [force]
    elif isinstance(force, (list, tuple, set, frozenset)):
        texts = [str(each) for each in force]
    else:
        raise TypeError(f"force takes a selector or a list of them, not {type(force).__name__}")
    if "all" in texts and "all" not in graph.by_spec:
        if len(texts) > 1:
            raise TypeError("force='all' forces everything: give it alone, or names without it")
        return Selected(frozenset(graph.nodes), frozenset())
    try:
        return select(graph, texts)
    except SelectorError as error:
        raise type(error)(f"force: {error}") from None
