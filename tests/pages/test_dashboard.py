"""Does the dashboard work in a real browser: filter, sort, back, live, graph, log, compare, brush?"""

from __future__ import annotations

import json
import threading
import time
import urllib.request

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("playwright")

from stores import Address  # noqa: E402
from stores.testing import done, put  # noqa: E402
from tests.pages.served import LIMIT_S, demo, flow, served  # noqa: E402

pytestmark = pytest.mark.slow

IDS = "() => [...document.querySelectorAll('table.rows tbody a.id')].map(each => each.textContent)"
HEADS = "() => [...document.querySelectorAll('table.rows th')].map(each => each.textContent.trim())"
CELLS = """at => [...document.querySelectorAll('table.rows tbody tr')].map(row => row.cells[at].textContent)"""
COUNT = "() => document.querySelector('.count').textContent"
PLACE = "() => location.pathname + location.search"
CLICK = """text => [...document.querySelectorAll('main a')].find(each => each.textContent.trim().startsWith(text)).click()"""
FOLLOWS = "() => document.getElementById('connection').className == 'on'"
SEEN = """seen => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => !seen});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
LIT = "() => [...document.querySelectorAll('[data-lines] tbody tr:not(.off) a.id')].map(each => each.textContent)"
AXIS = """([name, height]) => {
  const picture = document.querySelector('svg.lines'), axes = JSON.parse(picture.dataset.axes);
  const box = picture.querySelectorAll('line.axis')[axes.indexOf(name)].getBoundingClientRect();
  return [box.x, box.bottom - height * box.height];
}"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The address of a dashboard over a store after one run."""
    with served(demo(tmp_path_factory.mktemp("demo"))) as address:
        yield address


@pytest.fixture
def tab(chromium, base):
    """A tab that may ask nobody but the dashboard, and must not complain."""
    page = chromium.new_page()
    page.open(f"{base}/")
    page.wait_for("() => document.querySelector('h1').textContent == '12 tasks'")
    yield page
    page.close()
    assert [each for each in page.requests if not each.startswith(f"{base}/")] == []
    assert page.complaints == []


def go(page, act, until, value=None):
    """Do what leads to another page, and wait until it is there."""
    act()
    page.wait_for(until, value)
    page.settle()


def test_filter_sort_and_the_back_button(tab, base):
    """Each state of the list has an address of its own, to which the browser comes back."""
    go(tab, lambda: tab.press("Tasks"), "() => location.pathname == '/tasks'")
    assert tab.ask(COUNT) == "1 to 12 of 12"
    tab.write("Train or Train/", "Train/")
    go(tab, lambda: tab.press("filter"), "() => location.search == '?task=Train%2F'")
    assert tab.ask(COUNT) == "1 to 10 of 10"
    assert tab.ask(HEADS) == ["", "id", "state", "depth", "lr", "time", "when ▾", "run"]
    go(tab, lambda: tab.ask(CLICK, "lr"), "() => location.search.endsWith('sort=lr')")
    assert tab.ask(CELLS, 4) == [
        "0.01",
        "0.01",
        "0.05",
        "0.05",
        "0.1",
        "0.1",
        "0.2",
        "0.2",
        "0.9",
        "0.9",
    ]
    go(tab, lambda: tab.ask(CLICK, "lr"), "() => location.search.endsWith('sort=-lr')")
    assert tab.ask(CELLS, 4)[:2] == ["0.9", "0.9"]
    tab.write("lr=0.1,depth=3", "lr=0.9,depth=2")
    go(tab, lambda: tab.press("filter"), "() => location.search.includes('config_filter')")
    assert (tab.ask(COUNT), tab.ask(CELLS, 2)) == ("1 to 1 of 1", ["✖ failed"])
    go(tab, lambda: tab.ask("() => history.back()"), "() => location.search.endsWith('sort=-lr')")
    assert tab.ask(COUNT) == "1 to 10 of 10"
    go(tab, lambda: tab.ask("() => history.back()"), "() => location.search.endsWith('sort=lr')")
    assert tab.ask(CELLS, 4)[0] == "0.01"


def test_from_the_graph_to_a_log(tab, base):
    """A click on the box of a task leads to all about it, and what it has printed."""
    go(
        tab,
        lambda: tab.press("Graph"),
        "() => document.querySelectorAll('svg.graph .node').length == 12",
    )
    x, y = tab.ask("""() => { const box = [...document.querySelectorAll('svg.graph .node')]
        .find(each => each.textContent.includes('depth=2 lr=0.05')).querySelector('rect').getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; }""")
    go(tab, lambda: tab.follow(x, y), "() => location.pathname.startsWith('/tasks/Train/')")
    text = tab.ask("() => document.querySelector('#log pre').textContent")
    assert text == "training with 0.05\n"
    go(tab, lambda: tab.press("graph around it"), "() => location.search.startsWith('?around=')")
    assert tab.ask("() => document.querySelectorAll('svg.graph .node').length") == 3
    assert tab.ask("() => document.querySelector('.node.focus').textContent").endswith("lr=0.05")


def test_compare_what_was_selected(tab, base):
    """Two rows of the list, side by side with the difference of their results; also by keys."""
    tab.open(f"{base}/tasks?task=Train/&sort=lr&config_filter=depth=1")
    tab.ask("() => document.querySelectorAll('table.rows input')[0].click()")
    tab.ask("() => document.querySelectorAll('table.rows input')[1].click()")
    go(tab, lambda: tab.press("compare selected"), "() => location.pathname == '/compare'")
    rows = tab.ask(
        "() => [...document.querySelectorAll('table.compared tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert ["lr", "0.01", "0.05"] in rows
    assert ["acc", "0.99", "0.95 (-0.04)"] in rows
    assert not [row for row in rows if row[0] == "depth"]


def test_keys_move_open_select_and_compare(tab, base):
    """Nothing needs a mouse."""
    tab.open(f"{base}/tasks?task=Train/&sort=lr&config_filter=depth=1")
    press = "key => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    for key in ("j", "x", "j", "j", "k", "x"):
        tab.ask(press, key)
    here = tab.ask("() => document.querySelector('tr.here').rowIndex")
    assert here == 2
    go(tab, lambda: tab.ask(press, "c"), "() => location.pathname == '/compare'")
    assert tab.ask("() => document.querySelectorAll('table.compared thead a').length") == 2
    go(
        tab,
        lambda: [tab.ask(press, "g"), tab.ask(press, "t")],
        "() => location.pathname == '/tasks'",
    )
    tab.ask(press, "?")
    assert tab.ask("() => document.getElementById('keys').open") is True
    tab.press("close")
    tab.ask(press, "j")
    first = tab.ask(IDS)[0]
    go(tab, lambda: tab.ask(press, "Enter"), "() => location.pathname.split('/').length == 4")
    assert tab.ask("() => document.querySelector('h1').textContent") == first
    tab.open(f"{base}/tasks")
    tab.ask(press, "/")
    assert tab.ask("() => document.activeElement.name") == "text"


def test_brushes_intersect_and_the_table_has_the_lines_that_are_lit(tab, base):
    """Drag along two axes, click one, click twice for all."""
    tab.open(f"{base}/sweep?task=Train")
    assert len(tab.ask(LIT)) == 8
    told = json.loads(
        urllib.request.urlopen(f"{base}/api/experiments?task=Train/&result_status=success").read()
    )
    by_id = {each["id"]: each["config"] for each in told["experiments"]}

    def brush(name, low, high):
        tab.drag(tab.ask(AXIS, [name, low]), tab.ask(AXIS, [name, high]))

    brush("Train.lr", -0.05, 0.5)
    low = {each for each, config in by_id.items() if config["lr"] <= 0.05}
    assert set(tab.ask(LIT)) == low
    assert tab.ask("() => document.querySelector('[data-lit]').textContent") == "4 of 8 rows"
    brush("Train.depth", 0.9, 1.05)
    assert set(tab.ask(LIT)) == {each for each in low if by_id[each]["depth"] == 2}
    tab.click(*tab.ask(AXIS, ["Train.lr", 0.3]))
    assert set(tab.ask(LIT)) == {each for each, config in by_id.items() if config["depth"] == 2}
    tab.click(*tab.ask(AXIS, ["acc", 0.5]), is_double=True)
    assert len(tab.ask(LIT)) == 8


def test_what_users_write_runs_in_no_page(chromium, tmp_path):
    """Neither by escaping nor, if that failed, by what the browser was told."""
    from stores import LocalFileStore

    evil = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    store = LocalFileStore(tmp_path)
    address = Address(evil[:40], "a" * 32)
    put(store, address, {"v": evil, evil[:30]: 1}, done(), **{evil: evil})
    put(store, Address(evil[:40], "b" * 32), {"v": evil}, done(), **{evil: 2})
    with served(store) as base:
        page = chromium.new_page()
        page.open(f"{base}/tasks")
        page.wait_for("() => document.querySelectorAll('table.rows tbody tr').length == 2")
        links = page.ask("() => [...document.querySelectorAll('a')].map(each => each.href)")
        for link in [*links, f"{base}/sweep?task={urllib.request.quote(address.task)}"]:
            page.open(link)
            assert page.ask("() => document.title") != "owned"
            assert page.ask("() => document.querySelectorAll('main script, main img').length") == 0
        page.ask(
            "() => { const s = document.createElement('script'); s.textContent = \"document.title = 'owned'\"; document.body.append(s); }"
        )
        assert page.ask("() => document.title") != "owned"
        assert page.complaints
        assert all("Content Security Policy" in each for each in page.complaints)
        page.close()


def test_a_run_is_followed_live(chromium, tmp_path):
    """The list and the page of the run change by themselves while tasks end; then the server goes."""
    from flowlib import Flow, TaskSpec, sweep
    from stores import LocalFileStore
    from tests.dashboard.live_tasks import Slow

    gate = tmp_path / "gate"
    store = LocalFileStore(tmp_path / "runs")
    flow((0.01,), (1,)).run(num_workers=1, results_store=store, run_name="first")
    slow = Flow([TaskSpec(Slow, {"number": sweep(1, 2, 3), "gate": str(gate)})])
    run = threading.Thread(
        target=lambda: slow.run(num_workers=1, results_store=store, run_name="slow-run")
    )
    with served(store) as base:
        page = chromium.new_page()
        page.open(f"{base}/tasks?task=Slow/")
        page.wait_for("() => document.getElementById('connection').className == 'on'")
        run.start()
        try:
            page.wait_for("() => document.querySelectorAll('.rows .running').length == 1")
            assert page.ask("() => document.querySelectorAll('.rows .pending').length") == 2
            assert (
                page.ask(
                    "() => fetch('/api/experiments?attempt_status=queued').then(a => a.json()).then(a => a.total)"
                )
                == 2
            )
            other = chromium.new_page()
            other.open(f"{base}/runs/slow-run")
            other.wait_for("() => document.querySelectorAll('.running-now tbody tr').length == 1")
            gate.write_text("go")
            page.wait_for("() => document.querySelectorAll('.rows .finished').length == 3")
            other.wait_for(
                "() => document.querySelector('main .state').textContent.includes('finished')"
            )
            other.close()
        finally:
            gate.write_text("go")
            run.join(60)
        assert [each for each in page.requests if not each.startswith(base)] == []
        assert page.complaints == []
    page.wait_for("() => document.getElementById('connection').title == 'disconnected'")
    page.close()


def test_where_the_user_is_stays_while_a_page_changes(chromium, tmp_path):
    """The row of the keys, the focus, what is ticked and how far it was scrolled."""
    from stores import LocalFileStore

    store = LocalFileStore(tmp_path, fsync=False)
    for number in range(40):
        put(store, Address("Train", f"{number:032x}"), {}, done(), n=number)
    press = "key => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    renewed = "was => Number(document.documentElement.dataset.renewed || 0) > was"
    place = """() => ({row: document.querySelector('tr.here')?.dataset.id, rows: document.querySelectorAll('tr.here').length,
        focus: document.activeElement.closest('tr')?.dataset.id, on: document.activeElement.className,
        ticked: [...document.querySelectorAll('input:checked')].map(box => box.value), top: scrollY})"""
    with served(store) as base:
        page = chromium.new_page()
        page.open(f"{base}/tasks?sort=-n&task=Train/")
        page.wait_for(FOLLOWS)
        for key in ("j", "j", "j", "x"):
            page.ask(press, key)
        page.ask("() => { document.querySelectorAll('a.id')[3].focus(); scrollTo(0, 77); }")
        before = page.ask(place)
        assert before["row"] == f"Train/{37:032x}"
        assert before["focus"] == f"Train/{36:032x}"
        was = page.ask("() => Number(document.documentElement.dataset.renewed || 0)")
        for number in (41, 42):  # they come first, and all other rows move down
            put(store, Address("Train", f"{number:032x}"), {}, done(), n=number)
        page.wait_for("() => document.querySelectorAll('table.rows tbody a.id').length == 42")
        page.wait_for(renewed, was)
        after = page.ask(place)
        assert {**after, "top": 77} == {**before, "top": 77}
        assert (before["top"], after["rows"]) == (77, 1)
        page.ask(press, "j")
        assert page.ask(place)["row"] == f"Train/{36:032x}"
        store.remove(Address("Train", f"{36:032x}"))
        page.wait_for("() => document.querySelectorAll('table.rows tbody a.id').length == 41")
        assert (
            page.ask(place)["row"] == f"Train/{35:032x}"
        )  # that in the place of the one that is gone
        page.open(f"{base}/")
        page.wait_for(FOLLOWS)
        page.ask(press, "j")
        first = page.ask(place)["row"]
        put(store, Address("Train", f"{50:032x}"), {}, done(), n=50)
        page.wait_for("() => document.querySelector('h1').textContent == '42 tasks'")
        assert page.ask(place)["row"] == first
        assert page.complaints == []
        page.close()


def test_a_tab_that_nobody_sees_follows_nothing_until_it_is_shown(chromium, tmp_path):
    """So that many open tabs leave connections for the one that is looked at."""
    from stores import LocalFileStore

    store = LocalFileStore(tmp_path, fsync=False)
    put(store, Address("Train", "1" * 32), {}, done())
    with served(store) as base:
        page = chromium.new_page()
        page.open(f"{base}/tasks")
        page.wait_for(FOLLOWS)
        page.ask(SEEN, False)
        put(store, Address("Train", "2" * 32), {}, done())
        end = time.monotonic() + LIMIT_S
        while True:  # the server tells of it, but not this page
            with urllib.request.urlopen(f"{base}/api/stats") as answer:
                if json.load(answer)["total"] == 2 or time.monotonic() > end:
                    break
            time.sleep(0.1)
        time.sleep(1.5)
        assert len(page.ask(IDS)) == 1
        page.ask(SEEN, True)
        page.wait_for("() => document.querySelectorAll('table.rows tbody a.id').length == 2")
        page.ask("() => dispatchEvent(new Event('pagehide'))")
        page.ask("() => dispatchEvent(new Event('pageshow'))")
        put(store, Address("Train", "3" * 32), {}, done())
        page.wait_for("() => document.querySelectorAll('table.rows tbody a.id').length == 3")
        assert page.complaints == []
        page.close()
