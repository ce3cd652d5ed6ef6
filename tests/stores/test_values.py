"""What stores hand out: dicts with attributes, configs that know their record, sweeps."""

from __future__ import annotations

import copy
import pickle

import pytest

from stores.record import Address
from stores.values import LazySweep, MetaDict, Promise, StoreContext, Sweep, UniqueConfig

ADDRESS = Address("Train", "9a7a08b2" * 4)
COPIES = [
    copy.copy,
    copy.deepcopy,
    lambda value: value.copy(),
    lambda value: pickle.loads(pickle.dumps(value)),
]


class Later(Promise):
    """A value that is there already."""

    def __init__(self, value):
        self.value = value

    def load(self, **kwargs):
        """The value."""
        return self.value

    def __eq__(self, other):
        return type(other) is Later and other.value == self.value

    __hash__ = None


def test_keys_are_attributes_at_every_depth():
    """Whether they were there at first or came later."""
    config = MetaDict({"opt": {"adam": {"lr": 0.1}}}, epochs=3)
    config["later"] = {"a": {"b": 1}}
    config.update(more={"c": 2})
    config.seed = 7
    assert config.opt.adam.lr == config["opt"]["adam"]["lr"] == 0.1
    assert (config.epochs, config.later.a.b, config.more.c, config["seed"]) == (3, 1, 2, 7)
    config.later.a.b = 5
    assert config["later"]["a"]["b"] == 5
    del config.seed
    assert "seed" not in config


def test_a_missing_attribute_names_those_there_are():
    """As an AttributeError, so that hasattr and getattr work."""
    config = MetaDict(lr=1, size=2)
    with pytest.raises(AttributeError, match="there is no 'rl'; there are: lr, size"):
        _ = config.rl
    with pytest.raises(AttributeError):
        del config.rl
    assert not hasattr(config, "rl")
    assert getattr(config, "rl", 5) == 5


def test_a_metadict_is_a_dict():
    """Equal to one, with its order."""
    config = MetaDict({"b": 1, "a": {"x": 2}})
    assert config == {"b": 1, "a": {"x": 2}}
    assert list(config) == ["b", "a"]
    assert isinstance(config, dict)


@pytest.mark.parametrize("copied", COPIES)
def test_copies_keep_type_and_attributes(copied):
    """Shallow, deep and pickled ones; deep ones share nothing."""
    config = MetaDict({"opt": {"lr": 0.1}})
    made = copied(config)
    assert (type(made), made, made.opt.lr) == (MetaDict, config, 0.1)
    made.added = 1
    assert "added" not in config


def test_a_deep_copy_shares_nothing():
    """Neither dicts nor lists."""
    config = MetaDict({"opt": {"lr": [1]}})
    made = copy.deepcopy(config)
    made.opt.lr.append(2)
    assert config.opt.lr == [1]


@pytest.mark.parametrize("copied", COPIES)
def test_a_unique_config_keeps_its_address_in_copies(copied):
    """The address is no key, and no part of equality."""
    config = UniqueConfig({"Train": {"lr": 0.1}}, ADDRESS)
    made = copied(config)
    assert (type(made), made, made.address) == (UniqueConfig, config, ADDRESS)
    assert made == {"Train": {"lr": 0.1}} == UniqueConfig({"Train": {"lr": 0.1}})
    assert list(made) == ["Train"]
    assert made.Train.lr == 0.1


def test_a_task_may_be_called_address():
    """The key is there as an item."""
    config = UniqueConfig({"address": {"x": 1}}, ADDRESS)
    assert (config["address"], config.address) == ({"x": 1}, ADDRESS)


@pytest.mark.parametrize("kind", [Sweep, LazySweep])
def test_a_sweep_has_a_value_and_a_config(kind):
    """By position or by name; equal when both are; with attributes in the config."""
    value = Later(3)
    sweep = kind(value, {"Train": {"lr": 1}})
    assert sweep == kind(value=value, config=MetaDict({"Train": {"lr": 1}}))
    assert sweep != kind(Later(4), {"Train": {"lr": 1}})
    assert sweep != kind(value, {"Train": {"lr": 2}})
    assert sweep.config.Train.lr == 1
    assert pickle.loads(pickle.dumps(sweep)) == sweep
    assert repr(kind(1, {})) == f"{kind.__name__}(value=1, config={{}})"


def test_a_sweep_and_a_lazy_sweep_differ():
    """Even with the same content."""
    assert Sweep(1, MetaDict()) != LazySweep(1, MetaDict())


def test_the_config_of_a_sweep_is_worked_out_once_when_asked_for():
    """Sending it to another process works it out, too."""
    calls = []

    def config():
        calls.append(1)
        return MetaDict(lr=1)

    sweep = Sweep(5, config)
    assert (sweep.value, calls) == (5, [])
    assert (sweep.config.lr, sweep.config.lr, calls) == (1, 1, [1])
    assert pickle.loads(pickle.dumps(Sweep(5, config))).config == {"lr": 1}


def test_a_context_tells_where_results_are_kept():
    """Nothing, in stores without files."""
    assert StoreContext() == StoreContext(run_dir=None, sweep_counter=None)
    assert StoreContext("runs/Train", "003").run_dir == "runs/Train"


def test_a_promise_must_say_how_it_loads():
    """The contract has one method."""
    with pytest.raises(TypeError, match="load"):
        Promise()
