"""Do brushes on parallel axes leave exactly the rows that lie within them, in a real browser?"""

from __future__ import annotations

import random

import pytest

pytest.importorskip("bokeh")
pytest.importorskip("playwright")

from flowlib.coordinate_pages import parallel_coordinates  # noqa: E402
from flowlib.coordinates import coordinates_of  # noqa: E402
from flowlib.result_table import ResultTable  # noqa: E402
from stores.cells import Column, Grid  # noqa: E402
from tests.pages.graphs import SHADOWS  # noqa: E402

pytestmark = pytest.mark.slow

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
AT = """([x, y]) => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name('coordinates'));
  const box = view.canvas_view.el.getBoundingClientRect();
  return [box.x + view.frame.x_scale.compute(x), box.y + view.frame.y_scale.compute(y)];
}"""
LIT = """() => Bokeh.documents[0].get_model_by_name('coordinates').renderers
  .find(each => each.name == 'rows').data_source.data.alpha.flatMap((alpha, i) => alpha > 0.5 ? [i] : [])"""
COUNT = "() => Bokeh.documents[0].get_model_by_name('count').text"
CELLS = """async () => {
  const table = Bokeh.documents[0].get_model_by_name('table');
  const view = Bokeh.index.find_one(table), found = new Map();
  const port = view.shadow_el.querySelector('.slick-viewport-top.slick-viewport-left') ?? view.shadow_el.querySelector('.slick-viewport');
  const look = () => {
    for (const row of view.shadow_el.querySelectorAll('.slick-row'))
      found.set(row.style.top || row.style.transform, [...row.querySelectorAll('.slick-cell')].map(each => each.textContent));
  };
  for (let again = 0; again < 20; again++) {  // rows come a moment after they were scrolled to
    for (let top = 0; top < port.scrollHeight; top += 200) {
      port.scrollTop = top;
      await new Promise(done => setTimeout(done, 120));
      look();
    }
    if (found.size >= view.data.getLength()) break;
  }
  port.scrollTop = 0;
  return [...found.values()];
}"""


class Shown:
    """Parallel coordinates as somebody looks at them."""

    def __init__(self, page, table, metric=None, mode="max"):
        self.page, self.table = page, table
        self.lines = coordinates_of(table.grid, table.tasks, metric, mode)
        self.names = [each.name for each in self.lines.axes]

    def brush(self, name, low, high, hold_s=0.0):
        """Drag along an axis from one height to another."""
        at = self.names.index(name)
        self.page.drag(self.page.ask(AT, [at, low]), self.page.ask(AT, [at, high]), hold_s=hold_s)

    def click(self, name, height, *, is_double=False):
        """Click an axis."""
        place = self.page.ask(AT, [self.names.index(name), height])
        self.page.click(*place, is_double=is_double)

    def ids(self):
        """The ids in the table, after the lines and the count were compared with it."""
        lit = [self.lines.rows[at]["id"] for at in self.page.ask(LIT)]
        assert self.page.ask(COUNT) == f"{len(lit)} of {len(self.lines.rows)} rows"
        cells = self.page.ask(CELLS)
        assert sorted(each[0] for each in cells) == sorted(lit)
        return {each[0] for each in cells}


@pytest.fixture
def shown(page, tmp_path):
    def show(table, metric=None, mode="max"):
        page.open(parallel_coordinates(table, metric, mode=mode).save(tmp_path / "lines.html"))
        return Shown(page, table, metric, mode)

    return show


def table_of(rows):
    """Rows of configs `Train.…` and results."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = [
        Column("id", "identity"), Column("task", "identity"),
        *(Column(name, "config" if name.startswith("Train.") else "value") for name in names),
    ]  # fmt: skip
    full = [{"id": f"Train/{n:08x}", "task": "Train", "key": f"{n:032x}", "state": "finished", **row} for n, row in enumerate(rows)]  # fmt: skip

    class Source:
        def grid(self):
            return Grid(tuple(columns), tuple(full))

    return ResultTable.of(Source())


def sweep(count=40):
    rng = random.Random(1)
    return [
        {
            "Train.lr": 10 ** rng.uniform(-5, -1), "Train.batch": rng.choice([32, 64, 128]),
            "Train.kind": rng.choice(["adam", "sgd"]), "Train.seed": 0,
            "acc": rng.random(), "loss": rng.uniform(1, 3),
        }
        for _ in range(count)
    ]  # fmt: skip


def heights(seen, name):
    (axis,) = [each for each in seen.lines.axes if each.name == name]
    return dict(zip((row["id"] for row in seen.lines.rows), axis.heights, strict=True))


def within(seen, name, low, high):
    return {id_ for id_, height in heights(seen, name).items() if low <= height <= high}


def test_brushes_intersect_and_a_click_twice_clears(shown):
    """The lit lines, the count and the rows of the table are always the same rows."""
    seen = shown(table_of(sweep()))
    assert seen.names == ["Train.lr", "Train.batch", "Train.kind", "loss", "acc"]
    every = seen.ids()
    assert len(every) == 40

    seen.brush("acc", 0.5, 0.95)
    good = seen.ids()
    assert good == within(seen, "acc", 0.5, 0.95)
    assert 0 < len(good) < 40

    seen.brush("Train.batch", 0.9, 1.1)
    both = seen.ids()
    assert both == good & within(seen, "Train.batch", 0.9, 1.1)
    assert 0 < len(both) < len(good)

    seen.brush("acc", 0.2, 0.02)
    assert seen.ids() == within(seen, "acc", 0.02, 0.2) & within(seen, "Train.batch", 0.9, 1.1)

    seen.click("acc", 0.1)
    assert seen.ids() == within(seen, "Train.batch", 0.9, 1.1)

    seen.click("Train.kind", 0.5, is_double=True)
    assert seen.ids() == every


def test_missing_values_can_be_brushed(shown):
    """They are on a rung of their own below the axis."""
    rows = sweep(12)
    for row in rows[:3]:
        del row["acc"]
    rows[3]["acc"] = float("nan")
    seen = shown(table_of(rows), "acc")
    seen.brush("acc", -0.16, -0.05)
    assert seen.ids() == {f"Train/{n:08x}" for n in range(4)}


def test_a_slow_hand_brushes_as_well(shown):
    """Who holds the button for a second before it moves drags, too; afterwards it rests."""
    seen = shown(table_of(sweep()))
    seen.brush("acc", 0.5, 0.95, hold_s=1.0)
    good = seen.ids()
    assert good == within(seen, "acc", 0.5, 0.95)
    seen.page.move(*seen.page.ask(AT, [seen.names.index("acc"), 0.1]))
    assert seen.ids() == good
    seen.click("acc", 0.7)
    assert len(seen.ids()) == 40


def test_a_drag_beside_the_axes_and_a_short_one_do_nothing(shown):
    """Nothing is brushed by mistake."""
    seen = shown(table_of(sweep(12)))
    place = seen.page.ask(AT, [0.5, 0.2])
    seen.page.drag(place, (place[0], place[1] - 100))
    seen.brush("acc", 0.5, 0.503)
    assert len(seen.ids()) == 12


def test_what_users_write_is_shown_and_not_run(shown):
    """In names of columns, rungs, cells, hover texts and titles."""
    rows = [{"Train." + EVIL: EVIL + str(n), "Train.lr": n, EVIL: n / 10} for n in range(4)]
    table = table_of(rows)
    seen = shown(table)
    texts = ""
    for at in range(3):
        seen.page.move(*seen.page.ask(AT, [at, 1 / 3]))
        texts += seen.page.ask(SHADOWS)
    assert f"Train.{EVIL}: {EVIL}1" in texts
    seen.brush("Train.lr", -0.05, 1.05)
    assert len(seen.ids()) == 4
    assert f"idTrain.{EVIL}Train.lr" in seen.page.ask(SHADOWS)
    assert seen.page.ask("() => document.querySelectorAll('img').length") == 0


def test_more_than_two_thousand_rows_are_the_best_and_that_is_said(shown):
    """By the metric, in its direction; the table has the same rows, best first."""
    seen = shown(table_of(sweep(2500)), "loss", "min")
    losses = sorted(row["loss"] for row in seen.table.grid.rows)
    assert "2,500 rows: the best 2,000 by loss (min) are shown" in seen.page.ask(SHADOWS)
    assert [row["loss"] for row in seen.lines.rows] == losses[:2000]
    assert seen.page.ask(COUNT) == "2000 of 2000 rows"
    seen.brush("loss", -0.01, 0.03)
    assert seen.ids() == within(seen, "loss", -0.01, 0.03)
