"""Are the lines of a `.env` file read as shells and other libraries read them?"""

from __future__ import annotations

import pytest

from flowlib.dotenv import assignments


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A = b ", "b"),
        ("export A=b", "b"),
        ("  export  A=b c", "b c"),
        ("A=", ""),
        ("A=''", ""),
        ("A=b # a comment", "b"),
        ("A=b#c", "b#c"),
        ("A=# a comment", ""),
        ("A='b # c' # a comment", "b # c"),
        ('A="b # c"   # a comment', "b # c"),
        (r"A='b\n$C'", r"b\n$C"),
        (r'A="b\n\"c\" \\ \$D"', 'b\n"c" \\ $D'),
        ("A=$B", "$B"),
        ("A=b=c", "b=c"),
        ("A=ü ✔", "ü ✔"),
        ("A='b", None),
        ('A="b', None),
        ('A="b" c', None),
    ],
)
def test_a_line_assigns(line, value):
    """Quotes, comments, `export` and spaces are understood; a broken line has no value."""
    assert list(assignments(line)) == [(1, "A", value)]


@pytest.mark.parametrize("line", ["", "   ", "# A=b", "  # A=b", "A", "1A=b", "A-B=c", ": A=b"])
def test_other_lines_say_nothing(line):
    """Comments, empty lines and what is no assignment are passed over."""
    assert list(assignments(line)) == []


def test_lines_are_counted_and_may_end_as_on_windows():
    """A mark at the beginning of the file is no part of the first name."""
    text = "\ufeffA=1\r\n\r\n# no\r\nB=2\r\n"
    assert list(assignments(text)) == [(1, "A", "1"), (4, "B", "2")]
