"""Does flowlib hang, lose or mix up things as fluidml did? (D13-D28 of the parity page)"""

from __future__ import annotations

import logging
import multiprocessing
import random
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, Task, TaskSpec, TaskState
from stores import LocalFileStore
from tests.acceptance import tasks
from tests.acceptance.scripts import Outcome, run_script
from tests.acceptance.tasks import counted, noted


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where tasks note that they ran."""
    return tmp_path / "log"


@pytest.fixture
def store(tmp_path: Path) -> LocalFileStore:
    """A file store."""
    return LocalFileStore(str(tmp_path / "store"))


def numbers(task: type[Task], *values: object, log: Path | None = None, **config: Any) -> TaskSpec:
    """A sweep over `x`."""
    extra = {} if log is None else {"log": str(log)}
    config = {"x": list(values), **config}
    return TaskSpec(task, config, expand="product", additional_kwargs=extra)


def unique_configs(spec: TaskSpec) -> list[Any]:
    """The own configs of the nodes of a spec."""
    nodes = Flow([spec]).task_graph.nodes(data=True)
    return [data["task"].unique_config[spec.name] for _, data in nodes]


def test_d13_lists_can_be_swept() -> None:
    """Two choices that are lists are two configs, not three."""
    spec = TaskSpec(tasks.Anything, {"a": [[1, 2], [3]]}, expand="product")
    assert unique_configs(spec) == [{"a": [1, 2]}, {"a": [3]}]


@pytest.mark.parametrize(
    ("expand", "config"),
    [
        ("zip", {"a": [1, 2, 3], "b": [4, 5]}),
        ("product", {"a": [1, 2, "@x"], "c": [1, 2, 3, "@x"]}),
        ("product", {"a": [1], "b": "@x"}),
        ("product", {"a": ["@x"]}),
        ("product", {"a": []}),
    ],
)
def test_d13_no_config_is_lost_silently(expand: str, config: dict[str, Any]) -> None:
    """Unequal lengths, a marker without choices, no choices: an error that names the parameter."""
    spec = TaskSpec(tasks.Anything, config, expand=expand, config_group_prefix="@")
    culprit = "b" if config.get("b") == "@x" else "a"
    with pytest.raises(ValueError, match=rf"Anything.*\b{culprit}\b"):
        Flow([spec])


def test_d14_killed_worker_fails_its_task_only(store: LocalFileStore, log: Path) -> None:
    """SIGKILL of a worker is a failed task; the others go on in a new worker."""
    dying = TaskSpec(tasks.Failing, {"how": "sigkill"}, additional_kwargs={"log": str(log)})
    others = numbers(tasks.Number, 1, 2, 3, 4, 5, 6, log=log)
    flow = Flow([dying, others])
    run = flow.run(num_workers=2, results_store=store, exit_on_error=False)
    assert [each.results for each in run["Number"]] == [{"value": x} for x in range(1, 7)]
    assert run["Failing"][0].results is None
    assert len(run.failed) == 1
    node = flow.task_graph.nodes["Failing"]["task"]
    assert node.state is TaskState.KILLED
    assert store.statuses([node.address])[node.key].state is TaskState.KILLED


def test_d14_killed_worker_ends_the_run_with_an_error(store: LocalFileStore) -> None:
    """With `exit_on_error=True` the death of a worker is raised, and it names the task."""
    flow = Flow([numbers(tasks.Failing, 1, 2, 3, how="sigkill")])
    with pytest.raises(Exception, match="Failing"):
        flow.run(num_workers=2, results_store=store)


@pytest.mark.parametrize("workers", [1, 2])
def test_d14_sys_exit_in_a_task_is_a_failure(workers: int, store: LocalFileStore) -> None:
    """`sys.exit()` in a task neither ends the driver nor hangs it."""
    flow = Flow([numbers(tasks.Failing, 1, 2, how="exit"), numbers(tasks.Number, 1, 2)])
    run = flow.run(num_workers=workers, results_store=store, exit_on_error=False)
    assert [each.results for each in run["Failing"]] == [None, None]
    assert [each.results for each in run["Number"]] == [{"value": 1}, {"value": 2}]


def test_d15_death_of_all_workers_is_no_success(store: LocalFileStore) -> None:
    """Every task kills its worker: the run says so."""
    flow = Flow([numbers(tasks.Failing, 1, 2, 3, 4, how="sigkill")])
    run = flow.run(num_workers=2, results_store=store, exit_on_error=False)
    assert not run.ok
    assert len(run.failed) == 4


SCRIPT = """
from flowlib import Flow, Task, TaskSpec

class Square(Task):
    def __init__(self, x):
        self.x = x
    def run(self):
        return {"y": self.x ** 2}

def main():
    run = Flow([TaskSpec(Square, {"x": [1, 2, 3]}, expand="product")]).run(num_workers=2)
    print("RESULT", [each.results["y"] for each in run["Square"]])
"""
GUARDED = f'{SCRIPT}\nif __name__ == "__main__":\n    main()\n'
UNGUARDED = f"{SCRIPT}\nmain()\n"


@pytest.mark.parametrize("how", ["file", "stdin", "-c"])
def test_d15_tasks_of_main_run_in_workers(how: str, tmp_path: Path) -> None:
    """Classes defined in a script, on stdin or with -c reach the workers."""
    done = run_script(GUARDED, tmp_path, how=how)
    assert (done.code, done.out.strip()) == (0, "RESULT [1, 4, 9]"), done.err


def test_d15_script_without_main_guard_is_told(tmp_path: Path) -> None:
    """A missing guard is an error that shows the cure."""
    done = run_script(UNGUARDED, tmp_path)
    assert done.code != 0
    assert 'if __name__ == "__main__":' in done.err


def test_d16_exception_that_cannot_be_pickled_is_raised(store: LocalFileStore) -> None:
    """Its text comes through, and nothing hangs."""
    flow = Flow([numbers(tasks.Failing, 1, 2, how="unpicklable")])
    with pytest.raises(Exception, match="holds a lock"):
        flow.run(num_workers=2, results_store=store)


def test_d16_exception_that_cannot_be_pickled_is_listed(store: LocalFileStore) -> None:
    """With `exit_on_error=False` it is among the failures, with its type and text."""
    flow = Flow([numbers(tasks.Failing, 1, 2, how="unpicklable")])
    run = flow.run(num_workers=2, results_store=store, exit_on_error=False)
    assert len(run.failed) == 2
    assert all("holds a lock" in str(each.error) for each in run.failed)


def test_d17_exception_that_cannot_be_rebuilt_keeps_its_message(store: LocalFileStore) -> None:
    """Not `__init__() missing 1 required positional argument`, but what the task said."""
    flow = Flow([numbers(tasks.Failing, 1, 2, how="two_arguments")])
    with pytest.raises(Exception, match="this and that") as caught:
        flow.run(num_workers=2, results_store=store)
    assert "positional argument" not in str(caught.value)


def test_d17_output_after_such_an_exception_hangs_nothing(store: LocalFileStore) -> None:
    """Workers print more than a pipe holds, and the run ends."""
    specs = [
        numbers(tasks.Failing, 1, 2, how="two_arguments"),
        numbers(tasks.Chatty, 1, 2, 3, 4),
    ]
    run = Flow(specs).run(num_workers=2, results_store=store, exit_on_error=False)
    assert [each.results for each in run["Chatty"]] == [{"value": x} for x in (1, 2, 3, 4)]


def test_d18_resources_are_leased_to_one_task_at_a_time(store: LocalFileStore, log: Path) -> None:
    """Three resources, four workers: no resource is held twice, and none lies idle."""
    spec = TaskSpec(
        tasks.HoldsResource,
        {"x": list(range(9))},
        expand="product",
        additional_kwargs={"log": str(log), "pause_s": 0.1},
    )
    run = Flow([spec]).run(num_workers=4, resources=["g0", "g1", "g2"], results_store=store)
    assert {each.results["resource"] for each in run["HoldsResource"]} == {"g0", "g1", "g2"}
    lines = [line.split() for line in noted(log)]
    for name in ("g0", "g1", "g2"):
        held = [what for resource, what in lines if resource == name]
        assert held == ["take", "give"] * (len(held) // 2)


def test_d18_one_worker_has_the_first_resource(store: LocalFileStore, log: Path) -> None:
    """Inline, every task gets `resources[0]`."""
    spec = numbers(tasks.HoldsResource, 1, 2, log=log)
    run = Flow([spec]).run(num_workers=1, resources=["g0", "g1"], results_store=store)
    assert [each.results["resource"] for each in run["HoldsResource"]] == ["g0", "g0"]


TWO_DRIVERS = """
import sys
from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.acceptance.tasks import HoldsResource, note

if __name__ == "__main__":
    spec = TaskSpec(HoldsResource, {"x": list(range(20))}, expand="product",
                    additional_kwargs={"log": "log", "pause_s": 0.02})
    run = Flow([spec]).run(num_workers=2, results_store=LocalFileStore("store"),
                           return_results="all")
    print("OK", run.ok, len(run["HoldsResource"]))
"""


def test_d19_two_drivers_compute_everything_once(tmp_path: Path) -> None:
    """Two flows on one store at the same time: 20 configs, 20 executions, both have all results."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        done: list[Outcome] = list(
            pool.map(lambda name: run_script(TWO_DRIVERS, tmp_path, name=name), ["a.py", "b.py"])
        )
    assert [(each.code, each.out.strip()) for each in done] == [(0, "OK True 20")] * 2, done
    assert counted(tmp_path / "log") == {"None take": 20, "None give": 20}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1}'])
def test_d20_damaged_record_harms_its_own_config_only(
    text: str, store: LocalFileStore, log: Path, tmp_path: Path
) -> None:
    """One unreadable record is computed again; the others are used."""
    run = Flow([numbers(tasks.Number, 1, 2, 3, log=log)]).run(num_workers=1, results_store=store)
    assert run.ok
    victim = next(
        path
        for path in sorted((tmp_path / "store" / "Number").glob("*.json"))
        if '"x":2' in path.read_text().replace(" ", "")
    )
    victim.chmod(0o644)
    victim.write_text(text)
    again = Flow([numbers(tasks.Number, 1, 2, 3, log=log)]).run(
        num_workers=1, results_store=LocalFileStore(str(tmp_path / "store")), return_results="all"
    )
    assert [each.results for each in again["Number"]] == [{"value": x} for x in (1, 2, 3)]
    assert counted(log) == {"Number-1": 1, "Number-2": 2, "Number-3": 1}


@pytest.mark.parametrize("run_name", ["a/b", ".x", "..", "a b", "exp", "ü" * 200])
def test_d21_any_run_name_is_found_again(run_name: str, store: LocalFileStore, log: Path) -> None:
    """Names of runs are no paths: the second run of the same name is cached."""
    for _ in range(2):
        run = Flow([numbers(tasks.Number, 1, log=log)]).run(
            num_workers=1, results_store=store, run_name=run_name, return_results="all"
        )
        assert run["Number"][0].results == {"value": 1}
    assert noted(log) == ["Number"]


def test_d21_any_artifact_name_keeps_its_own_value(store: LocalFileStore) -> None:
    """`a/b`, `.x` beside `x`, `config`, spaces, umlauts, very long names."""
    flow = Flow([TaskSpec(tasks.OddNames)])
    for _ in range(2):
        run = flow.run(num_workers=1, results_store=store, return_results="all")
        assert run["OddNames"][0].results == {name: {"name": name} for name in tasks.ODD_NAMES}


def test_d21_name_saved_twice_leaves_one_artifact(store: LocalFileStore, tmp_path: Path) -> None:
    """The second type replaces the first, on disk too."""
    run = Flow([TaskSpec(tasks.TwoTypes)]).run(
        num_workers=1, results_store=store, return_results="all"
    )
    assert run["TwoTypes"][0].results == {"value": "text"}
    left = [p.name for p in (tmp_path / "store" / "TwoTypes").rglob("value*") if p.is_file()]
    assert len(left) <= 1


def test_d21_names_of_specs_are_no_paths(store: LocalFileStore, log: Path, tmp_path: Path) -> None:
    """A spec called `a/b` or `..` stays inside the store and is found again."""
    for _ in range(2):
        specs = [
            TaskSpec(tasks.Number, {"x": 1}, additional_kwargs={"log": str(log)}, name=name)
            for name in ("a/b", "..", ".leases")
        ]
        assert Flow(specs).run(num_workers=1, results_store=store).ok
    assert sorted(noted(log)) == sorted(["a/b", "..", ".leases"])
    assert {path.name for path in tmp_path.iterdir()} == {"store", "log"}


@pytest.mark.parametrize(
    "options",
    [
        {"return_results": "everything"},
        {"force": "nope"},
        {"num_workers": 0},
        {"num_workers": -1},
    ],
    ids=str,
)
def test_d22_wrong_options_are_found_before_anything_runs(
    options: dict[str, Any], store: LocalFileStore, log: Path
) -> None:
    """The expensive upstream tasks have not run yet when a mistake is told."""
    flow = Flow([numbers(tasks.Number, 1, log=log)])
    with pytest.raises(ValueError, match=str(next(iter(options)))):
        flow.run(results_store=store, **{"num_workers": 1, **options})
    assert noted(log) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_d23_missing_input_is_an_ordinary_failure(
    workers: int, store: LocalFileStore, log: Path
) -> None:
    """Errors while inputs are collected fail that task; the rest goes on and is counted."""
    number, wanting = numbers(tasks.Number, 1), TaskSpec(tasks.Wanting)
    wanting.requires(number)
    others = TaskSpec(tasks.Number, {"x": 2}, name="Other", additional_kwargs={"log": str(log)})
    flow = Flow([number, wanting, others])
    run = flow.run(num_workers=workers, results_store=store, exit_on_error=False)
    assert noted(log) == ["Other"]
    assert [each.task_unique_name for each in run.failed] == ["Wanting"]
    assert (run.counts["finished"], run.counts["failed"]) == (2, 1)
    assert not run.ok
    with pytest.raises(Exception, match="absent"):
        run.raise_for_failures()


@pytest.mark.parametrize("workers", [1, 2])
def test_d24_global_state_of_the_user_is_left_alone(workers: int, store: LocalFileStore) -> None:
    """The start method, the random numbers and the root logger are the user's."""
    multiprocessing.get_start_method()  # decided, as in a script that has used it
    before = _global_state()
    Flow([numbers(tasks.Number, 1, 2, 3)]).run(
        num_workers=workers,
        resources=["a", "b", "c"],
        start_method="spawn",
        results_store=store,
    )
    assert _global_state() == before


def _global_state() -> tuple[object, ...]:
    root = logging.getLogger()
    start_method = multiprocessing.get_start_method(allow_none=True)
    return start_method, random.getstate(), root.level, tuple(root.handlers)


UNDECIDED = """
import multiprocessing, sys
from flowlib import Flow, TaskSpec
from tests.acceptance.tasks import Number

if __name__ == "__main__":
    spec = TaskSpec(Number, {"x": [1, 2]}, expand="product")
    for method in (None, "spawn", "fork"):
        Flow([spec]).run(num_workers=2, start_method=method)
        print(multiprocessing.get_start_method(allow_none=True))
    multiprocessing.set_start_method("spawn")
    Flow([spec]).run(num_workers=2)
    print(multiprocessing.get_start_method(allow_none=True))
"""


def test_d24_the_start_method_may_still_be_chosen_after_a_run(tmp_path: Path) -> None:
    """multiprocessing decides it when a process is started, by whatever method."""
    done = run_script(UNDECIDED, tmp_path)
    assert done.out.splitlines() == ["None", "None", "None", "spawn"], done.err


def test_d24_run_names_do_not_come_from_the_users_random_numbers() -> None:
    """`random.seed(0)` in a script does not give every run the same name."""
    names = set()
    for _ in range(4):
        random.seed(0)
        names.add(Flow([numbers(tasks.Number, 1)]).run(num_workers=1).name)
    assert len(names) > 1


def test_d26_requires_takes_a_tuple() -> None:
    """`requires((a, b))` is `requires(a, b)`, and requiring twice is requiring once."""
    first, second = TaskSpec(tasks.Number, name="A"), TaskSpec(tasks.Number, name="B")
    third = TaskSpec(tasks.Anything)
    third.requires((first, second))
    third.requires(first)
    assert [spec.name for spec in third.predecessors] == ["A", "B"]


def test_d26_files_read_and_write(store: LocalFileStore) -> None:
    """`File.write` returns how much was written, `File.read` what was read."""
    where = {"task_name": "T", "task_unique_config": {"T": {"x": 1}}}
    with store.open("text", **where, mode="w", type_="text") as file:
        assert file.write("hello") == 5
    with store.open("text", **where, mode="r") as file:
        assert file.read() == "hello"


class OpensWrongly(Task):
    """Opens a file that is not there."""

    def run(self) -> dict[str, int]:
        """The failed open must leave nothing behind."""
        with pytest.raises((FileNotFoundError, LookupError)):
            self.open("ghost", mode="r")
        return {"value": 1}


def test_d26_failed_open_leaves_no_artifact(store: LocalFileStore) -> None:
    """A name that could not be opened is no result."""
    run = Flow([TaskSpec(OpensWrongly)]).run(
        num_workers=1, results_store=store, return_results="all"
    )
    assert run["OpensWrongly"][0].results == {"value": 1}


@pytest.mark.parametrize("workers", [1, 2])
def test_d28_nan_in_a_config_is_found_again(
    workers: int, store: LocalFileStore, log: Path, tmp_path: Path
) -> None:
    """One config with NaN is one task, in one place, whoever asks."""
    for value in (float("nan"), float("inf") - float("inf")):
        flow = Flow([numbers(tasks.Anything, value, 1.0, log=log)])
        run = flow.run(num_workers=workers, results_store=store, return_results="all")
        seen = run["Anything"][0].results["out"]
        assert seen["x"] != seen["x"]
    assert sorted(noted(log)) == ["Anything-1", "Anything-2"]
    assert len(list((tmp_path / "store" / "Anything").glob("*.json"))) == 2
