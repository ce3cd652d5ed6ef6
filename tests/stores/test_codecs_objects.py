"""Do dataclasses and pydantic models come back as they were, from JSON that people read?"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import LocalFileStore
from stores.codec import codecs, infer
from stores.errors import PickleRefused, StoreError


@dataclasses.dataclass
class Plain:
    x: Any
    y: Any = None
    z: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: Any


@dataclasses.dataclass
class Counting:
    x: int

    def __post_init__(self):
        self.x += 1


class Model(pydantic.BaseModel):
    a: Any
    b: Any = 5


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(), inner, max_size=3)
        | st.builds(Plain, inner, inner)
        | st.builds(Frozen, inner)
        | st.builds(Model, a=inner)
    ),
    max_leaves=6,
)


def roundtrip(value):
    """The inferred codec, and what comes back through it."""
    name, codec = infer(value)
    return name, codec.from_bytes(codec.to_bytes(value))


@given(st.builds(Plain, VALUES, VALUES) | st.builds(Frozen, VALUES))
def test_dataclasses_come_back(value):
    """Nested in each other, in lists, dicts and models."""
    name, back = roundtrip(value)
    assert (name, repr(back)) == ("dataclass", repr(value))
    assert type(back) is type(value)


@given(st.builds(Model, a=VALUES, b=VALUES) | st.builds(Model, a=VALUES))
def test_models_come_back(value):
    """With what was set in them."""
    name, back = roundtrip(value)
    assert (name, repr(back), type(back)) == ("pydantic", repr(value), Model)
    assert back.model_fields_set == value.model_fields_set


def test_no_constructor_runs():
    """It would change the value once more."""
    assert roundtrip(Counting(1)) == ("dataclass", roundtrip(Counting(1))[1])
    assert roundtrip(Counting(1))[1].x == 2


def extended():
    """A value with an attribute that is no field."""
    value = Plain(1)
    value.more = 2
    return value


@pytest.mark.parametrize(
    "value", [Plain((1, 2)), Plain({1: 2}), Plain({"$class": "x"}), extended(), Model(a={1})]
)
def test_other_objects_are_pickled(value):
    """They come back all the same."""
    name, back = roundtrip(value)
    assert (name, back) == ("pickle", value)
    with pytest.raises(TypeError, match="pickle it"):
        codecs.find("dataclass")().to_bytes(value)


def test_fields_that_were_added_get_their_default_and_others_are_named():
    """A class may change after its values were saved."""
    codec = codecs.find("dataclass")()
    tree = json.loads(codec.to_bytes(Plain(1)))
    del tree["fields"]["y"], tree["fields"]["z"]
    assert codec.from_bytes(json.dumps(tree).encode()) == Plain(1)
    del tree["fields"]["x"]
    with pytest.raises(StoreError, match="now needs the fields x"):
        codec.from_bytes(json.dumps(tree).encode())
    tree["fields"] = {"x": 1, "w": 2}
    with pytest.raises(StoreError, match="has no fields w"):
        codec.from_bytes(json.dumps(tree).encode())


@pytest.mark.parametrize("name", ["nowhere:A", "os:nothing", "subprocess:Popen", "os:system"])
def test_only_such_classes_are_read(name):
    """Nothing that the bytes name is called."""
    text = json.dumps({"$class": name, "fields": {}})
    with pytest.raises(StoreError):
        codecs.find("dataclass")().from_text(text)


def test_objects_are_refused_where_pickles_are(tmp_path):
    """Reading imports what the bytes name."""
    where = {"task_name": "T", "task_unique_config": {"T": {}}}
    LocalFileStore(str(tmp_path)).save(Plain(1), "v", **where)
    assert LocalFileStore(str(tmp_path)).load("v", **where) == Plain(1)
    with pytest.raises(PickleRefused):
        LocalFileStore(str(tmp_path), allow_pickle=False).load("v", **where)
