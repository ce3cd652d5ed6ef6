"""What does every store do? The behaviour that flowlib and users rely on, one test each."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from stores.errors import (
    AmbiguousConfig,
    ArtifactMissing,
    CodecNotFound,
    LeaseHeld,
    LeaseLost,
    RecordMissing,
    StoreWithoutFiles,
    Unpicklable,
)
from stores.record import Address, TaskState
from stores.store import ResultsStore
from stores.testing.large import LargeConformance
from stores.testing.parts import NAMES, VALUES, A, B, C, dead_owner, done, far_owner, identity, put
from stores.testing.search import SearchConformance
from stores.testing.transfer import TransferConformance
from stores.values import Promise


class StoreConformance(TransferConformance, SearchConformance, LargeConformance):
    """Derive from it and give a fixture `store` that makes an empty store."""

    @pytest.fixture
    def store(self) -> ResultsStore:
        """An empty store."""
        raise NotImplementedError("give a fixture that makes an empty store")

    def test_an_unknown_key_is_unknown(self, store: ResultsStore) -> None:
        """No record, no status, no artifact, and the error names where it looked."""
        assert store.record(A) is None
        assert store.statuses([A, B]) == {}
        assert list(store.addresses()) == []
        with pytest.raises(ArtifactMissing, match="Train/aaaaaaaa"):
            store.get(A, "value")

    def test_a_commit_is_read_back(self, store: ResultsStore) -> None:
        """Record and status say what was committed."""
        record = put(store, A, {"loss": 0.5}, done(inputs=[C], facts={"code": "1"}), lr=0.1)
        assert store.record(A) == record
        assert (record.state, record.latest, record.finished) == (
            TaskState.FINISHED,
            record.finished,
            record.latest,
        )
        assert (record.latest.number, record.latest.inputs[0].address) == (1, C)
        status = store.statuses([A, B])[A.key]
        assert (status.state, status.attempt, status.facts) == ("finished", 1, {"code": "1"})
        assert (status.duration_s, status.missing, status.damaged) == (2.0, (), ())
        assert [each.name for each in status.artifacts] == ["loss"]
        assert store.statuses([A]) == {A.key: status}

    @pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
    def test_a_value_comes_back_equal(self, store: ResultsStore, value: object) -> None:
        """Eagerly, lazily and within its attempt, with its type."""
        attempt = store.begin(A)
        attempt.save(value, "value")
        inside = attempt.load("value")
        attempt.commit(identity(A), done())
        promise = store.get(A, "value", lazy=True)
        assert isinstance(promise, Promise)
        for found in (inside, store.get(A, "value"), promise.load()):
            assert found == value
            assert type(found) is type(value)

    def test_what_is_loaded_is_independent(self, store: ResultsStore) -> None:
        """Neither the saver nor a reader can change what is stored."""
        value = {"list": [1]}
        attempt = store.begin(A)
        attempt.save(value, "value")
        value["list"].append(2)
        attempt.commit(identity(A), done())
        store.get(A, "value")["list"].append(3)
        assert store.get(A, "value") == {"list": [1]}

    def test_nothing_is_visible_before_the_commit(self, store: ResultsStore) -> None:
        """An open attempt is nobody's result."""
        attempt = store.begin(A)
        attempt.save(1, "value")
        assert (store.record(A), store.statuses([A, B])) == (None, {})
        attempt.abandon()
        assert (store.record(A), list(store.addresses())) == (None, [])

    def test_a_failure_keeps_the_success_before_it(self, store: ResultsStore) -> None:
        """State and values are those of the success; the failure is told as the latest."""
        put(store, A, {"value": "good"})
        record = put(store, A, {"value": "half", "more": 1}, done(TaskState.FAILED))
        assert (record.state, record.latest.state) == (TaskState.FINISHED, TaskState.FAILED)
        for status in (store.statuses([A])[A.key], store.statuses([A, B])[A.key]):
            assert (status.state, status.latest_state) == ("finished", "failed")
            assert (status.attempt, status.latest_attempt) == (1, 2)
        assert store.get(A, "value") == "good"
        with pytest.raises(ArtifactMissing, match="value"):
            store.get(A, "more")

    def test_a_success_replaces_what_was_before(self, store: ResultsStore) -> None:
        """After a failure, and after another success; old artifacts do not shine through."""
        put(store, A, {"old": 1}, done(TaskState.FAILED))
        assert store.statuses([A])[A.key].state is TaskState.FAILED
        put(store, A, {"old": 1})
        put(store, A, {"new": 2})
        assert [each.name for each in store.statuses([A])[A.key].artifacts] == ["new"]
        with pytest.raises(ArtifactMissing):
            store.get(A, "old")

    def test_a_name_saved_twice_is_one_artifact(self, store: ResultsStore) -> None:
        """The last value wins, whatever its type; a deleted one is gone."""
        attempt = store.begin(A)
        for value in (1, "x" * 50_000, b"\x00"):
            attempt.save(value, "value")
        attempt.save(2, "gone")
        attempt.delete("gone")
        attempt.delete("never there")
        assert attempt.names == ("value",)
        attempt.commit(identity(A), done())
        assert store.get(A, "value") == b"\x00"

    def test_names_never_collide(self, store: ResultsStore) -> None:
        """Any characters, any length, differing by case alone: each keeps its own value."""
        addresses = [Address(name, f"{i:032x}") for i, name in enumerate(NAMES)]
        for address in addresses:
            put(store, address, {name: [address.task, name] for name in NAMES})
        assert sorted(store.addresses()) == sorted(addresses)
        for address in addresses:
            assert list(store.addresses(address.task)) == [address]
            assert [store.get(address, name) for name in NAMES] == [
                [address.task, n] for n in NAMES
            ]
        assert len(store.statuses(addresses)) == len(addresses)

    def test_a_key_is_computed_once_at_a_time(self, store: ResultsStore) -> None:
        """Until the commit or the abandonment others are refused, and told by whom."""
        first = store.begin(A)
        with pytest.raises(LeaseHeld, match="Train/aaaaaaaa"):
            store.begin(A)
        store.begin(B).abandon()
        first.abandon()
        first.abandon()
        second = store.begin(A)
        second.commit(identity(A), done())
        second.abandon()
        assert store.record(A) is not None
        store.begin(A).abandon()

    def test_a_dead_owner_is_taken_over_at_once(self, store: ResultsStore) -> None:
        """Its own commit comes too late and changes nothing."""
        dead = store.begin(A, dead_owner())
        dead.save("x" * 50_000, "value")
        second = store.begin(A)
        assert second.number > dead.number
        with pytest.raises(LeaseLost, match="Train/aaaaaaaa"):
            dead.commit(identity(A), done())
        assert store.record(A) is None
        second.save("right", "value")
        second.commit(identity(A), done())
        dead.abandon()
        assert store.get(A, "value") == "right"

    def test_an_owner_far_away_has_its_time(self, store: ResultsStore) -> None:
        """Nobody here knows whether it lives, so it is left alone until its lease expires."""
        attempt = store.begin(A, far_owner())
        with pytest.raises(LeaseHeld, match="a-host-elsewhere"):
            store.begin(A)
        store.renew([A, B])
        attempt.commit(identity(A), done())

    def test_numbers_of_committed_attempts_only_grow(self, store: ResultsStore) -> None:
        """Over failures, takeovers, abandoned attempts and removal."""
        numbers = [
            put(store, A).latest.number,
            put(store, A, {}, done(TaskState.FAILED)).latest.number,
        ]
        store.begin(A, dead_owner())
        numbers.append(put(store, A).latest.number)
        store.begin(A).abandon()
        store.remove(A)
        numbers.append(put(store, A).latest.number)
        assert numbers == sorted(set(numbers))

    def test_a_removed_record_is_gone(self, store: ResultsStore) -> None:
        """With its artifacts; what is being computed is not removed."""
        put(store, A, {"value": "x" * 50_000})
        put(store, B)
        attempt = store.begin(A)
        with pytest.raises(LeaseHeld):
            store.remove(A)
        attempt.abandon()
        assert (store.remove(A), store.remove(A)) == (True, False)
        assert (store.record(A), list(store.addresses())) == (None, [B])
        assert list(store.statuses([A, B])) == [B.key]

    def test_addresses_are_found_by_prefix(self, store: ResultsStore) -> None:
        """One match is the address; none and several are errors that say so."""
        other = Address("Train", "a" * 31 + "0")
        for address in (A, other, C):
            put(store, address)
        assert (store.find("Eval/c"), store.find("ccc"), store.find(f"Train/{A.key}")) == (C, C, A)
        with pytest.raises(AmbiguousConfig, match="2 records"):
            store.find("Train/aa")
        with pytest.raises(RecordMissing, match="Train"):
            store.find("Trian/aa")

    def test_a_type_that_is_unknown_is_told_early(self, store: ResultsStore) -> None:
        """The error lists the types; the attempt goes on."""
        attempt = store.begin(A)
        with pytest.raises(CodecNotFound, match=r"json.*Did you mean json"):
            attempt.save(1, "value", "jsn")
        with pytest.raises((Unpicklable, TypeError)):
            attempt.save((number for number in (1, 2)), "generator")
        attempt.save(1, "value", "json")
        attempt.commit(identity(A), done())
        assert [each.name for each in store.statuses([A])[A.key].artifacts] == ["value"]

    def test_files_are_there_or_refused(self, store: ResultsStore) -> None:
        """A store without files says which store has them."""
        attempt = store.begin(A)
        if store.supports_files:
            (attempt.run_dir / "note.txt").write_text("hello")
            with attempt.open("log", "w", "text") as file:
                file.write("line\n")
            attempt.commit(identity(A), done())
            assert store.get(A, "log") == "line\n"
            return
        with pytest.raises(StoreWithoutFiles, match="LocalFileStore"):
            _ = attempt.run_dir
        with pytest.raises(StoreWithoutFiles, match="LocalFileStore"):
            attempt.open("log", "w")
        with pytest.raises(StoreWithoutFiles, match=r"checkpoint_dir.*LocalFileStore"):
            _ = attempt.checkpoint_dir
        attempt.drop_checkpoint()  # there is none

    def test_a_checkpoint_is_handed_on_until_one_has_finished(self, store: ResultsStore) -> None:
        """From a failed attempt and from one that was given up; nobody sees it from outside."""
        if not store.supports_files:
            return
        attempt = store.begin(A)
        (attempt.checkpoint_dir / "step").write_text("1")
        attempt.abandon()
        attempt = store.begin(A)
        assert (attempt.checkpoint_dir / "step").read_text() == "1"
        attempt.commit(identity(A), done(state=TaskState.FAILED))
        assert [each.address for each in store.leftovers() if each.idle_s is None] == []
        attempt = store.begin(A)
        assert (attempt.checkpoint_dir / "step").read_text() == "1"
        attempt.save(1, "value")
        attempt.commit(identity(A), done())
        assert store.get(A, "value") == 1
        assert list(store.begin(A).checkpoint_dir.iterdir()) == []

    def test_a_pickled_copy_sees_the_same(self, store: ResultsStore) -> None:
        """What workers get reads what is there, and writes to the same place if it can."""
        put(store, A, {"value": 1})
        copy = pickle.loads(pickle.dumps(store))  # noqa: S301  # made in this line
        assert copy.get(A, "value") == 1
        put(copy, B, {"value": 2})
        assert (store.record(B) is not None) == store.reachable_from_workers

    def test_of_many_threads_one_computes(self, store: ResultsStore) -> None:
        """Every key is computed once; who finds it leased goes on."""
        addresses = [Address("Race", f"{i:032x}") for i in range(20)]
        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(lambda _: _compute_all(store, addresses), range(4)))
        assert sum(counts) == len(addresses)
        assert {each.attempt for each in store.statuses(addresses).values()} == {1}


def _compute_all(store: ResultsStore, addresses: list[Address]) -> int:
    """Compute what nobody has computed; how many."""
    count = 0
    for address in addresses:
        try:
            attempt = store.begin(address)
        except LeaseHeld:
            continue
        if attempt.previous is not None:
            attempt.abandon()
            continue
        attempt.commit(identity(address), done())
        count += 1
    return count
