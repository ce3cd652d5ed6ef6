"""Does Flow.run behave as the parity page describes? (its sections 6 and 3)"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, TaskResults, TaskSpec, TaskState
from stores import ArtifactDamaged, InMemoryStore, LocalFileStore
from tests.acceptance import tasks
from tests.acceptance.scripts import run_script
from tests.acceptance.tasks import counted, noted


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where tasks note that they ran."""
    return tmp_path / "log"


def chain(log: Path | None = None) -> Flow:
    """Number(x=1,2) -> Add(y=10) -> GatherTotals."""
    extra = {} if log is None else {"log": str(log)}
    number = TaskSpec(tasks.Number, {"x": [1, 2]}, extra, expand="product")
    add = TaskSpec(tasks.Add, {"y": 10}, extra)
    gather = TaskSpec(tasks.GatherTotals, {}, extra, reduce=True)
    add.requires(number)
    gather.requires(add)
    return Flow([number, add, gather])


@pytest.mark.parametrize("workers", [None, 1, 2, 3])
def test_results_do_not_depend_on_the_number_of_workers(workers: int | None) -> None:
    """The same nodes, order and values, inline or in processes."""
    run = chain().run(num_workers=workers, return_results="all")
    assert {name: [each.results for each in run[name]] for name in run} == {
        "Number": [{"value": 1}, {"value": 2}],
        "Add": [{"total": 11}, {"total": 12}],
        "GatherTotals": [{"totals": [11, 12]}],
    }


def test_results_carry_names_and_configs() -> None:
    """A mapping of names to TaskResults in expansion order."""
    run = chain().run(num_workers=1, return_results="all")
    second = run["Add"][1]
    assert isinstance(second, TaskResults)
    assert (second.task_name, second.task_unique_name) == ("Add", "Add-2")
    assert dict(second.unique_config) == {"Number": {"x": 2}, "Add": {"y": 10}}
    assert isinstance(run["Add"], Sequence)


@pytest.mark.parametrize(
    ("choice", "names"),
    [("all", {"Number", "Add", "GatherTotals"}), ("latest", {"GatherTotals"})],
)
def test_return_results_chooses_the_specs(choice: str, names: set[str]) -> None:
    """`all`, or those without successors."""
    run = chain().run(num_workers=1, return_results=choice)
    assert set(run) == names


def test_same_flow_may_run_again(tmp_path: Path, log: Path) -> None:
    """The second run uses what the first has stored."""
    flow, store = chain(log), LocalFileStore(str(tmp_path / "s"))
    first, second = (flow.run(num_workers=1, results_store=store) for _ in range(2))
    assert len(noted(log)) == 5
    assert first.counts["finished"] == 5
    assert second.counts["cached"] == 5


def test_fresh_memory_store_per_run(log: Path) -> None:
    """Without a store nothing is kept from one run to the next."""
    flow = chain(log)
    flow.run(num_workers=1)
    flow.run(num_workers=1)
    assert set(counted(log).values()) == {2}


def test_memory_store_is_shared_by_workers_and_runs(log: Path) -> None:
    """One InMemoryStore object keeps what processes computed."""
    flow, store = chain(log), InMemoryStore()
    flow.run(num_workers=2, results_store=store)
    run = flow.run(num_workers=2, results_store=store)
    assert run.counts["cached"] == 5
    assert set(counted(log).values()) == {1}


@pytest.mark.parametrize(
    ("force", "expected"),
    [
        ("all", {"Number-1": 2, "Number-2": 2, "Add-1": 2, "Add-2": 2, "GatherTotals": 2}),
        (["all"], {"Number-1": 2, "Number-2": 2, "Add-1": 2, "Add-2": 2, "GatherTotals": 2}),
        ("Add", {"Number-1": 1, "Number-2": 1, "Add-1": 2, "Add-2": 2, "GatherTotals": 1}),
        ("Add+", {"Number-1": 1, "Number-2": 1, "Add-1": 2, "Add-2": 2, "GatherTotals": 2}),
        (
            ["Add", "Number"],
            {"Number-1": 2, "Number-2": 2, "Add-1": 2, "Add-2": 2, "GatherTotals": 1},
        ),
    ],
    ids=str,
)
def test_force_runs_exactly_what_it_names(
    force: Any, expected: dict[str, int], tmp_path: Path, log: Path
) -> None:
    """A name, a name with its successors, a list, all; once, not for ever."""
    flow, store = chain(log), LocalFileStore(str(tmp_path / "s"))
    flow.run(num_workers=1, results_store=store)
    flow.run(num_workers=1, results_store=store, force=force)
    assert counted(log) == expected
    flow.run(num_workers=1, results_store=store)
    assert counted(log) == expected


def test_plan_tells_what_would_run(tmp_path: Path) -> None:
    """Nothing is run or written by a plan."""
    flow, store = chain(), LocalFileStore(str(tmp_path / "s"))
    fresh = flow.plan(results_store=store)
    assert ([node.unique_name for node in fresh.to_run], fresh.cached) == (
        ["Number-1", "Number-2", "Add-1", "Add-2", "GatherTotals"],
        [],
    )
    flow.run(num_workers=1, results_store=store)
    forced = flow.plan(force="Add+", results_store=store)
    assert [node.name for node in forced.to_run] == ["Add", "Add", "GatherTotals"]
    assert [node.unique_name for node in forced.cached] == ["Number-1", "Number-2"]


@pytest.mark.parametrize("workers", [1, 2])
def test_exit_on_error_raises_the_tasks_own_exception(workers: int, log: Path) -> None:
    """With any number of workers; what depends on the failure does not run."""
    failing = TaskSpec(tasks.Failing, {"x": 1}, {"log": str(log)})
    after = TaskSpec(tasks.Add, {}, {"log": str(log)})
    after.requires(failing)
    with pytest.raises(ValueError, match="failed on purpose") as caught:
        Flow([failing, after]).run(num_workers=workers)
    assert noted(log) == ["Failing"]
    assert any("Failing" in each for each in caught.value.__notes__)


def test_exit_on_error_starts_nothing_new(log: Path) -> None:
    """After the first failure independent tasks are not started either."""
    failing = TaskSpec(tasks.Failing, {"x": 1}, {"log": str(log)})
    others = TaskSpec(tasks.Number, {"x": [1, 2, 3]}, {"log": str(log)}, expand="product")
    flow = Flow([failing, others])
    with pytest.raises(ValueError, match="failed on purpose"):
        flow.run(num_workers=1)
    assert noted(log) == ["Failing"]
    states = [flow.task_graph.nodes[f"Number-{n}"]["task"].state for n in (1, 2, 3)]
    assert states == [TaskState.PENDING] * 3


@pytest.mark.parametrize("workers", [1, 2])
def test_without_exit_on_error_the_rest_goes_on(workers: int, log: Path) -> None:
    """Independent branches finish; the run lists its failures."""
    failing = TaskSpec(tasks.Failing, {"x": 1})
    after = TaskSpec(tasks.Add)
    other = TaskSpec(tasks.Number, {"x": [1, 2]}, {"log": str(log)}, expand="product")
    after.requires(failing)
    run = Flow([failing, after, other]).run(num_workers=workers, exit_on_error=False)
    assert sorted(noted(log)) == ["Number-1", "Number-2"]
    assert run["Add"][0].results is None
    assert run.counts == {**run.counts, "finished": 2, "failed": 1, "upstream_failed": 1}
    assert [each.task_unique_name for each in run.failed] == ["Failing"]
    with pytest.raises(ValueError, match="failed on purpose"):
        run.raise_for_failures()


@pytest.mark.parametrize("workers", [1, 2])
def test_failed_task_is_run_again(workers: int, tmp_path: Path, log: Path) -> None:
    """The next run tries it again, then what reads from it, and uses what had finished (D8)."""
    stop, store = tmp_path / "stop", LocalFileStore(str(tmp_path / "s"))
    stop.touch()
    failing = TaskSpec(tasks.Failing, {"x": 4}, {"while_exists": str(stop)})
    before = TaskSpec(tasks.Number, {"x": 1}, {"log": str(log)})
    after = TaskSpec(tasks.Add, {"y": 10})
    failing.requires(before)
    after.requires(failing)
    flow = Flow([before, failing, after])
    first = flow.run(num_workers=workers, results_store=store, exit_on_error=False)
    assert first.counts == {"finished": 1, "failed": 1, "upstream_failed": 1}
    assert [each.state for each in store.records("Add")] == [TaskState.UPSTREAM_FAILED]
    stop.unlink()
    run = flow.run(num_workers=workers, results_store=store, return_results="all")
    assert run["Failing"][0].results == {"value": 4}
    assert run["Add"][0].results == {"total": 14}
    assert noted(log) == ["Number"]


def test_single_resource_is_given_to_every_task() -> None:
    """A resource that is no list is a list of one; a tuple is one object."""
    for resource in ("cuda:0", ("cuda:0", "cuda:1")):
        run = Flow([TaskSpec(tasks.Attributes, {"x": 1})]).run(num_workers=1, resources=resource)
        assert run["Attributes"][0].results["facts"]["resource"] == resource


def test_more_workers_than_cpus_are_allowed(tmp_path: Path) -> None:
    """`num_workers` is as asked."""
    extra = {"log": str(tmp_path / "log"), "count": 6}
    spec = TaskSpec(tasks.Meets, {"x": list(range(6))}, extra, expand="product")
    run = Flow([spec]).run(num_workers=6)
    assert [each["has_met"] for each in run["Meets"]] == [True] * 6


AFFINITY = """
import os
from flowlib import Flow, TaskSpec
from tests.acceptance.tasks import Increments, Number

def workers(*specs):
    return Flow(list(specs)).plan().workers

if __name__ == "__main__":
    many = TaskSpec(Number, {"x": list(range(1000))}, expand="product")
    one, two = TaskSpec(Number, name="one"), TaskSpec(Increments, name="two")
    two.requires(one)
    mine = sorted(os.sched_getaffinity(0))
    print(workers(many) == len(mine), workers(one, two))
    os.sched_setaffinity(0, mine[:1])
    print(workers(many), len(many.expand()))
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux has it")
def test_there_are_as_many_workers_as_can_be_busy(tmp_path: Path) -> None:
    """By default: the CPUs of this process, where so many tasks could run at once."""
    done = run_script(AFFINITY, tmp_path)
    assert done.out.splitlines() == ["True 1", "1 1000"], done.err


PARENTS = """
import os, sys
from flowlib import Flow, Task, TaskSpec

class Parent(Task):
    def __init__(self, x):
        self.x = x
    def run(self):
        return {"parent": os.getppid()}

if __name__ == "__main__":
    run = Flow([TaskSpec(Parent, {"x": [1, 2]}, expand="product")]).run(num_workers=2)
    print(len({os.getpid(), *(each["parent"] for each in run["Parent"])}), sys.platform)
"""


def test_workers_are_forked_by_a_server_of_their_own_on_linux(tmp_path: Path) -> None:
    """Elsewhere they are spawned."""
    done = run_script(PARENTS, tmp_path)
    count, platform = done.out.split()
    assert count == ("2" if platform == "linux" else "1"), done.err


@pytest.mark.parametrize("workers", [1, 2])
def test_a_config_of_megabytes_is_found_again(workers: int, tmp_path: Path, log: Path) -> None:
    """It arrives whole, and its size is in no name of a file."""
    spec = TaskSpec(tasks.Number, {"x": "v" * 2_000_000}, {"log": str(log)})
    for counts in ({"finished": 1}, {"cached": 1}):
        store = LocalFileStore(str(tmp_path / "s"))
        run = Flow([spec]).run(num_workers=workers, results_store=store)
        assert run.counts == counts
        assert run["Number"][0].results == {"value": "v" * 2_000_000}
    assert noted(log) == ["Number"]


def test_run_has_a_name() -> None:
    """The name that was given, or two words and a number."""
    assert chain().run(num_workers=1, run_name="mine").name == "mine"
    assert chain().run(num_workers=1).name.count("-") == 2


def test_results_load_when_touched(tmp_path: Path) -> None:
    """A run holds no values until they are asked for: what is deleted meanwhile is missing."""
    store = LocalFileStore(str(tmp_path / "s"))
    flow = Flow([TaskSpec(tasks.Number, {"x": "v" * 100_000})])
    run = flow.run(num_workers=1, results_store=store)
    for file in (tmp_path / "s" / "Number").glob("*/*/*"):
        file.unlink()
    with pytest.raises(ArtifactDamaged, match="value"):
        run["Number"][0]["value"]


def test_results_of_a_sweep_as_a_table() -> None:
    """`to_dicts` and `best` put configs and values side by side."""
    run = chain().run(num_workers=1, return_results="all")
    assert run["Add"].best("total").task_unique_name == "Add-2"
    assert [row["total"] for row in run["Add"].to_dicts()] == [11, 12]
