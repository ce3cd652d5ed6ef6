"""Are the first pages of a folder of files told by one look, and by a table where that is not sure?"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stores import Listing, LocalFileStore, TaskState
from stores.file_glance import FileGlance
from stores.file_listing import FileListing
from stores.listed_rows import ListedRows
from stores.listing import page_of
from stores.newest_lines import KEPT
from stores.record import Address
from stores.testing import put
from tests.stores.test_file_listing import at, counted, ended, fill, index_of, numbers

_RECENT_S = 60.0


@pytest.fixture
def store(tmp_path: Path) -> LocalFileStore:
    """A store with thirty records."""
    store = LocalFileStore(tmp_path, fsync=False)
    fill(store, range(30))
    return store


@pytest.fixture
def reader(store: LocalFileStore) -> Iterator[LocalFileStore]:
    """Another look at the same folder."""
    found = LocalFileStore(store.base_dir)
    yield found
    found.close()


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks whose records were put into a table."""
    tasks: list[str] = []
    take = FileListing._take

    def noted(self: FileListing, rows: ListedRows, task: str, folder: str) -> None:
        tasks.append(task)
        take(self, rows, task, folder)

    monkeypatch.setattr(FileListing, "_take", noted)
    return tasks


def test_the_first_pages_fill_no_table_and_are_one_look(
    store: LocalFileStore,
    reader: LocalFileStore,
    filled: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder is listed and the index read once, and no record opened but those of a page."""
    with counted(monkeypatch) as seen:
        assert reader.can_page
        assert reader.can_page
    size = sum(map(os.path.getsize, index_of(store)))
    assert (seen.records, seen.characters, seen.folders) == (0, size, 1)
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=3, age_s=_RECENT_S) == [29, 28, 27]
        assert numbers(reader, limit=2, offset=3, age_s=_RECENT_S) == [26, 25]
        assert reader.page(Listing(limit=0, age_s=_RECENT_S)) == ([], 30)
    assert (seen.records, seen.characters, seen.folders) == (5, 0, 0)
    assert filled == []
    assert numbers(reader, limit=1, sort="when") == [0]
    assert numbers(reader, limit=1) == [29]
    assert filled == ["Train"]


def test_the_first_pages_are_those_of_all_records(
    store: LocalFileStore, reader: LocalFileStore, filled: list[str]
) -> None:
    """Of tasks and keys with odd names, too, of records that were computed again, without times or
    with equal ones, and of a task without an index."""
    put(store, Address("a%b/ü", "k.1"), {}, ended(7), n=100)
    put(store, Address("Train", "X" * 200), {}, ended(7), n=101)
    put(store, Address("Train", "a-b"), {}, ended(7), n=102)
    put(store, at(50), {}, ended(100.0), n=103)
    put(store, at(3), {}, ended(0.1 + 0.2), n=3)
    put(store, at(20), {}, ended(1e9 / 7), n=20)
    [path] = index_of(store)
    text = path.read_text()
    assert ",0.3]" in text
    path.write_text(text.replace(",0.3]", ",0.30000000000000004]"))  # as lines were at first
    every = [*store.summaries(is_long=True)]
    for asked in (Listing(), Listing(limit=5, offset=4), Listing(limit=99), Listing(offset=99)):
        assert reader.page(replace(asked, age_s=_RECENT_S)) == page_of(every, asked)
    assert filled == []


def test_pages_that_are_further_than_is_kept_come_from_the_table(
    store: LocalFileStore, reader: LocalFileStore, filled: list[str]
) -> None:
    """Of each task some are known, and a page needs all of them that may stand on it."""
    fill(store, range(30, KEPT + 10))
    put(store, Address("Other", "0" * 32), {}, ended(-1), n=-1)
    newest = [*range(KEPT + 9, -1, -1), -1]
    assert numbers(reader, limit=50, offset=KEPT - 50, age_s=_RECENT_S) == newest[KEPT - 50 : KEPT]
    assert filled == []
    assert numbers(reader, limit=99, offset=KEPT - 49, age_s=_RECENT_S) == newest[KEPT - 49 :]
    assert sorted(filled) == ["Other", "Train"]


def test_of_a_task_with_a_doubtful_record_no_more_is_shown_than_is_known(
    store: LocalFileStore,
    reader: LocalFileStore,
    filled: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of another task stands in the place of those that had been forgotten for it."""
    monkeypatch.setattr("stores.newest_lines.KEPT", 2)
    put(store, Address("Other", "0" * 32), {}, ended(5), n=100)
    [path] = index_of(store)
    line = json.loads(path.read_text().splitlines()[29])
    later = [line[0], line[1] + 10**6, line[2], line[3] + 1, *line[4:]]
    Path(path.parent, "other-1.jsonl").write_text(f"{json.dumps(later, separators=(',', ':'))}\n")
    assert reader.can_page
    assert filled == []
    assert numbers(reader, limit=2) == [29, 28]
    assert sorted(filled) == ["Other", "Train"]


def _damaged(store: LocalFileStore) -> None:
    Path(store.base_dir, "Train", f"{at(29).key}.json").write_text("{")


def _deleted(store: LocalFileStore) -> None:
    Path(store.base_dir, "Train", f"{at(29).key}.json").unlink()


def _replaced(store: LocalFileStore) -> None:
    store._index.add = lambda *_: None  # type: ignore[method-assign]  # killed in between
    put(store, at(29), {}, ended(-5), n=29)


@pytest.mark.parametrize("change", [_damaged, _deleted, _replaced])
def test_what_a_record_says_counts_and_not_what_a_line_says(
    store: LocalFileStore, reader: LocalFileStore, change: Callable[[LocalFileStore], None]
) -> None:
    """Also if it is another one only since the look, which nobody sees but who opens it."""
    assert reader.can_page
    folder = Path(store.base_dir, "Train")
    before = folder.stat()
    change(store)
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))  # as coarse clocks leave it
    wanted = [28, 27, 26]
    assert numbers(reader, limit=3, age_s=_RECENT_S) == wanted
    count = 30 if change is _replaced else 29
    assert reader.page(Listing(limit=1)).total == count
    assert LocalFileStore(store.base_dir).page(Listing(limit=40)).total == count


def test_unknown_records_stand_where_they_belong_and_are_opened_once(
    store: LocalFileStore,
    reader: LocalFileStore,
    filled: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that cannot be read are not counted."""
    store._index.add = lambda *_: None  # type: ignore[method-assign]  # killed in between
    put(store, at(40), {}, ended(28.5), n=40)
    put(store, at(5), {}, ended(27.5), n=5)
    Path(store.base_dir, "Train", f"{at(41).key}.json").write_text("{")
    Path(store.base_dir, "Train", "copy of it.json").write_text("{")
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=4, age_s=_RECENT_S) == [29, 40, 28, 5]
    assert seen.records == 4 + 3
    with counted(monkeypatch) as seen:
        assert reader.page(Listing(limit=1, age_s=_RECENT_S)).total == 31
    assert (seen.records, filled) == (1, [])


def test_files_with_two_names_are_left_to_the_table(
    store: LocalFileStore, reader: LocalFileStore, filled: list[str]
) -> None:
    """Their number does not tell which record a line is about."""
    folder = Path(store.base_dir, "Train")
    os.link(folder / f"{at(5).key}.json", folder / f"{at(60).key}.json")
    assert reader.page(Listing(limit=1)).total == 31
    assert filled == ["Train"]


def test_who_looks_again_and_again_gets_a_table(
    store: LocalFileStore,
    reader: LocalFileStore,
    filled: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which reads of the index only what is new."""
    monkeypatch.setattr("stores.file_listing._MOST_GLANCES", 2)
    for number in (30, 31):
        fill(store, range(number, number + 1))
        assert numbers(reader, limit=1) == [number]
    assert filled == []
    fill(store, range(32, 33))
    assert numbers(reader, limit=1) == [32]
    assert filled == ["Train"]
    fill(store, range(33, 34))
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=1) == [33]
    assert 0 < seen.characters < sum(map(os.path.getsize, index_of(store)))


def test_what_has_changed_is_seen_in_a_recent_look_too(
    store: LocalFileStore, reader: LocalFileStore, filled: list[str]
) -> None:
    """A record that came, one that went, a task that came, and one that went."""
    assert numbers(reader, limit=1, age_s=_RECENT_S) == [29]
    fill(store, range(30, 31))
    assert numbers(reader, limit=1, age_s=_RECENT_S) == [30]
    put(store, Address("Other", "0" * 32), {}, ended(50), n=50)
    assert numbers(reader, limit=1, age_s=_RECENT_S) == [50]
    assert filled == []
    Path(store.base_dir, "Other").rename(Path(store.base_dir, ".Other"))
    assert reader.page(Listing(limit=1, age_s=_RECENT_S)).total == 31


def test_other_questions_take_no_look(
    reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not answer them."""

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(FileGlance, "__init__", refuse)
    assert numbers(reader, limit=1, sort="id") == [0]
    for asked in (
        Listing("Train"),
        Listing(states=frozenset({TaskState.FINISHED})),
        Listing(sort="when"),
        Listing(limit=KEPT, offset=1),
    ):
        fresh = LocalFileStore(reader.base_dir)
        assert fresh.page(asked).total == 30
        fresh.close()


class _Clock:
    """Stands still."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_a_page_that_may_be_old_does_not_make_the_next_one_old(
    store: LocalFileStore, reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that left no trace is found by the first page that asks for it."""
    clock, folder = _Clock(), Path(store.base_dir, "Train")
    monkeypatch.setattr("stores.file_listing.time", clock)
    monkeypatch.setattr("stores.file_marks.time", clock)
    assert reader.page(Listing(sort="when")).total == 30
    before = folder.stat()
    Path(folder, f"{at(3).key}.json").unlink()
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))  # as coarse clocks leave it
    clock.now = 3.0
    assert reader.page(Listing(limit=1, age_s=5.0)).total == 30
    assert reader.page(Listing(limit=1)).total == 29


def test_a_folder_that_stays_as_it_is_is_looked_at_twice(
    reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time after clocks have gone on; nor is it to tell that pages are quick."""
    clock = _Clock()
    for module in ("file_listing", "file_marks", "file_glance"):
        monkeypatch.setattr(f"stores.{module}.time", clock)
    listed = []
    for now, age_s in ((0.0, 0.0), (3.0, 5.0), (6.0, None), (7.0, 5.0), (20.0, 5.0), (20.0, 0.0)):
        clock.now = now
        with counted(monkeypatch) as seen:
            if age_s is None:
                assert reader.can_page
            else:
                assert numbers(reader, limit=1, age_s=age_s) == [29]
        listed.append(seen.folders)
    assert listed == [1, 0, 0, 1, 0, 0]
