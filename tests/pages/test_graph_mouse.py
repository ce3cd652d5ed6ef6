"""Does the page of a graph answer the mouse as it should, in a real browser?"""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import pytest

pytest.importorskip("bokeh")
pytest.importorskip("playwright")

from flowlib.drawing_bokeh import digraph_page, facts_page  # noqa: E402  # they need Bokeh
from flowlib.graph_summary import GraphFacts, Wish  # noqa: E402
from tests.flowlib.graph_cases import Builder, sweep  # noqa: E402
from tests.pages.graphs import GraphInPage  # noqa: E402

pytestmark = pytest.mark.slow

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
FILTER = "filter by name, config or state"


@pytest.fixture
def opened(page, tmp_path):
    """Opens a graph and gives it as it is seen."""

    def open_(graph):
        page.open(graph.save(tmp_path / "graph.html"))
        return GraphInPage(page)

    return open_


def relatives(facts, task):
    """A task with all that it comes from and leads to."""
    readers = [[r for r, near in enumerate(facts.sources) if t in near] for t in range(len(facts.tasks))]  # fmt: skip
    found = {task}
    for near in (facts.sources, readers):
        stack = [task]
        while stack:
            new = [each for each in near[stack.pop()] if each not in found]
            found.update(new)
            stack += new
    return sorted(found)


def test_a_click_lights_exactly_what_is_related(opened):
    """Ancestors and descendants of a task, and nothing else; a click on nothing lights all."""
    facts = sweep(3)
    seen = opened(facts_page(facts, Wish(), "graph"))
    assert seen.lit() == [*range(31)]
    for task in (6, 9, 0, 2):
        seen.click(task)
        assert seen.lit() == relatives(facts, task)
    assert "Tfidf-1" in seen.property("told", "text")
    seen.click_nothing()
    assert seen.lit() == [*range(31)]
    assert seen.property("told", "text") == ""


def test_hovering_tells_name_state_and_config(opened):
    """What the user wrote is shown as it was written."""
    facts = sweep(3)
    tasks = [replace(task, config=f"batch=64\nlr={EVIL}") for task in facts.tasks]
    seen = opened(facts_page(GraphFacts(tasks, facts.sources), Wish(), "graph"))
    assert "batch=64" not in seen.texts()
    seen.page.move(*seen.place(6))
    told = seen.texts()
    assert "Train (Train-1)" in told
    assert "Train/00000000" in told
    assert "failed" in told
    assert f"batch=64lr={EVIL}" in told


def test_words_and_states_filter(opened):
    """All words must be there; a state that is switched off is muted; both hold with a click."""
    facts = sweep(3)
    seen = opened(facts_page(facts, Wish(), "graph"))
    seen.page.write(FILTER, "train FAILED")
    assert seen.lit() == [6]
    seen.page.write(FILTER, "")
    assert seen.lit() == [*range(31)]
    seen.page.press("✔ finished")
    finished = [i for i, task in enumerate(facts.tasks) if task.state == "finished"]
    assert seen.lit() == [i for i in range(31) if i not in finished]
    seen.click(6)
    assert seen.lit() == [i for i in relatives(facts, 6) if i not in finished]
    seen.page.press("✔ finished")
    seen.click_nothing()
    assert seen.lit() == [*range(31)]


def test_the_wheel_zooms_and_letters_follow(opened):
    """Boxes grow under the mouse, and what is written in them up to what is easy to read."""
    seen = opened(facts_page(sweep(8), Wish(tasks=True), "graph"))
    before, x, y = seen.font(), *seen.place(10)
    assert before < 15
    for _ in range(4):
        seen.page.turn_wheel(x, y, -300)
    near, after = seen.place(10), seen.font()
    assert abs(near[0] - x) < 15  # the mouse is at a whole pixel, and what is missing grows, too
    assert abs(near[1] - y) < 15
    assert before < after <= 15
    for _ in range(10):
        seen.page.turn_wheel(x, y, 300)
    assert seen.font() == 0


def test_names_of_users_are_inert(opened):
    """In boxes, titles, hover texts, buttons, the filter and notices: shown, and not run."""
    build = Builder()
    first = build.spec(EVIL, [EVIL, "x=2"], [()], lambda _: "finished")
    build.spec("B" + EVIL, [""], [tuple(first)], lambda _: "pending")
    facts = build.facts()
    seen = opened(facts_page(facts, Wish(), EVIL))
    seen.page.move(*seen.place(0))
    seen.click(0)
    seen.click(0, is_double=True)
    seen.page.move(*seen.place(0))
    seen.click(0)
    assert EVIL in seen.texts()
    assert seen.page.ask("() => document.querySelectorAll('img').length") == 0


def test_a_page_asks_for_nothing_whatever_it_shows(opened):
    """Any directed graph; the fixture counts requests and errors."""
    seen = opened(digraph_page(nx.DiGraph([("a", "b"), ("b", "c"), ("a", "d")])))
    seen.click(1)
    assert seen.lit() == [0, 1, 2]
    seen.click(1, is_double=True)
    assert len(seen.column("x")) == 4


def test_a_click_twice_shows_the_tasks_of_a_spec_and_back(opened):
    """Boxes, lines and relatives are those of what is shown; nothing lies on something else."""
    facts = sweep(3)
    seen = opened(facts_page(facts, Wish(tasks=False), "graph"))
    assert seen.column("label") == [
        "≡ Fetch", "≡ Clean", "✔ Tfidf ×2", "✔ Glove ×2", "✖ Train ×12", "⊘ Eval ×12", "◌ Select",
    ]  # fmt: skip
    seen.click(4, is_double=True)
    labels = seen.column("label")
    assert len(labels) == 6 + 12
    assert labels[4] == "✖ Train lr=0.1"
    assert_nothing_overlaps(seen)
    seen.click(5)
    assert [labels[i] for i in seen.lit()] == [
        "≡ Fetch", "≡ Clean", "✔ Tfidf ×2", "✔ Glove ×2", "✔ Train lr=0.01", "⊘ Eval ×12", "◌ Select",
    ]  # fmt: skip
    seen.click_nothing()
    seen.click(2, is_double=True)
    labels = seen.column("label")
    assert len(labels) == 5 + 2 + 12
    seen.click(labels.index("✔ Tfidf min_df=3"))
    assert [labels[i] for i in seen.lit()].count("✔ Train lr=0.01") == 2
    seen.click_nothing()
    seen.click(labels.index("✖ Train lr=0.1"), is_double=True)
    assert "✖ Train ×12" in seen.column("label")
    assert len(seen.column("label")) == 6 + 2
    assert seen.property("opened", "active") == [0]


def assert_nothing_overlaps(seen):
    boxes = list(zip(*(seen.column(n) for n in ("x", "y", "width", "height")), strict=True))
    for number, (x, y, width, height) in enumerate(boxes):
        for x2, y2, width2, height2 in boxes[:number]:
            assert abs(x - x2) >= (width + width2) / 2 or abs(y - y2) >= (height + height2) / 2


def test_buttons_open_specs_and_the_filter_stays(opened):
    """A button for each spec with several tasks; what was filtered stays filtered."""
    facts = sweep(3)
    seen = opened(facts_page(facts, Wish(), "graph"))
    assert len(seen.column("x")) == 31
    seen.page.write(FILTER, "train")
    seen.page.press("Eval ×12")
    labels = seen.column("label")
    assert len(labels) == 31 - 11
    assert [labels[i].split()[1] for i in seen.lit()] == ["Train"] * 12
    for name in ("Train ×12", "Tfidf ×2", "Glove ×2"):
        seen.page.press(name)
    assert len(seen.column("label")) == 7
    seen.page.press("Eval ×12")
    assert len(seen.column("label")) == 6 + 12
    assert_nothing_overlaps(seen)


def test_too_many_tasks_are_not_shown_and_that_is_said(opened):
    """2,000 boxes at most; what was shown stays."""
    build = Builder()
    first = build.spec("A", [f"a={n}" for n in range(1200)], [()])
    second = build.spec("B", [""], [(each,) for each in first])
    build.spec("C", [f"c={n}" for n in range(2100)], [()])
    build.spec("D", [""], [tuple(second)])
    seen = opened(facts_page(build.facts(), Wish(), "graph"))
    assert seen.property("opened", "labels") == ["A ×1200", "B ×1200"]
    seen.page.press("A ×1200")
    assert len(seen.column("x")) == 1203
    assert not seen.property("notice", "visible")
    seen.page.press("B ×1200")
    assert len(seen.column("x")) == 1203
    assert "2,402 nodes and" in seen.texts()
    assert seen.property("opened", "active") == [0]
    seen.page.press("A ×1200")
    seen.page.press("B ×1200")
    assert len(seen.column("x")) == 1203
    assert not seen.property("notice", "visible")
    seen.click(seen.column("label").index("C ×2100"), is_double=True)
    assert len(seen.column("x")) == 1203


@pytest.mark.parametrize(
    ("sizes", "grown"),
    [
        ({"plot_width": 900}, [True, False, None, None]),
        ({"plot_height": 500}, [False, True, None, None]),
        ({"node_width": 150}, [False, False, True, None]),
        ({"node_height": 90}, [False, False, None, True]),
        ({"scale_width": True}, [True, False, None, None]),
    ],
)
def test_every_size_of_the_seed_changes_what_is_seen(sizes, grown, opened):
    """Of the plot in pixels; of layers and rows beside the height of letters."""
    seen = opened(digraph_page(nx.DiGraph([("a", "b"), ("a", "c")]), scale_width=False))
    before = measures(seen)
    seen = opened(digraph_page(nx.DiGraph([("a", "b"), ("a", "c")]), **{"scale_width": False} | sizes))  # fmt: skip
    after = measures(seen)
    for is_grown, old, new in zip(grown, before, after, strict=True):
        assert is_grown is None or (new > 1.2 * old if is_grown else new == pytest.approx(old))


def measures(seen):
    """Width and height of the plot, and from a layer to the next in widths of a box, in pixels."""
    width, height = seen.page.ask(
        "() => { const box = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name('graph'))"
        ".canvas_view.el.getBoundingClientRect(); return [box.width, box.height]; }"
    )
    (x, _), (x2, _) = seen.place(0), seen.place(1)
    a, b = seen.column("x")[:2]
    per_pixel = (x2 - x) / (b - a)
    rows = seen.column("y")
    return width, height, (x2 - x) / (seen.column("width")[0] * per_pixel), max(rows) - min(rows)


def test_a_task_that_the_page_is_about_always_stands_by_itself(opened):
    """Also beside the box of its spec, and when that is open."""
    seen = opened(facts_page(sweep(3), Wish(around="Tfidf", tasks=False), "graph"))
    closed = seen.column("label")
    assert closed == [
        "≡ Fetch", "≡ Clean", "≡ Tfidf min_df=1", "✔ Tfidf min_df=3", "✖ Train ×12", "⊘ Eval ×12", "◌ Select",
    ]  # fmt: skip
    seen.page.press("Train ×12")
    labels = seen.column("label")
    assert len(labels) == len(closed) + 11
    seen.click(labels.index("✔ Tfidf min_df=3"))
    assert [labels[i].split()[1] for i in seen.lit()].count("Train") == 6
    seen.page.press("Train ×12")
    assert seen.column("label") == closed
    assert_nothing_overlaps(seen)
