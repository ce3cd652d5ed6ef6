"""Does the page about a run hold what is known of it, from memory and from its folder?"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flowlib import Flow, InMemoryStore, LocalFileStore, MissingExtra, TaskSpec
from flowlib.graph_summary import GraphFacts
from flowlib.run_graph import GRAPH, read_graph, with_states, write_graph
from flowlib.run_report import report_of_folder
from flowlib.run_story import story_of_folder, story_of_graph
from tests.acceptance import tasks
from tests.flowlib.graph_cases import sweep

EVIL = "<script>alert(1)</script>"


def number(x: int) -> dict:
    return {"value": x}


def half(value: int, how: str) -> dict:
    if value == 2 and how == "b":
        raise ValueError(EVIL)
    return {"half": value / 2}


def flow():
    first = TaskSpec(number, {"x": [1, 2, 3]}, name="Number", expand="product")
    second = TaskSpec(half, {"how": ["a", "b"]}, name="Half", expand="product")
    second.requires(first)
    after = TaskSpec(tasks.Anything, name="After", reduce=True)
    after.requires(second)
    return Flow([first, second, after])


@pytest.fixture
def run(tmp_path):
    store = LocalFileStore(tmp_path / "runs", fsync=False)
    return flow().run(num_workers=1, results_store=store, exit_on_error=False)


def story_of(run):
    words = {n.key: "cached" if run.is_cached(n) else run.state_of(n).value for n in run.plan.graph}
    return story_of_graph(run.plan.graph, words, run._progress, run.store, run.folder)


def test_a_graph_comes_back_from_its_file(tmp_path):
    """All but the states, the configs, and which sequences were shared."""
    facts = sweep(3)
    write_graph(tmp_path, facts)
    found = read_graph(tmp_path)
    assert found.tasks == [replace(task, state=None) for task in facts.tasks]
    assert [[*each] for each in found.sources] == [[*each] for each in facts.sources]
    assert len({id(each) for each in found.sources}) < len(found.sources)
    states = {task.key: task.state for task in facts.tasks}
    assert with_states(found, states).tasks == facts.tasks
    assert with_states(found, {}).tasks[0].state == "pending"


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"tasks":[["a"]],"sources":[[]],"sources_of":[7]}',
     '{"tasks":[["a","a","k",""]],"sources":[[3]],"sources_of":[0]}',
     '{"tasks":[[1,2,3,4]],"sources":[],"sources_of":[]}'],
)  # fmt: skip
def test_a_damaged_file_is_no_graph(text, tmp_path):
    """And no error: the rest of the page can be written."""
    (tmp_path / GRAPH).write_text(text)
    assert read_graph(tmp_path) is None


def test_memory_and_folder_tell_the_same(run):
    """States, tables, events, name; what the folder cannot know is the whole config."""
    known, found = story_of(run), story_of_folder(run.folder, run.store)
    assert found.name == known.name == run.name
    assert [(t.unique_name, t.state) for t in found.facts.tasks] == [
        (t.unique_name, {"upstream_failed": "skipped"}.get(t.state, t.state))
        for t in known.facts.tasks
    ]
    assert found.events == known.events
    assert [t.grid.rows for t in found.tables] == [t.grid.rows for t in known.tables]
    assert [sorted(t.tasks) for t in known.tables] == [["Half"], ["Number"]]
    assert found.notices == known.notices == ()


def test_a_table_has_the_results_of_the_run_alone(run):
    """Records of other configs in the same store do not belong to it."""
    other = TaskSpec(number, {"x": [7, 8]}, name="Number", expand="product")
    Flow([other]).run(num_workers=1, results_store=run.store)
    (table,) = [each for each in story_of(run).tables if each.tasks == {"Number"}]
    assert sorted(row["value"] for row in table) == [1, 2, 3]


def test_what_was_not_wanted_has_no_results_in_the_page(run):
    """It is pending in memory and in the folder, although the store has an older result."""
    again = flow().run(num_workers=1, results_store=run.store, only="Number", force="Number")
    for story in (story_of(again), story_of_folder(again.folder, run.store)):
        assert {t.spec for t in story.facts.tasks if t.state == "pending"} == {"Half", "After"}
        assert [sorted(table.tasks) for table in story.tables] == [["Number"]]


def test_a_run_that_was_cut_off_is_told_from_its_events(run):
    """The manifest was not written again; what ran then is pending now."""
    folder = Path(run.folder)
    (log,) = folder.glob("events-*.jsonl")
    lines = log.read_text().splitlines()
    starts = [at for at, line in enumerate(lines) if json.loads(line)["event"] == "started"]
    cut = json.loads(lines[0]) | {"pid": 2**22 + 1, "boot_id": ""}
    log.write_text("\n".join([json.dumps(cut), *lines[1 : starts[2] + 1]]) + "\n")
    (folder / "manifest.json").unlink()
    states = [task.state for task in story_of_folder(folder).facts.tasks]
    assert states.count("finished") == 2
    assert states.count("pending") == len(states) - 2


def test_what_is_not_known_is_said(run, tmp_path):
    """Without a graph, a store or events there is still a page."""
    folder = tmp_path / "left"
    shutil.copytree(run.folder, folder)
    assert story_of_folder(folder).tables == ()
    (folder / GRAPH).unlink()
    story = story_of_folder(folder, run.store)
    assert story.facts is None
    assert story.notices == ("the folder of the run does not tell its graph",)
    nothing = story_of_folder(tmp_path / "nothing", run.store)
    assert len(nothing.notices) == 2
    again = flow().run(num_workers=1, results_store=run.store, force=None, exit_on_error=False)
    assert story_of(again).notices == ()


@pytest.mark.slow
def test_results_that_are_too_many_are_named(tmp_path):
    """The page stays small enough to be mailed."""
    specs = [
        TaskSpec(number, {"x": [*range(900)]}, name=f"Spec{at}", expand="product")
        for at in range(7)
    ]  # fmt: skip
    run = Flow(specs).run(num_workers=1, results_store=InMemoryStore())
    story = story_of(run)
    assert [sorted(each.tasks)[0] for each in story.tables] == [
        f"Spec{at}" for at in (6, 5, 4, 3, 2)
    ]
    assert story.notices[-1] == "without the results of Spec1, Spec0: they would be too many"


@pytest.mark.slow
def test_the_page_is_one_file_without_requests(run, tmp_path):
    """The elements of the page name no address; what users wrote is text."""
    pytest.importorskip("bokeh")
    from tests.flowlib.test_graph_page import Fetched

    path = run.report(tmp_path / "out.html")
    again = report_of_folder(run.folder, tmp_path / "again.html", run.store)
    for page in (path, again):
        text = page.read_text()
        found = Fetched()
        found.feed(text)
        assert found.addresses == []
        assert EVIL not in text
        assert f"run {run.name}</h1>" in text
        assert "2 tasks failed" in text or "of 10 tasks failed" in text
        assert len(text) < 2_500_000


def test_without_bokeh_it_is_said_how_to_get_it(run, tmp_path, monkeypatch):
    """The extra has a name."""
    monkeypatch.setitem(__import__("sys").modules, "bokeh.plotting", None)
    with pytest.raises(MissingExtra, match="a report needs Bokeh: pip install"):
        run.report(tmp_path / "out.html")


def test_a_run_of_which_nothing_is_known_has_a_page(run):
    """Nothing to draw is no error."""
    pytest.importorskip("bokeh")
    from flowlib.report_page import report_html

    story = replace(story_of(run), facts=GraphFacts((), ()), events=(), tables=())
    assert f"run {run.name}</h1>" in report_html(story)
