"""Failures as values: what a task gets, and what its result is worth later."""

from __future__ import annotations

import pickle

import pytest

from flowlib import Failure, Flow, TaskFailed, TaskSpec
from stores import Address, InMemoryStore, LocalFileStore, TaskState
from tests.flowlib import failure_tasks as tasks


@pytest.fixture
def broken(tmp_path):
    """The file that says which numbers fail."""
    path = tmp_path / "broken"
    path.write_text("")
    return path


def members(broken, count=4) -> TaskSpec:
    kwargs = {"additional_kwargs": {"broken": str(broken)}}
    return TaskSpec(tasks.fragile, {"n": list(range(count))}, expand="product", **kwargs)


def reduced(task, source, **options) -> TaskSpec:
    spec = TaskSpec(task, reduce=True, **options)
    spec.requires(source)
    return spec


def run(*specs, **options):
    return Flow(list(specs)).run(exit_on_error=False, **{"num_workers": 1, **options})


def test_without_a_word_a_failed_member_fails_the_reduce(broken):
    """It is skipped, recorded as upstream_failed, and counted."""
    broken.write_text("2")
    store = InMemoryStore()
    done = run(reduced(tasks.total, members(broken)), results_store=store)

    assert done.counts == {"finished": 3, "failed": 1, "upstream_failed": 1}
    assert [each.task_unique_name for each in done.failed] == ["fragile-3"]
    record = store.record(done["total"][0].address)
    assert record.latest.state is TaskState.UPSTREAM_FAILED
    assert record.latest.error.message == f"{done.failed[0].address} failed"


def test_skip_gathers_those_that_succeeded(broken, place):
    """The record names the members that were read, and no others."""
    broken.write_text("0 2")
    done = run(reduced(tasks.total, members(broken), on_failure="skip"), **place)
    (mean,) = done["total"]

    assert mean.results == {"total": 1 + 3, "members": 2}
    assert done.counts == {"finished": 3, "failed": 2}
    read = done.store.record(mean.address).latest.inputs
    assert [each.address for each in read] == [done["fragile"][n].address for n in (1, 3)]


def test_pass_gives_failures_in_the_places_of_the_values(broken, place):
    """In expansion order, with their configs, as values and as promises."""
    broken.write_text("0 2")
    done = run(reduced(tasks.told, members(broken), on_failure="pass"), **place)
    found = done["told"][0].results
    first = done["fragile"][0]

    texts = [f"failed: {each}" for each in found["failures"]]
    assert found["seen"] == [texts[0], 1, texts[1], 3]
    assert [each["fragile"]["n"] for each in found["configs"]] == [0, 1, 2, 3]
    assert found["lengths"] == [None, 1, None, 3]
    failure = found["failures"][0]
    assert (failure.kind, failure.task, failure.type_) == ("exception", "fragile-1", "ValueError")
    assert failure.message == "0 is broken and so are 8"
    assert failure.address == failure.source == first.address
    assert "in fragile" in failure.traceback


def test_failures_hold_text_and_no_values_of_variables(broken):
    """The password that the failing code held is in none of it."""
    broken.write_text("0")
    done = run(reduced(tasks.told, members(broken), on_failure="pass"))
    (failure,) = done["told"][0]["failures"]

    assert b"password" not in pickle.dumps(failure)
    assert "drowssap" not in failure.traceback


def test_what_was_skipped_is_a_failure_that_tells_its_source(broken):
    """A member that was never run, because something upstream of it failed."""
    broken.write_text("1")
    source = members(broken, 3)
    middle = TaskSpec(tasks.doubled)
    middle.requires(source)
    told = TaskSpec(tasks.told, {}, reduce=True, on_failure="pass")
    told.requires([middle, source])
    done = run(told)
    found = done["told"][0]["failures"]

    assert [(each.kind, each.task) for each in found] == [
        ("upstream", "doubled-2"),
        ("exception", "fragile-2"),
    ]
    assert found[0].source == found[1].address == done["fragile"][1].address
    assert found[0].message == f"{found[0].source} failed"
    assert done["told"][0]["seen"][:3:2] == [0, 4]


def test_a_killed_member_is_a_failure_of_its_kind(broken, place):
    """The kind tells what `retries=` could have named."""
    broken.write_text("kill-1")
    spec = reduced(tasks.told, members(broken, 3), on_failure="pass")
    done = run(spec, **{**place, "num_workers": 2})
    (failure,) = done["told"][0]["failures"]

    assert (failure.kind, failure.type_) == ("killed", "WorkerDied")
    assert done.counts == {"finished": 3, "killed": 1}


@pytest.mark.parametrize(
    ("min_ok", "is_run"), [(2, True), (3, False), (0.5, True), (0.51, False), (0, True)]
)
def test_min_ok_decides_how_many_are_enough(broken, min_ok, is_run):
    """Two of four have failed."""
    broken.write_text("0 2")
    done = run(reduced(tasks.total, members(broken), min_ok=min_ok))

    assert done["total"][0].results == ({"total": 4, "members": 2} if is_run else None)
    assert done.counts.get("upstream_failed", 0) == (0 if is_run else 1)


def test_a_reduce_of_nothing_gets_empty_lists_if_it_wants(broken):
    """`skip` needs one member, unless `min_ok=0` says otherwise."""
    broken.write_text("0 1")
    wants = reduced(tasks.total, members(broken, 2), on_failure="skip", min_ok=0)

    assert run(wants)["total"][0].results == {"total": 0, "members": 0}
    done = run(reduced(tasks.total, members(broken, 2), on_failure="skip"))
    assert done.counts == {"failed": 2, "upstream_failed": 1}


def test_a_result_of_survivors_is_never_taken_for_the_whole(broken, place):
    """When the member is mended, the reduce and what reads from it are computed again."""
    broken.write_text("2")
    source = members(broken)
    reduce = reduced(tasks.total, source, on_failure="skip")
    after = TaskSpec(tasks.after)
    after.requires(reduce)
    first = run(after, **place)
    assert (first["total"][0]["total"], first["after"][0]["next"]) == (4, 5)

    broken.write_text("")
    flow = Flow([after])
    plan = flow.plan(results_store=place["results_store"])
    assert [(n.name, plan.reasons[n.key].value) for n in plan.to_run] == [
        ("fragile", "failed"),
        ("total", "upstream"),
        ("after", "upstream"),
    ]
    assert plan.why("total").headline.endswith("would run: 1 of its inputs failed or lacked some")
    second = run(after, **place)

    assert (second["total"][0]["total"], second["after"][0]["next"]) == (6, 7)
    assert run(after, **place).counts == {"cached": 6}


def test_a_mended_member_counts_whoever_computed_it(broken, tmp_path):
    """The member is computed by another flow; then the reduce alone is out of date."""
    broken.write_text("2")
    store = LocalFileStore(tmp_path / "s", fsync=False)
    source = members(broken)
    reduce = reduced(tasks.total, source, on_failure="pass")
    strict = reduced(tasks.total, source)
    run(reduced(tasks.told, source, on_failure="skip"), results_store=store)
    broken.write_text("")
    assert run(members(broken), results_store=store).counts == {"cached": 3, "finished": 1}
    done = run(reduced(tasks.told, source), results_store=store)

    assert done.counts == {"cached": 4, "finished": 1}
    assert done["told"][0]["seen"] == [0, 1, 2, 3]
    assert {reduce.name, strict.name} == {"total"}


def test_what_was_computed_from_a_partial_result_is_out_of_date_with_it(broken, tmp_path):
    """Even if another flow has made the reduce whole meanwhile; and not before."""
    broken.write_text("2")
    store = LocalFileStore(tmp_path / "s", fsync=False)
    reduce = reduced(tasks.total, members(broken), on_failure="skip")
    after = TaskSpec(tasks.after)
    last = TaskSpec(tasks.last)
    after.requires(reduce)
    last.requires(after)
    attempts = []
    for _ in range(2):
        run(last, results_store=store)
        nodes = Flow([last]).graph
        attempts.append([store.record(node.address).latest.number for node in nodes])
    assert attempts == [[1, 1, 1, 1, 1, 1, 1], [1, 1, 2, 1, 1, 1, 1]]

    broken.write_text("")
    alone = reduced(tasks.total, members(broken))
    assert run(alone, results_store=store).counts == {"cached": 3, "finished": 2}
    done = run(last, results_store=store)
    assert done.counts == {"cached": 5, "finished": 2}
    assert (done["after"][0]["next"], done["last"][0]["end"]) == (7, 8)
    assert run(last, results_store=store).counts == {"cached": 7}


def test_members_that_fail_again_do_not_make_the_same_result_again(broken, tmp_path):
    """The reduce lacks what it lacked before: it is taken from the store."""
    counter = tmp_path / "computed"
    broken.write_text("2")
    store = LocalFileStore(tmp_path / "s", fsync=False)
    kwargs = {"counter": str(counter)}
    spec = reduced(tasks.total, members(broken), on_failure="skip", additional_kwargs=kwargs)
    run(spec, results_store=store)
    again = run(spec, results_store=store)

    assert counter.read_text() == "x"
    assert again.counts == {"cached": 3, "failed": 1, "finished": 1}
    broken.write_text("1 2")
    run(spec, results_store=store, force="fragile")
    assert counter.read_text() == "xx"
    run(spec, results_store=store, force="total")
    assert counter.read_text() == "xxx"


def test_another_drivers_partial_result_is_not_taken(broken, tmp_path):
    """It was made after our plan, but lacks a member that we have."""
    store = LocalFileStore(tmp_path / "s", fsync=False)
    source = members(broken)
    spec = reduced(tasks.total, source, on_failure="skip")
    run(source, results_store=store)
    flow = Flow([spec])
    makes_plan = store.statuses

    def statuses(addresses):
        """Our plan is made; then the other driver is quicker, with a member that fails."""
        found = makes_plan(addresses)
        if len(addresses) == 5:
            broken.write_text("2")
            del store.statuses
            run(spec, results_store=store, force="fragile")
            store.statuses = makes_plan
        return found

    store.statuses = statuses
    done = flow.run(results_store=store, num_workers=1)

    assert done["total"][0].results == {"total": 6, "members": 4}


def test_groups_of_a_reduce_tolerate_each_for_itself(caplog):
    """A group without failures is whole, and one that lacks too many is skipped."""
    config = {"a": ["x", "y", "z"], "b": [0, 1, 2]}
    kwargs = {"broken": ("x0", "y0", "y1")}
    source = TaskSpec(tasks.pair, config, expand="product", additional_kwargs=kwargs)
    spec = reduced(tasks.total, source, min_ok=2)
    spec.reduce = ["b"]
    with caplog.at_level("WARNING", logger="flowlib"):
        done = run(spec)

    assert [each.results and each["members"] for each in done["total"]] == [2, None, 3]
    lines = [each.message for each in caplog.records if "goes on" in each.message]
    assert lines == ["total-1 goes on without 1 of its 3 inputs"]
    facts = [done.store.record(each.address).latest.facts for each in done["total"]]
    assert ["without" in each for each in facts] == [True, True, False]


def test_a_task_that_is_no_reduce_gets_the_failure_as_its_value():
    """What nobody else has saved comes from the one that failed; defaults do not hide it."""
    spec = TaskSpec(tasks.either, on_failure="pass")
    spec.requires(TaskSpec(tasks.fails, name="value"), TaskSpec(tasks.gives_other))
    found = run(spec)["either"][0].results

    assert found["other"] == "fine"
    assert [found[name].task for name in ("value", "third")] == ["value", "value"]
    assert found["value"].type_ == "KeyError"


def test_a_failure_raises_when_its_value_is_asked_for():
    """`unwrap` is for those who cannot go on without."""
    address = Address("Train", "9a7a08b2" * 4)
    failure = Failure("timeout", "Train-3", address, "Timeout", "too long", "File …", address)
    with pytest.raises(
        TaskFailed, match="Train-3 .Train/9a7a08b2. failed: Timeout: too long"
    ) as caught:
        failure.unwrap()

    assert caught.value.__notes__ == ["File …"]
    assert pickle.loads(pickle.dumps(failure)) == failure
    with pytest.raises(AttributeError):
        failure.kind = "oom"


def test_tolerance_is_no_part_of_the_identity(broken):
    """The reduce has one key, whatever it makes of failures."""
    keys = {reduced_key(broken, on_failure) for on_failure in (None, "fail", "skip", "pass")}

    assert len(keys) == 1


def reduced_key(broken, on_failure) -> str:
    flow = Flow([reduced(tasks.total, members(broken), on_failure=on_failure)])
    return flow.graph.by_spec["total"][0].key
