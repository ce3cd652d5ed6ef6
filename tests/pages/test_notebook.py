"""Does a saved notebook show what it should, to who trusts it and to who does not?"""

from __future__ import annotations

import re

import pytest

pytest.importorskip("bokeh")
pytest.importorskip("nbclient")
pytest.importorskip("bleach")
pytest.importorskip("playwright")

from tests.acceptance.scripts import ROOT  # noqa: E402
from tests.pages.graphs import SHADOWS  # noqa: E402
from tests.pages.notebooks import executed, shown_trusted, shown_untrusted  # noqa: E402

pytestmark = pytest.mark.slow

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SETUP = f"""
from flowlib import Flow, LocalFileStore, TaskSpec

def load(n):
    return {{"text": n}}

def train(text, lr, note):
    if lr > 0.5:
        raise ValueError("loss is nan {EVIL}")
    return {{"acc": 1 - lr * text, "word": note}}

loaded = TaskSpec(load, {{"n": [1, 2]}}, name="Load", expand="product")
trained = TaskSpec(
    train, {{"lr": [0.01, 0.1, 1.0], "note": "{EVIL}"}}, name="Train", expand="product"
)
trained.requires(loaded)
flow = Flow([loaded, trained])
store = LocalFileStore("runs", fsync=False)
"""
CELLS = {
    "setup": SETUP,
    "flow": "flow",
    "spec": "trained",
    "plan": "flow.plan(results_store=store)",
    "progress": "run = flow.run(num_workers=2, results_store=store, exit_on_error=False)",
    "run": "run",
    "results": 'run["Train"]',
    "store": "store",
    "flow after": "flow",
    "bokeh": 'flow.draw("bokeh")',
    "seed": "from flowlib import visualize_graph_interactive as show\nshow(flow.task_graph)",
    "coordinates": 'run["Train"].parallel_coordinates("acc")',
}
NUMBERS = {name: number for number, name in enumerate(CELLS)}
STATIC = ("flow", "spec", "plan", "progress", "run", "results", "store", "flow after")
TEXT = "number => document.getElementById('cell' + number).innerText"
IMAGES = """number => [...document.querySelectorAll(`#cell${number} img`)]
  .map(each => [each.complete, each.naturalWidth > 50, each.src.slice(0, 25)])"""
FRAMES = "[...document.querySelectorAll('iframe')].map(each => each.contentWindow)"
EXPECTED = {
    "flow": [r"Load\s+2", r"Train\s+6", r"8 tasks"],
    "spec": [r"lr\s+\[0\.01, 0\.1, 1\.0\]", r"configs: 3", r"lr 3"],
    "plan": [r"Load", r"Train", r"new"],
    "progress": [r"2 of 8 tasks failed", r"Train\s+━+\s+6/6", r"ValueError: loss is nan <script>"],
    "run": [r"2 of 8 tasks failed", r"✔ 6 ran", re.escape(EVIL)],
    "results": [r"acc", r"0\.99", r"Train/[0-9a-f]{8}", re.escape(EVIL), r"6 rows"],
    "store": [r"Train\s+6", r"Load\s+2", r"8 records"],
    "flow after": [r"Train\s+6\s+✖ 2 failed ✔ 4 finished"],
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield executed(list(CELLS.values()), tmp_path_factory.mktemp("notebook"))


@pytest.mark.parametrize("is_trusted", [False, True])
def test_what_is_static_is_shown_to_everybody(is_trusted, notebook, page, tmp_path):
    """All of it, whether scripts and inline SVG were stripped or not; nothing of users is run."""
    path = tmp_path / "saved.html"
    path.write_text(shown_trusted(notebook) if is_trusted else shown_untrusted(notebook))
    page.open(path)
    for name in STATIC:
        text = page.ask(TEXT, NUMBERS[name])
        assert [each for each in EXPECTED[name] if not re.search(each, text)] == [], (name, text)
    for name in ("flow", "flow after"):
        assert page.ask(IMAGES, NUMBERS[name]) == [[True, True, "data:image/svg+xml;base64"]]
    assert page.ask("() => document.querySelectorAll('img[src=x]').length") == 0


def test_interactive_pages_are_shown_where_scripts_may_run(notebook, page, tmp_path):
    """The graph and the coordinates, without a request; without trust no script is left."""
    path = tmp_path / "trusted.html"
    path.write_text(shown_trusted(notebook))
    page.open(path)
    page.wait_for(f"() => {FRAMES}.every(each => each.Bokeh && each.Bokeh.documents.length)")
    page.settle()
    read = SHADOWS.replace("() =>", "each =>", 1).replace("document.body", "each.document.body")
    graph, seed, coordinates = page.ask(f"() => {FRAMES}.map({read})")
    assert "Train ×6" in graph
    assert "filter by name" in seed or seed.strip()
    assert "6 of 6 rows" in coordinates
    path.write_text(shown_untrusted(notebook))
    page.open(path)
    assert page.ask("() => [frames.length, document.scripts.length]") == [0, 0]
    for name in ("bokeh", "seed", "coordinates"):
        assert "trust the notebook to see it" in page.ask(TEXT, NUMBERS[name])


def test_static_outputs_are_small(notebook):
    """Each of them is less than 50 kB, and says in plain text what it says in HTML."""
    for name in STATIC:
        (output,) = [each for each in notebook.cells[NUMBERS[name]].outputs if "data" in each]
        assert 100 < len(output["data"]["text/html"].encode()) < 50_000
        assert set(output["data"]) == {"text/plain", "text/html"}


def test_a_picture_can_be_read_on_a_dark_page(chromium, notebook, tmp_path):
    """The letters of the graph are bright there, and dark on a white page."""
    path = tmp_path / "saved.html"
    path.write_text(shown_untrusted(notebook))
    shades = {}
    for dark in (False, True):
        page = chromium.new_page(dark=dark)
        page.open(path)
        shades[dark] = page.ask(
            """number => { const image = document.querySelector(`#cell${number} img`);
              const canvas = document.createElement('canvas');
              canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
              const pen = canvas.getContext('2d'); pen.drawImage(image, 0, 0);
              const seen = pen.getImageData(0, 0, canvas.width, canvas.height).data;
              const light = [];
              for (let i = 0; i < seen.length; i += 4)
                if (seen[i + 3] > 250) light.push((seen[i] + seen[i + 1] + seen[i + 2]) / 3);
              return [Math.min(...light), Math.max(...light)]; }""",
            NUMBERS["flow"],
        )
        page.close()
    print(shades)
    assert shades[False][0] < 120
    assert shades[True][1] > 140
