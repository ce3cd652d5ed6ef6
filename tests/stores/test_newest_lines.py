"""Are the records that ended last found in the lines of an index, as all lines together tell them?"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import newest_lines
from stores.fitting_lines import FittingLines
from stores.index_entry import listed_in
from stores.newest_lines import NewestLines, late

_FILES = st.dictionaries(st.integers(0, 8), st.sampled_from("abcdefgh"), max_size=8)
_MOMENTS = st.one_of(st.none(), st.integers(0, 4).map(float))
_TOLD = st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 8), st.integers(0, 4), _MOMENTS)
_PIECES = st.lists(st.lists(st.one_of(_TOLD, st.sampled_from(["", "[", '["a",1,'])), max_size=12))


def line(key: str, inode: int, time_ns: int, ended: float | None) -> str:
    """What the index says of a record that began, if at all, at 2.5."""
    started = None if time_ns == 4 else 2.5
    told = [key, inode, 7, time_ns, 1, "failed", 1, "failed", {}, [], 1.0, True, started, ended]
    return json.dumps(told, separators=(",", ":"))


def usual(number: int, ended: float) -> str:
    """What the index says of one of many records."""
    return line(f"{number:032x}", number, 1, ended)


@contextmanager
def kept(count: int) -> Iterator[None]:
    """So many are found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest_lines, "KEPT", count)
        yield


@given(_FILES, _PIECES, st.integers(1, 3))
def test_the_first_ones_are_the_first_of_all_that_fit(
    keys: dict[int, str], pieces: list[list[tuple[str, int, int, float | None] | str]], count: int
) -> None:
    """In whatever order lines come; and what fits no line, or an older one, has to be opened."""
    files = {inode: key for key, inode in {key: inode for inode, key in keys.items()}.items()}
    texts = [
        "".join(f"{each if isinstance(each, str) else line(*each)}\n" for each in piece)
        for piece in pieces
    ]
    fitting = FittingLines({key: inode for inode, key in files.items()})
    fits = [each for text in texts for each in fitting.of(listed_in(text))]
    outdated = fitting.outdated()
    known = [each for each in fits if each[0] not in outdated]
    every = sorted((late(each[4] if each[5] is None else each[5]), each[0]) for each in known)
    with kept(count):
        lines = NewestLines(files)
        for text in texts:
            lines.take(text)
        lines.take_again(texts)
        found, is_all = lines.first()
    assert sorted(lines.unknown()) == sorted([*fitting.missing(), *outdated])
    assert found == every[: len(found)]
    assert len(found) <= count
    assert not is_all or found == every
    assert is_all or len(every) > 0


@pytest.mark.parametrize("step", [1, -1])
def test_of_many_lines_all_pages_that_are_kept_are_found(step: int) -> None:
    """Whether the last stand first or last, and although most are forgotten on the way."""
    numbers = range(5_000)[::step]
    lines = NewestLines({number: f"{number:032x}" for number in numbers})
    for start in range(0, 5_000, 500):
        some = numbers[start : start + 500]
        lines.take("".join(f"{usual(number, number / 2)}\n" for number in some))
        assert len(lines._best) <= 4 * newest_lines.KEPT
    lines.take_again([])
    found, is_all = lines.first()
    assert found == [
        (-number / 2, f"{number:032x}") for number in range(4_999, 4_999 - newest_lines.KEPT, -1)
    ]
    assert (is_all, lines.unknown()) == (False, [])


def test_usual_lines_are_read_once_and_no_further_than_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What all of a line says is looked at for the keys alone that several lines tell."""
    read: list[str] = []

    def noted(text: str) -> list[newest_lines.ListedParts]:
        read.extend(text.split("\n"))
        return listed_in(text)

    monkeypatch.setattr(newest_lines, "listed_in", noted)
    lines = NewestLines({number: f"{number:032x}" for number in range(50)})
    text = "".join(f"{usual(number, number)}\n" for number in range(50))
    lines.take(text)
    lines.take_again([text])
    assert read == []
    again = f"{usual(7, 7)}\n"
    lines.take(again)
    lines.take_again([text, again])
    assert sorted(filter(None, read)) == [usual(7, 7)] * 2
    assert lines.first()[0][0] == (-49.0, f"{49:032x}")


@pytest.mark.parametrize("at_once", [1, 6])
def test_one_that_is_doubtful_leaves_no_gap(at_once: int) -> None:
    """Others had been forgotten for it: nothing that is worse stands in its place."""
    told = [line(key, inode, 1, 6.0 - inode) for inode, key in enumerate("abcdef")]
    again = [line("a", 7, 2, 0.0), line("f", 5, 1, 1.0)]
    every = [*told, *again]
    texts = [
        "".join(f"{each}\n" for each in every[start : start + at_once])
        for start in range(0, len(every), at_once)
    ]
    with kept(1):
        lines = NewestLines(dict(enumerate("abcdef")))
        for text in texts:
            lines.take(text)
        lines.take_again(texts)
        assert lines.first() == ([], False)
    assert lines.unknown() == ["a"]


@pytest.mark.parametrize("moment", [math.nan, math.inf, -math.inf, 1e308])
def test_times_that_are_no_times_do_no_harm(moment: float) -> None:
    """Nobody writes them; one that is no number is none, as in a database."""
    lines = NewestLines({number: f"{number:032x}" for number in range(3)})
    lines.take("".join(f"{usual(n, moment if n == 1 else n)}\n" for n in range(3)))
    found, is_all = lines.first()
    assert (len(found), is_all, lines.unknown()) == (3, True, [])
    assert [key for _, key in found if key != f"{1:032x}"] == [f"{2:032x}", f"{0:032x}"]
    assert late(moment) == (math.inf if math.isnan(moment) else -moment)
