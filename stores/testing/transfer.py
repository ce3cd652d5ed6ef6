"""Do the bytes of artifacts travel between a store and any other without being decoded?"""

from __future__ import annotations

from pathlib import Path

import pytest

from stores.backends.memory import InMemoryStore
from stores.record import Address
from stores.store import ResultsStore
from stores.testing.parts import VALUES, A, B, done, identity, put


class TransferConformance:
    """Part of `StoreConformance`."""

    @pytest.fixture
    def store(self) -> ResultsStore:
        """An empty store."""
        raise NotImplementedError("give a fixture that makes an empty store")

    def test_numbers_can_be_asked_for(self, store: ResultsStore) -> None:
        """So that copies keep theirs; lower ones are not given any more."""
        store.begin(A, at_least=7).abandon()
        attempt = store.begin(A, at_least=7)
        attempt.commit(identity(A), done())
        assert store.statuses([A])[A.key].attempt == attempt.number >= 7
        assert store.begin(A, at_least=3).number > attempt.number

    @pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
    def test_bytes_travel_undecoded(
        self, store: ResultsStore, value: object, tmp_path: Path
    ) -> None:
        """To a memory store and back, by streams that can be read again."""
        put(store, A, {"value": value})
        other = InMemoryStore()
        for source, target, address in ((store, other, A), (other, store, B)):
            _copied(source, target, A, address)
            assert target.get(address, "value") == value
            assert type(target.get(address, "value")) is type(value)

    def test_a_folder_travels_as_an_archive(self, store: ResultsStore, tmp_path: Path) -> None:
        """Through a memory store and back."""
        (tmp_path / "folder" / "inner").mkdir(parents=True)
        (tmp_path / "folder" / "inner" / "ü.txt").write_text("hello")
        attempt = store.begin(A)
        attempt.save(tmp_path / "folder", "value", "path")
        attempt.commit(identity(A), done())
        other = InMemoryStore()
        _copied(store, other, A, A)
        _copied(other, store, A, B)
        for found in (store.get(A, "value"), other.get(A, "value"), store.get(B, "value")):
            assert (found / "inner" / "ü.txt").read_text() == "hello"


def _copied(source: ResultsStore, target: ResultsStore, at: Address, to: Address) -> None:
    """Copy the artifact `value`; its stream can be read twice."""
    (artifact,) = source.statuses([at])[at.key].artifacts
    with source.artifact_stream(at, artifact) as stream:
        before = stream.read()
        stream.seek(0)
        attempt = target.begin(to)
        taken = attempt.take(source.portable(artifact), stream)
        assert taken.name == artifact.name
        attempt.commit(identity(to), done())
        if source.portable(artifact).encoding != "tar":
            assert taken.size_bytes == len(before)
