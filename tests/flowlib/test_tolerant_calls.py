"""Calls that take failures: by annotation or by option, of every kind, and never for good."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from flowlib import Failure, Flow, LocalFileStore, TaskFailed, TaskSpec, sh, unwrap
from flowlib.console_text import plain
from flowlib.document_text import document_of
from flowlib.record_story import record_story
from flowlib.record_story_lines import story_lines
from flowlib.signature import signature_of
from flowlib.signs import UNICODE_SIGNS
from tests.flowlib import tolerant_tasks as tasks


@pytest.fixture
def broken(tmp_path):
    """The file that says which numbers fail."""
    path = tmp_path / "broken"
    path.write_text("2")
    return path


def run(*specs, **options):
    return Flow(list(specs)).run(exit_on_error=False, **{"num_workers": 1, **options})


def result_of(spec, **options) -> Any:
    return run(spec, **options)[spec.name][0].unwrap()


def test_an_annotation_takes_failures_in_the_places_of_values(broken, place):
    """Also inside of lists and dicts, and written as text; the others get values as always."""
    parts = [tasks.part(n, str(broken)) for n in (1, 2, 3)]
    done = run(tasks.seen(parts), tasks.seen_at({"x": parts[1], "y": parts[2]}), **place)

    assert done["seen"][0].unwrap() == [1, "exception: 2 is broken", 3]
    assert done["seen_at"][0].unwrap() == ["x: True", "y: False"]
    assert done.counts == {"finished": 4, "failed": 1}


def test_without_an_annotation_failures_cut_short_what_follows(broken, place):
    """Link by link, until somebody takes them; each of them tells where it began."""
    end = tasks.one_more(tasks.one_more(tasks.part(2, str(broken))))
    done = run(tasks.or_zero(end), tasks.seen([end]), **place)

    assert done.counts == {"finished": 2, "failed": 1, "upstream_failed": 2}
    assert done["or_zero"][0].unwrap() == 0
    source = done["part"][0].address
    assert done["seen"][0].unwrap() == [f"upstream: {source} failed"]
    failures = [each.failure for each in done["one_more"]]
    assert [(each.kind, each.source) for each in failures] == [("upstream", source)] * 2


def test_an_option_says_the_same_and_is_stronger(broken):
    """`on_failure="pass"` takes failures without an annotation; "fail" takes none with one."""
    bad = tasks.part(2, str(broken))
    takes = run(tasks.seen([bad]).options(on_failure="fail"))
    assert takes.counts == {"failed": 1, "upstream_failed": 1}
    named = run(tasks.one_more(bad).options(on_failure="pass", retries=0))
    [failed] = named["one_more"]
    assert failed.error.type_ == "TypeError"  # a failure cannot be added to 1
    assert run(tasks.or_zero(bad).options(retries=1)).counts == {"finished": 1, "failed": 1}


def test_a_parameter_that_takes_none_gets_none(broken, place):
    """It is skipped as if nothing were annotated, and so is what reads from it."""
    bad, good = tasks.part(2, str(broken)), tasks.part(1, str(broken))
    strict, tolerant = tasks.mixed(good, bad), tasks.mixed(bad, good)
    done = run(tasks.seen([strict, tolerant]), **place)

    assert done["seen"][0].unwrap() == [f"upstream: {done['part'][1].address} failed", (True, 1)]
    assert done.counts == {"finished": 3, "failed": 1, "upstream_failed": 1}
    record = done.store.record(done["mixed"][0].address)
    assert record.latest.error.message == f"{done['part'][1].address} failed"


def test_promises_classes_and_specs_take_them_too(broken):
    """Wherever an annotation may stand."""
    bad = tasks.part(2, str(broken))
    assert result_of(tasks.lazily(bad)) == "exception"
    assert result_of(tasks.lazily(tasks.part(1))) == "value 1"
    assert result_of(tasks.Told.spec(bad, extra=bad)) == [True, True]
    gathers, reads = TaskSpec(tasks.gathered, reduce=True), TaskSpec(tasks.by_name)
    gathers.requires(bad)
    reads.requires(bad)
    assert result_of(gathers) == [True]
    assert result_of(reads) == "2 is broken"


def test_annotations_are_read_however_they_are_written():
    """And a value of another type is still refused, as without a failure in them."""

    def wants(a: Failure | int, b: list[Failure], c: "Failure|None", d: int, e: "Failures"): ...  # noqa: F821, UP037

    assert signature_of(wants, frozenset()).tolerant == {"a", "b", "c"}
    with pytest.raises(ValueError, match="or_zero.value is 'x' .str., but .* wants int"):
        tasks.or_zero("x")


def test_a_document_keeps_what_was_said_and_no_more():
    """An annotation says it again when the document is read."""
    silent, said = TaskSpec(tasks.by_name), TaskSpec(tasks.by_name, name="said", on_failure="pass")
    for each in (silent, said):
        each.requires(TaskSpec(tasks.part.fn, {"n": 1}, name=f"of_{each.name}"))
    document = document_of(Flow([silent, said]).graph)["specs"]
    assert ["on_failure" in document[name] for name in ("by_name", "said")] == [False, True]


@pytest.mark.parametrize(
    ("make", "options", "kind", "type_"),
    [
        (tasks.locked, {}, "unserialisable", "Unpicklable"),
        (tasks.killed, {}, "killed", "WorkerDied"),
        (tasks.left, {}, "lost", "WorkerDied"),
        (tasks.slow, {"timeout": 0.5}, "timeout", "Timeout"),
        (tasks.hungry, {}, "oom", "MemoryError"),
    ],
)
def test_every_kind_is_a_value(make, options, kind, type_, place):
    """At once, not never: who waits for a worker that was killed is told."""
    bad = make(1).options(**options)
    done = run(tasks.seen([bad]), **{**place, "num_workers": 2})

    failure = done[bad.name][0].failure
    assert (failure.kind, failure.type_, failure.task) == (kind, type_, bad.name)
    assert done["seen"][0].unwrap()[0].startswith(f"{kind}: ")
    assert failure.source == failure.address == done[bad.name][0].address


def test_a_missing_file_of_a_program_and_one_that_cannot_be_read(tmp_path):
    """What was not made is of the kind `output`; what is gone of the kind `input`."""
    program = sh([sys.executable, "-c", ""], out=["results.csv"])
    done = run(tasks.seen([program["results.csv"]]))
    assert done["seen"][0].unwrap()[0].startswith("output: ")

    store = LocalFileStore(tmp_path / "s", fsync=False)
    big = tasks.seen(["x" * 100_000])
    run(big, results_store=store)
    flow = Flow([tasks.seen([tasks.one_more(big[0])])])
    found = store.load_artifact
    gone = big.name

    def load(address, *args, **kwargs):
        if address.task == gone:
            (store.record_folder(address) or tmp_path).rename(tmp_path / "away")
        return found(address, *args, **kwargs)

    store.load_artifact = load
    done = flow.run(num_workers=1, results_store=store, exit_on_error=False)
    assert done["one_more"][0].failure.kind == "input"


def test_retries_name_the_new_kinds():
    """As they name the others."""
    done = run(tasks.locked(1).options(retries={"unserialisable": 1}))
    assert done.store.record(done["locked"][0].address).latest.number == 2
    once = run(tasks.locked(1).options(retries={"exception": 1}))
    assert once.store.record(once["locked"][0].address).latest.number == 1


def test_errors_are_never_cached(broken, place):
    """funsies kept them until they were reset: here the next run tries again by itself."""
    bad = tasks.one_more(tasks.part(2, str(broken)))
    assert run(bad, **place).counts == {"failed": 1, "upstream_failed": 1}
    broken.write_text("")
    done = run(bad, **place)

    assert (done.counts, done["one_more"][0].unwrap()) == ({"finished": 2}, 3)


def test_a_result_made_from_a_failure_is_none_when_there_is_a_value(broken, place):
    """Not in the next run, not for what reads it, not for another flow that reads the same."""
    end = tasks.one_more(tasks.or_zero(tasks.part(2, str(broken))))
    assert result_of(end, **place) == 1
    assert result_of(end, **place) == 1
    again = run(end, **place)
    assert again.counts == {"failed": 1, "finished": 2}  # the same as before: taken from the store
    attempts = [again.store.record(again[name][0].address) for name in ("or_zero", "one_more")]
    assert [each.latest.number for each in attempts] == [1, 1]

    broken.write_text("")
    assert result_of(tasks.part(2, str(broken)), **place) == 2  # mended by another flow
    plan = Flow([end]).plan(results_store=place["results_store"])
    assert {node.name: plan.reasons[node.key].value for node in plan.to_run} == {
        "or_zero": "upstream",
        "one_more": "upstream",
    }
    assert result_of(end, **place) == 3
    assert run(end, **place).counts == {"cached": 3}


def test_a_tolerant_call_has_the_key_of_one_that_is_not(broken):
    """What a task makes of failures is no part of the identity."""
    specs = [tasks.or_zero(tasks.part(1)).options(**o) for o in ({}, {"on_failure": "fail"})]
    assert len({Flow([each]).graph.by_spec["or_zero"][0].key for each in specs}) == 1


def test_unwrap_names_the_source(broken):
    """Of a result, of a failure, of what may be one; a value is what it is."""
    done = run(tasks.one_more(tasks.part(2, str(broken))), tasks.part(1, str(broken)))
    skipped, (fine, failed) = done["one_more"][0], done["part"]
    source = rf"part/{failed.address.key[:8]}"

    with pytest.raises(TaskFailed, match=rf"part-2 .{source}. failed: ValueError: 2 is") as caught:
        failed.unwrap()
    assert "in part" in caught.value.__notes__[0]
    with pytest.raises(TaskFailed, match=rf"one_more .* failed: UpstreamFailed: {source} failed"):
        skipped.unwrap()
    with pytest.raises(TaskFailed, match="2 is broken"):
        unwrap(failed.failure)
    assert (fine.unwrap(), fine.failure, unwrap([1])) == (1, None, [1])


def test_what_was_never_run_has_no_value(broken):
    """After a stop there is no failure, and no value either."""
    flow = Flow([tasks.part(2, str(broken)), tasks.part(1)])
    with pytest.raises(ValueError, match="2 is broken") as caught:
        flow.run(num_workers=1)
    assert caught.value
    done = Flow([tasks.part(2, str(broken)), tasks.part(1)]).run(
        num_workers=1, exit_on_error=False, max_failures=1
    )
    with pytest.raises(TaskFailed, match="part-2 has no value: it is pending"):
        done["part"][1].unwrap()


def test_reports_name_the_source(broken, tmp_path):
    """The summary at the end, and what `flowlib show` tells of a task that was skipped."""
    store = LocalFileStore(tmp_path / "s", fsync=False)
    done = run(tasks.one_more(tasks.part(2, str(broken))), results_store=store)
    summary = str(done)
    assert "ValueError: 2 is broken" in summary
    assert "1 task skipped because of it: one_more" in summary

    story = record_story(store, done["one_more"][0].address)
    shown = plain(story_lines(story, UNICODE_SIGNS, 0.0, is_long=False))
    assert f"UpstreamFailed: {done['part'][0].address} failed" in shown


def test_helpers_are_lines_of_python(broken):
    """Joining, cutting, looking, stopping, waiting for all, taking the first: nothing to import."""
    assert result_of(tasks.joined(["a", "b"])) == "ab"
    assert result_of(tasks.cut(["head", "x", "tail"])) == ["x"]
    assert result_of(tasks.matches(["x1", "y", "x2"], r"x\d")) == ["x1", "x2"]
    stopped = run(tasks.one_more(tasks.not_empty([])))
    assert stopped.counts == {"failed": 1, "upstream_failed": 1}
    bad, good = tasks.part(2, str(broken)), tasks.part(3, str(broken))
    assert result_of(tasks.after(good, tasks.part(1))) == 3
    assert run(tasks.after(good, bad))["after"][0].failure.kind == "upstream"
    assert result_of(tasks.first([bad, good])) == 3
