"""A graph as text for a file: SVG, DOT, Mermaid or JSON."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Final, Literal, get_args

from flowlib.graph_summary import GraphFacts, Wish, shown_as_wished
from flowlib.graph_svg import svg_text
from flowlib.graph_texts import dot_text, json_text, mermaid_text
from stores.lazy_dataclass import dataclass

Form = Literal["svg", "dot", "mermaid", "json"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

_WRITERS: Final = {"svg": svg_text, "dot": dot_text, "mermaid": mermaid_text, "json": json_text}


@dataclass(frozen=True, slots=True, repr=False)
class GraphExport:
    """The picture of a graph as text; `str()` gives it.

    Attributes:
        form: "svg", "dot", "mermaid" or "json".
        text: With a line break at its end.
    """

    form: Form
    text: str

    @classmethod
    def of(cls, facts: GraphFacts, form: Form, wish: Wish) -> GraphExport:
        """The picture of a graph: its tasks if they are few, else its specs.

        Raises:
            GraphError: the graph has a circle.
            SelectorError: the wish names what is not there.
        """
        return cls(form, _WRITERS[form](shown_as_wished(facts, wish)))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<GraphExport {self.form}: {len(self.text):,} characters>"

    def _repr_html_(self) -> str:
        if self.form == "svg":
            return image_html(self.text, "graph")
        return f"<pre>{html.escape(self.text)}</pre>"

    def save(self, path: str | Path) -> Path:
        """Write it to a file, in UTF-8.

        Returns:
            Where it was written.
        """
        written = Path(path)
        written.write_text(self.text, encoding="utf-8")
        return written


def image_html(svg: str, name: str) -> str:
    """An SVG as an `<img>` that holds it; notebooks that are not trusted show that, too."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="{html.escape(name)}" style="max-width:100%" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
