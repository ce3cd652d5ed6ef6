"""Tasks that return specs: the run goes on with them, and their results are its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, GraphError, InMemoryStore, LocalFileStore, TaskFailed, TaskSpec, growing
from flowlib.event_log import read_events
from flowlib.events import Grown, SpecTotal
from flowlib.grown import holds_specs
from flowlib.run_progress import RunProgress
from flowlib.stored_runs import stored_runs
from stores import TaskState
from tests.flowlib import growing_tasks as tasks


@pytest.fixture
def counter(tmp_path):
    """The file in which tasks note that they were computed."""
    path = tmp_path / "counter"
    path.write_text("")
    return path


@pytest.fixture
def broken(tmp_path):
    """The file that says which parts fail."""
    path = tmp_path / "broken"
    path.write_text("")
    return path


@pytest.fixture
def store(tmp_path):
    """A store in files."""
    return LocalFileStore(tmp_path / "s", fsync=False)


@pytest.fixture(params=["memory-1", "memory-2", "file-1", "file-2"])
def place(request, tmp_path):
    """A store, and how many workers."""
    kind, workers = request.param.split("-")
    store = InMemoryStore() if kind == "memory" else LocalFileStore(tmp_path / "s", fsync=False)
    return {"results_store": store, "num_workers": int(workers)}


def run(*specs, **options):
    return Flow(list(specs)).run(exit_on_error=False, **{"num_workers": 1, **options})


def value_of(spec, **options) -> Any:
    return run(spec, **options)[spec.name][0].unwrap()


def computed(counter: Path) -> list[str]:
    """What was computed since the last question, in order of the names."""
    words = sorted(counter.read_text().split())
    counter.write_text("")
    return words


def test_split_apply_combine(counter, place):
    """Nobody knows the parts before; what reads the result gets that of what was returned."""
    spec = tasks.after(tasks.split(tasks.load(4), str(counter)))
    done = run(spec, **place)

    assert done["after"][0].unwrap() == ["after", 0 + 1 + 4 + 9]
    assert done["split"][0].results == {"result": 14}
    assert done.counts == {"finished": 8}
    assert [each.unwrap() for each in done["square"]] == [0, 1, 4, 9]
    assert [each.task_unique_name for each in done["square"]] == [
        f"square-{n}" for n in (1, 2, 3, 4)
    ]
    words = [*[f"square{x}" for x in range(4)], "split", "total"]
    assert computed(counter) == sorted(words)


def test_a_second_run_skips_everything_and_knows_what_was_grown(counter, place):
    """Nothing is computed again, not even what returned the specs."""
    spec = tasks.after(tasks.split(tasks.load(4), str(counter)))
    first = run(spec, **place)
    computed(counter)
    again = run(spec, **place)

    assert again.counts == {"cached": 8}
    assert computed(counter) == []
    assert [each.unwrap() for each in again["square"]] == [0, 1, 4, 9]
    assert {r.address for r in again["square"]} == {r.address for r in first["square"]}
    plan = Flow([spec]).plan(results_store=place["results_store"])
    assert [row[:4] for row in plan.rows()] == [
        ("load", 1, 1, 0),
        ("split", 1, 1, 0),
        ("after", 1, 1, 0),
        ("square", 4, 4, 0),
        ("total", 1, 1, 0),
    ]


def test_keys_are_those_of_the_calls_wherever_they_are_made(store, counter):
    """What was computed outside counts inside, and the other way round."""
    assert value_of(tasks.square(2, str(counter)), results_store=store) == 4
    done = run(tasks.split(tasks.load(4), str(counter)), results_store=store)
    assert done.counts == {"finished": 6, "cached": 1}
    assert computed(counter).count("square2") == 1
    assert run(tasks.square(3, str(counter)), results_store=store).counts == {"cached": 1}


def test_specs_stand_in_lists_tuples_and_dicts_with_their_items(place):
    """What is no spec stays what it is."""
    assert value_of(tasks.parts([1, 2]), **place) == {
        "list": [1, 4],
        "pair": (1, 1),
        "nested": {"x": [14]},
        "n": 3,
    }


def test_specs_stand_in_dataclasses_too(place):
    """As in the arguments of calls."""
    found = value_of(tasks.dataclasses(2), **place)
    assert found == [tasks.Both(4), {"deep": tasks.Both([9], 6)}]


@pytest.mark.parametrize("spec", [tasks.set_of_specs(1), tasks.keys_of_specs(1)])
def test_specs_where_nothing_can_be_put_are_an_error(spec, store):
    """In place of a result that holds a spec in place of its value."""
    done = run(spec, results_store=store)
    assert "a set of specs, or a dict that has some as its keys" in str(done.exception)


def test_recursion_computes_everything_once(counter, place):
    """Tasks that have been grown grow, and share what they need."""
    spec = tasks.fibonacci(9, str(counter))
    assert value_of(spec, **place) == 34
    assert computed(counter) == [f"f{n}" for n in range(10)]
    again = run(spec, **place)
    assert set(again.counts) == {"cached"}
    assert (len(again["fibonacci"]), len(again["add"])) == (10, 8)


def test_classes_and_task_specs_grow(place):
    """A grid that depends on the data, and what gathers it; a spec of several tasks is a list."""
    search = TaskSpec(tasks.Search)
    search.requires(TaskSpec(tasks.make, {"count": 3}, name="data"))
    done = run(search, **place)
    found = done["Search"][0].results

    assert found == {"best": 0.2 * 3, "all": [{"score": 0.1 * 3}, {"score": 0.2 * 3}]}
    assert [each.config["lr"] for each in done["Train"]] == [0.1, 0.2]
    assert run(search, **place).counts == {"cached": 6}
    assert value_of(tasks.sweeps(3), **place) == [0, 1, 4]


def test_values_that_are_none_or_empty(place):
    """None is a value; an empty list holds no specs."""
    assert value_of(tasks.after(tasks.gives_nothing(1)), **place) == ["after", None]
    assert value_of(tasks.empty(0), **place) == []


def test_direct_results_grow_as_well(store, counter):
    """`spec.result()` is a run of its own."""
    spec = tasks.split([1, 2, 3], str(counter))
    assert spec.result(store) == 14
    assert computed(counter) == ["split", "square1", "square2", "square3", "total"]
    assert (spec.result(store), computed(counter)) == (14, [])


def test_a_failure_of_what_was_grown_is_told_and_the_alias_fails(counter, broken, place):
    """As upstream; the next run computes what failed and nothing else."""
    broken.write_text("2")
    spec = tasks.after(tasks.split(tasks.load(4), str(counter), str(broken)))
    done = run(spec, **place)

    assert done.counts == {"finished": 4, "failed": 1, "upstream_failed": 3}
    failed = done["square"][2]
    assert failed.error.message == "2 is broken"
    assert [done[name][0].failure.kind for name in ("total", "split", "after")] == ["upstream"] * 3
    assert done["split"][0].failure.source == failed.address
    with pytest.raises(TaskFailed, match=f"split .* failed: UpstreamFailed: {failed.address} fa"):
        done["split"][0].unwrap()
    record = place["results_store"].record(done["split"][0].address)
    assert record.latest.state is TaskState.UPSTREAM_FAILED
    computed(counter)

    again = run(spec, **place)
    assert (again.counts, computed(counter)) == (
        {"cached": 4, "failed": 1, "upstream_failed": 3},
        ["square2"],
    )
    broken.write_text("")
    mended = run(spec, **place)
    assert mended["after"][0].unwrap() == ["after", 14]
    assert computed(counter) == ["square2", "total"]


def test_a_worker_that_dies_fails_what_it_computed(broken, tmp_path):
    """At once, and with it what was to be made of that."""
    broken.write_text("kill1")
    done = run(tasks.split([0, 1], "", str(broken)), num_workers=2)
    assert done.counts == {"finished": 1, "killed": 1, "upstream_failed": 2}
    assert done["square"][1].failure.kind == "killed"


def test_what_was_grown_may_take_failures(broken, store):
    """Its result counts as one that lacks something, until there is more."""
    broken.write_text("3")
    spec = tasks.after(tasks.tolerant([1, 2, 3], str(broken)))
    assert value_of(spec, results_store=store) == ["after", 5]
    assert value_of(spec, results_store=store) == ["after", 5]
    broken.write_text("")
    assert value_of(spec, results_store=store) == ["after", 14]
    assert set(run(spec, results_store=store).counts) == {"cached"}


def test_a_run_that_was_cut_short_goes_on_with_what_had_grown(counter, broken, store):
    """What returned the specs has done its work: it does not run again."""
    broken.write_text("0")
    spec = tasks.split([0, 1, 2], str(counter), str(broken))
    with pytest.raises(ValueError, match="0 is broken"):
        Flow([spec]).run(num_workers=1, results_store=store)
    assert computed(counter) == ["split", "square0"]

    broken.write_text("")
    done = run(spec, results_store=store)
    assert (done["split"][0].unwrap(), done.counts) == (5, {"finished": 5})
    assert computed(counter) == ["square0", "square1", "square2", "total"]


def test_force_reaches_what_was_grown(counter, store):
    """By its name once it is known; with `+` all that a task returns as well."""
    spec = tasks.after(tasks.split(tasks.load(3), str(counter)))
    flow = Flow([spec])
    run(spec, results_store=store)
    computed(counter)

    plan = flow.plan(force="square", results_store=store)
    assert {(n.name, plan.reasons[n.key].value) for n in plan.to_run} == {("square", "force")}
    run(spec, results_store=store, force="square[x=2]+")
    assert computed(counter) == ["square2", "total"]
    run(spec, results_store=store, force="split")
    assert computed(counter) == ["split"]
    run(spec, results_store=store, force="split+")
    assert computed(counter) == ["split", "square0", "square1", "square2", "total"]
    run(spec, results_store=store, force="all")
    assert computed(counter) == ["split", "square0", "square1", "square2", "total"]
    assert run(spec, results_store=store).counts == {"cached": 7}


def test_selectors_reach_what_was_grown(counter, store):
    """`only` and `skip` by names that a flow knows from an earlier run."""
    spec = tasks.after(tasks.split(tasks.load(3), str(counter)))
    run(spec, results_store=store)
    store.delete_records("square*", keep_dependents=True)
    flow = Flow([spec])

    plan = flow.plan(only="square-2", results_store=store)
    assert [node.unique_name for node in plan.to_run] == ["square-2"]
    skipping = flow.plan(skip="square", results_store=store)
    assert skipping.to_run == []
    computed(counter)
    assert run(spec, results_store=store, only="square-2").counts == {"finished": 1}
    assert computed(counter) == ["square1"]
    with pytest.raises(ValueError, match="Did you mean square"):
        flow.plan(only="sqare", results_store=store)


def test_an_alias_follows_what_it_stands_for(store, counter, broken):
    """Whoever computes it again: its results are put together anew, and nothing else."""
    spec = tasks.split([1, 2], str(counter))
    run(spec, results_store=store)
    inner = tasks.total([tasks.square(1, str(counter)), tasks.square(2, str(counter))])
    run(inner, results_store=store, force="total")
    computed(counter)
    plan = Flow([spec]).plan(results_store=store)
    assert [(n.name, plan.reasons[n.key].value) for n in plan.to_run] == [("split", "growth")]
    done = run(spec, results_store=store)
    assert (done.counts, computed(counter)) == ({"cached": 3, "finished": 1}, [])


def test_the_plan_says_what_is_not_known_yet(store):
    """A task that says that it returns specs, or one that has done so and runs again."""
    flow = Flow([tasks.split(tasks.load(3))])
    before = flow.plan(results_store=store)
    assert before.unknown == ["split"]
    assert "2 + unknown" in str(before)
    assert "+ unknown: split may return more tasks when they have run" in str(before)
    run(tasks.split(tasks.load(3)), results_store=store)
    known = flow.plan(results_store=store)
    assert (known.unknown, "unknown" in str(known)) == ([], False)
    forced = flow.plan(force="split", results_store=store)
    assert forced.to_dict()["unknown"] == ["split"]
    assert [node.name for node in forced.graph] == ["load", "split"]


def test_events_and_counts_stay_right(store):
    """Totals grow with the run; who looks later sees the same."""
    seen = run(tasks.split([1, 2, 3]), results_store=store)
    progress = RunProgress()
    events = list(read_events(Path(seen.folder)))
    for event in events:
        progress.note(event)
    [grown] = [each for each in events if isinstance(each, Grown)]

    assert grown.specs == (SpecTotal("square", 3, 0), SpecTotal("total", 1, 0))
    assert (progress.total, progress.ended, progress.count("finished")) == (5, 5, 5)
    assert {name: spec.total for name, spec in progress.specs.items()} == {
        "split": 1,
        "square": 3,
        "total": 1,
    }
    [stored] = stored_runs(store)
    assert (stored.state, stored.total, stored.counts) == ("finished", 5, {"finished": 5})
    assert "5 tasks finished" in str(seen)


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        (tasks.itself(1), "the result of itself is needed for itself: itself -> itself"),
        (tasks.reader_of(1), "reader_of -> after -> reader_of"),
        (tasks.both(2), "returns specs, but has saved mine as well"),
        (tasks.demanding(1), 'cannot end a running task, .* use executor="processes"'),
        (tasks.clash(1), "two tasks are called 'square'"),
    ],
)
def test_specs_that_do_not_fit_fail_their_task(spec, match, store):
    """With what is wrong; nothing hangs, and the next run tries again."""
    done = run(spec, tasks.square(5), results_store=store)
    [failed] = done.failed
    assert failed.task_name == spec.name
    with pytest.raises(TaskFailed, match=match):
        failed.unwrap()
    assert done.counts == {"finished": 1, "failed": 1}
    again = Flow([spec]).plan(results_store=store)
    assert [again.reasons[node.key].value for node in again.to_run] == ["failed"]


def test_a_depth_without_an_end_is_an_error(monkeypatch, store):
    """Each level is a task of its own; there are only so many."""
    monkeypatch.setattr(growing, "MOST_LEVELS", 5)
    done = run(tasks.for_ever(0), results_store=store)
    assert done.counts == {"failed": 1, "upstream_failed": 5}
    with pytest.raises(GraphError, match="over 5 levels, .* is there an end"):
        done.raise_for_failures()


def test_what_this_run_can_do_is_done():
    """Processes can end a task that has a timeout."""
    assert value_of(tasks.demanding(3), num_workers=2) == 9


def test_a_driver_takes_what_another_has_grown(store, counter):
    """Its worker finds the specs and does not call the task again."""
    spec = tasks.split([1, 2], str(counter))
    flow, other = Flow([spec]), Flow([spec])
    statuses = store.statuses

    def late(addresses):
        """Our plan is made; then the other driver is quicker, but stops at a failure."""
        store.statuses = statuses
        found = statuses(addresses)
        other.run(num_workers=1, results_store=store, only="split", max_failures=1)
        store.statuses = statuses
        return found

    store.statuses = late
    done = flow.run(num_workers=1, results_store=store)
    assert done["split"][0].unwrap() == 5
    assert computed(counter).count("split") == 1


def test_many_tasks_at_once(store):
    """A wide fan is grown in one go."""
    assert value_of(tasks.many(300), results_store=store) == [x * x for x in range(300)]
    assert run(tasks.many(300), results_store=store).counts == {"cached": 301}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (tasks.square(1), True),
        (tasks.pair(1)["double"], True),
        ([1, {"a": (tasks.square(1),)}], True),
        ([1, "a", None, {"a": [1.0]}], False),
        ({}, False),
        ("text", False),
        (tasks.square, False),
    ],
)
def test_what_holds_specs(value, expected):
    """At any depth of lists, tuples and dicts, and nowhere else."""
    assert holds_specs(value) is expected
    circle: list[Any] = [value]
    circle.append(circle)
    assert holds_specs(circle) is expected
