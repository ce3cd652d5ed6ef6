"""A page about a run: its end in words, its graph, its workers over time, its results."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any, Final

from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models.widgets import Div
from bokeh.resources import INLINE

from flowlib.coordinates import coordinates_of
from flowlib.coordinates_page import coordinates_models
from flowlib.drawing_bokeh import facts_page
from flowlib.events import Started
from flowlib.graph_summary import Wish
from flowlib.run_story import RunStory
from flowlib.run_summary import summary_html
from flowlib.timeline import timeline_of
from flowlib.timeline_page import timeline_models

_TEMPLATE: Final = """
{% block postamble %}
<style>
  body { font-family: sans-serif; margin: 1em 2em; }
  h1, h2 { font-weight: 600; }
  h2 { margin-top: 2em; }
</style>
{% endblock %}
{% block contents %}
<h1>{{ heading }}</h1>
{{ summary }}
{% for section in sections %}
<h2>{{ section.heading }}</h2>
{{ embed(roots[section.root]) }}
{% endfor %}
{% for notice in notices %}<p>{{ notice }}</p>
{% endfor %}
{% endblock %}
"""


def report_html(story: RunStory) -> str:
    """The whole page; whatever users have written is shown, not run."""
    sections: list[dict[str, str]] = []
    roots: list[Any] = []
    for heading, models in _sections(story):
        name = f"section{len(roots)}"
        roots.append(column(models, sizing_mode="stretch_width", name=name))
        sections.append({"heading": html.escape(heading), "root": name})
    return file_html(
        roots or [Div(name="nothing")],
        INLINE,
        title=f"run {story.name}",
        template=_TEMPLATE,
        template_variables={
            "heading": f"run {html.escape(story.name)}",
            "summary": summary_html(story.progress),
            "sections": sections,
            "notices": [html.escape(each) for each in story.notices],
        },
    )


def _sections(story: RunStory) -> Iterator[tuple[str, Any]]:
    if story.facts is not None and story.facts.tasks:
        yield "Graph", facts_page(story.facts, Wish(), "task graph").models
    if any(isinstance(each, Started) for each in story.events):
        specs = [*story.progress.specs]
        yield "Workers", timeline_models(timeline_of(story.events), specs)
    for table in story.tables:
        shown = coordinates_of(table.grid, table.tasks)
        name = ", ".join(sorted(table.tasks))
        yield name, coordinates_models(shown, name)
