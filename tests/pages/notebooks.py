"""A notebook that is executed, and its saved outputs as Jupyter shows them: trusted or not."""

from __future__ import annotations

import html
import re
from pathlib import Path

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
from nbclient import NotebookClient

LIMIT_S = 120
STYLES = [
    "background-color", "border", "border-collapse", "color", "display", "font-family", "font-size",
    "font-style", "font-weight", "height", "line-height", "margin", "margin-left", "margin-top",
    "max-width", "opacity", "overflow", "overflow-x", "padding", "text-align", "vertical-align",
    "white-space", "width",
]  # fmt: skip
TAGS = [
    "a", "b", "br", "code", "details", "div", "em", "h1", "h2", "h3", "i", "img", "li", "ol", "p",
    "pre", "small", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
]  # fmt: skip
"""Of all that JupyterLab lets through in outputs which are not trusted; svg, style and script are
not among it."""


def executed(cells, folder: Path):
    """The notebook with what its cells have shown."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    NotebookClient(
        notebook, timeout=LIMIT_S, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    path = folder / "saved.ipynb"
    nbformat.write(notebook, path)
    return nbformat.read(path, as_version=4)


def sanitised(text: str) -> str:
    """What is left of the HTML of somebody who is not trusted."""
    text = re.sub(r"(?is)<(script|style|textarea)\b.*?(</\1>|$)", "", text)
    return bleach.clean(
        text,
        tags=TAGS,
        attributes={
            "*": ["class", "id", "style", "title"],
            "img": ["alt", "height", "src", "width"],
            "td": ["colspan", "rowspan"],
            "th": ["colspan", "rowspan"],
        },
        protocols=["data"],
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
        strip=True,
    )


def shown_untrusted(notebook) -> str:
    """The outputs of a saved notebook as a page, for somebody who does not trust it."""
    return _page(notebook, _untrusted)


def shown_trusted(notebook) -> str:
    """The outputs of a saved notebook as a page, with scripts and all."""
    return _page(notebook, _trusted)


def _page(notebook, shown) -> str:
    cells = [
        f'<section id="cell{number}">{"".join(map(shown, cell.outputs))}</section>'
        for number, cell in enumerate(notebook.cells)
    ]
    return f'<!doctype html><meta charset="utf-8"><body>{"".join(cells)}</body>'


def _untrusted(output) -> str:
    data = output.get("data", {})
    if "text/html" in data:
        return sanitised(data["text/html"])
    return f"<pre>{html.escape(data.get('text/plain', output.get('text', '')))}</pre>"


def _trusted(output) -> str:
    data = output.get("data", {})
    script = data.get("application/javascript", "")
    if script or "text/html" in data:
        return data.get("text/html", "") + (f"<script>{script}</script>" if script else "")
    return _untrusted(output)
