"""A promise of bytes can be read piece by piece, without the value in memory."""

from __future__ import annotations

import pytest

from stores import Address, ArtifactDamaged, Attempt, Identity, LocalFileStore, TaskState

LARGE = bytes(range(256)) * 400


@pytest.fixture(name="address")
def _address(any_store):
    """A record with a few values."""
    address = Address("Task", "0" * 32)
    attempt = any_store.begin(address)
    attempt.save(b"small", "small")
    attempt.save(LARGE, "large")
    attempt.save({"a": 1}, "json")
    attempt.save("text", "text")
    attempt.save([LARGE.hex()], "list")
    attempt.commit(Identity(address), Attempt(0, TaskState.FINISHED))
    return address


def test_bytes_are_a_stream_and_nothing_else_is(any_store, address):
    """Small and large ones, in every kind of store."""
    for name, value in {"small": b"small", "large": LARGE}.items():
        stream = any_store.get(address, name, lazy=True).stream()
        with stream:
            assert stream.read(3) == value[:3]
            assert stream.read() == value[3:]
    for name in ("json", "text", "list"):
        assert any_store.get(address, name, lazy=True).stream() is None


def test_bytes_that_are_gone(tmp_path):
    """As when they are loaded."""
    store = LocalFileStore(tmp_path)
    attempt = store.begin(Address("Task", "1" * 32))
    attempt.save(LARGE, "large")
    attempt.commit(Identity(attempt.address), Attempt(0, TaskState.FINISHED))
    promise = store.get(attempt.address, "large", lazy=True)
    next(tmp_path.rglob("large.bin")).unlink()
    with pytest.raises(ArtifactDamaged, match="is gone"):
        promise.stream()
