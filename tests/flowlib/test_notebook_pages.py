"""What do notebooks show of flows, specs and stores? Static, small, escaped."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

import pytest

from flowlib import Flow, TaskSpec, sweep
from stores import InMemoryStore
from tests.page_reader import Page

EVIL = '<script>alert("1")</script>&'


def picture_of(page):
    """The labels in the picture of a page."""
    (source,) = page.sources
    kind, _, data = source.partition(";base64,")
    assert kind == "data:image/svg+xml"
    root = ElementTree.fromstring(base64.b64decode(data))
    return [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]


def load(n=1):
    return {"data": n}


def train(data, lr=0.1, seed=0, note=""):
    if lr > 1:
        raise ValueError("too large")
    return {"acc": lr}


@pytest.fixture
def flow():
    loads = TaskSpec(load, {"n": [1, 2]}, expand="product", name=EVIL)
    trains = TaskSpec(train, {"lr": [0.1, 2.0, 3.0]}, expand="product", name="Train")
    return Flow([loads, trains.requires(loads)])


def test_a_flow_shows_its_specs_and_their_states(flow):
    """Before a run their sizes, after it the states of their tasks."""
    page = Page(flow._repr_html_())
    assert page.rows == [["spec", "tasks"], [EVIL, "2"], ["Train", "6"]]
    assert page.texts[-1] == "8 tasks"
    assert picture_of(page) == [f"{EVIL} ×2", "Train ×6"]
    flow.run(num_workers=1, results_store=InMemoryStore(), exit_on_error=False)
    page = Page(flow._repr_html_())
    assert page.rows[1:] == [[EVIL, "2", "✔ 2 finished"], ["Train", "6", "✖ 4 failed ✔ 2 finished"]]
    assert picture_of(page)[-2:] == ["✖ 4 failed", "✔ 4 finished"]


def test_a_flow_of_many_specs_stays_small():
    """Without a picture, and with the number of those that are not listed."""
    specs = [TaskSpec(load, {"n": 1}, name=f"{EVIL * 3}{number}") for number in range(400)]
    page = Page(Flow(specs)._repr_html_())
    assert page.sources == []
    assert "400 specs are too many for a small picture: see flow.draw()" in page.texts
    listed = len(page.rows) - 1
    assert 20 < listed < 101
    assert page.texts[-2:-1] == [f"… and {400 - listed} more"]


def test_a_spec_shows_its_config_and_the_sizes_of_its_axes():
    """Of dicts those inside; what varies in lockstep, too."""
    config = {
        "lr": [0.1, 0.2, 0.3],
        "seed": sweep(1, 2),
        "note": EVIL,
        "model": {"depth": [1, 2], "width": [1, 2], "bias": True},
    }
    spec = TaskSpec(train, config, expand="product", name="Train")
    page = Page(spec._repr_html_())
    assert [row[0] for row in page.rows] == ["Train", "lr", "seed", "note", "model"]
    assert [row[2] for row in page.rows[1:]] == ["3", "2", "", "depth 2, width 2"]
    assert page.rows[1][1] == "[0.1, 0.2, 0.3]"
    assert EVIL in page.rows[3][1]
    assert page.texts[-1] == (
        "train · expand='product' · configs: 24 · axes: "
        "lr 3 × seed 2 × model.depth 2 × model.width 2"
    )


def test_a_huge_sweep_is_not_walked_through():
    """It says that there are more."""
    spec = TaskSpec(train, {"lr": [*range(3000)], "seed": [*range(3000)]}, expand="product")
    page = Page(spec._repr_html_())
    assert "configs: more than 2,000" in page.texts[-1]
    assert "2000 or more" in page.texts[-1]


def test_a_spec_that_cannot_be_expanded_says_why():
    """Instead of raising where it is only looked at."""
    spec = TaskSpec(train, {"lr": [1, 2], "seed": [1, 2, 3]}, expand="zip")
    page = Page(spec._repr_html_())
    assert "zip" in page.texts[-1]
    assert "configs:" not in page.texts[-1]
