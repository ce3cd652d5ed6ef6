"""Are unquoted words read as the core schema of YAML 1.2 says?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.scalars import needs_quotes, read_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("12", 12),
        ("-0", 0),
        ("+3", 3),
        ("017", 17),
        ("0o17", 15),
        ("0xFf", 255),
        ("1e-3", 0.001),
        ("1E+2", 100.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1.5e3", -1500.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("on", "on"),
        ("yes", "yes"),
        ("tRUE", "tRUE"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("12:30:45", "12:30:45"),
        ("2026-11-21", "2026-11-21"),
        ("1e", "1e"),
        ("e3", "e3"),
        (".", "."),
        ("nan", "nan"),
        ("inf", "inf"),
        ("١٢", "١٢"),
        ("1\n", "1\n"),
    ],
)
def test_words_and_numbers(text, value):
    """Each with its type: 1 is no True and no 1.0."""
    found = read_scalar(text)
    assert (type(found), found) == (type(value), value)


def test_not_a_number():
    """It equals nothing, itself included."""
    assert math.isnan(read_scalar(".nan"))


def test_a_very_long_number_is_text():
    """Python refuses to read such a number, or takes for ever."""
    assert read_scalar("9" * 10_000) == "9" * 10_000


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_what_python_prints_is_read_back(value):
    """Of every finite number, with its type."""
    found = read_scalar(repr(value))
    assert (type(found), found) == (type(value), value)


@given(st.text())
def test_every_text_is_read(text):
    """Never an error; what needs no quotes is itself."""
    assert needs_quotes(text) or read_scalar(text) == text
