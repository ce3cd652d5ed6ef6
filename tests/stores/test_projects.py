"""Do projects in one store see nothing of each other?"""

from __future__ import annotations

import sys

import pytest

from stores import Address, LocalFileStore, StoreError, open_store
from stores.testing import put

A = Address("Train", "a" * 32)
BIG = "x" * 50_000


def test_each_project_has_its_own_records(shared_uri):
    """Of one key each has its own; queries, deletion and checks stay inside."""
    one, two = (open_store(shared_uri, project=name) for name in ("one", "a/b .ü"))
    plain = open_store(shared_uri)
    everyone = (one, two, plain)
    for number, store in enumerate(everyone):
        put(store, A, {"value": number, "big": BIG}, x=number)
    assert [store.get(A, "value") for store in everyone] == [0, 1, 2]
    assert [store.count() for store in everyone] == [1, 1, 1]
    assert [store.count(where={"x": 1}) for store in (two, plain) if store is two] == [1]
    removed = one.delete_records("Train").removed
    assert list(removed) == [A]
    assert [list(store.addresses()) for store in everyone] == [[], [A], [A]]
    assert two.get(A, "big") == BIG
    assert [list(store.leftovers()) for store in everyone] == [[], [], []]
    attempt = two.begin(A)
    assert [store.keys_in_work() for store in everyone] == [[], [A], []]
    plain.begin(A).abandon()
    attempt.abandon()
    for store in everyone:
        store.close()


def test_the_dict_form_names_a_kind_or_a_scheme(tmp_path):
    """Options of the class, and the project beside them."""
    where = {"kind": "file", "options": {"base_dir": str(tmp_path), "fsync": False}}
    put(open_store(where, project="p"), A)
    assert list(LocalFileStore(tmp_path, project="p").addresses()) == [A]
    assert list(LocalFileStore(tmp_path).addresses()) == []
    with pytest.raises(StoreError, match="file store: .*bse_dir"):
        open_store({"kind": "file", "options": {"bse_dir": "x"}})


@pytest.mark.parametrize(
    ("uri", "package"), [("sqlite:///x.db", "sqlalchemy"), ("mongodb://h/d", "pymongo")]
)
def test_a_package_that_is_not_there_is_named(monkeypatch, uri, package):
    """In one line, with the extra that brings it."""
    kind = uri.partition(":")[0].replace("sqlite", "sql")
    for name in [each for each in sys.modules if each.partition(".")[0] in (package, "stores")]:
        if name.startswith(package) or f"stores.{kind[:3]}" in name or "backends." in name:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    from stores import uri as module

    monkeypatch.setattr(module.backends, "_found", {})
    with pytest.raises(
        StoreError, match=rf"need {package}: pip install .*flowlib-runner\[{kind}\]"
    ):
        open_store(uri)
