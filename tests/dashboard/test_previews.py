"""Is something of every table shown, however long its lines are?"""

from __future__ import annotations

import io

from flowlib.dashboard.previews import preview
from stores import Address, Artifact, InMemoryStore

AT = Address("T", "a" * 32)


class Large(InMemoryStore):
    """Has one artifact of any text."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def artifact_stream(self, address, artifact):
        return io.BytesIO(self.text.encode())


def shown(text):
    """What is seen of a table."""
    table = Artifact("t", "csv", size_bytes=len(text), file="1/t.csv")
    return str(preview(Large(text), AT, table))


def test_a_first_line_that_is_longer_than_what_is_read_is_not_empty():
    """It is shown as far as it was read; a line that was not read whole is no row otherwise."""
    long = shown("left,right," + "x" * 100_000 + "\n1,2,3\n")
    assert "left" in long
    assert "empty" not in long
    assert "more" in long
    assert "<td>12</td>" not in shown("a\n" + "123456789\n" * 10_000)
    assert "empty" in shown("")
