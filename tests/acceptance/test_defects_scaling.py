"""Does the work grow with the number of tasks only? (D11 and D12 of the parity page, by counts)"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowlib import Flow, TaskSpec
from tests.acceptance import tasks
from tests.acceptance.scripts import run_script


def test_d11_zip_costs_what_it_gives() -> None:
    """Six lists of a thousand: a product would have 10^18 elements."""
    config = {name: list(range(1000)) for name in "abcdef"}
    flow = Flow([TaskSpec(tasks.Anything, config, expand="zip")])
    assert flow.num_tasks == 1000
    last = flow.task_graph.nodes["Anything-1000"]["task"].unique_config
    assert last["Anything"] == dict.fromkeys("abcdef", 999)


def test_d11_group_costs_what_it_gives() -> None:
    """Three lists of a thousand in lockstep, beside an ordinary list of two."""
    config: dict[str, object] = {name: [*range(1000), "@x"] for name in "abc"}
    spec = TaskSpec(
        tasks.Anything, {**config, "d": [0, 1]}, expand="product", config_group_prefix="@"
    )
    assert Flow([spec]).num_tasks == 2000


def chain(length: int) -> list[TaskSpec]:
    """Specs that each add 1 to what the one before has saved."""
    specs = [TaskSpec(tasks.Number, {"x": 0}, name="T0")]
    for number in range(1, length):
        specs.append(TaskSpec(tasks.Increments, name=f"T{number}"))
        specs[-1].requires(specs[-2])
    return specs


@pytest.mark.parametrize(("workers", "length"), [(1, 2000), (2, 250)])
def test_deep_chain_is_no_recursion(workers: int, length: int) -> None:
    """fluidml ended at a chain of 1000, and with two workers at 200."""
    run = Flow(chain(length)).run(num_workers=workers)
    assert run.counts == {"finished": length}
    assert run[f"T{length - 1}"][0].results == {"value": length - 1}


def test_paths_are_never_counted() -> None:
    """Thirty diamonds one behind the other have 2^30 paths, and 91 tasks."""
    top = TaskSpec(tasks.Number, {"x": 0}, name="T0")
    specs = [top]
    for number in range(30):
        sides = [TaskSpec(tasks.Anything, name=f"{side}{number}") for side in ("L", "R")]
        bottom = TaskSpec(tasks.Anything, name=f"T{number + 1}")
        for side in sides:
            side.requires(top)
        bottom.requires(sides)
        specs += [*sides, bottom]
        top = bottom
    assert Flow(specs).run().counts == {"finished": 91}


def test_wide_diamond_is_joined_not_filtered() -> None:
    """Two sweeps of a thousand over one ancestor: a product would have a million pairs."""
    a = TaskSpec(tasks.Number, {"x": list(range(1000))}, expand="product")
    b, c, d = (TaskSpec(tasks.Anything, name=name) for name in ("B", "C", "D"))
    b.requires(a)
    c.requires(a)
    d.requires(b, c)
    assert Flow([a, b, c, d]).num_tasks == 4000


@pytest.mark.slow
def test_no_worker_holds_the_graph() -> None:
    """fluidml sent it to each worker, and could not pickle that of A(50) x B(50) -> D."""
    a, b = (
        TaskSpec(tasks.Number, {"x": list(range(50))}, expand="product", name=name) for name in "AB"
    )
    d = TaskSpec(tasks.Anything, name="D")
    d.requires(a, b)
    assert Flow([a, b, d]).run(num_workers=2).counts == {"finished": 2600}


SHIPPING = """
import os
from flowlib import Flow, TaskSpec
from stores import InMemoryStore
from tests.acceptance.tasks import Anything, OptionalInput

def moved():
    with open("/proc/self/io") as lines:
        return sum(int(line.split()[1]) for line in lines if line[1:5] == "char")

def cost(size):
    values = [f"{x:06}" + "v" * 20_000 for x in range(size)]
    flow = Flow([TaskSpec(Anything, {"x": values}, expand="product")])
    before = moved()
    run = flow.run(num_workers=2, results_store=InMemoryStore(), progress="none")
    assert [each.results["out"]["x"] for each in run["Anything"]] == values
    return moved() - before

if __name__ == "__main__":
    cost(2)
    print(cost(50), cost(400))
"""


@pytest.mark.slow
def test_a_memory_store_ships_each_value_once(tmp_path: Path) -> None:
    """fluidml sent all results of a task for each that was saved: N squared bytes."""
    done = run_script(SHIPPING, tmp_path)
    assert done.code == 0, done.err
    few, many = map(int, done.out.split())
    assert 50 * 20_000 < few < 50 * 20_000 * 6
    assert many < 10 * few


COUNTING = """
import collections, json, os, sys

base = os.path.join(os.getcwd(), "store")
counts = collections.Counter()
seen = []

def count(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and seen:
        path = str(arguments[0])
        if path.startswith(base) and not (event != "open" and ".leases" in path):
            counts[event] += 1  # the folder of leases holds only what is running now

sys.addaudithook(count)

from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.acceptance.tasks import Add, Number

number = TaskSpec(Number, {"x": list(range(int(sys.argv[1])))}, expand="product")
add = TaskSpec(Add, {"y": 1})
add.requires(number)
flow = Flow([number, add])
seen.append("from here")
run = flow.run(num_workers=1, results_store=LocalFileStore(base, fsync=False), return_results="all")
assert run.ok
print(json.dumps({"nodes": flow.num_tasks, "cached": run.counts.get("cached", 0), **counts}))
"""


def operations(folder: Path, size: int) -> list[dict[str, int]]:
    """The counts of a cold and of a warm run, each in a process of its own."""
    folder.mkdir()
    script = COUNTING.replace("sys.argv[1]", repr(str(size)))
    runs = []
    for _ in range(2):
        done = run_script(script, folder, how="file")
        assert done.code == 0, done.err
        runs.append(json.loads(done.out.splitlines()[-1]))
    return runs


@pytest.mark.slow
def test_d12_opens_per_task_do_not_grow(tmp_path: Path) -> None:
    """From 100 to 1000 configs: as many files per task when cold, none per task when warm."""
    (cold, warm), (cold_10, warm_10) = (
        operations(tmp_path / "a", 100),
        operations(tmp_path / "b", 1000),
    )
    assert (warm["cached"], warm_10["cached"]) == (200, 2000)
    assert cold_10["open"] <= 12 * cold["open"]
    assert cold["open"] <= 10 * cold["nodes"]
    assert warm_10["open"] <= warm["open"] + 2
    assert listings(cold_10) <= listings(cold) + 2
    assert listings(warm_10) == listings(warm)


def listings(counts: dict[str, int]) -> int:
    """How often a folder was listed."""
    return counts.get("os.listdir", 0) + counts.get("os.scandir", 0)
