"""Are names of tasks, keys and artifacts told apart on every file system, and files few?"""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import Address, LocalFileStore, StoreUnwritable
from stores.file_layout import are_plain_keys, encoded, is_plain_key
from stores.testing import done, identity, put

A = Address("Train", "a" * 32)

EXAMPLES = {
    "Train": "Train",
    "train-2_b.x+y=z@1,2": "train-2_b.x+y=z@1,2",
    "a/b": "a%2Fb",
    ".x": "%2Ex",
    "..": "%2E.",
    "%": "%25",
    "~": "%7E",
    "": "%",
    "é": "%C3%A9",
    "a b": "a%20b",
    "con\n": "con%0A",
}


@pytest.mark.parametrize(("name", "file"), EXAMPLES.items())
def test_a_name_becomes_one_readable_path_component(name, file):
    """Letters, digits and a few signs stay; the rest is percent-encoded."""
    assert encoded(name) == file


def test_a_long_name_is_cut_with_a_digest():
    """Names that begin alike stay different; every file system takes them."""
    names = ["n" * 500, "n" * 501, "n" * 499 + "m", "ü" * 500]
    files = {encoded(name) for name in names}
    assert len(files) == len(names)
    assert max(map(len, files)) <= 120


_STEMS = st.one_of(st.text("az09", max_size=121), st.sampled_from(["A", "ä", "٣", "a.b", "a\n"]))


@given(st.lists(_STEMS, unique=True, max_size=5))
def test_many_keys_are_plain_if_each_is(stems):
    """Told of all at once."""
    assert are_plain_keys(stems) == all(map(is_plain_key, stems))


@given(st.lists(st.text(max_size=130), unique=True, max_size=5), st.booleans())
def test_no_two_names_are_one_file(names, ignores_case):
    """Nor one but for the case of letters, where that does not count."""
    files = [encoded(name, ignores_case=ignores_case) for name in names]
    seen = {file.casefold() if ignores_case else file for file in files}
    assert len(seen) == len(names)
    assert not any(file.startswith(".") or "/" in file or len(file) > 125 for file in files)


@given(st.text(alphabet="aAbB%~.2eE", max_size=6), st.text(alphabet="aAbB%~.2eE", max_size=6))
def test_signs_of_the_encoding_are_encoded_themselves(one, other):
    """Names that look like encoded ones are no others."""
    same = (
        encoded(one, ignores_case=True).casefold() == encoded(other, ignores_case=True).casefold()
    )
    assert same == (one == other)


def test_where_case_does_not_count_nothing_collides(tmp_path):
    """The store looks whether its marker has a twin in capitals, as on most Macs."""
    store = LocalFileStore(tmp_path)
    put(store, Address("first", "0" * 32))
    (tmp_path / ".FLOWLIB-STORE").touch()
    store = LocalFileStore(tmp_path)
    names = ["Train", "train", "TRAIN", "T~rain", "x" * 500, "X" * 500]
    addresses = [Address(name, f"{i:032x}") for i, name in enumerate(names, 1)]
    for address in addresses:
        put(store, address, {"value": address.task})
    folders = [each.name for each in tmp_path.iterdir() if not each.name.startswith(".")]
    assert max(Counter(map(str.casefold, folders)).values()) == 1
    again = LocalFileStore(tmp_path)
    assert sorted(again.addresses()) == sorted([*addresses, Address("first", "0" * 32)])
    assert [again.get(address, "value") for address in addresses] == names


@pytest.mark.parametrize("key", ["a/b", "..", "x.json", "x.1", "ÜBER", "k" * 300, "A"])
def test_any_key_is_a_file_and_a_folder_of_its_own(tmp_path, key):
    """Keys are digests; a store used alone may have others."""
    store = LocalFileStore(tmp_path, inline_limit=0)
    others = [Address("T", each) for each in ("x", "a", "b")]
    for address in (Address("T", key), *others):
        put(store, address, {"value": address.key})
    assert store.get(Address("T", key), "value") == key
    assert sorted(store.addresses("T")) == sorted([Address("T", key), *others])
    assert {each.name for each in tmp_path.iterdir()} == {".flowlib-store", ".leases", "T"}


def test_a_small_result_is_one_file(tmp_path):
    """Its record; folders are made when something is written into them."""
    store = LocalFileStore(tmp_path)
    put(store, A, {"loss": 0.5, "text": "x" * 1000})
    assert [each.name for each in (tmp_path / "Train").iterdir() if each.suffix == ".json"] == [
        f"{A.key}.json"
    ]
    assert not (tmp_path / "Train" / A.key).exists()
    assert list((tmp_path / ".leases" / "Train").iterdir()) == []


def test_a_large_result_lies_in_the_folder_of_its_attempt(tmp_path):
    """With its type as extension; the limit is an option."""
    store = LocalFileStore(tmp_path, inline_limit=10)
    attempt = store.begin(A)
    attempt.save({"a": "x" * 10}, "value")
    attempt.save(b"y" * 11, "raw", sub_dir="deep/er")
    attempt.save(b"z" * 10, "tiny")
    attempt.commit(identity(A), done())
    folder = tmp_path / "Train" / A.key / "1"
    files = sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())
    assert files == ["deep/er/raw.bin", "value.json"]


def test_a_store_can_be_moved(tmp_path):
    """Nothing in it knows where it lies."""
    store = LocalFileStore(tmp_path / "before", inline_limit=0)
    put(store, A, {"value": 1})
    shutil.move(tmp_path / "before", tmp_path / "after")
    moved = LocalFileStore(tmp_path / "after")
    assert (moved.get(A, "value"), moved.statuses([A])[A.key].missing) == (1, ())
    assert not (tmp_path / "before").exists()


def test_looking_at_a_store_that_is_not_there_makes_nothing(tmp_path):
    """It is made when something is written."""
    store = LocalFileStore(tmp_path / "runs")
    assert (store.record(A), store.statuses([A]), list(store.addresses())) == (None, {}, [])
    assert not (tmp_path / "runs").exists()


def test_a_store_whose_folder_was_removed_goes_on(tmp_path):
    """Even in the middle of an attempt that has saved its values."""
    store = LocalFileStore(tmp_path / "runs")
    put(store, Address("Train", "b" * 32))
    attempt = store.begin(A)
    attempt.save(1, "value")
    shutil.rmtree(tmp_path / "runs" / "Train")
    attempt.commit(identity(A), done())
    assert store.get(A, "value") == 1


def test_a_task_that_is_a_file_is_one_clear_error(tmp_path):
    """What stands in the way is named."""
    (tmp_path / "Train").write_text("in the way")
    store = LocalFileStore(tmp_path)
    assert (store.record(A), store.statuses([A])) == (None, {})
    with pytest.raises(StoreUnwritable, match=r"Train cannot be written: a file stands where"):
        store.begin(A)


def calls_of(work):
    """How often `work` opens, lists, makes and renames files, by the audit events of Python."""
    counts = Counter()
    is_on = True

    def count(event, _):
        if is_on and event in ("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename"):
            counts[event] += 1

    sys.addaudithook(count)
    try:
        work()
    finally:
        is_on = False
    return counts


def test_a_commit_costs_a_lease_a_rename_and_no_listing(tmp_path):
    """For every further key of a task: no folder, no listing, no file but the lease is opened."""
    store = LocalFileStore(tmp_path, fsync=False)
    for number in range(20):
        put(store, Address("Train", f"{number:032x}"), {"value": number})

    def work():
        for number in range(100, 200):
            put(store, Address("Train", f"{number:032x}"), {"value": number})

    counts = calls_of(work)
    assert counts == {"open": 100, "os.rename": 100}


def test_few_keys_are_looked_at_without_a_listing(tmp_path):
    """The inputs of a job, say, out of thousands of records."""
    store = LocalFileStore(tmp_path, fsync=False)
    addresses = [Address("Train", f"{number:032x}") for number in range(10)]
    for address in addresses:
        put(store, address)
    assert calls_of(lambda: store.statuses(addresses)) == {"open": 10}
    assert calls_of(lambda: [store.statuses(addresses), store.get]) == {}


def test_values_are_read_once_the_index_knows_them(tmp_path):
    """Ten thousand small results are loaded without opening their records."""
    store = LocalFileStore(tmp_path, fsync=False)
    addresses = [Address("Train", f"{number:032x}") for number in range(300)]
    for address in addresses:
        put(store, address, {"value": address.key})
    store.close()
    again = LocalFileStore(tmp_path, fsync=False)

    def work():
        assert len(again.statuses(addresses)) == 300
        assert [again.get(address, "value") for address in addresses] == [a.key for a in addresses]

    counts = calls_of(work)
    assert counts["open"] <= 2
    assert counts["os.listdir"] + counts["os.scandir"] <= 2


def test_the_paths_of_a_store_are_absolute(tmp_path, monkeypatch):
    """A task that changes its folder still saves into the same store."""
    monkeypatch.chdir(tmp_path)
    store = LocalFileStore("runs")
    (tmp_path / "elsewhere").mkdir()
    os.chdir("elsewhere")
    put(store, A)
    assert Path(store.base_dir) == tmp_path / "runs"
    assert (tmp_path / "runs" / "Train" / f"{A.key}.json").is_file()
