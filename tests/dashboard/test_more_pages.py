"""What do comparison, graph, sweep and runs show?"""

from __future__ import annotations

import pytest

from flowlib.dashboard import graph_page as graph_module
from flowlib.dashboard import pages as pages_module
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.live_runs import LiveRuns
from stores import Address, InMemoryStore, LocalFileStore, TaskState
from stores.testing import done, put
from tests.cli.stored import FAST, SLOW, filled
from tests.dashboard.asked import Dashboard
from tests.pages.served import demo


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The dashboard of a store after one run."""
    with Dashboard(demo(tmp_path_factory.mktemp("demo"))) as dashboard:
        dashboard.json("/api/stats")
        yield dashboard


def test_tasks_side_by_side(dashboard, tmp_path):
    """What differs, with how much more the others have; how much is the same."""
    found = dashboard(filled(tmp_path))
    page = found.page(f"/compare?address=Train/{SLOW.key}&address=Train/{FAST.key}")
    assert page.rows[0] == ["", "Train/9a7a08b2", "Train/9a110000"]
    assert ["lr", "0.001", "10.0"] in page.rows
    assert ["acc", "0.9312", "–"] in page.rows
    assert "the same: 2 of config" in page.text
    for query in (
        "",
        f"?address=Train/{SLOW.key}",
        "?address=No/x&address=No/y",
        "?address=&address=",
        "?address=" + "&address=".join(f"T/{n}" for n in range(13)),
        "?x=1",
    ):
        found.page(f"/compare{query}", status=422)


def test_the_graph_of_the_store_of_a_run_and_around_a_task(shown):
    """Boxes lead to tasks; a spec opens."""
    page = shown.page("/graph")
    assert len([a for t, a in page.tags if t == "g" and "node" in a.get("class", "")]) == 12
    ids = {each["id"]: each["key"] for each in shown.json("/api/experiments")["experiments"]}
    assert {f"/tasks/{i.partition('/')[0]}/{key}" for i, key in ids.items()} <= set(page.links)
    train = next(i for i in ids if i.startswith("Train"))
    assert len(shown.page(f"/graph?around={train}").attribute("rect", "rx")) == 3
    run = shown.page("/graph?run=first-run")
    assert len(run.attribute("rect", "rx")) == 12
    assert any("failed" in each for each in run.attribute("g", "class"))
    shown.page("/graph?around=Nobody", status=404)
    shown.page("/graph?run=nobody", status=422)
    shown.page("/graph?limit=3", status=422)


def test_a_large_graph_shows_specs_with_their_counts(dashboard, tmp_path):
    """And a click opens one."""
    store = LocalFileStore(tmp_path, fsync=False)
    load = Address("Load", "f" * 32)
    put(store, load, {}, done())
    for number in range(80):
        put(store, Address("Train", f"{number:032x}"), {}, done(inputs=[load]), n=number)
    found = dashboard(store)
    page = found.page("/graph")
    assert "✔ Train ×80" in page.text
    assert "/graph?expand=Train" in page.links
    assert len(found.page("/graph?expand=Train").attribute("rect", "rx")) == 81


def test_results_as_lines(shown):
    """Axes in order, the metric last, a line for each result, the rows below in the same order."""
    assert "Train 10" in shown.page("/sweep").text
    page = shown.page("/sweep?task=Train")
    assert page.attribute("svg", "data-axes") == ['["Train.depth", "Train.lr", "loss", "acc"]']
    assert len(page.attribute("polyline", "points")) == 8
    assert page.rows[1][1:4] == ["1", "0.01", "0.99"]
    least = shown.page("/sweep?task=Train&metric=loss&mode=min")
    assert least.rows[1][4] == "1.01"
    shown.page("/sweep?task=Train&metric=nothing", status=404)
    shown.page("/sweep?task=Trian", status=422)
    shown.page("/sweep?task=Train&mode=best", status=422)


def test_runs_and_one_of_them(shown):
    """How it ended, what failed, what each worker did."""
    page = shown.page("/runs")
    assert page.rows[1][:3] == ["first-run", "✖ failed", "12"]
    assert "/runs/first-run" in page.links
    run = shown.page("/runs/first-run")
    assert "ValueError: loss is nan and 1 more like it; 1 skipped because of it" in run.text
    assert ["Train", "10/10", "", "✔ finished 8 ✖ failed 2 "] in run.rows
    spans = [each for each in run.attribute("rect", "class") if "span" in each]
    assert (len(spans), sum("failed" in each for each in spans)) == (11, 2)
    for name in ("nobody", "../first-run", "%2e%2e%2ffirst-run", "first-run%2f.."):
        shown.page(f"/runs/{name}", status=404)


def test_an_empty_store_has_all_pages(dashboard, monkeypatch, tmp_path):
    """Each says that there is nothing yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # where runs on memory stores leave logs
    found = dashboard(InMemoryStore())
    for path in ("/", "/tasks", "/graph", "/sweep", "/runs"):
        assert any(word in found.page(path).text for word in ("empty", "yet"))


def test_damaged_folders_of_runs_break_nothing(dashboard, tmp_path):
    """Whatever stands in them."""
    store = demo(tmp_path)
    folder = tmp_path / "runs" / ".runs" / "first-run"
    for path in [*folder.glob("*.json"), *folder.glob("*.jsonl")]:
        path.write_bytes(b"\xff{not json\n" * 3)
    found = dashboard(store)
    for path in ("/", "/runs", "/runs/first-run"):
        found.page(path)
    found.page("/graph?run=first-run", status=422)
    assert found.json("/api/stats")["total"] == 12


def test_what_only_a_large_graph_is_made_of_is_not_kept(dashboard, tmp_path, monkeypatch):
    """Its page is, as long as nothing changes; all around one task is found as in a small one."""
    store, load = LocalFileStore(tmp_path, fsync=False), Address("Load", "f" * 32)
    put(store, load, {}, done())
    for number in range(70):
        put(store, Address("Train", f"{number:032x}"), {}, done(inputs=[load]), n=number)
    found = dashboard(store)
    around = f"/graph?around=Train/{7:032x}"
    before = [found.page(path).html for path in ("/graph", around)]
    monkeypatch.setattr(graph_module, "_MOST_KEPT", 10)
    found = dashboard(store)
    assert [found.page(path).html for path in ("/graph", around)] == before
    found.page("/graph?around=Nobody", status=404)
    monkeypatch.setattr(pages_module, "graph_page", None)
    assert [found.page(path).html for path in ("/graph", around)] == before


def test_a_large_graph_is_shown_as_a_small_one(dashboard, monkeypatch):
    """Although words are made only for those of its tasks that stand there one by one."""
    store, load = InMemoryStore(), Address("Load", "f" * 32)
    gone = Address("Gone", "e" * 32)
    put(store, load, {"rows": 3}, done(inputs=[gone]), n=3)
    for number in range(70):
        read = [load, gone] if number % 2 else [load, load]
        put(store, Address("Train", f"{number:032x}"), {}, done(inputs=read), n=number)
    paths = ["/graph", "/graph?expand=Train", "/graph?around=Load", f"/graph?around=Train/{0:08x}"]
    usual = [dashboard(store).page(path).html for path in paths]
    monkeypatch.setattr(graph_module, "_MOST_KEPT", 10)
    assert [dashboard(store).page(path).html for path in paths] == usual
    assert "/tasks/Train/" in usual[1]
    assert len(set(usual)) == len(usual)


def test_tasks_of_a_large_graph_that_stand_there_by_number_are_one_object(monkeypatch):
    """A hundred thousand would take more memory than all else that is known of them."""
    store, load = InMemoryStore(), Address("Load", "f" * 32)
    put(store, load, {}, done())
    for number in range(70):
        state = TaskState.FAILED if number % 2 else TaskState.FINISHED
        put(store, Address("Train", f"{number:032x}"), {}, done(state, [load]), n=number)
    answers = Answers(Catalogue(store), LiveRuns(store))
    monkeypatch.setattr(graph_module, "_MOST_KEPT", 10)
    facts = graph_module.store_facts(answers, answers.stock())
    assert len(facts.tasks) == 71
    assert len({id(task) for task in facts.tasks}) == 3
    expanded = graph_module.store_facts(answers, answers.stock(), expand=["Train"])
    assert len({id(task) for task in expanded.tasks}) == 71
