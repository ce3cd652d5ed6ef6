"""A plan as a table: counts, reasons with the nearest result, how long it takes, for whom."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from flowlib import Flow, TaskSpec
from flowlib.console_lines import width_of
from flowlib.console_text import plain
from flowlib.next_commands import RunCommand
from flowlib.signs import ASCII_SIGNS, UNICODE_SIGNS
from stores import InMemoryStore, LocalFileStore
from tests.flowlib.plan_cases import classifiers, put_results

HINT = "  flowlib why {id} explains one"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The results of the classifiers; the working directory is in no repository."""
    monkeypatch.chdir(tmp_path)
    found = InMemoryStore()
    put_results(found, classifiers(), "Select")
    return found


def key(flow, unique_name):
    return next(str(node.address) for node in flow.graph if node.unique_name == unique_name)


def test_the_table_of_an_edited_and_forced_flow(store):
    """What is new with the nearest result, what is forced, what follows, and how long it takes."""
    flow = classifiers((1, 3), (0.001, 0.0001))
    flow.command = RunCommand(("flowlib", "run", "x.yaml", "train.lr=1e-3,1e-4"))
    plan = flow.plan(results_store=store, force="Glove-1+", num_workers=4)
    lines = plan.lines(hint="flowlib why {id} explains one, drop --dry-run to go")
    nearest = key(classifiers(), "Tfidf-2")

    assert plain(lines).splitlines() == [
        "Plan x.yaml + train.lr=1e-3,1e-4   store in memory",
        "  spec    tasks  cached  run  why                                          est.",
        " ──────────────────────────────────────────────────────────────────────────────",
        "  Fetch       1       1",
        "  Clean       1       1",
        f"  Tfidf       2       1    1  new (nearest {nearest}: min_df 5 → 3)   0:40",
        "  Glove       2       1    1  force                                        0:20",
        "  Train       8       1    7  new ×6  upstream Glove                      22:52",
        "  Eval        8       1    7  new ×6  upstream Train                       1:52",
        "  Select      1            1  new                                             ?",
        "  total      23       6   17                               >6:26 with 4 workers",
        f"  flowlib why {key(flow, 'Tfidf-2')} explains one, drop --dry-run to go",
    ]
    assert plan.estimate_s == (40 + 20 + 7 * 196 + 7 * 16) / 4


def test_the_time_is_never_less_than_that_of_the_longest_chain(store):
    """Graham's bound: the work shared by the workers, or what has to run one after the other."""
    flow = classifiers()
    one = flow.plan(results_store=store, force="all", num_workers=1, skip="Select")
    many = flow.plan(results_store=store, force="all", num_workers=50, skip="Select")

    assert one.estimate_s == 4 + 10 + 2 * 40 + 2 * 20 + 4 * 196 + 4 * 16
    assert many.estimate_s == 4 + 10 + 40 + 196 + 16
    assert str(one).splitlines()[-3].endswith("~16:22 with 1 worker")
    assert flow.plan(results_store=store, only="Select").estimate_s is None
    assert flow.plan(results_store=store, skip="Select").estimate_s == 0


def test_a_plan_without_work_says_so(store):
    """No estimate, no task to explain."""
    flow = classifiers()
    lines = str(flow.plan(results_store=store, skip="Select")).splitlines()

    assert lines[-3:] == [
        "  total     14      14",
        "  note: 1 of 15 tasks is left out",
        "  nothing is to be run",
    ]
    assert repr(flow.plan(results_store=store)) == str(flow.plan(results_store=store))


def test_estimates_come_from_earlier_records_where_the_flow_has_no_results(store):
    """The mean of the records of the task; nobody knows it of a task that never ran."""
    flow = classifiers((7, 9))
    rows = {
        line.split()[0]: line.split()[-1]
        for line in str(flow.plan(results_store=store)).splitlines()[3:10]
    }

    assert rows["Tfidf"] == "1:20"
    assert rows["Train"] == "13:04"
    assert rows["Select"] == "?"


def test_the_tasks_one_by_one(store):
    """State, what varies, id, reason with the nearest result, how long it takes."""
    flow = classifiers((1, 3))
    plan = flow.plan(results_store=store, only=["Tfidf", "Fetch"])
    ids = [key(flow, name) for name in ("Fetch", "Tfidf-1", "Tfidf-2")]
    nearest = key(classifiers(), "Tfidf-2")

    assert plan.tasks_text().splitlines() == [
        f" ≡ Fetch           {ids[0]}  cached",
        f" ≡ Tfidf min_df=1  {ids[1]}  cached",
        f" ◌ Tfidf min_df=3  {ids[2]}  new (nearest {nearest}: min_df 5 → 3)  0:40",
    ]


@pytest.mark.parametrize("width", [30, 40, 60, 70, 80, 200])
@pytest.mark.parametrize("signs", [UNICODE_SIGNS, ASCII_SIGNS], ids=["unicode", "ascii"])
def test_no_line_is_wider_than_the_terminal(store, width, signs):
    """Reasons are cut, hints wrapped; from 60 cells on the estimates are whole."""
    flow = classifiers((1, 3), (0.001, 0.0001))
    plan = flow.plan(results_store=store, force="Glove-1+", num_workers=4)
    lines = plan.lines(signs, width=width)
    texts = plain(lines).splitlines()

    assert all(width_of(line) <= width for line in lines)
    if width >= 60:
        assert texts[8].endswith(" 1:52")
        assert texts[10].endswith(" >6:26 with 4 workers")
        assert texts[1].endswith(" est.")
    if signs is ASCII_SIGNS:
        assert plain(lines).isascii()
        assert width < 60 or "new x6" in texts[7]


def test_colours_and_names_of_users(store):
    """Colours never stand alone; what could move the cursor is told, not sent."""
    spec = TaskSpec(lambda: None, name="spec\x1b[31m×")
    table = plain(Flow([spec]).plan(results_store=store).lines(ASCII_SIGNS))
    assert "spec\\x1b[31mx" in table
    coloured = classifiers().plan(results_store=store, force="Train").lines(UNICODE_SIGNS)
    styles = {span.style for line in coloured for span in line}
    assert {"cyan", "yellow", "dim", "bold"} <= styles


def test_the_page_is_static_and_escaped(store):
    """A table without scripts, as wide as its words."""
    spec = TaskSpec(lambda: None, name="<script>alert(1)</script>")
    page = Flow([spec]).plan(results_store=store)._repr_html_()

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert len(page) < 50_000
    assert page.count("<tr>") == 3
    assert "<div>Plan   store in memory\n</div>" in page


def test_the_document_of_a_plan(store):
    """Plain values for JSON: totals, specs, every node, in the words of docs/plan.md."""
    flow = classifiers((1, 3))
    plan = flow.plan(results_store=store, only=["Tfidf", "Fetch"], num_workers=3)
    document = json.loads(json.dumps(plan.to_dict()))
    specs = {each["name"]: each for each in document.pop("specs")}
    nodes = {each["unique_name"]: each for each in document.pop("nodes")}

    told = {
        "title": "",
        "store": repr(store),
        "tasks": 3,
        "cached": 2,
        "run": 1,
        "left_out": 12,
        "workers": 3,
        "estimate_s": 40.0,
        "work_s": 40.0,
        "is_estimate_complete": True,
        "stale": [],
        "notes": [],
    }
    assert told == {name: document[name] for name in told}
    assert specs["Tfidf"] == {
        "name": "Tfidf",
        "tasks": 2,
        "cached": 1,
        "run": 1,
        "left_out": 0,
        "reasons": {"new": 1},
        "mean_s": 40.0,
        "estimate_s": 40.0,
    }
    assert specs["Train"]["left_out"] == 4
    assert nodes["Tfidf-2"] == {
        "id": key(flow, "Tfidf-2"),
        "key": next(n.key for n in flow.graph if n.unique_name == "Tfidf-2"),
        "spec": "Tfidf",
        "unique_name": "Tfidf-2",
        "label": "min_df=3",
        "state": "pending",
        "reason": "new",
        "estimate_s": 40.0,
    }
    assert nodes["Fetch"]["state"] == "cached"
    assert nodes["Select"]["state"] == "left_out"
    assert len(nodes) == 15


class Counting(LocalFileStore):
    """Counts what a plan asks for."""

    asked: dict[str, int]

    def record(self, address):
        self.asked["record"] = self.asked.get("record", 0) + 1
        return super().record(address)

    def statuses(self, addresses):
        self.asked["statuses"] = self.asked.get("statuses", 0) + 1
        return super().statuses(addresses)


def small(x=0):
    return {"y": x}


def wide(count, version=None):
    spec = TaskSpec(small, {"x": list(range(count))}, expand="product", version=version)
    return Flow([spec])


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """A store with 1,000 results."""
    folder = tmp_path_factory.mktemp("store")
    wide(1_000).run(num_workers=1, results_store=LocalFileStore(folder), progress=None)
    return folder


@pytest.mark.parametrize(
    ("flow", "asked", "shown"),
    [
        (wide(1_000), {"statuses": 1}, {"statuses": 1}),
        (wide(1_001), {"statuses": 1}, {"statuses": 1, "record": 201}),
        (wide(3_000), {"statuses": 1}, {"statuses": 1, "record": 201}),
        (wide(1_000, version=1), {"statuses": 2}, {"statuses": 2, "record": 201}),
        (wide(1_000, version="b"), {"statuses": 2, "record": 201}, {"statuses": 2, "record": 201}),
    ],
    ids=["cached", "one new", "many new", "another number", "another word"],
)  # fmt: skip
def test_the_store_is_asked_for_little(thousand, flow, asked, shown):
    """One look for the plan; a bounded number of records, and only if the text is wanted."""
    store = Counting(thousand)
    store.asked = {}
    plan = flow.plan(results_store=store)
    assert store.asked == asked
    assert str(plan)
    assert plan.tasks_text()
    assert store.asked == shown


def test_a_cached_plan_opens_the_index_alone_and_loads_no_machinery(thousand):
    """One file of the store for 1,000 tasks, and nothing that only texts need."""
    code = f"""
import sys
from flowlib import Flow, TaskSpec
from stores import LocalFileStore
def small(x=0): return {{"y": x}}
flow = Flow([TaskSpec(small, {{"x": list(range(1000))}}, expand="product")])
opened = []
sys.addaudithook(lambda name, args: name == "open" and opened.append(str(args[0])))
assert flow.plan(results_store=LocalFileStore({str(thousand)!r})).to_run == []
print([m for m in ("rich", "numpy", "networkx", "pydantic", "flowlib.explanation", "flowlib.plan_table", "asyncio") if m in sys.modules])
print(sum({str(thousand)!r} in path for path in opened))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, opened = done.stdout.splitlines()
    assert modules == "[]"
    assert int(opened) <= 2, "the marker of the store, and the index"
