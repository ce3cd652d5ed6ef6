"""What specs tell an executor is looked at before anything starts, with the nearest valid name."""

from __future__ import annotations

import pytest

from flowlib import Flow, RunError, TaskSpec
from flowlib.executor import Executor
from flowlib.executors.threads import ThreadExecutor
from stores import LocalFileStore
from tests.executors import contract_tasks as tasks


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


def refused(store, executor, **options):
    """The words with which a run is refused; nothing may have been recorded."""
    good = TaskSpec(tasks.square, {"n": [3, 4]}, expand="product")
    spec = TaskSpec(tasks.raises, {"n": 1}, executor_options=options)
    before = len(list(store.records()))
    with pytest.raises(RunError) as caught:
        Flow([good, spec]).run(executor=executor, results_store=store, progress=None)
    assert len(list(store.records())) == before
    return str(caught.value)


class Counts(Executor):
    """Takes one option, and must never be started with another."""

    def check(self, options):
        if options.get("speed", 0) not in (0, 1, 2):
            raise ValueError("speed is 0, 1 or 2")

    @property
    def options_name(self):
        return "counts"

    def start(self, setup):
        raise AssertionError("it was started")


class Picky(ThreadExecutor):
    """Takes one option, and runs tasks."""

    check = Counts.check
    options_name = Counts.options_name


def grows(speed: int) -> TaskSpec:
    """Give a spec that tells the executor something."""
    return TaskSpec(tasks.square, {"n": speed}, executor_options={"counts": {"speed": speed}})


def test_what_a_task_returns_is_looked_at_before_it_starts(store):
    """An option that is wrong is the error of that task; nothing that it has returned is run."""
    right, wrong = (TaskSpec(grows, {"speed": n}, name=f"grows{n}") for n in (2, 7))
    done = Flow([right, wrong]).run(
        executor=Picky(), num_workers=1, results_store=store, progress=None, exit_on_error=False
    )
    assert done["grows2"][0].unwrap()["square"] == 4
    told = "executor_options of square for counts: speed is 0, 1 or 2"
    with pytest.raises(RunError, match=told):
        done["grows7"][0].unwrap()
    assert done.counts == {"finished": 2, "failed": 1}
    with pytest.raises(RunError, match=told):
        wrong.submit(store, executor=Picky()).result(120)


@pytest.mark.parametrize(
    ("executor", "options", "words"),
    [
        ("dask", {"resorces": {"GPU": 1}}, "Did you mean resources?"),
        ("dask", {"key": "mine"}, "there is no option 'key'"),
        ("dask", {"actor": True}, "there is no option 'actor'"),
        ("ray", {"num_gpu": 1}, "Did you mean num_gpus?"),
        ("ray", {"num_gpus": -1}, "cannot be negative"),
    ],
)
def test_an_engine_refuses_what_it_does_not_know(store, executor, options, words):
    """By the name of the spec and of the option, before a cluster is started."""
    told = refused(store, executor, **{executor: options})

    assert f"executor_options of raises for {executor}: " in told
    assert words in told


def test_what_is_told_to_other_executors_is_no_affair_of_this_one(store):
    """One spec may carry options for several; only a slip in the name is refused."""
    options = {"dask": {"resorces": 1}, "cloud": {"region": "north"}}
    spec = TaskSpec(tasks.square, {"n": 2}, executor_options=options)
    run = Flow([spec]).run(executor="inline", results_store=store, progress=None)

    assert run.counts == {"finished": 1}
    told = refused(store, "inline", dsak={"resources": {"GPU": 1}})
    assert told == "executor_options of raises: no executor is called 'dsak'. Did you mean dask?"


def test_an_executor_of_the_user_looks_at_its_own_options(store):
    """Under the name that it says."""
    told = refused(store, Counts(), counts={"speed": 3})
    assert told == "executor_options of raises for counts: speed is 0, 1 or 2"
    assert "Did you mean counts?" in refused(store, Counts(), count={"speed": 1})
