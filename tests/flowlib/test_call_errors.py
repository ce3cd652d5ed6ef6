"""Is what is wrong with a function or a call said in words that help?"""

from __future__ import annotations

import functools

import pytest

from flowlib import CallError, SpecError, TaskSpec, task


def scaled(value, /, factor=1):
    return value * factor


@pytest.mark.parametrize("name", ["", 3, b"x"])
def test_a_name_is_text(name):
    """Also that of a spec."""
    with pytest.raises(SpecError, match=r"scaled: a name is text that is not empty, not"):
        task(scaled, name=name)
    with pytest.raises(SpecError, match=r"scaled: a name is text that is not empty, not"):
        TaskSpec(scaled, name=name)


def test_a_parameter_that_is_given_by_position_only():
    """It is one, so its own name is no advice."""
    with pytest.raises(CallError, match=r"scaled\(\) takes 'value' by position only"):
        task(scaled)(value=1)


@pytest.mark.parametrize("other", [len, "text".upper, functools.partial(scaled, 2)])
def test_what_is_no_function_is_refused_with_the_cure(other):
    """Builtin functions and partial ones have no name and no code that stay."""
    with pytest.raises(TypeError, match="write a function that calls it"):
        task(other)


@pytest.mark.parametrize("form", [None, [], {"nope": 1}, "text"])
def test_what_is_no_spec_in_plain_values(form):
    """Whatever it is."""
    with pytest.raises(SpecError, match=r"is what TaskSpec\.to_dict\(\) gives, not"):
        TaskSpec.from_dict(form)
