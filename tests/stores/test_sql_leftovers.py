"""Do large values in a SQL store go with the record that names them?"""

from __future__ import annotations

import io

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from stores import SQLStore
from stores.testing import dead_owner, put
from stores.testing.parts import A, B
from tests.stores.sql_tables import KINDS, ask, beside_records

BIG = "x" * 3_000_000
"""Three chunks."""


@pytest.fixture(params=KINDS)
def store(request, uri_of):
    """A store with one record that has a large value."""
    store = SQLStore(uri_of(request.param))
    put(store, A, {"big": BIG})
    assert beside_records(store) == (1, 3)
    yield store
    store.close()


def test_what_is_saved_again_in_an_attempt_replaces_the_value_before(store):
    """Under the same name; what is deleted goes, too."""
    attempt = store.begin(B)
    for _ in range(3):
        attempt.save(BIG, "big")
        attempt.save(BIG, "other")
    attempt.delete("other")
    assert beside_records(store) == (2, 6)
    attempt.abandon()
    assert beside_records(store) == (1, 3)


def test_a_new_attempt_replaces_the_values_of_the_one_before(store):
    """Readers of the old ones go on until the commit."""
    attempt = store.begin(A)
    attempt.save("y" * 3_000_000, "big")
    assert store.get(A, "big") == BIG
    assert beside_records(store) == (2, 6)
    attempt.abandon()
    assert beside_records(store) == (1, 3)
    put(store, A, {"big": "y" * 2_000_000})
    assert beside_records(store) == (1, 2)
    put(store, A, {"small": 1})
    assert beside_records(store) == (0, 0)


def test_deleting_a_record_deletes_its_values(store):
    """Those of other keys stay."""
    put(store, B, {"big": BIG})
    assert store.remove(A)
    assert beside_records(store) == (1, 3)
    assert store.get(B, "big") == BIG


class Breaks(io.BytesIO):
    """A stream whose process is killed after ten chunks."""

    def read(self, size=-1):
        if self.tell() >= 10 << 20:
            raise KeyboardInterrupt
        return super().read(size)


@pytest.mark.parametrize("key", [A, B])
def test_an_upload_that_was_killed_half_way_is_dropped_by_the_next_attempt(store, key):
    """It never counted; the record in force, if there is one, stays as it is.

    Others can write to SQLite meanwhile; PostgreSQL takes back what was not committed as a whole.
    """
    killed = store.begin(key, dead_owner())
    killed.lease.handle.has_pieces = True
    name = f"{killed.number}/{killed.lease.handle.token}.1"
    with pytest.raises(KeyboardInterrupt):
        store.put_pieces(key.key, name, Breaks(bytes(20 << 20)), 20 << 20)
    has_half = store._database.is_sqlite
    assert beside_records(store) == ((2, 3 + 8) if has_half else (1, 3))
    with pytest.raises(FileNotFoundError):
        store.open_pieces(key.key, name)
    assert [each.address for each in store.leftovers()] == ([key] if has_half else [])
    attempt = store.begin(key)
    assert beside_records(store) == (1, 3)
    attempt.abandon()
    assert store.get(A, "big") == BIG


def test_no_chunk_outlives_its_value(store):
    """After all that a key can go through, both tables tell of the same values."""
    for number in range(4):
        attempt = store.begin(B, dead_owner())
        attempt.save(BIG, "big")
        if number % 2:
            put(store, B, {"big": "z" * 1_500_000, "more": BIG})
    orphans = (
        "SELECT count(*) FROM flowlib_chunks AS c WHERE NOT EXISTS (SELECT 1 FROM flowlib_pieces "
        "AS p WHERE p.project = c.project AND p.key = c.key AND p.name = c.name)"
    )
    assert ask(store, orphans) == [(0,)]
    assert beside_records(store) == (3, 3 + 2 + 3)
    store.remove(A)
    store.remove(B)
    assert beside_records(store) == (0, 0)
