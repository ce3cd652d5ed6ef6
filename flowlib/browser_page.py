"""How do models of Bokeh reach people: as a file, in a browser, in a notebook?"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from flowlib.errors import MissingExtra


@dataclass(frozen=True, slots=True)
class BrowserPage:
    """Something to look at in a browser: one page, which needs nothing from the network.

    Attributes:
        title: Of the page.
        models: What Bokeh shows.
    """

    title: str
    models: Any

    def save(self, path: str | Path) -> Path:
        """Write the page as one file of HTML, Bokeh's own scripts included.

        Returns:
            Where it was written.
        """
        from bokeh.embed import file_html
        from bokeh.resources import INLINE

        written = Path(path)
        written.write_text(file_html(self.models, INLINE, self.title), encoding="utf-8")
        return written

    def _ipython_display_(self) -> None:
        self.show()

    def show(self, browser: str | None = None) -> None:
        """Open the page in a browser, or put it into the notebook this runs in.

        Args:
            browser: Name of a browser known to `webbrowser`; None is the default one.
        """
        if "ipykernel" in sys.modules and browser is None:
            from bokeh.io import output_notebook
            from bokeh.plotting import show
            from bokeh.resources import INLINE

            output_notebook(INLINE, hide_banner=True)
            show(self.models)
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
        raise MissingExtra(
            f"{what} needs Bokeh: install flowlib-runner[viz] from the checkout"
        ) from None


def script(name: str) -> str:
    """The text of a script of pages."""
    return (files("flowlib") / "scripts" / name).read_text()
