"""What are the nodes of a spec called, if not by the name of their task?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class NodeNames:
    """Gives names to the nodes of specs that have a label.

    Args:
        labels: The labels that a flow gives, by the id of the spec.
    """

    def __init__(self, labels: Mapping[int, str] | None = None) -> None:
        self._labels = labels or {}
        shared = Counter(self._labels.values())
        self._shared = {label for label, count in shared.items() if count > 1}
        self._counts: Counter[str] = Counter()

    def label_of(self, spec: object) -> str | None:
        """What the nodes of a spec are called; None: by the name of their task."""
        own: str | None = getattr(spec, "label", None)
        return self._labels.get(id(spec)) if own is None and self._labels else own

    def next_name(self, label: str, *, is_alone: bool) -> str:
        """The name of the next node with this label: the label if there is one only."""
        if is_alone and label not in self._shared:
            return label
        self._counts[label] += 1
        return f"{label}-{self._counts[label]}"
