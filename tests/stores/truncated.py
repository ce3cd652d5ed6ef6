"""How do tests write into a store behind its back, whatever its kind?"""

from __future__ import annotations

from pathlib import Path

from stores import LocalFileStore
from tests.stores.sql_tables import ask


def change_record(store, address, change):
    """Replace the text of a record by what `change` makes of it; nothing else is touched."""
    if isinstance(store, LocalFileStore):
        path = Path(store._layout.record(address))
        path.write_text(change(path.read_text()))
    elif type(store).__name__ == "SQLStore":
        where = "flowlib_records SET record = :text WHERE key = :key"
        text = change(store._record_text(address.key))
        assert ask(store, f"UPDATE {where}", text=text, key=address.key) == 1
    else:
        text = change(store._record_text(address.key))
        found = {"_id": store._rows.id_of(address.key)}
        update = {"$set": {"record": text}}
        assert store._database.ask(lambda c: c.update_one(found, update)).modified_count == 1
