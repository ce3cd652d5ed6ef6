"""When two tasks are the same: what enters the key, and what does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib import Flow, SpecError, Task, TaskSpec
from flowlib.recorded import RecordedConfig, parameter_texts

GOLDEN = Path(__file__).parent / "golden" / "keys.json"


def train(lr=0.1, layers=None, opt=None, name="x", size: float = 1.0, data=None):
    return None


def anything(**config):
    return None


def key(config=None, task=train, **options):
    (node,) = Flow([TaskSpec(task, config, **options)]).graph
    return node.key


@dataclass(frozen=True)
class Point:
    x: int
    y: int


def test_the_order_of_keys_does_not_matter():
    """Two dicts with the same items are one config."""
    assert key({"lr": 1.0, "opt": {"a": 1, "b": 2}}) == key({"opt": {"b": 2, "a": 1}, "lr": 1.0})


def test_values_of_different_types_differ():
    """1, 1.0, True, "1", [1] and (1,) are six configs; -1.0 and -2.0 are two."""
    values = [1, 1.0, True, "1", [1], (1,), {1}, -1.0, -2.0, 0.0, -0.0, None, Point(1, 2), (1, 2)]

    assert len({key({"opt": value}) for value in values if value is not None}) == len(values) - 1


def test_a_value_equal_to_its_default_is_no_part_of_the_key():
    """Adding a parameter with a default keeps old results."""
    assert key({}) == key({"lr": 0.1}) == key({"lr": 0.1, "opt": None})
    assert key({"lr": 0.2}) != key({})


def test_an_int_for_a_float_parameter_is_converted():
    """Only where the annotation is exactly float."""
    assert key({"size": 1}) == key({"size": 1.0}) == key({})
    assert key({"lr": 1}) != key({"lr": 1.0})


def test_none_is_a_value():
    """An explicit None where the default is something else is another config."""
    assert key({"lr": None}) != key({})


def test_version_and_name_enter_the_key_only_when_given():
    """No version is not the version None, "1" is not 1."""
    keys = [key({}), key({}, version=1), key({}, version="1"), key({}, name="other")]

    assert len(set(keys)) == 4


def test_ignored_keys_and_additional_arguments_do_not_matter():
    """Neither at the top nor in nested dicts."""
    base = key({"opt": {"a": 1}}, config_ignore_prefix="_")

    assert base == key({"opt": {"a": 1, "_b": 2}, "_name": "y"}, config_ignore_prefix="_")
    assert base == key({"opt": {"a": 1}}, additional_kwargs={"name": object()})


def test_ignored_keys_reach_the_task_without_their_prefix():
    """The value arrives under the parameter's own name."""
    spec = TaskSpec(train, {"opt": {"a": 1, "_b": 2}, "_name": "y"}, config_ignore_prefix="_")
    (node,) = Flow([spec]).graph

    assert node.config == {"opt": {"a": 1, "b": 2}, "name": "y"}


def test_predecessors_enter_the_key_by_name_and_key():
    """Another predecessor is another node; the order of requires is not."""
    one, two = TaskSpec(anything, {"a": 1}, name="one"), TaskSpec(anything, {"a": 2}, name="two")

    def key_after(*predecessors):
        spec = TaskSpec(train, name="after").requires(*predecessors)
        return Flow([spec]).graph.by_spec["after"][0].key

    assert key_after(one, two) == key_after(two, one)
    assert len({key_after(one), key_after(two), key_after(one, two)}) == 3


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.text() | st.booleans()))
def test_different_configs_have_different_keys(config):
    """A changed, an added and a removed item each make another key."""
    config = {name: value for name, value in config.items() if name != "task"}
    base = key(config, task=anything)
    assert key({**config, "added": 1}, task=anything) != base
    for name, value in config.items():
        assert key({**config, name: [value]}, task=anything) != base


def test_nan_is_one_config():
    """D28: the same NaN or another one is found again."""
    assert key({"lr": float("nan")}) == key({"lr": float("inf") - float("inf")})


def test_unknown_objects_are_refused_with_the_path():
    """The spec and the place of the value are named."""
    with pytest.raises(SpecError, match=r"train.*opt\.a"):
        key({"opt": {"a": object()}})


def test_lambdas_are_refused_as_values():
    """They have no name that is the same in another process."""
    with pytest.raises(SpecError, match="opt"):
        key({"opt": lambda: 1})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"lrr": 1}, r"train\.lrr is not a parameter of train .*Did you mean lr\?"),
        ({"size": 10**400}, r"train\.size: int too large to convert to float"),
        ({"size": "big"}, r"train\.size is 'big' \(str\), but train .* wants float"),
    ],
)
def test_configs_that_do_not_fit_are_refused(config, message):
    """The spec, the key and what was expected are named."""
    with pytest.raises(SpecError, match=message):
        key(config)


class Needs(Task):
    def __init__(self, lr: float, epochs: int):
        pass

    def run(self):
        return None


def test_missing_keys_are_named():
    """All of them, with the place of the task."""
    with pytest.raises(SpecError, match=r"Needs\.epochs is missing: Needs .*no default for epochs"):
        key({"lr": 1}, task=Needs)


def test_config_keys_that_hide_attributes_of_a_task_are_refused():
    """`name` belongs to Task."""
    with pytest.raises(SpecError, match="the config keys name, state are protected"):
        TaskSpec(Needs, {"name": 1, "state": 2})


def test_the_record_holds_the_whole_config_and_the_users_part():
    """Defaults are in the one, not in the other; ignored keys in none."""
    spec = TaskSpec(train, {"size": 2, "_name": "y"}, config_ignore_prefix="_")
    (node,) = Flow([spec]).graph
    texts = RecordedConfig(node.declaration)

    assert json.loads(texts.user(node.arguments)) == {"size": 2}
    assert parameter_texts(texts.full(node.arguments)) == {
        "data": "null",
        "layers": "null",
        "lr": "0.1",
        "opt": "null",
        "size": "2.0",
    }


def golden_configs():
    return {
        "empty": {},
        "scalars": {"lr": 0.25, "name": "ä€\U0001f600", "opt": True},
        "nested": {"opt": {"b": [1, (2, 3)], "a": {"x": None}}, "layers": [64, 64]},
        "types": {"opt": {1, 2, 3}, "layers": b"\x00\xff", "lr": float("inf"), "data": 2 + 3j},
        "big": {"opt": 10**40, "lr": 1e-300},
    }


def test_keys_are_those_of_the_golden_file():
    """They change only with KEY_VERSION, and are equal on every machine and Python."""
    expected = json.loads(GOLDEN.read_text())

    assert {name: key(config) for name, config in golden_configs().items()} == expected


def test_keys_do_not_depend_on_the_hash_seed():
    """Three processes with three seeds make the keys of the golden file."""
    code = (
        "import json, tests.flowlib.test_identity as t;"
        "print(json.dumps({n: t.key(c) for n, c in t.golden_configs().items()}))"
    )
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == json.loads(GOLDEN.read_text())
