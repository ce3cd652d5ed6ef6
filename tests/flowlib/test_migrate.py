"""Do changed tasks find their old results again, and everything computed from them?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from flowlib import Flow, InMemoryStore, LocalFileStore, MigrationError, TaskSpec, migrate, task
from flowlib.changes import Config, NotMovable, declared
from stores.record import Address
from stores.testing import done, put
from tests.architecture.sources import ROOT


def load(n):
    return {"data": list(range(n))}


def train(data, lr, model, epochs=10):
    return {"acc": lr * len(data) + model["depth"]}


def select(acc):
    return {"best": max(each.value for each in acc)}


def flow_of(task=train, name="Train", config=None, version=None, load_name="Load"):
    config = config or {"lr": [0.1, 0.2], "model": {"depth": [1, 2]}}
    loads = TaskSpec(load, {"n": 3}, name=load_name)
    trains = TaskSpec(task, config, name=name, expand="product", version=version)
    best = TaskSpec(select, name="Select", reduce=True)
    trains.requires(loads)
    best.requires(trains)
    return Flow([loads, trains, best])


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    """A store of each kind with the results of the old flow."""
    made = (
        InMemoryStore()
        if request.param == "memory"
        else LocalFileStore(tmp_path / "runs", fsync=False)
    )
    flow_of().run(num_workers=1, results_store=made)
    return made


def counts(flow, store):
    return flow.run(num_workers=1, results_store=store).counts


def values(flow, store):
    run = flow.run(num_workers=1, results_store=store)
    return run["Select"][0].results, sorted(each["acc"] for each in run[list(run)[1]])


def test_a_parameter_has_another_name(store):
    """All is cached afterwards, also what was gathered from it; the values are the same."""

    def renamed(data, learning_rate, model, epochs=10):
        raise AssertionError("computed again")

    flow = flow_of(renamed, config={"learning_rate": [0.1, 0.2], "model": {"depth": [1, 2]}})
    before, old = values(flow_of(), store), sorted(store.addresses())
    plan = migrate(store, move={"Train.lr": "Train.learning_rate"})
    assert (len(plan.moves), plan.there, plan.unmovable, plan.clashes) == (5, [], [], [])
    assert str(plan).startswith("5 results would move, 0 are there already, 0 cannot move")
    assert sorted(store.addresses()) == old
    done = plan.apply()
    assert (len(done.moved), done.left, done.removed) == (5, (), ())
    assert str(done) == "5 moved, 0 left, 0 old deleted"
    assert counts(flow, store) == {"cached": 6}
    assert values(flow, store) == before
    assert flow.plan(results_store=store).stale == ()
    assert counts(flow_of(), store) == {"cached": 6}


def test_a_parameter_moves_into_a_dict_and_out_of_it(store):
    """Its dict goes when it becomes empty."""

    def moved(data, optimizer, depth, epochs=10):
        raise AssertionError("computed again")

    flow = flow_of(moved, config={"optimizer": {"lr": [0.1, 0.2]}, "depth": [1, 2]})
    migrate(
        store, move={"Train.lr": "Train.optimizer.lr", "Train.model.depth": "Train.depth"}
    ).apply()
    assert counts(flow, store) == {"cached": 6}
    found = store.records("Train", where={"optimizer.lr": 0.1, "depth": 2})
    assert found.count() == 1
    (address,) = found.addresses()
    assert store.unique_config(address)["Train"] == {"optimizer": {"lr": 0.1}, "depth": 2}


def test_a_parameter_comes_and_another_goes(store):
    """What is added has the value that was meant; what goes was the same everywhere."""

    def other(data, lr, model, dropout):
        raise AssertionError("computed again")

    config = {"lr": [0.1, 0.2], "model": {"depth": [1, 2]}}
    migrate(store, add={"Train.dropout": 0.0}, remove=["Train.epochs"]).apply()
    assert counts(flow_of(other, config={**config, "dropout": 0.0}), store) == {"cached": 6}
    assert store.count("Train", where={"dropout": 0.0}) == 4


def test_a_default_is_no_part_of_the_key(store):
    """The specs tell it; a value that is not the default is part of it."""

    def other(data, lr, model, epochs=10, dropout=0.0, momentum=0.9):
        raise AssertionError("computed again")

    config = {"lr": [0.1, 0.2], "model": {"depth": [1, 2]}, "momentum": 0.5}
    flow = flow_of(other, config=config)
    spec = TaskSpec(other, config, name="Train", expand="product")
    migrate(store, add={"Train.dropout": 0.0, "Train.momentum": 0.5}, specs=[spec]).apply()
    assert counts(flow, store) == {"cached": 6}


def test_tasks_have_other_names(store):
    """In the middle and at the start; what reads them follows."""
    flow = flow_of(name="Fit", load_name="Read")
    plan = migrate(store, rename_tasks={"Train": "Fit", "Load": "Read"})
    assert {new.task for new in plan.moves.values()} == {"Read", "Fit", "Select"}
    plan.apply()
    assert counts(flow, store) == {"cached": 6}
    (select_,) = [each for each in store.addresses("Select") if "Fit" in store.unique_config(each)]
    assert set(store.unique_config(select_)) == {"Select", "Fit", "Read"}


def test_all_at_once(store):
    """A name, a parameter and its value; tasks go by their old name in all of it."""

    def fit(data, rate, model, epochs=10):
        raise AssertionError("computed again")

    config = {"rate": [0.1, 0.2], "model": {"depth": [1, 2], "kind": "mlp"}}
    migrate(
        store,
        rename_tasks={"Train": "Fit"},
        move={"Train.lr": "Train.rate"},
        add={"Train.model.kind": "mlp"},
    ).apply()
    assert counts(flow_of(fit, name="Fit", config=config), store) == {"cached": 6}


@pytest.mark.parametrize("version", [2, "2", "beta"])
def test_versions_and_given_defaults_are_kept(tmp_path, version):
    """A version that is a number is another one than its text; a default that was given is none."""

    def renamed(data, rate, model, epochs=10):
        raise AssertionError("computed again")

    store = LocalFileStore(tmp_path, fsync=False)
    config = {"lr": [1, 0.2], "model": {"depth": 1}, "epochs": [10, 20]}
    assert counts(flow_of(config=config, version=version), store) == {"finished": 6}
    migrate(store, move={"Train.lr": "Train.rate"}).apply()
    config["rate"] = config.pop("lr")
    assert counts(flow_of(renamed, config=config, version=version), store) == {"cached": 6}


def test_migrating_again_does_nothing(store):
    """Neither moved twice, nor an error; the old ones go when told."""
    old = sorted(store.addresses())
    migrate(store, move={"Train.lr": "Train.rate"}).apply()
    after = sorted(store.addresses())
    plan = migrate(store, move={"Train.lr": "Train.rate"})
    assert (len(plan.moves), len(plan.there), plan.unmovable) == (5, 5, [])
    done = plan.apply(remove_old=True)
    assert (done.moved, len(done.removed)) == ((), 5)
    assert sorted(store.addresses()) == sorted({*after} - {*done.removed})
    assert set(done.removed) < set(old)
    again = migrate(store, move={"Train.lr": "Train.rate"})
    assert (again.moves, again.apply(remove_old=True).removed) == ({}, ())
    assert store.verify().ok


def test_old_results_stay_that_are_read_by_what_cannot_move(store):
    """Who was computed from them would be without its inputs."""
    read = next(iter(store.addresses("Train")))
    put(store, Address("Odd", "d" * 32), {}, done(inputs=[read]))
    plan = migrate(store, move={"Train.lr": "Train.rate"})
    assert [address.task for address, _ in plan.unmovable] == ["Odd"]
    removed = plan.apply(remove_old=True).removed
    assert sorted(removed) == sorted({*plan.moves} - {read})
    assert store.record(read) is not None


def test_what_was_computed_again_is_not_out_of_date(store):
    """The attempts that were read are those that are there under the new keys."""

    def renamed(data, rate, model, epochs=10):
        raise AssertionError("computed again")

    flow_of().run(num_workers=1, results_store=store, force="all")
    migrate(store, move={"Train.lr": "Train.rate"}).apply()
    flow = flow_of(renamed, config={"rate": [0.1, 0.2], "model": {"depth": [1, 2]}})
    plan = flow.plan(results_store=store)
    assert (plan.to_run, plan.stale) == ([], ())
    assert {status.attempt for status in plan.statuses.values()} == {2}


def test_a_renamed_task_can_be_renamed_again(store):
    """Also when the old name is gone."""
    migrate(store, rename_tasks={"Train": "Fit"}).apply(remove_old=True)
    assert list(store.addresses("Train")) == []
    assert migrate(store, rename_tasks={"Train": "Fit"}).moves == {}


def test_results_that_would_become_one_are_refused(store):
    """The plan tells it; a value decides which of them counts."""
    plan = migrate(store, remove=["Train.lr"])
    assert len(plan.clashes) == 2
    assert "would be the same" in str(plan)
    before = sorted(store.addresses())
    with pytest.raises(MigrationError, match="would have the same key"):
        plan.apply()
    assert sorted(store.addresses()) == before

    def without(data, model, epochs=10):
        raise AssertionError("computed again")

    plan = migrate(store, remove={"Train.lr": 0.2})
    assert [why for _, why in plan.unmovable] == ["its lr has another value"] * 2
    plan.apply()
    trains = flow_of(without, config={"model": {"depth": [1, 2]}}).plan(results_store=store)
    assert [node.name for node in trains.to_run] == ["Select"]


def test_what_was_saved_by_hand_stays(store):
    """Its key is none that a config makes."""
    store.save(1, "note", task_name="Notes", task_unique_config={"Notes": {"lr": 1}})
    store.save(1, "note", task_name="Train", task_unique_config={"Train": {"lr": 1}})
    plan = migrate(store, move={"Train.lr": "Train.rate"})
    assert (len(plan.moves), plan.unmovable) == (5, [])
    plan.apply()
    assert store.load("note", "Notes", {"Notes": {"lr": 1}}) == 1


def test_a_key_that_cannot_be_made_again_is_told(tmp_path):
    """Of a record that is from elsewhere, say; those that read it stay with it."""
    store = LocalFileStore(tmp_path, fsync=False)
    odd = Address("Train", "a" * 32)
    put(store, odd, {"acc": 1}, lr=0.1)
    put(store, Address("Eval", "b" * 32), {}, done(inputs=[odd]))
    plan = migrate(store, move={"Train.lr": "Train.rate"})
    assert [address for address, _ in plan.unmovable] == [odd]
    assert "Train/aaaaaaaa cannot move: its key is none" in str(plan)
    assert plan.moves == {}


def test_what_is_busy_or_damaged_is_left_for_the_next_time(tmp_path):
    """And told; the others move."""
    store = LocalFileStore(tmp_path, fsync=False, inline_limit=0)
    flow_of().run(num_workers=1, results_store=store)
    plan = migrate(store, move={"Train.lr": "Train.rate"})
    first, second, *_ = [new for old, new in plan.moves.items() if old.task == "Train"]
    attempt = store.begin(first)
    damaged = next(old for old, new in plan.moves.items() if new == second)
    (tmp_path / "Train" / damaged.key / "1" / "acc.json").write_text("0")
    done = plan.apply(remove_old=True)
    assert (len(done.moved), len(done.left)) == (3, 2)
    assert damaged in [address for address, _ in done.left]
    assert damaged not in done.removed
    attempt.abandon()
    again = migrate(store, move={"Train.lr": "Train.rate"}).apply()
    assert again.moved == (first,)


def test_declarations_are_checked(store):
    """Unknown tasks and paths that name no parameter."""
    with pytest.raises(MigrationError, match=r"no task 'Trian'.*Did you mean Train"):
        migrate(store, rename_tasks={"Trian": "Fit"})
    with pytest.raises(MigrationError, match=r"no task 'Trian'"):
        migrate(store, add={"Trian.lr": 1})
    with pytest.raises(MigrationError, match=r"write Task\.parameter"):
        migrate(store, add={"lr": 1})
    with pytest.raises(MigrationError, match=r"write Task\.parameter"):
        migrate(store, remove=["Train."])
    with pytest.raises(MigrationError, match="within its task"):
        migrate(store, move={"Train.lr": "Load.lr"})
    with pytest.raises(MigrationError, match="within its task"):
        migrate(store, move={"Train.lr": "Train.lr"})


def test_names_with_dots_are_told_apart():
    """The longest name of a task that fits."""
    changes = declared({"a", "a.b"}, {}, {}, {"a.b.c": 1, "a.c": (1, 2)}, "a.b.d")
    assert [(step.task, step.path) for step in changes.steps] == [
        ("a.b", ("d",)),
        ("a.b", ("c",)),
        ("a", ("c",)),
    ]


def test_a_config_that_is_in_the_way_is_told():
    """Both names at once, or a value where a dict is needed."""
    changes = declared({"T"}, {}, {"T.a": "T.b"}, {"T.c.d": 1}, ())
    with pytest.raises(NotMovable, match="both a and b"):
        Config({"a": 1, "b": 2}, {}, ["a"]).apply(changes.steps[0])
    with pytest.raises(NotMovable, match="c is no dict"):
        Config({"c": {"$tuple": [1]}}, {}, ["c"]).apply(changes.steps[1])
    config = Config({"x": 1}, {"x": 1}, ["x"])
    config.apply(changes.steps[0])
    assert (config.is_changed, config.texts()) == (False, {"x": "1"})


def test_a_killed_migration_goes_on(tmp_path):
    """Until all is there; then the old flow and the new one are both cached."""
    store = LocalFileStore(tmp_path, fsync=False)
    config = {"lr": [0.1 * i for i in range(1, 11)], "model": {"depth": [1, 2, 3]}}
    flow_of(config=config).run(num_workers=1, results_store=store)
    code = (
        "import sys; from flowlib import LocalFileStore, migrate\n"
        "store = LocalFileStore(sys.argv[1], fsync=False)\n"
        "migrate(store, move={'Train.lr': 'Train.rate'}).apply(remove_old=True)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for more in (5, 10):
        command = [sys.executable, "-c", code, str(tmp_path)]
        with subprocess.Popen(command, env=environment) as process:
            before = len(list(store.addresses()))
            while len(list(store.addresses())) < before + more and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
    while migrate(store, move={"Train.lr": "Train.rate"}).apply().left:
        time.sleep(0.1)  # a lease that was just being taken counts for two seconds

    def renamed(data, rate, model, epochs=10):
        raise AssertionError("computed again")

    config["rate"] = config.pop("lr")
    assert counts(flow_of(renamed, config=config), store) == {"cached": 32}
    assert store.verify().ok


@task(name="numbers")
def numbers(n: int) -> list[int]:
    return list(range(n))


@task(name="fitted")
def fitted(data, options, lr=0.1):
    return [data, options, lr]


@task(name="fitted")
def fitted_now(source, options, lr=0.1):
    raise AssertionError("it has a result")


@task(name="report")
def report(fits):
    return fits


def test_roles_of_calls_move_with_their_parameters(store):
    """What a call has read is read under another name, at any depth, and keys follow."""
    old = fitted(numbers(2), {"all": [numbers(3), 1]})
    counts(Flow([report([old, old[0]])]), store)
    changes = {"fitted.data": "fitted.source", "fitted.options.all": "fitted.options.each"}
    changes_of_all = {"move": changes, "rename_tasks": {"numbers": "digits"}}
    assert len(migrate(store, **changes_of_all).apply().moved) == 4
    digits = task(numbers.fn, name="digits")
    new = fitted_now(digits(2), {"each": [digits(3), 1]})
    assert counts(Flow([report([new, new[0]])]), store) == {"cached": 4}
    assert new.result(store) == [[0, 1], {"all": [[0, 1, 2], 1]}, 0.1]  # as it was computed
    assert migrate(store, **changes_of_all).apply().moved == ()


def test_a_role_that_is_called_like_a_task_is_none(store):
    """Renaming the task leaves the parameter as it is."""
    data = task(numbers.fn, name="data")
    counts(Flow([fitted(data(2), 1)]), store)
    digits = task(numbers.fn, name="digits")
    specs = [fitted(digits(2), 1)]  # they tell that this was a call
    migrate(store, rename_tasks={"data": "digits"}, specs=specs).apply()
    assert counts(Flow([fitted(digits(2), 1)]), store) == {"cached": 2}


def test_a_parameter_that_was_read_cannot_be_removed(store):
    """The result was computed from another one, whatever the function takes now."""
    counts(Flow([fitted(numbers(2), 1)]), store)
    plan = migrate(store, remove=["fitted.data"])
    assert [why for _, why in plan.unmovable] == [
        "it has read another task as data, which cannot be removed"
    ]
