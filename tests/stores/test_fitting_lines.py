"""Are lines of an index believed only if they are about the files that are there?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stores.fitting_lines import FittingLines
from stores.index_entry import ListedParts, stamp_of

_KEYS = st.sampled_from("abcde")
_INODES = st.integers(0, 3)
_LINES = st.lists(st.tuples(_KEYS, _INODES, st.integers(0, 4)), max_size=30)


def line(key: str, inode: int, time_ns: int) -> ListedParts:
    """What the index says of a file."""
    return key, inode, stamp_of(7, time_ns), "finished", 1.0, 2.0


@given(st.dictionaries(_KEYS, _INODES), st.lists(_LINES, max_size=4))
def test_each_file_has_a_line_that_is_the_newest_or_is_opened(
    inodes: dict[str, int], pieces: list[list[tuple[str, int, int]]]
) -> None:
    """In whatever order lines come; of no key there are two, and of no other file one."""
    lines = FittingLines(inodes)
    picked = [each for piece in pieces for each in lines.of(line(*told) for told in piece)]
    every = [told for piece in pieces for told in piece]
    keys, missing, outdated = [each[0] for each in picked], lines.missing(), lines.outdated()
    assert sorted([*keys, *missing]) == sorted(inodes)
    assert set(outdated) <= set(keys)
    for key, inode, stamp, *_ in picked:
        assert inode == inodes[key]
        newest = max(time_ns for name, _, time_ns in every if name == key)
        assert (key in outdated) == (stamp != stamp_of(7, newest))
    for key in missing:
        assert (key, inodes[key]) not in [told[:2] for told in every]
