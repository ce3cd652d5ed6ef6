"""How do models of Bokeh reach people: as a file, in a browser, in a notebook?"""

from __future__ import annotations

import html
import tempfile
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from flowlib.errors import MissingExtra
from flowlib.terminal import is_in_notebook
from stores.lazy_dataclass import dataclass

_UNTRUSTED: Final = "This page runs scripts: trust the notebook to see it, or run the cell."


@dataclass(frozen=True, slots=True)
class BrowserPage:
    """Something to look at in a browser: one page, which needs nothing from the network.

    Attributes:
        title: Of the page.
        models: What Bokeh shows.
        height_px: Of the frame around it in a notebook.
    """

    title: str
    models: Any
    height_px: int = 720

    def text(self) -> str:
        """The page as HTML, Bokeh's own scripts included."""
        from bokeh.embed import file_html
        from bokeh.resources import INLINE

        return file_html(self.models, INLINE, self.title)

    def save(self, path: str | Path) -> Path:
        """Write the page as one file of HTML, Bokeh's own scripts included.

        Returns:
            Where it was written.
        """
        written = Path(path)
        written.write_text(self.text(), encoding="utf-8")
        return written

    def _repr_html_(self) -> str:
        # A page of its own in the page: it lives as long as the notebook is kept, and nothing of
        # it can break out. Where a notebook is not trusted the frame goes and its text stays.
        return (
            f'<div><iframe srcdoc="{html.escape(self.text())}" '
            f'style="width:100%;height:{self.height_px}px;border:0">{_UNTRUSTED}</iframe></div>'
        )

    def show(self, browser: str | None = None) -> None:
        """Open the page in a browser, or put it into the notebook this runs in.

        Args:
            browser: Name of a browser known to `webbrowser`; None is the default one.
        """
        if browser is None and is_in_notebook():
            ipython: Any = import_module("IPython.display")
            ipython.display(self)
        else:
            from bokeh.util.browser import view

            # Bokeh's own show() would write a file that fetches its scripts from the network.
            view(str(self.save(Path(tempfile.mkdtemp(prefix="flowlib-")) / "page.html")), browser)


def need_bokeh(what: str) -> None:
    """Refuse where Bokeh is not installed.

    Args:
        what: What it is needed for, in words.

    Raises:
        MissingExtra: it is not.
    """
    try:
        import bokeh.plotting  # noqa: F401
    except ImportError:
        raise MissingExtra(f"{what} needs Bokeh: pip install 'flowlib-runner[viz]'") from None


def script(name: str) -> str:
    """The text of a script of pages."""
    return (files("flowlib") / "scripts" / name).read_text()
