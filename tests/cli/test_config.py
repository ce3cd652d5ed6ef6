"""`flowlib config`: what holds, and where it comes from."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowlib.config_axes import config_axes
from flowlib.document_text import yaml_of
from flowlib.sources import parse
from tests.cli.calls import flowlib, project


@pytest.fixture
def folder(tmp_path):
    """A project with four nodes."""
    return project(tmp_path / "project")


def test_the_resolved_document_is_one(folder):
    """What is written to stdout runs as the same tasks; the sizes stand on stderr."""
    called = flowlib("config", "flow.yaml", "train.lr=1e-4,1e-5,1", folder=folder)
    assert called.code == 0
    assert "# Train: 3 tasks  lr (3)\n" in called.err
    (folder / "resolved.yaml").write_text(called.out)
    again = flowlib("config", "resolved.yaml", folder=folder)
    assert (again.out, again.err) == (called.out, called.err)
    assert parse(called.out, "x").value["specs"]["Train"]["config"] == {
        "lr": {"$sweep": [0.0001, 0.00001, 1]}
    }


def test_the_document_as_json(folder):
    """With the number of tasks and the values of each axis."""
    found = flowlib("config", "flow.yaml", "--json", folder=folder).json
    assert found["tasks"] == {"Load": 1, "Train": 2, "Best": 1}
    assert found["axes"]["Train"] == {"lr": [0.01, 0.001]}
    assert found["document"]["specs"]["Best"]["reduce"] is True


def test_the_origin_of_each_value(folder):
    """A line of a file, or the override that replaced it."""
    called = flowlib("config", "flow.yaml", "train.lr=0.5", "--origin", folder=folder)
    rows = [line.split() for line in called.out.splitlines()]
    assert ["Train.requires", "Load", "flow.yaml:5"] in rows
    assert ["train.lr", "0.5", "train.lr=0.5"] in rows
    assert not any(row[0] == "Train.lr" for row in rows)


def test_settings_and_where_they_come_from(folder):
    """Flag, environment, project and default."""
    (folder / "flowlib.toml").write_text("log_level = 'DEBUG'\n")
    found = flowlib("config", "--json", folder=folder, FLOWLIB_ASCII="1").json["settings"]
    assert found["ascii"] == {"value": True, "origin": "FLOWLIB_ASCII in the environment"}
    assert found["log_level"]["value"] == "DEBUG"
    assert found["log_level"]["origin"].endswith("flowlib.toml")
    assert found["lease_secs"]["origin"] == "default"


def test_the_schema_is_one(folder):
    """Editors read it."""
    called = flowlib("config", "--json-schema", folder=folder)
    assert json.loads(called.out)["properties"]["specs"]["type"] == "object"


def test_axes_are_what_differs():
    """Constant parameters are none; one that is absent somewhere is."""
    configs = [{"a": 1, "m": {"d": 1}}, {"a": 1, "m": {"d": 1.0}}, {"a": 1, "m": {"d": 1}, "k": 2}]
    assert config_axes(configs) == {"m.d": [1, 1.0], "k": [2]}
    assert config_axes([]) == {}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda k: k != "<<"), inner),
    max_leaves=8,
)


@given(value=VALUES)
@example(value={":0": None})
@example(value=["?0", ":", "?"])
def test_yaml_is_read_as_the_values_that_were_written(value):
    """Words that look like numbers, empty texts, line breaks, all Unicode."""
    read = parse(yaml_of({"x": value}), "x").value["x"]
    assert repr(read) == repr(value)
