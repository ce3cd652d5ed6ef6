"""Does a store find records, delete them, and notice what is gone? Part of `StoreConformance`."""

from __future__ import annotations

import pytest

from stores.errors import ArtifactDamaged, StoreError
from stores.record import Address, TaskState
from stores.store import ResultsStore
from stores.testing.parts import A, B, C, done, identity, put

BIG = "x" * 100_000


class SearchConformance:
    """Part of `StoreConformance`."""

    @pytest.fixture
    def store(self) -> ResultsStore:
        """An empty store."""
        raise NotImplementedError("give a fixture that makes an empty store")

    def test_records_are_found_by_query(self, store: ResultsStore) -> None:
        """By task, state, values in the config and time, with exact totals, in a stable order."""
        for number in range(6):
            state = TaskState.FAILED if number == 4 else TaskState.FINISHED
            config = {"lr": number / 10, "model": {"depth": number % 3}}
            put(store, _at("Train", number), {"value": number}, done(state), **config)
        put(store, _at("Test", 9), {}, done(inputs=[_at("Train", 1)]), lr=0.1)

        def found(*what: str, **criteria: object) -> list[int]:
            records = store.records(*what, **criteria)  # type: ignore[arg-type]  # as users write
            return [int(record.address.key, 16) for record in records]

        assert found() == [9, 0, 1, 2, 3, 4, 5]
        assert found("Tr*") == [0, 1, 2, 3, 4, 5]
        assert found("Train", state="failed") == [4]
        assert found("Train", where={"lr": [0.1, 0.5]}) == [1, 5]
        assert found("Train", where={"model.depth": 2}) == [2, 5]
        assert found(where={"lr": 0.1}) == [9, 1]
        assert found("Train", since=2.0) == [0, 1, 2, 3, 4, 5]
        assert found("Train", until=2.0) == []
        assert store.count("Train", state="finished") == 5
        table = store.records("Train", where={"lr": [0.2, 0.3]}).to_dicts()
        assert [(row["Train.lr"], row["value"]) for row in table] == [(0.2, 2), (0.3, 3)]

    def test_what_others_were_made_from_is_not_deleted_unasked(self, store: ResultsStore) -> None:
        """The dependents are named, and go or stay as the user says."""
        put(store, A, {"value": BIG})
        put(store, C, {}, done(inputs=[A]))
        assert list(store.dependents([A])) == [C]
        with pytest.raises(StoreError, match="Eval/cccccccc"):
            store.delete_records(A)
        assert store.record(A) is not None
        store.delete_records(A, with_dependents=True)
        assert list(store.addresses()) == []
        assert list(store.leftovers()) == []

    def test_what_is_being_computed_is_told(self, store: ResultsStore) -> None:
        """And is not deleted."""
        put(store, A)
        put(store, B)
        attempt = store.begin(A)
        assert store.keys_in_work() == [A]
        removal = store.delete_records("Train")
        assert (list(removal.removed), list(removal.busy)) == ([B], [A])
        attempt.abandon()
        assert store.keys_in_work() == []

    def test_a_value_that_is_gone_is_noticed(self, store: ResultsStore) -> None:
        """In one look, without reading the others; the next success heals it."""
        put(store, A, {"value": BIG, "other": BIG})
        put(store, B, {"value": BIG})
        attempt = store.begin(A)
        gone = next(each for each in store.statuses([A])[A.key].artifacts if each.name == "value")
        store.drop_artifact(attempt.lease, gone)
        attempt.abandon()
        statuses = store.statuses([A, B])
        assert (statuses[A.key].missing, statuses[B.key].missing) == (("value",), ())
        with pytest.raises(ArtifactDamaged, match="value"):
            store.get(A, "value")
        assert store.get(A, "other") == BIG
        healing = store.begin(A)
        healing.save("again", "value")
        healing.commit(identity(A), done())
        assert store.statuses([A])[A.key].missing == ()
        assert store.get(A, "value") == "again"


def _at(task: str, number: int) -> Address:
    """One of many addresses."""
    return Address(task, f"{number:032x}")
