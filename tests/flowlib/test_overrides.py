"""Does an override mean what its text says, and is everything unclear refused?"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.errors import ConfigError
from flowlib.overrides import Action, Override, parse_override


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=1", (1,)),
        ("a.b=1e-3,on", (0.001, "on")),
        ("a.b=[1,2]", ([1, 2],)),
        ("a.b=[1,2],[3]", ([1, 2], [3])),
        ("a.b='1,2'", ("1,2",)),
        ('a.b="1,2",3', ("1,2", 3)),
        (r'a.b="x\"y\\",z', ('x"y\\', "z")),
        ("a.b='it''s',2", ("it's", 2)),
        ("a.b=it's,fine", ("it's", "fine")),
        ("a.b={x: 1, y: [2, 'a]b']},{x: 2}", ({"x": 1, "y": [2, "a]b"]}, {"x": 2})),
        ("a.b=[it's, x]", (["it's", "x"],)),
        ("a.b=null", (None,)),
        ("a.b=''", ("",)),
        ("a.b=x=y", ("x=y",)),
        ("a.b= 1 , 2 ", (1, 2)),
        ("a.b=a: b", ("a: b",)),
        ("a.b=# x", ("# x",)),
        ("a.b=*x", ("*x",)),
        ("a.b=http://x.de:80/a", ("http://x.de:80/a",)),
        ("a.b='@x'", ("@x",)),
    ],
)
def test_values(text, values):
    """One, or several choices."""
    assert parse_override(text) == Override(text, Action.SET, ("a", "b"), values)


def test_prefixes():
    """Add, delete, advance together."""
    assert parse_override("+a.b.c=1").action is Action.ADD
    assert parse_override("+a.b.c=1").path == ("a", "b", "c")
    assert parse_override("~a.b") == Override("~a.b", Action.DELETE, ("a", "b"))
    zipped = parse_override("@a.b=1,2")
    assert (zipped.values, zipped.is_zipped) == ((1, 2), True)


def test_the_content_of_a_file(tmp_path):
    """In any of the three languages."""
    (tmp_path / "x.toml").write_text("depth = 3")
    assert parse_override(f"a.b=@{tmp_path}/x.toml").values == ({"depth": 3},)
    with pytest.raises(ConfigError, match="No such file"):
        parse_override(f"a.b=@{tmp_path}/y.toml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.b", "write key=value, or ~key"),
        ("a=1", "the first key names a spec: write <spec>.a=…"),
        ("a.b=", "write '' for an empty text"),
        ("a.b=1,", "a value is empty"),
        ("a.b=,1", "a value is empty"),
        ("a..b=1", "no dotted path"),
        ("=1", "no dotted path"),
        ("a. b=1", "no dotted path"),
        ("~a.b=1", "it takes no value"),
        ("@a.b=1", "at least two"),
        ("a.b=[1,2", r"a closing \] is missing"),
        ("a.b={x: 1", "a closing } is missing"),
        ("a.b='x", "a closing ' is missing"),
        ('a.b="x" y', 'a comma is expected after "x"'),
        ("a.b=[1] 2", r"a comma is expected after \[1\]"),
        ("a.b=@", "a file name is expected"),
        ("a.b=[*x]", "is no value"),
    ],
)
def test_what_is_unclear_is_refused(text, reason):
    """With the override and what was expected."""
    with pytest.raises(ConfigError, match=reason) as caught:
        parse_override(text)
    assert str(caught.value).startswith(f"override {text!r}: ")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=20), inner),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_every_value_can_be_written(values):
    """Collections and texts as JSON has them; floats and infinities as YAML has them."""
    written = [_written(value) for value in values]
    assert parse_override("a.b=" + ",".join(written)).values == tuple(values)


def _written(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)}: {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, float) and value in (float("inf"), -float("inf")):
        return ".inf" if value > 0 else "-.inf"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text):
    """In double quotes; half of a pair of UTF-16 has no form in YAML, so it is never drawn."""
    return '"' + "".join(f"\\U{ord(each):08x}" for each in text) + '"'


def _key(text):
    return _text(text)


@given(st.text())
def test_any_text_is_an_override_or_one_clear_error(text):
    """Nothing else is ever raised."""
    for each in (text, f"a.b={text}", f"@a.b={text},{text}"):
        try:
            parse_override(each)
        except ConfigError as error:
            assert str(error).startswith("override ") or "cannot be read" in str(error)
