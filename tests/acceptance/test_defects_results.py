"""Does flowlib have the wrong or stale results that fluidml had? (D2-D10 of the parity page)"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, Task, TaskSpec
from stores import InMemoryStore, LocalFileStore, ResultsStore
from tests.acceptance import tasks
from tests.acceptance.tasks import counted, noted


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where tasks note that they ran."""
    return tmp_path / "log"


@pytest.fixture
def store(tmp_path: Path) -> LocalFileStore:
    """A file store."""
    return LocalFileStore(str(tmp_path / "store"))


def logged(task: type[Task], log: Path, **options: Any) -> TaskSpec:
    """A spec whose nodes note in `log` that they ran."""
    return TaskSpec(task, additional_kwargs={"log": str(log)}, **options)


def run(specs: list[TaskSpec], store: ResultsStore, **options: Any) -> Any:
    """Run the specs inline unless `num_workers` says otherwise."""
    return Flow(specs).run(results_store=store, **{"num_workers": 1, **options})


def results(run: Any, name: str) -> list[Any]:
    """The results of all nodes of one spec."""
    return [each.results for each in run[name]]


@pytest.mark.parametrize("order", ["reduce first", "reduce last"])
def test_d02_order_of_requires_after_a_reduce_does_not_matter(
    order: str, store: LocalFileStore
) -> None:
    """Each node behind a reduce and its source has its own identity and its own value."""
    number = TaskSpec(tasks.Number, config={"x": [1, 2]}, expand="product")
    gather, mixed = TaskSpec(tasks.Gather, reduce=True), TaskSpec(tasks.Mixed)
    gather.requires(number)
    mixed.requires(*([gather, number] if order == "reduce first" else [number, gather]))
    done = run([number, gather, mixed], store)
    assert results(done, "Mixed") == [{"seen": 1, "count": 2}, {"seen": 2, "count": 2}]


@pytest.mark.parametrize("workers", [1, 2])
def test_d03_additional_kwargs_take_any_object(workers: int, store: LocalFileStore) -> None:
    """Objects, functions and tuples arrive as they are, in every executor."""
    spec = TaskSpec(
        tasks.Kwargs,
        config={"x": [1, 2]},
        expand="product",
        additional_kwargs={"extra": tasks.Opaque(), "callback": tasks.double},
    )
    done = run([spec], store, num_workers=workers)
    assert [each["seen"] for each in results(done, "Kwargs")] == [
        {"x": 1, "extra": "Opaque", "called": 2},
        {"x": 2, "extra": "Opaque", "called": 4},
    ]


def test_d03_additional_kwargs_are_no_part_of_the_identity(store: LocalFileStore) -> None:
    """Another extra object is the same task: its result is used, a tuple stays a tuple."""
    for extra in ((1, 2), [3]):
        spec = TaskSpec(tasks.Kwargs, config={"x": 1}, additional_kwargs={"extra": extra})
        done = run([spec], store)
        assert results(done, "Kwargs")[0]["seen"]["extra"] == "tuple"


def test_d04_two_specs_of_one_name_are_an_error() -> None:
    """No task is lost silently; the message names the spec."""
    with pytest.raises(ValueError, match="Number"):
        Flow([TaskSpec(tasks.Number, {"x": 1}), TaskSpec(tasks.Number, {"x": 2})])


def test_d04_name_of_a_node_is_no_name_for_a_spec() -> None:
    """`A-1` beside an expanded `A` would be ambiguous."""
    swept = TaskSpec(tasks.Number, {"x": [1, 2]}, expand="product", name="A")
    with pytest.raises(ValueError, match="A-1"):
        Flow([swept, TaskSpec(tasks.Number, {"x": 7}, name="A-1")])


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_d05_more_upstream_is_another_task(kind: str, tmp_path: Path, log: Path) -> None:
    """A result stored without predecessors is no hit for the same task behind one."""
    store = LocalFileStore(str(tmp_path / "s")) if kind == "file" else InMemoryStore()
    alone = logged(tasks.Anything, log, name="N")
    run([alone], store)
    behind = TaskSpec(tasks.OptionalInput, name="N")
    number = TaskSpec(tasks.Number, {"x": 5})
    behind.requires(number)
    done = run([number, behind], store)
    assert results(done, "N") == [{"total": 5}]


def test_d05_numbers_of_other_types_are_other_configs(store: LocalFileStore, log: Path) -> None:
    """1, 1.0, True are three tasks, and each gets its own value."""
    spec = logged(tasks.Number, log, config={"x": [1, 1.0, True]}, expand="product")
    done = run([spec], store)
    values = [each["value"] for each in results(done, "Number")]
    assert [type(value) for value in values] == [int, float, bool]
    assert len(noted(log)) == 3


def test_d05_stray_folders_match_nothing(store: LocalFileStore, log: Path, tmp_path: Path) -> None:
    """A folder that no record names does not exist for readers."""
    stray = tmp_path / "store" / "Number" / "run-000"
    stray.mkdir(parents=True)
    (stray / "config.json").write_text("{}")
    spec = logged(tasks.Number, log, config={"x": 3})
    assert results(run([spec], store), "Number") == [{"value": 3}]
    assert noted(log) == ["Number"]
    assert (stray / "config.json").read_text() == "{}"
    assert [path.name for path in stray.iterdir()] == ["config.json"]


def test_d06_reduce_is_identified_by_its_members(store: LocalFileStore) -> None:
    """A product of 4 and a zip of 2 with the same merged config are two reduces."""
    seen = []
    for expand in ("product", "zip"):
        source = TaskSpec(tasks.Anything, {"x": [1, 2], "y": [1, 2]}, expand=expand, name="E")
        reduce = TaskSpec(tasks.plain_reduce, name="R", reduce=True)
        relay = TaskSpec(_relay, name="P")
        relay.requires(source)
        reduce.requires(relay)
        seen.append(results(run([source, relay, reduce], store), "R")[0]["products"])
    assert seen == [[(1, 1), (1, 2), (2, 1), (2, 2)], [(1, 1), (2, 2)]]


def _relay(out: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {"product": (out["x"], out["y"])}


def test_d06_dict_choices_are_not_merged_into_one_identity(store: LocalFileStore) -> None:
    """Sweeping p beside a constant q is not a sweep over {p} and {q}."""
    sizes = []
    for choices in ([{"p": 1}, {"q": 2}, {"p": 3}], [{"p": 1, "q": 2}, {"p": 3, "q": 2}]):
        source = TaskSpec(tasks.Number, {"x": choices}, expand="product")
        gather = TaskSpec(tasks.Gather, reduce=True)
        gather.requires(source)
        sizes.append(len(results(run([source, gather], store), "Gather")[0]["gathered"]))
    assert sizes == [3, 2]


def test_d06_order_of_a_sweep_recomputes_nothing(store: LocalFileStore, log: Path) -> None:
    """The members are a set: [2, 1] finds what [1, 2] has stored."""
    for values in ([1, 2], [2, 1]):
        source = logged(tasks.Number, log, config={"x": values}, expand="product")
        gather = logged(tasks.Gather, log, reduce=True)
        gather.requires(source)
        run([source, gather], store)
    assert counted(log) == {"Number-1": 1, "Number-2": 1, "Gather": 1}


def test_d07_plan_names_successors_that_are_older_than_their_input(
    store: LocalFileStore, tmp_path: Path, log: Path
) -> None:
    """Force without `+` leaves successors alone, and the plan says that they are older."""
    text = tmp_path / "text"
    text.write_text("one")
    source = logged(tasks.ReadsFile, log, config={"path": str(text)})
    after = logged(tasks.Shouts, log)
    after.requires(source)
    flow = Flow([source, after])
    flow.run(num_workers=1, results_store=store)
    text.write_text("two")
    done = flow.run(num_workers=1, results_store=store, force="ReadsFile", return_results="all")
    assert results(done, "ReadsFile") == [{"value": "two"}]
    assert results(done, "Shouts") == [{"loud": "ONE"}]
    assert "  older   than their input, but cached: Shouts\n" in str(done)
    plan = flow.plan(results_store=store)
    assert plan.to_run == []
    assert "Shouts" in str(plan)
    assert "older" in str(plan)


@pytest.mark.parametrize("workers", [1, 2])
def test_d08_forced_diamond_waits_for_both_sides(
    workers: int, store: LocalFileStore, log: Path
) -> None:
    """`B+` with a slow B: D starts when both of its inputs are there, and every count is right."""
    a = TaskSpec(tasks.Number, {"x": 1}, name="A")
    extra = {"log": str(log), "pause_s": 0.3}
    b = TaskSpec(tasks.Left, {"y": 1}, additional_kwargs=extra, name="B")
    c = logged(tasks.Right, log, config={"z": 2}, name="C")
    d = logged(tasks.Both, log, name="D")
    b.requires(a)
    c.requires(a)
    d.requires(b, c)
    flow = Flow([a, b, c, d])
    flow.run(num_workers=workers, results_store=store)
    done = flow.run(num_workers=workers, results_store=store, force="B+", return_results="all")
    assert results(done, "D") == [{"both": [2, 3]}]
    assert counted(log) == {"B": 2, "C": 1, "D": 2}
    assert (done.counts["finished"], done.counts["cached"]) == (2, 2)


def big(store: LocalFileStore, log: Path, **options: Any) -> Any:
    """Run a task whose artifact is a file of its own, and one that reads it."""
    source = logged(tasks.Number, log, config={"x": "v" * 50_000})
    after = TaskSpec(tasks.OptionalInput, {"x": 0}, name="Unused")
    return Flow([source, after]).run(num_workers=1, results_store=store, **options)


def artifact_file(tmp_path: Path) -> Path:
    """The one artifact, which is too large to live in its record."""
    (file,) = (tmp_path / "store" / "Number").glob("*/1/*")
    return file


def test_d09_deleted_artifact_is_computed_again(
    store: LocalFileStore, log: Path, tmp_path: Path
) -> None:
    """A finished record whose artifact is gone is no result."""
    big(store, log)
    artifact_file(tmp_path).unlink()
    done = big(store, log, return_results="all")
    assert noted(log) == ["Number", "Number"]
    assert results(done, "Number") == [{"value": "v" * 50_000}]


def test_d09_truncated_artifact_is_computed_again(
    store: LocalFileStore, log: Path, tmp_path: Path
) -> None:
    """Neither is one whose artifact has another size."""
    big(store, log)
    file = artifact_file(tmp_path)
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:100])
    done = big(store, log, return_results="all")
    assert noted(log) == ["Number", "Number"]
    assert results(done, "Number") == [{"value": "v" * 50_000}]


def test_d09_artifact_that_cannot_be_written_leaves_nothing(
    store: LocalFileStore, tmp_path: Path
) -> None:
    """Half an artifact never counts, and the next run repairs it."""
    stop = tmp_path / "stop"
    stop.touch()
    spec = TaskSpec(tasks.SavesUnserialisable, {}, additional_kwargs={"while_exists": str(stop)})
    done = run([spec], store, exit_on_error=False)
    assert results(done, "SavesUnserialisable") == [None]
    assert list((tmp_path / "store" / "SavesUnserialisable").glob("*/*/*")) == []  # no half file
    stop.unlink()
    assert results(run([spec], store), "SavesUnserialisable") == [{"value": {"a": 1}}]


def test_d09_partial_results_of_a_failed_attempt_do_not_survive(
    store: LocalFileStore, tmp_path: Path
) -> None:
    """What a failed attempt saved is no part of the later success."""
    stop = tmp_path / "stop"
    stop.touch()
    spec = TaskSpec(tasks.Failing, {"x": 1}, additional_kwargs={"while_exists": str(stop)})
    done = run([spec], store, exit_on_error=False)
    assert results(done, "Failing") == [None]
    stop.unlink()
    assert results(run([spec], store), "Failing") == [{"value": 1}]


@pytest.mark.parametrize("workers", [1, 2])
def test_d10_failed_forced_run_keeps_the_result_before_it(
    workers: int, store: LocalFileStore, tmp_path: Path, log: Path
) -> None:
    """The old success still counts: the next run uses it."""
    text = tmp_path / "text"
    text.write_text("good")
    spec = logged(tasks.ReadsFile, log, config={"path": str(text)})
    run([spec], store)
    text.write_text("fail")
    options: dict[str, Any] = {"num_workers": workers, "exit_on_error": False}
    forced = run([spec], store, force="all", **options)
    assert not forced.ok
    after = run([spec], store)
    assert results(after, "ReadsFile") == [{"value": "good"}]
    assert noted(log) == ["ReadsFile", "ReadsFile"]


def test_record_is_readable_json(store: LocalFileStore, tmp_path: Path) -> None:
    """The record is the commit: JSON that names state, config and artifacts."""
    run([TaskSpec(tasks.Number, {"x": 3})], store)
    (record,) = (tmp_path / "store" / "Number").glob("*.json")
    assert len(record.stem) == 32
    assert "finished" in json.dumps(json.loads(record.read_text()))
