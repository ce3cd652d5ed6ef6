"""The page about a run, as a file: written by who ran it, or later from what it has left behind."""

from __future__ import annotations

from pathlib import Path

from flowlib.browser_page import need_bokeh
from flowlib.run_story import RunStory, story_of_folder
from stores import ResultsStore


def write_report(path: str | Path, story: RunStory) -> Path:
    """Write a page about a run: one file, which fetches nothing from the network.

    Raises:
        MissingExtra: Bokeh is not installed.
    """
    need_bokeh("a report")
    from flowlib.report_page import report_html

    written = Path(path)
    written.write_text(report_html(story), encoding="utf-8")
    return written


def report_of_folder(
    folder: str | Path, path: str | Path, store: ResultsStore | None = None
) -> Path:
    """Write the page of a run from what it has left behind, also while it goes on.

    Args:
        folder: Of the run.
        path: Where the page is written.
        store: Where the results are; without it the page has none.

    Raises:
        MissingExtra: Bokeh is not installed.
    """
    return write_report(path, story_of_folder(folder, store))
