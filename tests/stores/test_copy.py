"""Do records go from any store to any other, whole, checked, undecoded, again and again?"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from hashlib import blake2b

import pytest

from stores import (
    Attempt,
    ErrorDetails,
    Identity,
    InMemoryStore,
    LocalFileStore,
    QueryError,
    RunInfo,
    StoreUnwritable,
    TaskState,
)
from stores.record import Address
from stores.testing import done, far_owner, put
from stores.testing.parts import VALUES
from tests.architecture.sources import ROOT

LOAD, TRAIN, EVAL = (Address(t, k * 32) for t, k in (("Load", "a"), ("Train", "b"), ("Eval", "c")))
BIG = "x" * 50_000


@pytest.fixture(params=["memory", "file", "file without inline values"])
def other(request, tmp_path):
    """An empty store to copy to."""
    if request.param == "memory":
        return InMemoryStore()
    limit = 0 if "without" in request.param else 8192
    return LocalFileStore(tmp_path / "other", fsync=False, inline_limit=limit)


class Trap:
    """Whoever unpickles it leaves a trace."""

    def __init__(self, path, size):
        self.path, self.padding = str(path), b"x" * size

    def __reduce__(self):
        return open, (self.path, "w"), None, None, iter([(1, self.padding)])


def chain(store):
    put(store, LOAD, {"data": BIG})
    put(store, TRAIN, {"model": [1]}, done(inputs=[LOAD]), lr=0.1)
    put(store, EVAL, {"acc": 0.5}, done(inputs=[TRAIN]))


def facts_of(record):
    """All that is to be the same in a copy."""
    return [
        None
        if attempt is None
        else dataclasses.replace(
            attempt,
            owner=None,
            artifacts=tuple(
                (a.name, a.type_, a.codec_version, a.load_kwargs) for a in attempt.artifacts
            ),
        )
        for attempt in (record.finished, record.latest)
    ] + [record.identity]


@pytest.mark.parametrize("value", [*VALUES, {1: {2}}], ids=lambda v: repr(v)[:20])
def test_values_come_out_the_same(any_store, other, value):
    """Of every type, small or large; and back again into a third store."""
    put(any_store, LOAD, {"value": value, "a/b": 1})
    third = InMemoryStore()
    assert any_store.copy(None, other).copied == (LOAD,)
    assert other.copy(None, third).copied == (LOAD,)
    for store in (other, third):
        found = store.get(LOAD, "value")
        assert type(found) is type(value)
        assert found == value
        assert store.get(LOAD, "a/b") == 1


def test_values_of_all_sizes_go_into_every_kind_of_store(any_store, tmp_path):
    """Small, large and together too large for one record; folders; and they are whole there."""
    source = LocalFileStore(tmp_path / "source", fsync=False)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "inner.txt").write_text("hello")
    attempt = source.begin(LOAD)
    values = {f"v{number}": value for number, value in enumerate(VALUES)}
    values |= {f"w{number}": "x" * 8000 for number in range(40)} | {"large": b"ab" * 2_500_000}
    for name, value in values.items():
        attempt.save(value, name)
    attempt.save(tmp_path / "made", "folder", "path")
    attempt.commit(Identity(LOAD), done())
    assert source.copy(LOAD, any_store).copied == (LOAD,)
    assert {name: any_store.get(LOAD, name) for name in values} == values
    assert (any_store.get(LOAD, "folder") / "inner.txt").read_text() == "hello"
    assert any_store.verify().ok
    assert list(any_store.leftovers()) == []


def test_arrays_come_out_the_same(any_store, other):
    """By their own codec, as large as they are."""
    np = pytest.importorskip("numpy")
    put(any_store, LOAD, {"value": np.arange(5000)})
    assert any_store.copy(None, other).copied == (LOAD,)
    assert np.array_equal(other.get(LOAD, "value"), np.arange(5000))


def test_a_record_comes_out_the_same(any_store, other):
    """Identity, both attempts with their numbers, times, inputs, errors, facts, run."""
    any_store.begin(TRAIN, at_least=3).abandon()
    run = RunInfo("project", "calm-finch-7", "Train-1", "000")
    first = dataclasses.replace(done(inputs=[LOAD], facts={"module": "m"}), run=run)
    put(any_store, TRAIN, {"model": BIG}, first, lr=0.1)
    error = ErrorDetails("ValueError", "bad", "trace")
    put(any_store, TRAIN, {"half": 1}, Attempt(0, TaskState.FAILED, 5.0, 6.0, error=error))
    assert any_store.copy("Train", other).copied == (TRAIN,)
    assert facts_of(other.record(TRAIN)) == facts_of(any_store.record(TRAIN))
    assert other.get(TRAIN, "model") == BIG


def test_what_was_saved_by_hand_goes_too(any_store, other):
    """Beside a result and alone, and it is found by the same config."""
    put(any_store, TRAIN, {"model": 1})
    for name, value in (("note", "hi"), ("more", BIG)):
        any_store.save(value, name, task_name="Train", task_unique_config={"Train": {}})
        any_store.save(value, name, task_name="Notes", task_unique_config={"Notes": {"n": 1}})
    any_store.copy(None, other)
    for store in (any_store, other):
        assert store.get_results("Train", {"Train": {}}) == {"model": 1, "note": "hi", "more": BIG}
        assert store.get_results("Notes", {"Notes": {"n": 1}}) == {"note": "hi", "more": BIG}


def test_what_it_was_computed_from_comes_first(any_store, other):
    """Unless only the record itself is wanted."""
    chain(any_store)
    assert any_store.copy("Eval", other).copied == (LOAD, TRAIN, EVAL)
    assert other.unique_config(EVAL) == any_store.unique_config(EVAL)
    alone = InMemoryStore()
    assert any_store.copy("Train", alone, where={"lr": 0.1}, upstream=False).copied == (TRAIN,)
    assert list(alone.addresses()) == [TRAIN]


def test_copying_again_copies_nothing(any_store, other):
    """What is there is left; failures too, until there is something newer."""
    chain(any_store)
    failed = Address("Train", "d" * 32)
    put(any_store, failed, {}, done(TaskState.FAILED))
    first = any_store.copy(None, other)
    again = any_store.copy(None, other)
    assert (len(first.copied), again.copied) == (4, ())
    assert sorted(again.left) == sorted(first.copied)
    assert again.size_bytes == 0
    put(any_store, failed, {"model": 1})
    assert any_store.copy(None, other).copied == (failed,)
    assert other.get(failed, "model") == 1
    assert str(again) == "0 copied, 4 there already (0 bytes)"


def test_a_result_that_is_there_wins_unless_told(any_store, other):
    """Also over a newer one; `replace` writes it as a further attempt."""
    put(any_store, TRAIN, {"model": "theirs"})
    put(other, TRAIN, {"model": "ours"})
    assert any_store.copy(None, other).left == (TRAIN,)
    assert other.get(TRAIN, "model") == "ours"
    assert any_store.copy(None, other, replace=True).copied == (TRAIN,)
    assert other.get(TRAIN, "model") == "theirs"
    assert other.record(TRAIN).latest.number == 2


def test_a_success_replaces_a_failure(any_store, other):
    """But a failure never a success."""
    put(any_store, TRAIN, {"model": 1})
    put(other, TRAIN, {}, done(TaskState.FAILED))
    assert any_store.copy(None, other).copied == (TRAIN,)
    assert other.get(TRAIN, "model") == 1
    assert other.copy(None, any_store).left == (TRAIN,)


def test_nothing_is_unpickled(any_store, other, tmp_path):
    """Small or large; but the copy is a pickle still."""
    trap = tmp_path / "unpickled"
    put(any_store, LOAD, {"small": Trap(trap, 1), "large": Trap(trap, 50_000)})
    any_store.copy(None, other)
    assert other.verify().ok
    assert not trap.exists()
    with pytest.raises(Exception, match=r"not (subscriptable|support)"):
        other.get(LOAD, "small")
    assert trap.exists()


def test_a_folder_is_copied_whole(any_store, other, tmp_path):
    """With the folders in it."""
    (tmp_path / "made" / "inner").mkdir(parents=True)
    (tmp_path / "made" / "inner" / "ü.txt").write_text("hello")
    attempt = any_store.begin(LOAD)
    attempt.save(tmp_path / "made", "folder", "path")
    attempt.commit(Identity(LOAD), done())
    any_store.copy(None, other)
    assert (other.get(LOAD, "folder") / "inner" / "ü.txt").read_text() == "hello"
    assert other.verify().ok


def test_a_damaged_artifact_is_told_and_left_out(tmp_path):
    """Wrong bytes of the right length, too few, none; the others are copied."""
    store, target = LocalFileStore(tmp_path / "a", fsync=False), InMemoryStore()
    addresses = [Address("T", digit * 32) for digit in "1234"]
    for address in addresses:
        put(store, address, {"ok": 1, "data": BIG})
    paths = [tmp_path / "a" / "T" / each.key / "1" / "data.txt" for each in addresses]
    paths[0].write_text("y" * len(BIG))
    paths[1].write_text("x")
    paths[2].unlink()
    result = store.copy(None, target)
    assert result.copied == (addresses[3],)
    assert [address for address, _ in result.damaged] == addresses[:3]
    texts = [text for _, text in result.damaged]
    assert "other bytes" in texts[0]
    assert "1 bytes instead of 50000" in texts[1]
    assert "data.txt" in texts[2]
    assert list(target.addresses()) == [addresses[3]]
    assert "3 damaged" in str(result)


def test_a_damaged_copy_is_healed(tmp_path):
    """A file that is gone is brought again."""
    store, target = InMemoryStore(), LocalFileStore(tmp_path, fsync=False)
    put(store, LOAD, {"data": BIG})
    store.copy(None, target)
    (tmp_path / "Load" / LOAD.key / "1" / "data.txt").unlink()
    assert store.copy(None, target).copied == (LOAD,)
    assert target.get(LOAD, "data") == BIG


def test_a_damaged_record_is_left_out(tmp_path):
    """It is none; the one after it is copied."""
    store, target = LocalFileStore(tmp_path, fsync=False), InMemoryStore()
    chain(store)
    (tmp_path / "Load" / f"{LOAD.key}.json").write_text("{")
    assert store.copy(None, target).copied == (TRAIN, EVAL)


def test_what_is_being_computed_there_is_left(any_store, other):
    """And told; it can be copied later."""
    chain(any_store)
    attempt = other.begin(TRAIN)
    result = any_store.copy(None, other)
    assert (result.copied, result.busy) == ((LOAD, EVAL), (TRAIN,))
    attempt.abandon()
    assert any_store.copy(None, other).copied == (TRAIN,)


def test_a_record_removed_or_replaced_meanwhile(any_store, other, monkeypatch):
    """The one is left out, the other copied as it is now."""
    chain(any_store)
    stream = any_store.artifact_stream

    def late(address, artifact):
        monkeypatch.undo()
        any_store.remove(TRAIN)
        put(any_store, LOAD, {"data": BIG + "new"})
        return stream(address, artifact)

    monkeypatch.setattr(any_store, "artifact_stream", late)
    assert any_store.copy(None, other).copied == (LOAD, EVAL)
    assert other.get(LOAD, "data") == BIG + "new"


def test_somebody_who_was_quicker_wins(any_store, other, monkeypatch):
    """What was computed there since the look is not overwritten."""
    put(any_store, LOAD, {"data": "ours"})
    statuses = other.statuses

    def late(addresses):
        found = statuses(addresses)
        put(other, LOAD, {"data": "quick"})
        return found

    monkeypatch.setattr(other, "statuses", late)
    assert any_store.copy(None, other).left == (LOAD,)
    assert other.get(LOAD, "data") == "quick"


def test_a_copy_that_arrives_damaged_is_not_committed(any_store, tmp_path, monkeypatch):
    """The digest of what was written is compared with what was sent."""
    other = LocalFileStore(tmp_path / "other", fsync=False)
    put(any_store, LOAD, {"data": BIG})
    wrong = blake2b(b"wrong", digest_size=16).hexdigest()
    monkeypatch.setattr("stores.file_artifacts.settled_digest", lambda path, fsync: wrong)
    result = any_store.copy(None, other)
    assert (result.copied, list(other.addresses())) == ((), [])
    assert "arrived with other bytes" in result.damaged[0][1]


def test_a_store_that_cannot_be_written_is_told(any_store, tmp_path, monkeypatch):
    """As an error of the store; nothing half is left, and the next copy goes on."""
    other = LocalFileStore(tmp_path / "other", fsync=False)
    chain(any_store)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("stores.file_artifacts.put_stream", full)
        with pytest.raises(StoreUnwritable, match="disk is full"):
            any_store.copy(None, other)
    assert list(other.addresses()) == []
    assert any_store.copy(None, other).copied == (LOAD, TRAIN, EVAL)


def test_a_store_is_not_copied_to_itself(any_store):
    """That would be a circle."""
    with pytest.raises(QueryError, match="itself"):
        any_store.copy(None, any_store)


def test_a_long_copy_keeps_its_lease(any_store, other, monkeypatch):
    """It is renewed while bytes go through."""
    put(any_store, LOAD, {"data": b"x" * 5_000_000})
    renewed = []
    monkeypatch.setattr(other.lease_times, "beat_s", -1.0)
    monkeypatch.setattr(other, "renew", renewed.extend)
    any_store.copy(None, other)
    assert set(renewed) == {LOAD}


def test_a_leased_key_of_a_far_host_is_busy(any_store, other):
    """It may live."""
    put(any_store, LOAD, {})
    other.begin(LOAD, far_owner())
    assert any_store.copy(None, other).busy == (LOAD,)


def test_a_killed_copy_goes_on(tmp_path):
    """Again and again, until all is there, each record once and whole."""
    source = LocalFileStore(tmp_path / "a", fsync=False)
    addresses = [Address("T", f"{number:032x}") for number in range(60)]
    for address in addresses:
        put(source, address, {"data": BIG + address.key, "n": 1})
    script = (
        "import sys; from stores import LocalFileStore\n"
        "a, b = (LocalFileStore(each, fsync=False) for each in sys.argv[1:])\n"
        "print('ready', flush=True); print(a.copy(None, b))"
    )
    arguments = [sys.executable, "-c", script, str(tmp_path / "a"), str(tmp_path / "b")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    target = LocalFileStore(tmp_path / "b", fsync=False)
    for _ in range(3):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment) as process:
            before = len(list(target.addresses()))
            while len(list(target.addresses())) < before + 10 and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
    while source.copy(None, target).busy:  # killed while it took a lease: that counts for 2 s
        time.sleep(0.1)
    assert sorted(target.addresses()) == addresses
    assert target.verify().ok
    assert {target.get(each, "data")[50_000:] for each in addresses} == {a.key for a in addresses}
