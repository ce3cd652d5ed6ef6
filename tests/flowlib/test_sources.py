"""Do files give their values, and every part its line?"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.errors import ConfigError
from flowlib.sources import parse, read_source

YAML = """\
# a document
project: demo
specs:
  Train:
    config: {lr: 1e-3, on: on}
    tags:
      - a
      - "1"
"""

TOML = """\
project = "demo"  # a document
[specs.Train]
tags = ["a", "1"]
[specs.Train.config]
lr = 1e-3
on = "on"
"""

VALUE = {
    "project": "demo",
    "specs": {"Train": {"config": {"lr": 0.001, "on": "on"}, "tags": ["a", "1"]}},
}


def test_three_languages_say_the_same():
    """Scalars of YAML are those of version 1.2."""
    assert parse(YAML, "x.yaml").value == VALUE
    assert parse(TOML, "x.toml", ".toml").value == VALUE
    assert parse(json.dumps(VALUE, indent="\t"), "x.json", ".json").value == VALUE


@pytest.mark.parametrize(
    ("text", "ending", "place", "line"),
    [
        (YAML, ".yaml", ("project",), 2),
        (YAML, ".yaml", ("specs", "Train", "config", "lr"), 5),
        (YAML, ".yaml", ("specs", "Train", "tags", 1), 8),
        (YAML, ".yaml", ("specs", "Train", "tags", 1, "deeper"), 8),
        (TOML, ".toml", ("specs", "Train", "tags"), 3),
        (TOML, ".toml", ("specs", "Train", "config", "lr"), 5),
        (json.dumps(VALUE, indent="\t"), ".json", ("specs", "Train", "config", "on"), 7),
        (json.dumps(VALUE, indent=1), ".json", ("specs", "Train", "tags", 1), 11),
    ],
)
def test_every_part_has_its_line(text, ending, place, line):
    """What has none has that of what it stands in."""
    assert parse(text, "x", ending).where(place) == f"x:{line}"


def test_a_source_upon_another():
    """Mappings are joined, all else is replaced; each part keeps its own file and line."""
    below = parse("a: {x: 1, y: [1, 2]}\nb: {$sweep: [1, 2]}\nc: 1", "below")
    top = parse("\n\na:\n  y: [3]\n  z: 4\nb: {$log: 1}", "top").over(below)
    assert top.value == {"a": {"x": 1, "y": [3], "z": 4}, "b": {"$log": 1}, "c": 1}
    places = [("a", "x"), ("a", "y", 0), ("a", "y", 1), ("a", "z"), ("b", "$log"), ("c",)]
    assert [top.where(place) for place in places] == [
        "below:1",
        "top:4",
        "top:4",
        "top:5",
        "top:6",
        "below:3",
    ]


@pytest.mark.parametrize(
    ("text", "ending", "message"),
    [
        ("a: [1", ".yaml", "x:1: no YAML"),
        ("a: 1\nb: 2\na: 3", ".yaml", "x:3: the key a stands twice"),
        ("b: 1\na: &x [*x]", ".yaml", "x:2: an alias stands inside of what it names"),
        ("a: !!python/name:os.system x", ".yaml", "x:1: the tag .*python.* is not known"),
        ("a: !secret x", ".yaml", "x:1: the tag !secret is not known"),
        ("[1, 2]: a", ".yaml", "x:1: a key is a word"),
        ("--- 1\n--- 2", ".yaml", "x:2: no YAML"),
        ("a = 1\nb = ", ".toml", "x:2: no TOML"),
        ('{"a": 1,\n "b": }', ".json", "x:2: no JSON"),
        ('{"a": 1, "a": 2}', ".json", "x: the key 'a' stands twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, ending, message):
    """And no Python object is ever made."""
    with pytest.raises(ConfigError, match="^" + message.replace("(", r"\(")):
        parse(text, "x", ending)


@pytest.mark.slow
def test_a_few_lines_that_mean_billions_are_refused():
    """Each line holds the one before it ten times."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="more than 1000000 parts"):
        parse("\n".join(lines), "x")


def test_tags_of_yaml_are_followed():
    """`!!str` keeps a text a text."""
    assert parse("[!!str 1, !!float 1, !!str on]", "x").value == ["1", 1.0, "on"]


def test_merge_keys_and_aliases():
    """What stands in the mapping itself wins; the first of a list of mappings wins."""
    text = "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\nc: {<<: [*b, *o], x: 9}\nd: *b"
    value = parse(text, "x").value
    assert (value["c"], value["d"]) == ({"x": 9, "y": 2, "z": 4}, {"x": 1, "y": 2})


def test_an_empty_file_is_none(tmp_path):
    """Also one with comments only."""
    (tmp_path / "a.yaml").write_text("# nothing\n")
    assert read_source(tmp_path / "a.yaml").value is None


def test_a_file_that_cannot_be_read(tmp_path):
    """One line that names it."""
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    for name, reason in (("a.yaml", "No such file"), ("b.yaml", "UTF-8"), (".", "directory")):
        with pytest.raises(ConfigError, match=reason):
            read_source(tmp_path / name)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_json_gives_what_was_written(value):
    """Every value that JSON knows, whatever the lines say."""
    assert parse(json.dumps(value, indent=2), "x", ".json").value == value


@given(st.text())
def test_any_text_is_a_value_or_one_clear_error(text):
    """No other exception, in none of the three languages."""
    for ending in (".yaml", ".toml", ".json"):
        try:
            parse(text, "x", ending)
        except ConfigError as error:
            assert str(error).startswith("x")
