"""Does the page of a graph hold all it tells, and nothing that it must fetch or run?"""

from __future__ import annotations

import shutil
import webbrowser
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import networkx as nx
import pytest

from flowlib import Flow, SelectorError, TaskSpec
from flowlib.graph_summary import GraphFacts, Wish
from tests.acceptance import tasks
from tests.flowlib.graph_cases import Builder, sweep

bokeh = pytest.importorskip("bokeh")

from flowlib.drawing_bokeh import digraph_page, facts_page  # noqa: E402  # they need Bokeh

GRAPH = nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")], name="three")


class Fetched(HTMLParser):
    """Notes what the elements of a page, not the texts of its scripts, would fetch."""

    def __init__(self):
        super().__init__()
        self.tags = Counter()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset")]


def models_of(page, kind):
    return [*page.models.select({"type": kind})]


def nodes_of(page):
    """The columns of the boxes of a page."""
    from bokeh.models import GlyphRenderer

    (boxes,) = [each for each in models_of(page, GlyphRenderer) if each.name == "nodes"]
    return boxes.data_source.data


def plot_of(page):
    from bokeh.models import Plot

    return models_of(page, Plot)[0]


def test_a_page_is_one_file_that_asks_for_nothing(tmp_path):
    """No script, style or picture from elsewhere; Bokeh's own script is inside."""
    path = facts_page(sweep(3), Wish(), "task graph").save(tmp_path / "g.html")
    text = path.read_text()
    assert len(text) < 2_500_000
    found = Fetched()
    found.feed(text)
    assert found.addresses == []
    assert found.tags["script"] >= 3
    assert "Train lr=0.01" in text


def test_what_users_write_is_shown_and_not_run(tmp_path):
    """Names and configs are text, in the title of the page as well."""
    evil = "<script>alert(1)</script>"
    facts = sweep(1)
    facts = GraphFacts([replace(t, config=evil, detail=evil) for t in facts.tasks], facts.sources)
    page = facts_page(facts, Wish(), evil)
    assert evil not in page.save(tmp_path / "g.html").read_text()
    assert all("<script" not in each for each in nodes_of(page)["title"])
    assert evil in nodes_of(page)["told"][0]


def test_the_mouse_is_told_of_name_state_and_config():
    """What hovering and clicking show."""
    flow = Flow([TaskSpec(tasks.Number, {"x": [1, 2]}, expand="product")])
    flow.run(num_workers=1)
    told = nodes_of(flow.draw("bokeh"))["told"]
    node = flow.graph.by_spec["Number"][0]
    assert told[0] == f"Number (Number-1)\n{node.address}\nfinished\nx=1"
    told = nodes_of(flow.draw("bokeh", tasks=False))["told"]
    assert told == ["Number\n2 tasks\n2 finished"]


def test_relatives_are_known_to_the_page():
    """What a click lights follows these, both ways."""
    columns = nodes_of(digraph_page(GRAPH))
    assert columns["sources"] == [[], [0], [0, 1]]
    assert [sorted(each) for each in columns["targets"]] == [[1, 2], [2], []]


@pytest.mark.parametrize(
    "other", [{"plot_width": 900}, {"plot_height": 700}, {"node_width": 99}, {"node_height": 99}]
)
def test_every_size_changes_the_picture(other):
    """No parameter of the seed is without effect."""

    def measures(**sizes):
        page = digraph_page(GRAPH, scale_width=False, **sizes)
        plot, nodes = plot_of(page), nodes_of(page)
        return plot.width, plot.height, tuple(nodes["x"]), tuple(nodes["y"])

    plain, changed = measures(), measures(**other)
    differing = [a != b for a, b in zip(plain, changed, strict=True)]
    names = ["plot_width", "plot_height", "node_width", "node_height"]
    assert differing == [name in other for name in names]


def test_a_page_may_be_as_wide_as_the_window():
    """Or as wide as asked."""
    assert plot_of(digraph_page(GRAPH)).sizing_mode == "stretch_width"
    assert plot_of(digraph_page(GRAPH, scale_width=False)).sizing_mode == "fixed"


def test_states_can_be_switched_when_there_are_any():
    """A button for each."""
    from bokeh.models.widgets import CheckboxButtonGroup

    groups = {g.name: g for g in models_of(facts_page(sweep(3), Wish(), ""), CheckboxButtonGroup)}
    assert "✖ failed" in groups["states"].labels
    assert len(groups["states"].labels) == 6
    assert groups["opened"].labels == ["Tfidf ×2", "Glove ×2", "Train ×12", "Eval ×12"]
    assert groups["opened"].active == [0, 1, 2, 3]
    (group,) = models_of(digraph_page(GRAPH), CheckboxButtonGroup)
    assert group.labels == []


def test_too_much_for_a_page_is_shown_by_spec_and_said():
    """Not cut off, and not without a word."""
    from bokeh.models.widgets import Div

    build = Builder()
    left = build.spec("A", [f"x={n}" for n in range(150)], [()])
    build.spec("B", [f"y={n}" for n in range(150)], [tuple(left)])
    page = facts_page(build.facts(), Wish(tasks=True), "")
    assert len(nodes_of(page)["x"]) == 2
    (notice,) = [each for each in models_of(page, Div) if each.name == "notice"]
    assert "300 nodes and 22,500 lines" in notice.text
    assert len(nodes_of(facts_page(build.facts(), Wish(), ""))["x"]) == 2


def test_a_page_shows_what_is_wished():
    """The same words as in the console."""
    assert len(nodes_of(facts_page(sweep(3), Wish(around="Train-4"), ""))["x"]) == 7
    assert len(nodes_of(facts_page(sweep(3), Wish(expand=["Tfidf"]), ""))["x"]) == 8
    with pytest.raises(SelectorError):
        facts_page(sweep(3), Wish(expand=["Trian"]), "")


@pytest.mark.parametrize("name", ["firefox", None])
def test_the_seeds_function_opens_the_browser_that_is_named(name, monkeypatch):
    """By the name that `webbrowser` knows, or the default one; with a file that is complete."""
    from flowlib import visualize_graph_interactive

    class Browser:
        def __init__(self, name):
            self.name = name

        def open(self, url, new=0, autoraise=True):
            opened.append((self.name, Path(url.removeprefix("file://"))))
            return True

    opened = []
    monkeypatch.delenv("BOKEH_BROWSER", raising=False)
    monkeypatch.setattr(webbrowser, "get", Browser)
    monkeypatch.setattr(webbrowser, "open", Browser(None).open)
    visualize_graph_interactive(GRAPH, browser=name)
    ((asked, path),) = opened
    assert asked == name
    found = Fetched()
    found.feed(path.read_text())
    assert found.addresses == []
    shutil.rmtree(path.parent)


def test_another_view_is_refused():
    """With those that there are."""
    flow = Flow([TaskSpec(tasks.Number, {"x": 1})])
    with pytest.raises(ValueError, match="no view 'png' of a graph. There are: 'console', 'bokeh'"):
        flow.draw("png")
