"""What do the tests of SQL stores share? A look at the tables behind a store."""

from __future__ import annotations

from sqlalchemy import text

KINDS = ("sqlite", "postgresql")

TABLES = ("flowlib_facts", "flowlib_records", "flowlib_pieces", "flowlib_chunks")


def ask(store, statement, **values):
    """Rows that a statement finds, or how many it changed."""

    def question(connection):
        found = connection.execute(text(statement), values)
        return [tuple(row) for row in found] if found.returns_rows else found.rowcount

    return store._database.write(question)


def beside_records(store):
    """How many large values, and how many chunks of them, the tables hold."""
    return tuple(
        ask(store, f"SELECT count(*) FROM {table}")[0][0]
        for table in ("flowlib_pieces", "flowlib_chunks")
    )
