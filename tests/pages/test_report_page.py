"""Can the page about a run be used, in a real browser?"""

from __future__ import annotations

import pytest

pytest.importorskip("bokeh")
pytest.importorskip("playwright")

from flowlib import LocalFileStore  # noqa: E402
from flowlib.run_report import report_of_folder  # noqa: E402
from tests.flowlib.test_run_report import EVIL, flow  # noqa: E402
from tests.pages.graphs import SHADOWS, GraphInPage  # noqa: E402

pytestmark = pytest.mark.slow

SPAN = """i => {
  const plot = Bokeh.documents[0].get_model_by_name('timeline'), view = Bokeh.index.find_one(plot);
  view.el.scrollIntoView();
  const data = plot.renderers.find(each => each.name == 'spans').data_source.data;
  const box = view.canvas_view.el.getBoundingClientRect();
  return [box.x + view.frame.x_scale.compute((data.start[i] + data.end[i]) / 2),
          box.y + view.frame.y_scale.compute(data.row[i])];
}"""
EDGES = """() => [...Bokeh.documents[0].get_model_by_name('timeline').renderers
  .find(each => each.name == 'spans').data_source.data.edge]"""


@pytest.mark.parametrize("is_read_again", [False, True])
def test_every_part_of_the_page_works(is_read_again, page, tmp_path):
    """Summary, graph, workers and results; the same page from the folder of the run."""
    store = LocalFileStore(tmp_path / "runs", fsync=False)
    run = flow().run(num_workers=1, results_store=store, exit_on_error=False)
    path = tmp_path / "out.html"
    if is_read_again:
        report_of_folder(run.folder, path, store)
    else:
        run.report(path)
    page.open(path)
    texts = page.ask(SHADOWS)
    assert f"run {run.name}" in texts
    assert "1 of 10 tasks failed" in texts
    assert f"ValueError: {EVIL}" in texts

    seen = GraphInPage(page)
    labels = seen.column("label")
    assert len(labels) == 10
    assert labels.count("✖ Half how=b") == 1
    seen.click(labels.index("✖ Half how=b"))
    assert len(seen.lit()) == 3

    edges = page.ask(EDGES)
    assert [edge == "#d2453d" for edge in edges] == [False] * 8 + [True]
    page.move(*page.ask(SPAN, 8))
    assert f"ValueError: {EVIL}" in page.ask(SHADOWS).rpartition("Half-")[2]
    assert "w0  busy" in str(page.ask("() => Bokeh.documents[0].get_model_by_name('timeline').y_range.factors"))  # fmt: skip
    assert "5 of 6 rows" in texts or "6 of 6 rows" in texts
