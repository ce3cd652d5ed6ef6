"""Does a SQL store say in one line what is wrong with its database, its address or its driver?"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("sqlalchemy")  # not there in the core suite

from stores import SQLStore, StoreError, StoreUnwritable, open_store, patience, sql_database
from stores.sql_address import on_network
from stores.testing import put
from stores.testing.parts import A, B
from tests.services.server import free_port
from tests.stores.sql_tables import ask

QUESTIONS = {
    "record": lambda store: store.record(A),
    "statuses": lambda store: store.statuses([A]),
    "addresses": lambda store: list(store.addresses()),
    "begin": lambda store: store.begin(A),
}


def told(question, *arguments):
    """What a question fails with: one line."""
    with pytest.raises(StoreError) as caught:
        question(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ask_", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("content", [b"a text, no tables\n" * 500, b"\0" * 5000])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path, content, ask_):
    """Text, zeros."""
    file = tmp_path / "runs.db"
    file.write_bytes(content)
    store = SQLStore(f"sqlite:///{file}")
    assert "runs.db is no SQLite database, or a damaged one" in told(ask_, store)
    assert file.read_bytes() == content


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_database_is_named(tmp_path, damage):
    """One that has lost its end, or some of its pages."""
    file = tmp_path / "runs.db"
    store = SQLStore(f"sqlite:///{file}")
    for i in range(30):
        put(store, type(A)("Train", f"{i:032x}"), {"x": "x" * 10_000})
    ask(store, "PRAGMA user_version")
    store.close()
    content = file.read_bytes()
    cut, holes = content[:10_000], content[:4096] + b"\xff" * (len(content) - 4096)
    file.write_bytes(cut if damage == "cut" else holes)
    for question in QUESTIONS.values():
        assert "runs.db is no SQLite database, or a damaged one" in told(question, store)


def test_an_empty_file_becomes_a_store(tmp_path):
    """SQLite itself makes an empty file first."""
    (tmp_path / "runs.db").touch()
    store = SQLStore(f"sqlite:///{tmp_path}/runs.db")
    assert store.record(A) is None
    put(store, A, {"x": 1})
    assert store.get(A, "x") == 1


def test_reading_makes_no_file_and_writing_makes_the_folder(tmp_path):
    """A typo in an address leaves nothing behind."""
    store = SQLStore(f"sqlite:///{tmp_path}/a/b/runs.db")
    assert (store.record(A), store.statuses([A]), list(store.addresses())) == (None, {}, [])
    assert list(store.records()) == []
    assert not store.remove(A)
    assert list(tmp_path.iterdir()) == []
    put(store, A, {"x": 1})
    assert (tmp_path / "a/b/runs.db").is_file()
    assert SQLStore(f"sqlite:///{tmp_path}/a/b/runs.db").get(A, "x") == 1


def test_a_file_that_was_deleted_is_made_anew(tmp_path):
    """What is written afterwards does not go into the file that has no name any more."""
    store = SQLStore(f"sqlite:///{tmp_path}/runs.db")
    put(store, A, {"x": 1})
    for each in tmp_path.iterdir():
        each.unlink()
    assert store.record(A) is None
    assert list(tmp_path.iterdir()) == []
    put(store, B, {"x": 2})
    assert [each.key for each in SQLStore(f"sqlite:///{tmp_path}/runs.db").addresses()] == [B.key]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("runs.db", "no address of a database"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("oracle://me:hidden-word@host/runs", "oracle is not served"),
        ("postgresql://me:hidden-word@host:port/runs", "no address of a database"),
        ("postgresql+nothing://me:hidden-word@host/runs", "postgresql.nothing"),
    ],
)
def test_a_wrong_address_is_told_at_once(url, said):
    """With what to write instead, and without the password."""
    message = told(lambda: SQLStore(url).record(A))
    assert said in message
    assert "hidden-word" not in message


def test_a_missing_driver_is_told_with_the_extra_that_brings_it(monkeypatch):
    """When the store is first used."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    message = told(SQLStore("postgresql://me:hidden-word@host/runs").record, A)
    assert message.endswith("pip install 'flowlib-runner[postgresql]'")
    assert "hidden-word" not in message


@pytest.mark.parametrize("uri", ["sqlite:///runs.db", "postgresql://me:hidden-word@host/runs"])
def test_missing_sqlalchemy_is_told_with_the_extra_that_brings_it(uri):
    """When the store is opened."""
    script = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from stores import StoreError, open_store\n"
        "try:\n    open_store(sys.argv[1])\n"
        "except StoreError as error:\n    print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", script, uri], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout.endswith("pip install 'flowlib-runner[sql]'\n")
    assert found.stdout.count("\n") == 1
    assert "hidden-word" not in found.stdout


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "no-such-host.invalid"])
def test_a_server_that_is_not_there_is_waited_for_shortly(host, monkeypatch, caplog):
    """The address may be wrong; a warning says what is waited for."""
    monkeypatch.setattr(patience, "_FIRST_PATIENCE_S", 0.5)
    where = host.format(port=free_port())
    store = open_store(f"postgresql://me:hidden-word@{where}/runs")
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, "stores"):
        message = told(store.record, A)
    assert time.monotonic() - began < 30.0, "a name that nobody knows may take its time"
    assert where in message
    assert [each.count("waiting up to") for each in caplog.messages] == [1]
    assert "hidden-word" not in message + caplog.text


def test_wrong_names_and_passwords_are_told_at_once(postgres, caplog):
    """Waiting would not change them."""
    right = postgres.new_database()
    for wrong, said in [
        (right.replace(":s3cret-word@", ":hidden-word@"), "password authentication failed"),
        (right.replace("flow:", "nobody:"), "password authentication failed"),
        (right + "x", "does not exist"),
        (right + "?sslmode=odd", "sslmode"),
    ]:
        began = time.monotonic()
        message = told(SQLStore(wrong).record, A)
        assert said in message
        assert time.monotonic() - began < 9.0, "a first question is repeated for ten seconds"
        assert "hidden-word" not in message
        assert "s3cret-word" not in message
    assert caplog.messages == []


def test_a_user_without_the_right_to_write_can_read(postgres):
    """Writing is refused clearly, at once."""
    uri = postgres.new_database()
    store = SQLStore(uri)
    put(store, A, {"x": 1})
    name = "reader_" + uri.rpartition("_")[2]
    ask(store, f"CREATE ROLE {name} LOGIN PASSWORD 'reader-word'")
    ask(store, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    reader = SQLStore(uri.replace("flow:s3cret-word", f"{name}:reader-word"))
    assert reader.get(A, "x") == 1
    with pytest.raises(StoreUnwritable, match="permission denied"):
        reader.begin(B)
    reader.close()
    ask(store, f"DROP OWNED BY {name}")
    ask(store, f"DROP ROLE {name}")
    store.close()


MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
tmpfs /home/me/fast tmpfs rw 0 0
//box/share /data\\040of\\040all cifs rw 0 0
box: /homework ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "is_network"),
    [
        ("/var/runs.db", False),
        ("/home/me/runs.db", True),
        ("/home/me/fast/runs.db", False),
        ("/home/me/faster/runs.db", True),
        ("/data of all/runs.db", True),
        ("/homework/runs.db", False),
    ],
)
def test_network_file_systems_are_told_by_the_mounts(path, is_network):
    """The innermost mount that holds the file counts."""
    assert on_network(path, MOUNTS) is is_network


@pytest.mark.parametrize(("network", "mode"), [(True, "delete"), (False, "wal")])
def test_there_is_no_write_ahead_log_on_a_network_file_system(tmp_path, monkeypatch, network, mode):
    """It needs shared memory, which hosts do not share."""
    monkeypatch.setattr("stores.sql_database.on_network", lambda path: network)
    store = SQLStore(f"sqlite:///{tmp_path}/runs.db")
    put(store, A, {"x": 1})
    assert ask(store, "PRAGMA journal_mode") == [(mode,)]
    assert (tmp_path / "runs.db-wal").exists() is not network
    store.close()


def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    """It takes the connection; the driver by itself would wait for two minutes."""
    monkeypatch.setattr(sql_database, "_CONNECT_S", 2)  # the least that the driver takes
    monkeypatch.setattr(patience, "_FIRST_PATIENCE_S", 0.0)
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://user:secret@127.0.0.1:{silent.getsockname()[1]}/name"
        began = time.monotonic()
        assert "timeout" in told(SQLStore(url).record, A)
        assert time.monotonic() - began < 60
        given = SQLStore(f"{url}?connect_timeout=3")
        assert given._database._connecting() == {}
