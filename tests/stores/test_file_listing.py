"""Does a store of files find its pages by the index, whatever happened to the index?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from stores import Listing, LocalFileStore, TaskState
from stores.file_folders import RecordFolders
from stores.file_lines import AppendedLines
from stores.file_listing import FileListing
from stores.file_records import FileRecords
from stores.index_entry import listed_in, narrow
from stores.listed_rows import ListedRows
from stores.listing import page_of
from stores.record import Address, Attempt
from stores.testing import done, put

FIRST = Listing(limit=1)


def at(number: int, task: str = "Train") -> Address:
    """One of any number of addresses."""
    return Address(task, f"{number:032x}")


def ended(number: float, state: str = "finished") -> Attempt:
    """An attempt that ended then."""
    return replace(done(TaskState(state)), started=1.0, ended=float(number))


def fill(store: LocalFileStore, numbers: Iterator[int] | range) -> None:
    """A record for each number."""
    for number in numbers:
        put(store, at(number), {}, ended(number), n=number)


def numbers(store: LocalFileStore, **asked: Any) -> list[int]:
    """The parameters of the records of a page."""
    return [each.config["n"] for each in store.page(Listing(**asked)).summaries]


def index_of(store: LocalFileStore) -> list[Path]:
    """The files of the index."""
    return sorted(Path(store.base_dir, "Train", ".index").glob("*.jsonl"))


@dataclass
class Seen:
    """What was read.

    Attributes:
        records: How many records were opened.
        characters: Of the index.
        folders: How many were listed.
    """

    records: int = 0
    characters: int = 0
    folders: int = 0


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """What is read meanwhile."""
    seen, listed, texts, scandir = Seen(), FileRecords.listed, AppendedLines.texts, os.scandir

    def one(self: FileRecords, path: str) -> Any:
        seen.records += 1
        return listed(self, path)

    def some(self: AppendedLines, path: str) -> Iterator[str]:
        for text in texts(self, path):
            seen.characters += len(text)
            yield text

    def folder(path: Any) -> Any:
        seen.folders += 1
        return scandir(path)

    with monkeypatch.context() as patched:
        patched.setattr(FileRecords, "listed", one)
        patched.setattr(AppendedLines, "texts", some)
        patched.setattr("stores.file_listing.os.scandir", folder)
        yield seen


@pytest.fixture(params=[0, 3], ids=["table", "glance"], autouse=True)
def glances(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many looks tell the first pages only; later ones, or all, fill a table."""
    monkeypatch.setattr("stores.file_listing._MOST_GLANCES", request.param)
    return int(request.param)


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


def test_a_page_opens_its_own_records_and_reads_the_index_once(
    reader: LocalFileStore, store: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards only what was appended, and nothing of a folder that has not changed for long."""
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=3, sort="when") == [0, 1, 2]
    assert (seen.records, seen.characters) == (3, sum(map(os.path.getsize, index_of(store))))
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=2, offset=10) == [19, 18]
        assert reader.can_page
    assert (seen.records, seen.characters) == (2, 0)
    before = sum(map(os.path.getsize, index_of(store)))
    fill(store, range(30, 32))
    with counted(monkeypatch) as seen:
        assert reader.page(Listing(limit=1)).total == 32
    grown = sum(map(os.path.getsize, index_of(store))) - before
    assert (seen.records, seen.characters) == (1, grown)


def test_a_folder_that_stays_as_it_is_is_not_listed_again(
    reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once its last change is older than the clocks of file systems are coarse."""
    monkeypatch.setattr("stores.file_marks._SETTLED_S", 0.0)
    numbers(reader, sort="when")
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=1) == [29]
        assert numbers(reader, states=frozenset({TaskState.FAILED})) == []
    assert (seen.records, seen.folders) == (1, 0)


def test_pages_are_those_of_all_records(store: LocalFileStore, reader: LocalFileStore) -> None:
    """In every order, of tasks with odd names and keys, with and without times."""
    put(store, Address("a%b/ü", "k.1"), {}, ended(7), n=100)
    put(store, Address("Train", "X" * 200), {}, ended(7), n=101)
    put(store, at(50), {}, replace(ended(3, "failed"), ended=None), n=102)
    put(store, at(51), {}, replace(ended(3, "killed"), started=None, ended=None), n=103)
    every = list(store.summaries(is_long=True))
    for sort in ("when", "id", "state", "time"):
        for asked in (Listing(sort=sort, limit=99), Listing(sort=f"-{sort}", limit=5, offset=4)):
            assert reader.page(asked) == page_of(every, asked), asked
    failed = Listing("Train", frozenset({TaskState.FAILED, TaskState.KILLED}))
    assert reader.page(failed) == page_of(every, failed)
    assert reader.page(Listing("a%b/ü")).total == 1


def _removed(store: LocalFileStore) -> None:
    store.remove(at(29))


def _deleted_by_hand(store: LocalFileStore) -> None:
    Path(store.base_dir, "Train", f"{at(29).key}.json").unlink()


def _without_index(store: LocalFileStore) -> None:
    for path in index_of(store):
        path.unlink()
    store.remove(at(29))


def _with_an_index_begun_anew(store: LocalFileStore) -> None:
    [path] = index_of(store)
    text = path.read_text()
    path.unlink()
    path.write_text(text + text)
    store.remove(at(29))


def _with_a_torn_line(store: LocalFileStore) -> None:
    [path] = index_of(store)
    path.write_text(path.read_text() + '["' + at(77).key + '",1,2,3,1,"fin')
    store.remove(at(29))


def _with_lines_of_others(store: LocalFileStore) -> None:
    lines = [
        "",
        "{}",
        "[]",
        "nothing",
        '["x"]',
        json.dumps([at(5).key, *[None] * 13]),
        json.dumps(["a", 1, 2, 3, None, ["finished"], *[None] * 8]),
        '["a",1,2,3]',
    ]
    Path(index_of(store)[0].parent, "other-1.jsonl").write_text("\n".join(lines) + "\n")
    store.remove(at(29))


CHANGES = [
    _removed,
    _deleted_by_hand,
    _without_index,
    _with_an_index_begun_anew,
    _with_a_torn_line,
    _with_lines_of_others,
]


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen before", "first look"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
def test_what_is_gone_is_on_no_page(
    store: LocalFileStore,
    reader: LocalFileStore,
    change: Callable[[LocalFileStore], None],
    is_seen: bool,
) -> None:
    """Whatever the index says."""
    if is_seen:
        assert reader.page(Listing()).total == 30
    change(store)
    assert numbers(reader, limit=100) == list(range(28, -1, -1))
    assert reader.page(Listing(limit=1)).total == 29


def test_a_record_that_was_computed_again_stands_where_it_belongs(
    store: LocalFileStore, reader: LocalFileStore
) -> None:
    """Also if its writer was killed before it could tell the index."""
    assert numbers(reader, limit=1) == [29]
    put(store, at(3), {}, ended(100), n=3)
    assert numbers(reader, limit=2) == [3, 29]
    store._index.add = lambda *_: None  # type: ignore[method-assign]  # killed in between
    put(store, at(4), {}, ended(101), n=4)
    put(store, at(60), {}, ended(102), n=60)
    assert numbers(reader, limit=3) == [60, 4, 3]
    assert reader.page(Listing()).total == 31


def test_records_that_cannot_be_read_are_on_no_page_until_they_are_healed(
    store: LocalFileStore, reader: LocalFileStore
) -> None:
    """Whether they were damaged in place or replaced by something else."""
    assert numbers(reader, limit=1) == [29]
    for number in (29, 12):
        Path(store.base_dir, "Train", f"{at(number).key}.json").write_text("{")
    assert numbers(reader, limit=40) == [n for n in range(28, -1, -1) if n != 12]
    assert reader.page(Listing(limit=40)).total == 28
    put(store, at(29), {}, ended(29), n=29)
    assert numbers(reader, limit=2) == [29, 28]
    assert LocalFileStore(store.base_dir).page(Listing()).total == 29


def test_writers_of_other_processes_are_seen(
    store: LocalFileStore, reader: LocalFileStore, tmp_path: Path
) -> None:
    """Two at the same time, each with an index of its own."""
    assert reader.page(Listing()).total == 30
    code = (
        "import sys; from tests.stores.test_file_listing import fill; from stores import "
        "LocalFileStore; store = LocalFileStore(sys.argv[1], fsync=False); "
        "fill(store, range(int(sys.argv[2]), int(sys.argv[2]) + 20)); store.close()"
    )
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), start], cwd=root)
        for start in ("100", "200")
    ]
    assert [each.wait() for each in writers] == [0, 0]
    assert len(index_of(store)) == 3
    assert numbers(reader, limit=25) == [*range(219, 199, -1), *range(119, 114, -1)]
    assert reader.page(Listing()).total == 70


def test_many_records_that_the_index_does_not_know_make_no_quick_page(
    store: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks is told so, and nothing is opened for that; a page is right, and knows them then."""
    for path in index_of(store):
        path.unlink()
    monkeypatch.setattr("stores.file_listing._FEW", 10)
    reader = LocalFileStore(store.base_dir)
    with counted(monkeypatch) as seen:
        assert not reader.can_page
    assert seen.records == 0
    assert numbers(reader, limit=2) == [29, 28]
    assert reader.can_page
    assert not index_of(store)  # who looks writes nothing


def test_a_store_may_be_closed_between_pages_and_sent_elsewhere(reader: LocalFileStore) -> None:
    """It looks anew."""
    import pickle

    assert numbers(reader, limit=1) == [29]
    reader.close()
    reader.close()
    assert numbers(reader, limit=1) == [29]
    assert numbers(pickle.loads(pickle.dumps(reader)), limit=1) == [29]


def test_a_child_does_not_share_the_table_of_its_parent(reader: LocalFileStore) -> None:
    """Nor does it do it any harm."""
    assert numbers(reader, limit=1) == [29]
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if numbers(reader, limit=2) == [29, 28] else 1
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert numbers(reader, limit=2, offset=1) == [28, 27]


@pytest.mark.parametrize("ask", [lambda r: r.page(FIRST), lambda r: r.is_quick, lambda r: r.close()],
    ids=["page", "quick", "close"])  # fmt: skip
def test_a_child_waits_for_no_thread_of_its_parent(
    reader: LocalFileStore, ask: Callable[[FileListing], object]
) -> None:
    """One that was making a page when the process forked, which the child does not have."""
    listing = reader._listing
    assert listing.page(FIRST) is not None
    with listing._lock:
        child = os.fork()
        if not child:
            signal.alarm(60)  # rather than for ever
            code = 1
            try:
                code = 1 if ask(listing) is False else 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0


def test_without_room_for_a_table_pages_come_the_long_way(
    reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the store says that they are not quick."""
    import sqlite3

    def full(*_: Any, **__: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", full)
    assert not reader.can_page
    assert numbers(reader, limit=2) == [29, 28]


def test_lines_are_read_as_they_were_written() -> None:
    """As text where that is enough, as JSON where the key is no digest; nothing else."""
    told = [1, "failed", 2, "killed", {"a": "],1,2]"}, [{"name": "x"}], 2.5, False]
    lines = [
        [at(1).key, 2, 3, 4, *told, 1.5, None],
        ["K,\n", 2, 3, 4, *told, -1, 1e300],
        [at(2).key, 2, 3, 4, *told],
        [at(3).key, 2, 3, 4, *told, 1.0, "2"],
        [at(4).key, 2, 3, -4, *told, 1.0, 2.0],
        [at(5).key, 2, 3, 4, 1, "odd", *told[2:], 1.0, 2.0],
        ["K", 2, 3, 4, *told, -1, 10**400],
    ]
    text = "\n".join(json.dumps(each, separators=(",", ":")) for each in lines)
    assert [tuple(each) for each in listed_in(text)] == [
        (at(1).key, 2, "3,4", "failed", 1.5, None),
        ("K,\n", 2, "3,4", "failed", -1, 1e300),
    ]


@pytest.mark.parametrize("inode", [1 << 63, (1 << 64) - 1])
def test_files_may_have_numbers_that_a_database_has_not(inode: int) -> None:
    """Network file systems give such; none is larger."""
    line = [at(1).key, inode, 3, 4, 1, "failed", 2, "killed", {}, [], 2.5, False, 1.0, 2.0]
    [found] = listed_in(json.dumps(line, separators=(",", ":")))
    assert found[1] == narrow(inode) == inode - (1 << 63)


def test_words_before_the_times_are_no_end_of_a_line() -> None:
    """Only `true` or `false` is, in whatever a fact or an artifact is written."""
    told = [1, "failed", 2, "killed", {}, [], 2.5]
    good, bad = (
        [at(1).key, 2, 3, 4, *told, True, 1.0, 2.0],
        [at(2).key, 2, 3, 4, *told, "e", 1, 2],
    )
    text = "\n".join(json.dumps(each, separators=(",", ":")) for each in (good, bad))
    assert [each[0] for each in listed_in(text.replace('"e"', "e"))] == [at(1).key]


def test_the_index_of_usual_keys_is_not_parsed(
    reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines are read as text: as JSON they would take several times as long."""

    def refuse(line: str) -> None:
        raise AssertionError(line)

    monkeypatch.setattr("stores.index_entry._listed_by", refuse)
    assert reader.page(Listing()).total == 30


def test_the_first_page_asks_the_table_few_questions(
    store: LocalFileStore, reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each answer other threads have their turn: 100,000 would take seconds beside one that
    reads the store."""
    fill(store, range(30, 600))
    asked: list[str] = []
    made = ListedRows.__init__

    def traced(self: ListedRows) -> None:
        made(self)
        self._database.set_trace_callback(asked.append)

    monkeypatch.setattr(ListedRows, "__init__", traced)
    assert numbers(reader, limit=3, sort="when") == [0, 1, 2]
    assert numbers(reader, limit=3, age_s=60.0) == [599, 598, 597]
    assert len(asked) <= 600 // 100 + 10
    assert not any("by_key" in each for each in asked)  # 100,000 keys in order take their time


def test_a_page_may_be_as_old_as_is_said(
    store: LocalFileStore, reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a folder that bears the same time is not listed again, nor is it to tell that pages are
    quick. What bears another one is, and what the index tells is on the page."""
    with counted(monkeypatch) as seen:
        assert reader.can_page
        assert reader.can_page
        assert numbers(reader, limit=1, age_s=60.0) == [29]
    assert (seen.folders, seen.records) == (1, 1)
    folder = Path(store.base_dir, "Train")
    before = folder.stat()
    Path(folder, f"{at(3).key}.json").unlink()
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))  # as coarse clocks leave it
    assert reader.page(Listing(limit=1, age_s=60.0)).total == 30
    assert reader.page(Listing(limit=1)).total == 29
    fill(store, range(30, 31))
    assert numbers(reader, limit=1, age_s=60.0) == [30]
    Path(folder, f"{at(4).key}.json").unlink()
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
    assert reader.page(Listing(limit=1, age_s=60.0)).total == 29


def _in_other_files(store: LocalFileStore) -> None:
    """Each line in a file of its own, some twice."""
    [path] = index_of(store)
    lines = path.read_text().splitlines()
    path.unlink()
    for number, line in enumerate([*lines, *lines[::3]]):
        Path(path.parent, f"other-{number}.jsonl").write_text(f"{line}\n")


def _backwards(store: LocalFileStore) -> None:
    [path] = index_of(store)
    path.write_text("\n".join(path.read_text().splitlines()[::-1]) + "\n")


@pytest.mark.parametrize("change", [lambda _: None, _in_other_files, _backwards])
def test_lines_about_files_that_were_replaced_open_nothing(
    store: LocalFileStore,
    reader: LocalFileStore,
    change: Callable[[LocalFileStore], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In whatever order they stand; what stood there before is nowhere on a page."""
    for number in (3, 4, 5, 29):
        put(store, at(number), {}, ended(100 + number), n=number)
    store.remove(at(20))
    change(store)
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=6) == [29, 5, 4, 3, 28, 27]
        assert reader.page(Listing(limit=1, age_s=60.0)).total == 29
    assert seen.records == 7


def test_where_the_newest_line_is_about_another_file_the_record_is_opened(
    store: LocalFileStore, reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the file had been put back by hand: its number may be that of any file before."""
    [path] = index_of(store)
    line = json.loads(path.read_text().splitlines()[5])
    assert line[0] == at(5).key
    later = [line[0], line[1] + 1, line[2], line[3] + 1, *line[4:-1], 1000.0]
    Path(path.parent, "other-1.jsonl").write_text(json.dumps(later, separators=(",", ":")) + "\n")
    with counted(monkeypatch) as seen:
        assert numbers(reader, limit=2) == [29, 28]
    assert seen.records == 3
    assert numbers(reader, limit=1, offset=24) == [5]


@pytest.mark.parametrize("in_table", [True, False])
def test_a_record_that_comes_while_the_index_is_read_is_on_the_next_page(
    store: LocalFileStore, reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch, in_table: bool
) -> None:
    """Its line may have been read when its file had not been seen; one that was replaced, too."""
    texts = RecordFolders.texts

    def late(self: RecordFolders, task: str, lines: AppendedLines) -> Iterator[str]:
        monkeypatch.undo()
        put(store, at(40), {}, ended(40), n=40)
        put(store, at(7), {}, ended(41), n=7)
        return texts(self, task, lines)

    monkeypatch.setattr(RecordFolders, "texts", late)
    if in_table:
        assert numbers(reader, sort="id", limit=1)
    else:
        assert reader.can_page
    assert numbers(reader, limit=3) == [7, 40, 29]
    assert reader.page(Listing()).total == 31


def test_copies_under_another_name_are_no_records(
    store: LocalFileStore, reader: LocalFileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody finds them by their key. One under its own name is, from wherever it was copied."""
    record = Path(store.base_dir, "Train", f"{at(5).key}.json")
    Path(record.parent, "copy of it.json").write_bytes(record.read_bytes())
    with counted(monkeypatch) as seen:
        assert reader.page(Listing(limit=1)).total == 30
    assert seen.records == 1
    Path(record.parent, "a later copy.json").write_bytes(record.read_bytes())
    text = record.read_text().replace(at(5).key, at(50).key)
    Path(record.parent, f"{at(50).key}.json").write_text(text)
    assert reader.page(Listing(limit=50)).total == 31
    assert sorted(numbers(reader, limit=50)) == sorted([*range(30), 5])


def test_tasks_that_come_and_go_are_seen(store: LocalFileStore, reader: LocalFileStore) -> None:
    """Also one whose folder was away, which is told by its index again."""
    assert reader.page(Listing()).total == 30
    folder = Path(store.base_dir, "Train")
    folder.rename(folder.with_name(".Train"))
    assert reader.page(Listing()) == ([], 0)
    folder.with_name(".Train").rename(folder)
    assert reader.can_page
    assert not any(reader._listing._known.unknown.values())
    assert reader.page(Listing()).total == 30


def test_who_looks_writes_nothing(store: LocalFileStore, reader: LocalFileStore) -> None:
    """Nothing is kept in the store beside what its writers leave."""

    def there() -> dict[str, int]:
        every = Path(store.base_dir).rglob("*")
        return {str(path): path.stat().st_mtime_ns for path in every}

    before = there()
    for sort in ("when", "id", "state", "time"):
        assert reader.page(Listing(sort=sort)).total == 30
    assert there() == before


def test_lines_are_read_whole_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their length; one that has no end yet is read when it has."""
    monkeypatch.setattr("stores.file_lines._AT_ONCE", 7)
    path, lines = tmp_path / "x", AppendedLines()
    assert list(lines.texts(str(path))) == []
    path.write_text("one\ntwo\nthree and more\nfo")
    assert "".join(lines.texts(str(path))) == "one\ntwo\nthree and more\n"
    assert list(lines.texts(str(path))) == []
    with path.open("a") as file:
        file.write("ur\n")
    assert list(lines.texts(str(path))) == ["four\n"]
    path.write_text("anew\n")
    assert list(lines.texts(str(path))) == ["anew\n"]


@pytest.mark.parametrize("copy", ["A (copy)", "Train copy", "Z z"])
def test_a_copy_of_the_folder_of_a_task_is_none_of_it(copy, tmp_path):
    """It hides no record that was made since, and none is there twice, in whatever order they lie."""
    store = LocalFileStore(tmp_path)
    old, new = (Address("Train", name * 32) for name in "ab")
    put(store, old)
    shutil.copytree(tmp_path / "Train", tmp_path / copy)
    put(store, new)
    store = LocalFileStore(tmp_path)
    assert store.page(Listing(sort="id")).total == 2
    assert [*store.addresses()] == [old, new]
    assert sorted(each.address for each in store.summaries()) == [old, new]
    assert [(task, sorted(marks)) for task, marks in store.marks({})] == [
        ("Train", [old.key, new.key])
    ]
