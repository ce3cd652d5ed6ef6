"""A real PostgreSQL server, run by the user postgres where the tests are run by root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg

from tests.services.server import Server, answers

PASSWORD = "s3cret-word"


def program(name: str) -> str:
    """A program of PostgreSQL, which Debian keeps out of PATH."""
    found = shutil.which(name)
    if found is None:
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert folders, "no PostgreSQL: apt-get install postgresql"
        found = str(folders[-1] / name)
    return found


class PostgresServer(Server):
    """One server with a database `flow`, whose user `flow` has a password."""

    def __init__(self) -> None:
        super().__init__("postgres" if os.geteuid() == 0 else None)
        self.folder.chmod(0o700)
        word = self.folder / "password"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        subprocess.run(
            [
                program("initdb"),
                *("-D", str(self.folder / "data"), "-U", "flow", "--no-sync", "-E", "UTF8"),
                *("--auth=scram-sha-256", f"--pwfile={word}", "--locale=C"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self.owner,
            cwd=self.folder,
        )
        self._emptied: list[str] = []

    @property
    def uri(self) -> str:
        """Where it is, with the password."""
        return self.uri_of("postgres")

    def uri_of(self, database: str) -> str:
        """Where one of its databases is."""
        return f"postgresql://flow:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def command(self) -> list[str]:
        """On the loopback alone."""
        return [
            program("postgres"),
            *("-D", str(self.folder / "data"), "-p", str(self.port), "-h", "127.0.0.1"),
            *("-k", str(self.folder), "-c", "shared_buffers=32MB", "-c", "max_connections=100"),
            *("-c", "fsync=off"),  # what is killed here are processes, never the machine
        ]

    def answers(self) -> bool:
        """Whether it takes connections."""
        return answers(lambda: psycopg.connect(self.uri).close(), (psycopg.OperationalError,))

    def new_database(self) -> str:
        """The address of an empty database."""
        name = f"t_{os.urandom(6).hex()}"
        with psycopg.connect(self.uri, autocommit=True) as connection:
            if self._emptied:  # under a new name: who was left from another test finds it no more
                order = f"ALTER DATABASE {self._emptied.pop()} RENAME TO {name}"
            else:
                order = f"CREATE DATABASE {name}"
            connection.execute(order.encode())
        return self.uri_of(name)

    def give_back(self, uri: str) -> None:
        """Empty a database that nobody needs any more: another has 300 files to make and remove."""
        name = uri.rpartition("/")[2]
        asked = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(asked, [name])
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        self._emptied.append(name)
