"""A worker process has the devices and threads of its tasks before it imports their modules."""

from __future__ import annotations

import itertools
import os
import pickle

import pytest

from flowlib import Flow, RunError, TaskSpec
from flowlib.process_environment import process_name
from tests.acceptance.scripts import run_script
from tests.flowlib import environment_tasks as tasks

GPU, THREADS = "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """Nothing that this machine says of devices or threads."""
    for name in (*tasks.NAMES, "ROCR_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def look(count, name="Look", seconds=0.05, **options) -> TaskSpec:
    config = {"n": list(range(count)), "seconds": seconds}
    return TaskSpec(tasks.Look, config, name=name, expand="product", **options)


def run(*specs, workers=2, **options):
    done = Flow(list(specs)).run(num_workers=workers, **options)
    return [each.results for spec in specs for each in done[spec.name]]


def by_device(found, name="now"):
    return [each[name][GPU] for each in found]


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_every_task_sees_the_gpu_it_has_leased(method):
    """From the import of its module on; and no two tasks at a time see the same."""
    one = {"gpu": 1}
    found = run(look(6, resources=one), resources={"gpu": 2}, start_method=method)

    assert set(by_device(found)) == {"0", "1"}
    assert by_device(found, "at_import") == by_device(found)
    assert {each["resource"] for each in found} == {"cuda:0"}
    assert {each["at_import"]["CUDA_DEVICE_ORDER"] for each in found} == {"PCI_BUS_ID"}
    spans = sorted((each["now"][GPU], each["span"]) for each in found)
    for (device, (_, ended)), (other, (began, _)) in itertools.pairwise(spans):
        assert device != other or began >= ended
    assert GPU not in os.environ


def test_a_forked_worker_has_the_environment_of_its_task():
    """What the driver has imported before is inherited; CUDA starts later."""
    found = run(look(3, resources={"gpu": 1}), resources={"gpu": [1]}, start_method="fork")

    assert by_device(found) == ["1", "1", "1"]
    assert GPU not in os.environ


def test_a_worker_is_replaced_for_another_set_of_devices():
    """One GPU, two, none: nobody runs in the process of another set."""
    single = look(4, "single", resources={"gpu": 1})
    double = look(2, "double", resources={"gpu": 2}, priority=1)
    nothing = look(2, "nothing", resources={})
    found = run(single, double, nothing, resources={"gpu": [0, 1]})

    assert by_device(found, "at_import") == by_device(found)
    assert set(by_device(found[:4])) <= {"0", "1"}
    assert by_device(found[4:6]) == ["0,1", "0,1"]
    assert by_device(found[6:]) == ["-1", "-1"]
    assert [each["resource"] for each in found[4:]] == [["cuda:0", "cuda:1"]] * 2 + [None] * 2
    sets = {(each["pid"], each["now"][GPU]) for each in found}
    assert len(sets) == len({pid for pid, _ in sets})


def test_very_short_tasks_of_different_sets_all_run():
    """Where several jobs wait at a worker, those it is not made for come back to the driver."""
    found = run(
        look(40, "one", seconds=0.0, resources={"cpu": 1}),
        look(40, "two", seconds=0.0, resources={"cpu": 2}),
        resources={"cpu": 4},
    )

    assert [each["at_import"][THREADS] for each in found] == ["1"] * 40 + ["2"] * 40


def test_tasks_get_as_many_threads_as_cpus(monkeypatch):
    """What the user has set for the libraries stays."""
    specs = look(1, "four", resources={"cpu": 4}), look(1, "half", resources={"cpu": 0.5})
    found = run(*specs, resources={"cpu": 4})
    assert [each["at_import"][THREADS] for each in found] == ["4", "1"]

    monkeypatch.setenv(THREADS, "7")
    assert [each["now"][THREADS] for each in run(*specs, resources={"cpu": 4})] == ["7", "7"]


def test_without_devices_nothing_is_changed():
    """Objects of the user's own are handed over as they are."""
    found = run(look(2), resources=["cuda:0", "cuda:1"])

    assert [each["now"] for each in found] == [dict.fromkeys(tasks.NAMES)] * 2
    assert {each["resource"] for each in found} <= {"cuda:0", "cuda:1"}


def test_one_worker_with_devices_is_a_process():
    """The driver's own environment cannot be changed any more."""
    (found,) = run(look(1, resources={"gpu": 1}), workers=1, resources={"gpu": [3]})

    assert (found["at_import"][GPU], found["pid"] != os.getpid()) == ("3", True)
    with pytest.raises(RunError, match="cannot hide the GPUs"):
        run(look(1), workers=1, resources={"gpu": 1}, executor="inline")


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_the_users_script_is_imported_with_the_variables(method, tmp_path):
    """Also what stands at its top: that is where torch and numpy are imported."""
    done = run_script(
        f"""
        import os

        from flowlib import Flow, TaskSpec

        SEEN = os.environ.get("CUDA_VISIBLE_DEVICES")


        def tell():
            return {{"seen": SEEN}}


        if __name__ == "__main__":
            spec = TaskSpec(tell, resources={{"gpu": 1}})
            run = Flow([spec]).run(resources={{"gpu": [5]}}, start_method="{method}")
            print(run["tell"][0].results, SEEN)
        """,
        tmp_path,
    )

    assert (done.out, done.code) == ("{'seen': '5'} None\n", 0), done.err


def test_a_job_of_a_cluster_counts_its_own_devices(monkeypatch):
    """What the driver may see is what there is."""
    monkeypatch.setenv(GPU, "4,6")
    found = run(look(2, resources={"gpu": 1}), resources={"gpu": 2})

    assert set(by_device(found, "at_import")) <= {"4", "6"}


@pytest.mark.parametrize("method", ["forkserver", "spawn", "fork"])
def test_workers_have_the_environment_of_their_driver_as_it_is_now(method, monkeypatch):
    """A fork server was born with that of the first run."""
    seen = []
    for value in ("first", "second"):
        monkeypatch.setenv("FLOWLIB_TEST_VALUE", value)
        seen += run(TaskSpec(tasks.variable, {"name": "FLOWLIB_TEST_VALUE"}), start_method=method)
    monkeypatch.delenv("FLOWLIB_TEST_VALUE")
    seen += run(TaskSpec(tasks.variable, {"name": "FLOWLIB_TEST_VALUE"}), start_method=method)

    assert [each["value"] for each in seen] == ["first", "second", None]


def test_the_name_of_a_process_is_a_word(monkeypatch):
    """It sets variables on arrival, and is text then."""
    name = process_name("Worker-1", (("FLOWLIB_TEST_NAME", 'it\'s "set"'),))
    before = dict(os.environ)
    monkeypatch.setenv("FLOWLIB_TEST_NAME", "old")
    monkeypatch.setenv("FLOWLIB_TEST_LATER", "not known then")
    arrived = pickle.loads(pickle.dumps(name))

    assert (type(arrived), arrived) == (str, "Worker-1")
    assert dict(os.environ) == {**before, "FLOWLIB_TEST_NAME": 'it\'s "set"'}
