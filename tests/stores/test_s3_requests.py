"""Does a store in S3 ask few questions, however many records there are, and hold little memory?"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("boto3")  # not there in the core suite

from stores import Address, InMemoryStore, LocalFileStore, QueryError, S3Store
from stores.testing import put
from stores.testing.parts import VALUES, A, B, C, done

MANY = 100


def at(number):
    """An address."""
    return Address("Train", f"{number:032x}")


@contextmanager
def counted(store):
    """The operations that a store asks of its server meanwhile."""
    found = []
    store.record(A)  # the server has been looked at

    def note(model, **_):
        found.append(model.name)

    events = store._client.of_this_process().meta.events
    events.register("before-call.s3", note)
    try:
        yield found
    finally:
        events.unregister("before-call.s3", note)


@pytest.fixture
def filled(s3_url):
    """The URL of a store with records, of which every second has a large value."""
    store = S3Store(s3_url)
    for number in range(MANY):
        values = {"x": number, **({"large": "x" * 30_000} if number % 2 == 0 else {})}
        put(store, at(number), values, lr=number % 5)
    store.close()
    return s3_url


def test_many_statuses_take_few_questions(filled):
    """A process that opened many objects leaves an index; others need not open them again."""
    everything = [at(number) for number in range(MANY + 1)]
    first, second = S3Store(filled), S3Store(filled)
    with counted(first) as asked:
        found = first.statuses(everything)
    assert asked.count("GetObject") == MANY + 1
    assert asked.count("PutObject") == 1
    with counted(second) as asked:
        assert second.statuses(everything) == found
    assert sorted(asked) == ["GetObject", "ListObjectsV2", "ListObjectsV2"]
    put(first, at(7), {"x": "new"})
    with counted(second) as asked:
        again = second.statuses(everything)
    assert sorted(asked) == ["GetObject", "ListObjectsV2", "ListObjectsV2"]
    assert (again[at(7).key].attempt, found[at(7).key].attempt) == (2, 1)
    assert first._bucket.get("index/0") is not None


@pytest.mark.slow
def test_an_index_that_is_damaged_does_no_harm(filled):
    """It is passed over, and written anew."""
    everything = [at(number) for number in range(MANY)]
    store = S3Store(filled)
    found = store.statuses(everything)
    for damage in (b"", b"\xff\n\n x", b"0" * 1_000, store._bucket.get("index/0").body[:2_000]):
        store._bucket.put("index/0", damage)
        assert S3Store(filled).statuses(everything) == found


def test_the_questions_of_a_task_do_not_grow_with_the_store(filled):
    """Begin and commit are one each; a large value is one more, and so is every look."""
    store = S3Store(filled)
    with counted(store) as asked:
        put(store, at(1_000), {"small": 1, "large": "x" * 30_000})
    assert asked == ["PutObject"] * 3
    with counted(store) as asked:
        store.statuses([at(1_000)])
        assert (store.get(at(1_000), "small"), len(store.get(at(1_000), "large"))) == (1, 30_000)
    assert sorted(asked) == ["GetObject"] * 4 + ["ListObjectsV2"]
    with counted(store) as asked:
        store.renew([at(1)])
    assert asked == ["GetObject"]


def test_a_query_reads_only_what_fits(filled):
    """As far as the heads can tell: by task, state, time and the values of the config."""
    store = S3Store(filled)
    assert store.count() == MANY
    with counted(store) as asked:
        assert store.count("Train", where={"lr": 3}) == MANY // 5
    assert asked.count("GetObject") == MANY // 5
    with counted(store) as asked:
        assert store.count(state="failed") == store.count(since=10.0) == 0
    assert "GetObject" not in asked
    with pytest.raises(QueryError, match="lr"):
        store.count(where={"lt": 3})


@pytest.mark.slow
def test_values_travel_between_buckets_and_other_stores(s3_url, tmp_path):
    """To files and to memory and back, with what they were computed from."""
    store, files = S3Store(s3_url), LocalFileStore(tmp_path / "runs", fsync=False)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ü").write_text("hello")
    for number, value in enumerate([*VALUES, b"z" * 20_000_000]):
        put(files, at(number), {"value": value}, done(inputs=[A]))
    attempt = files.begin(A)
    attempt.save(tmp_path / "folder", "value", "path")
    attempt.commit(files.record(at(0)).identity.__class__(A, None, "{}", "{}"), done())
    assert len(files.copy("Train", store).copied) == len(VALUES) + 2
    memory, back = InMemoryStore(), LocalFileStore(tmp_path / "back", fsync=False)
    for other in (memory, back):
        assert len(store.copy("Train", other).copied) == len(VALUES) + 2
        for number, value in enumerate(VALUES):
            assert other.get(at(number), "value") == value
        assert (other.get(A, "value") / "ü").read_text() == "hello"
    assert store.verify().ok
    assert list(store.leftovers()) == []


def test_what_is_damaged_is_found(s3_url):
    """A value that is gone, one that is too short, one with other bytes."""
    store = S3Store(s3_url)
    for address in (A, B, C):
        put(store, address, {"value": "x" * 30_000})
    names = {each.name.split("/")[1]: each.name for each in store._bucket.listing("values/")}
    store._bucket.delete([names[A.key]])
    store._bucket.put(names[B.key], b"x" * 29_999)
    store._bucket.put(names[C.key], b"y" * 30_000)
    statuses = store.statuses([A, B, C])
    assert (statuses[A.key].missing, statuses[B.key].damaged) == (("value",), ("value",))
    assert sorted(each.address for each in store.verify().faults) == sorted([A, B, C])


SCRIPT = """
import resource, sys
from stores import S3Store
from stores.testing import put
from stores.testing.parts import A

store = S3Store(sys.argv[1])
value = bytes(range(256)) * 1_000_000
put(store, A, {"small": "x" * 100_000})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
put(store, A, {"value": value})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_a_large_value_is_sent_in_parts(s3_url):
    """Beside the value itself there are a few parts in memory, not a copy of it."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, s3_url],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 150_000
    assert S3Store(s3_url).verify().ok
