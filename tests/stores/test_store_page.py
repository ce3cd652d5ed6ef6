"""What does a notebook show of a store? Static, small, escaped."""

from __future__ import annotations

import re

from stores import LocalFileStore
from stores.record import Address
from stores.testing import put
from tests.page_reader import Page

EVIL = '<script>alert("1")</script>&'


def test_a_store_counts_records_and_bytes(any_store):
    """Per task, the most numerous first."""
    assert Page(any_store._repr_html_()).texts[-1] == "0 records"
    for number in range(3):
        put(any_store, Address("Train", f"{number:032x}"), {"acc": number}, lr=number)
    put(any_store, Address("Load", "f" * 32), {"data": "x" * 50_000})
    page = Page(any_store._repr_html_())
    usage = any_store.disk_usage()
    sizes = {each.task: f"{each.size_bytes:,}" for each in usage.tasks}
    assert page.rows == [
        ["task", "records", "bytes"],
        ["Train", "3", sizes["Train"]],
        ["Load", "1", sizes["Load"]],
    ]
    assert page.texts[-1] == f"4 records, {usage.size_bytes:,} bytes"


def test_a_large_store_is_counted_and_not_read(tmp_path, monkeypatch):
    """Bytes are those of a part, which is said; text in names is no markup."""
    monkeypatch.setattr("stores.store_page._MOST_READ", 3)
    store = LocalFileStore(tmp_path / EVIL.replace("/", ""), fsync=False)
    for number in range(60):
        put(store, Address(f"Task{number % 55:02}", f"{number:032x}"), {})
    page = Page(store._repr_html_())
    assert re.fullmatch(r"60 records, [\d,]+ bytes in the first 3 of them", page.texts[-1])
    assert page.texts[-2] == "… and 5 more tasks"
    assert (len(page.rows), page.rows[3][2]) == (51, "…")
    assert 'alert("1")' in page.texts[0]
