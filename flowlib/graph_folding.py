"""How do specs open and close in the page of a graph, and what does a box look like?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bokeh.events import DoubleTap
from bokeh.models import CustomJS
from bokeh.models.widgets import CheckboxButtonGroup, Div

from flowlib.browser_page import script
from flowlib.console_text import elided, harmless
from flowlib.graph_boxes import label_of, width_of_label
from flowlib.graph_summary import ShownNode
from flowlib.graph_unfolding import MOST_LINES, MOST_NODES, Unfolding
from flowlib.page_colours import colour_of

_MOST_BUTTONS: Final = 12
_LONGEST_BUTTON: Final = 24
_HINT: Final = "click: what it comes from and leads to · twice: the tasks of a spec, and back"


def folding_controls(
    unfolding: Unfolding, models: Mapping[str, Any], gap_px: int, row_px: int
) -> list[Any]:
    """The widgets that open and close specs; a click twice on a box does so, too.

    Args:
        unfolding: What there is to open.
        models: Those of the page: `nodes`, `edges`, `plot`, `notice`, and `answer`, which lights.
        gap_px: From the widest box of a layer to the next layer.
        row_px: From one row to the next.
    """
    nodes, plot = models["nodes"], models["plot"]
    foldable = unfolding.foldable
    opened = [node for node in foldable if node in unfolding.open_first]
    nodes.data = {**nodes.data, "node": unfolding.shown_first}
    nodes.tags = opened
    labels = [_button(unfolding.closed.nodes[node]) for node in foldable]
    active = [at for at, node in enumerate(foldable) if node in opened]
    has_buttons = len(foldable) <= _MOST_BUTTONS
    buttons = (
        CheckboxButtonGroup(labels=labels, active=active, name="opened") if has_buttons else None
    )
    shared = {"nodes": nodes, "foldable": foldable}
    known = json.dumps(_known(unfolding, gap_px, row_px), separators=(",", ":"))
    unfold = CustomJS(
        args={
            **models, **shared, "buttons": buttons, "known": known,
            "zoom": plot.toolbar.active_scroll,
        },
        code=script("unfold.js"),
    )  # fmt: skip
    plot.js_on_event(DoubleTap, CustomJS(args={**shared, "unfold": unfold}, code=script("fold.js")))
    hint = Div(text=_HINT, name="hint", styles={"opacity": "0.6"})
    if buttons is None:
        return [hint]
    choose = CustomJS(args={**shared, "unfold": unfold}, code=script("choose.js"))
    buttons.js_on_change("active", choose)
    return [buttons, hint]


def looks_of(nodes: Sequence[ShownNode]) -> dict[str, list[Any]]:
    """The columns that tell how boxes look, wherever they stand."""
    labels = [label_of(node) for node in nodes]
    return {
        "label": labels,
        "width": [width_of_label(label) for label in labels],
        "colour": [colour_of(node.state) for node in nodes],
        "state": [node.state or "" for node in nodes],
        "told": [node.told for node in nodes],
    }


def _known(unfolding: Unfolding, gap_px: int, row_px: int) -> dict[str, Any]:
    """What unfold.js works with; the looks of tasks that are never shown are left out."""
    foldable = frozenset(unfolding.foldable)
    tasks = looks_of(unfolding.opened.nodes)
    is_known = [node in foldable for node in unfolding.closed_of]
    return {
        "closed": looks_of(unfolding.closed.nodes),
        "opened": {
            name: [value if is_ else None for value, is_ in zip(values, is_known, strict=True)]
            for name, values in tasks.items()
        },
        "closed_of": unfolding.closed_of,
        "layers": unfolding.layers,
        "ranks": [round(rank, 7) for rank in unfolding.ranks],
        "sources": unfolding.sources,
        "sources_of": unfolding.sources_of,
        "gap": gap_px,
        "row": row_px,
        "most_nodes": MOST_NODES,
        "most_lines": MOST_LINES,
    }


def _button(node: ShownNode) -> str:
    return f"{elided(harmless(node.name), _LONGEST_BUTTON, '…')} ×{node.size}"
