"""Is text of users harmless in a terminal, and as wide as promised?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowlib.console_text import Span, elided, harmless, merged, plain, styled


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Train", "Train"),
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("tab\there\r", r"tab\there\r"),
        ("\x9b31m", r"\x9b31m"),
        ("left\u202eright", r"left\u202eright"),
        ("Größe 模型", "Größe 模型"),
        ("\ud800", r"\ud800"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text, shown):
    """Also those that turn the direction of text, and halves of characters."""
    assert harmless(text) == shown


def test_what_a_stream_cannot_tell_is_escaped():
    """Instead of an error in the middle of a picture."""
    assert harmless("Größe", "ascii") == r"Gr\xf6\xdfe"


@given(st.text(), st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_harmless_text_is_one_printable_line(text, encoding):
    """Whatever a name or a value of a config holds."""
    safe = harmless(text, encoding)
    assert safe.isprintable()
    assert safe.encode(encoding).decode(encoding) == safe
    assert len(safe.splitlines()) <= 1


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"])), st.integers(1, 30))
def test_elided_text_is_not_wider_than_asked(text, width):
    """Wide characters take two cells."""
    for mark in ("…", ".."):
        short = elided(text, width, mark)
        assert cell_len(short) <= width
        assert (short == text) == (cell_len(text) <= width) or mark in text


def test_the_middle_is_left_out():
    """Names differ at their ends."""
    assert elided("PrepareCorpus", 7, "…") == "Pre…pus"
    assert elided("模型训练评估", 7, "…") == "模…评估"


def test_neighbours_of_one_style_are_one_span():
    """30 kB of escape sequences for 20 lines are none of a reader's business."""
    line = merged([Span("a", "red"), Span("b", "red"), Span(""), Span("  "), Span("c"), Span("  ")])
    assert line == (Span("ab  ", "red"), Span("c"))
    assert plain([line]) == "ab  c\n"
    assert merged([Span("  "), Span("")]) == ()


def test_styles_are_the_codes_of_terminals():
    """Nothing but the text where there is no style."""
    assert styled([(Span("✖", "red"), Span(" Train"))]) == "\x1b[31m✖\x1b[0m Train\n"
    assert styled([(), (Span("a"),)]) == "\na\n"
