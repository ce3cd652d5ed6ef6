"""Does the index save work and never the truth? Lost, torn, wrong and folded ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stores import LocalFileStore
from stores.index_entry import FIELDS
from stores.record import Address, TaskState
from stores.testing import done, put

MANY = [Address("Train", f"{i:032x}") for i in range(100)]
"""More than are looked at one by one."""

COUNT_OPENED = """
import sys
from stores import LocalFileStore
from stores.record import Address

opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
store = LocalFileStore(sys.argv[1])
found = store.statuses([Address("Train", f"{i:032x}") for i in range(100)])
print(len(found), sum(name.endswith(".json") for name in opened))
"""


@pytest.fixture
def store(tmp_path):
    """A store with a hundred records."""
    store = LocalFileStore(tmp_path, fsync=False)
    for number, address in enumerate(MANY):
        put(store, address, {"value": number})
    return store


def opened_by_another_process(store) -> list[int]:
    """How many statuses a new process finds, and how many records it opens for that."""
    command = [sys.executable, "-c", COUNT_OPENED, store.base_dir]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return [int(word) for word in result.stdout.split()]


def index_of(store) -> Path:
    """The folder of the index."""
    return Path(store.base_dir, "Train", ".index")


def again(store) -> LocalFileStore:
    """The store as another process sees it."""
    return LocalFileStore(store.base_dir, fsync=False)


def test_what_is_indexed_is_not_opened(store):
    """A warm look at many keys opens no record."""
    assert opened_by_another_process(store) == [100, 0]


def test_a_lost_index_is_written_anew(store):
    """By the first look at all keys; the next one opens nothing."""
    shutil.rmtree(index_of(store))
    assert opened_by_another_process(store) == [100, 100]
    assert opened_by_another_process(store) == [100, 0]


def test_only_what_is_not_indexed_is_opened(store):
    """A line that is torn or damaged costs its record one opening."""
    store.close()
    (file,) = index_of(store).iterdir()
    lines = file.read_text().splitlines(keepends=True)
    bad = ["not json\n", "\n", "[]\n", "{}\n", "null\n", json.dumps([None] * FIELDS) + "\n"]
    torn = lines[99][: len(lines[99]) // 2]
    file.write_text("".join([*lines[:50], *bad, *lines[51:99], torn]))
    assert opened_by_another_process(store) == [100, 2]


def test_a_wrong_line_is_never_believed(store):
    """It may be of any JSON: it has no effect, and it raises nothing."""
    rest = FIELDS - 1
    wrong = [
        [[]] * FIELDS,
        [{}] * FIELDS,
        [MANY[0].key, *["x"] * rest],
        [MANY[0].key, *[None] * rest],
    ]
    lines = "".join(f"{json.dumps(line)}\n" for line in wrong)
    for name in ("0", "zzz"):  # read before and after the true lines
        (index_of(store) / f"{name}-1.jsonl").write_text(lines)
    found = again(store).statuses(MANY)
    assert [found[each.key].state for each in MANY] == [TaskState.FINISHED] * 100


@pytest.mark.parametrize("state", ["paused", 7, None, []])
def test_a_state_that_nobody_knows_costs_its_record_one_opening(store, state):
    """A newer flowlib may have more of them; so may a line that was damaged."""
    store.close()
    (file,) = index_of(store).iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[3][5], lines[4][7] = state, state
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert opened_by_another_process(store) == [100, 2]


ARTIFACT = {"name": "value", "type": "json", "text": "7", "bytes": 1}
ODD = [
    *({key: each for key, each in ARTIFACT.items() if key != gone} for gone in ARTIFACT if gone != "text"),
    *(ARTIFACT | {key: []} for key in (*ARTIFACT, "file", "digest", "load_kwargs", "encoding")),
    ARTIFACT | {"codec_version": "1"},
    ["value", "json", "7", 1],
    "value",
    None,
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "part"),
    [
        *((9, [each]) for each in ODD),
        *((9, each) for each in (None, "value", ARTIFACT, 7)),
        *((8, each) for each in (None, "code", [["code", "1"]])),
        *((number, each) for number in (4, 6) for each in ("1", None, 1.5)),
        *((10, each) for each in ("1", [1.0], float("inf"))),
    ],
)
def test_a_line_with_a_damaged_part_counts_as_unknown(store, place, part):
    """Though it is about the file that is there: nobody comes upon the damage later."""
    wanted = again(store).statuses(MANY)[MANY[3].key]
    assert [each.name for each in wanted.artifacts] == ["value"]
    store.close()
    (file,) = index_of(store).iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[3][place] = part
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for many in (MANY, MANY[:8]):
        reader = again(store)
        reader.statuses(MANY[50:] + MANY[:20])  # knows the lines
        found = reader.statuses(many)[MANY[3].key]
        assert (found, [*found.artifacts]) == (wanted, [*wanted.artifacts])
        assert reader.get(MANY[3], "value") == 3
    reader = again(store)
    reader._records._index.refreshed("Train")  # as of a reader that has not looked at this key
    assert reader.get(MANY[3], "value") == 3


def test_a_line_that_is_too_deep_to_be_read_is_left_out(store):
    """The others count."""
    (index_of(store) / "deep-1.jsonl").write_text("[" * 200_000 + "\n")
    assert opened_by_another_process(store) == [100, 0]


def test_a_replaced_record_whose_line_was_lost_is_not_served_stale(store):
    """A line tells of one file, and not of the one that took its place."""
    (file,) = index_of(store).iterdir()
    old = file.read_text()
    put(store, MANY[3], {"value": "new"}, done(facts={"code": "2"}))
    put(store, MANY[4], {}, done(TaskState.FAILED))
    store.close()
    file.write_text(old)
    for addresses in (MANY, MANY[3:5]):
        fresh = again(store)
        found = fresh.statuses(addresses)
        assert (found[MANY[3].key].attempt, found[MANY[3].key].facts) == (2, {"code": "2"})
        assert found[MANY[4].key].latest_state is TaskState.FAILED
        assert fresh.get(MANY[3], "value") == "new"


def test_a_removed_record_is_gone_although_it_is_indexed(store):
    """The listing decides."""
    other = again(store)
    other.statuses(MANY)
    store.remove(MANY[7])
    for each in (store, other, again(store)):
        assert MANY[7].key not in each.statuses(MANY)
        assert each.statuses([MANY[7]]) == {}


def test_a_store_that_is_open_sees_what_others_commit(store):
    """It reads the lines written since."""
    other = again(store)
    other.statuses(MANY)
    put(store, MANY[0], {"value": 5}, done(facts={"code": "2"}))
    put(store, MANY[1], {}, done(TaskState.FAILED))
    found = other.statuses(MANY)
    assert (found[MANY[0].key].attempt, found[MANY[0].key].facts) == (2, {"code": "2"})
    assert found[MANY[1].key].latest_attempt == 2
    assert other.get(MANY[0], "value") == 5


def test_the_files_of_dead_writers_are_folded_into_one(store):
    """Their entries stay, whoever reads next; files of other hosts are not touched."""
    store.close()
    (file,) = index_of(store).iterdir()
    host = os.uname().nodename
    lines = file.read_text().splitlines(keepends=True)
    file.unlink()
    for number in range(50):
        path = index_of(store) / f"{host}-{2**22 + 1 + number}.jsonl"
        path.write_text("".join(lines[2 * number : 2 * number + 2]))
    (index_of(store) / "elsewhere-1.jsonl").write_text(lines[0])
    assert opened_by_another_process(store) == [100, 0]
    names = sorted(path.name.partition("-")[0] for path in index_of(store).iterdir())
    assert names == ["elsewhere", "folded"]
    assert opened_by_another_process(store) == [100, 0]


def test_files_that_name_no_writer_are_left(store):
    """A digit may be no number, and a number that of no process: nobody knows whose they are."""
    host = os.uname().nodename
    odd = [index_of(store) / f"{host}-{number}.jsonl" for number in ("²", "9" * 40)]
    many = [index_of(store) / f"elsewhere-{number}.jsonl" for number in range(20)]
    for path in (*odd, *many):
        path.touch()
    assert opened_by_another_process(store) == [100, 0]
    assert all(path.exists() for path in (*odd, *many))


def test_an_index_begun_anew_is_read_from_its_beginning(store):
    """A process may get the number of a dead one whose file was folded."""
    other = again(store)
    other.statuses(MANY)
    store.close()
    (file,) = index_of(store).iterdir()
    lines = file.read_text().splitlines(keepends=True)
    for address in MANY[:20]:
        put(store, address, {}, done(facts={"code": "2"}))
    lines = file.read_text().splitlines(keepends=True)[len(lines) :]
    file.write_text("".join(lines))
    found = other._index.refreshed("Train")
    assert [found[each.key][8] for each in MANY[:8]] == [{"code": "2"}] * 8


def test_a_large_inline_value_is_not_copied_into_the_index(store):
    """It is read from the record."""
    put(store, MANY[0], {"value": "x" * 5_000})
    assert "x" * 100 not in "".join(path.read_text() for path in index_of(store).iterdir())
    fresh = again(store)
    status = fresh.statuses(MANY)[MANY[0].key]
    assert fresh.get(MANY[0], "value") == "x" * 5_000
    assert fresh.load_artifact(MANY[0], 2, status.artifacts[0]) == "x" * 5_000


def test_a_fork_writes_a_file_of_its_own(store):
    """Two processes never append to one file."""
    pid = os.fork()
    if pid == 0:
        for address in MANY[:20]:
            put(store, address)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    for address in MANY[20:40]:
        put(store, address)
    assert len(list(index_of(store).iterdir())) == 2
    found = again(store).statuses(MANY)
    assert [found[each.key].attempt for each in MANY] == [2] * 40 + [1] * 60


def test_a_record_that_was_changed_in_its_place_is_read_again(store):
    """Its file has the inode and the size that the index knows, but another time."""
    path = Path(store.base_dir, "Train", f"{MANY[0].key}.json")
    path.write_text(path.read_text().replace('"state":"finished"', '"state":"finisher"'))
    for each in (store, again(store)):
        assert len(each.statuses(MANY)) == 99
        assert each.statuses(MANY[:1]) == {}
