"""What do the seed's methods do in every store? They address a record by task name and config."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Final

import pytest

from stores.ancestry import GATHERS
from stores.errors import AmbiguousConfig
from stores.record import Address, Identity, RunInfo, TaskState
from stores.store import ResultsStore
from stores.testing.parts import done, identity, put
from stores.values import Promise

WHERE: Final[dict[str, Any]] = {"task_name": "Train", "task_unique_config": {"Train": {"x": 1}}}


def address(task: str, digit: int) -> Address:
    """An address whose key is one digit, 32 times."""
    return Address(task, f"{digit}" * 32)


class SeedConformance:
    """Derive from it and give a fixture `store` that makes an empty store."""

    @pytest.fixture
    def store(self) -> ResultsStore:
        """An empty store."""
        raise NotImplementedError("give a fixture that makes an empty store")

    def test_what_is_saved_by_hand_is_loaded(self, store: ResultsStore) -> None:
        """By task name and equal config, lazily too; several names beside each other."""
        store.save({"a": 1}, "first", "json", **WHERE)
        store.save("b", "second", **WHERE)
        store.save("c", "second", **WHERE)
        assert (store.load("first", **WHERE), store.load("second", **WHERE)) == ({"a": 1}, "c")
        promise = store.load("first", **WHERE, lazy=True)
        assert isinstance(promise, Promise)
        assert promise.load() == {"a": 1}
        assert store.get_results(**WHERE) == {"first": {"a": 1}, "second": "c"}

    def test_what_is_missing_is_none_and_a_warning(
        self, store: ResultsStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An unknown name, an unknown config, an unknown task."""
        store.save(1, "value", **WHERE)
        with caplog.at_level(logging.WARNING):
            assert store.load("valeu", **WHERE) is None
            assert store.load("value", "Train", {"Train": {"x": 2}}) is None
            assert store.load("value", "Eval", {}) is None
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
        assert store.get_results("Eval", {}) is None

    def test_a_plain_dict_matches_exactly(self, store: ResultsStore) -> None:
        """No subset, and 1, 1.0, True are three configs."""
        configs: list[dict[str, Any]] = [
            {"Train": {"x": 1}},
            {"Train": {"x": 1.0}},
            {"Train": {"x": True}},
            {"Train": {"x": 1, "y": 2}},
            {"Train": {"x": 1}, "Load": {}},
            {"Train": {}},
            {},
            {"Train": {"x": float("nan")}},
        ]
        for number, config in enumerate(configs):
            store.save(number, "value", None, "Train", config)
        assert [store.load("value", "Train", c) for c in configs] == list(range(len(configs)))

    def test_what_is_saved_by_hand_never_counts_as_finished(self, store: ResultsStore) -> None:
        """Its state is `saved`; added to a finished task it leaves that finished."""
        store.save(1, "value", **WHERE)
        assert not store.is_finished(**WHERE)
        put(store, address("Load", 1), {"value": 1, "kept": 1}, x=1)
        store.save(2, "value", None, "Load", {"Load": {"x": 1}})
        status = store.statuses([address("Load", 1)])["1" * 32]
        assert (status.state, status.latest_state) == (TaskState.FINISHED, TaskState.SAVED)
        assert store.is_finished("Load", {"Load": {"x": 1}})
        assert store.get_results("Load", {"Load": {"x": 1}}) == {"value": 2, "kept": 1}
        assert store.get(address("Load", 1), "value") == 2

    def test_deleting_leaves_the_rest(self, store: ResultsStore) -> None:
        """An artifact, a run; what is not there is no error."""
        for name in ("first", "second"):
            store.save(name, name, **WHERE)
        store.save("other", "first", None, "Train", {})
        store.delete("first", **WHERE)
        store.delete("first", **WHERE)
        assert store.get_results(**WHERE) == {"second": "second"}
        store.delete_run(**WHERE)
        store.delete_run(**WHERE)
        assert store.get_results(**WHERE) is None
        assert store.load("first", "Train", {}) == "other"

    def test_a_finished_task_that_loses_an_artifact_is_not_finished(
        self, store: ResultsStore
    ) -> None:
        """The next run computes it again."""
        put(store, address("Train", 1), {"a": 1, "b": 2}, x=1)
        assert store.is_finished(**WHERE)
        store.delete("a", **WHERE)
        assert not store.is_finished(**WHERE)
        assert store.load("b", **WHERE) == 2

    def test_the_context_tells_the_counter(self, store: ResultsStore) -> None:
        """And the folder, in stores that have one."""
        assert store.get_context("Nobody", {}).sweep_counter is None
        attempt = store.begin(address("Train", 1))
        run = RunInfo("project", "run", "Train-3", "002")
        attempt.commit(identity(attempt.address, x=1), replace(done(), run=run))
        context = store.get_context(**WHERE)
        assert context.sweep_counter == "002"
        assert (context.run_dir is not None) == store.supports_files
        assert store.run_history([attempt.address]) == {"Train": "run-002"}

    def test_a_unique_config_holds_all_ancestors(self, store: ResultsStore) -> None:
        """By task name, and it finds exactly its record and those upstream."""
        load, train, judge = address("Load", 1), address("Train", 2), address("Judge", 3)
        put(store, load, {"value": "loaded"}, n=5)
        put(store, train, {"value": "trained"}, done(inputs=[load]), lr=0.1)
        put(store, judge, {"value": "judged"}, done(inputs=[train, load]), k=1)
        config = store.unique_config(judge)
        assert config == {"Load": {"n": 5}, "Train": {"lr": 0.1}, "Judge": {"k": 1}}
        assert (config.address, config.Train.lr) == (judge, 0.1)
        found = {name: store.load("value", name, config) for name in ("Load", "Train", "Judge")}
        assert found == {"Load": "loaded", "Train": "trained", "Judge": "judged"}
        assert store.load("value", "Train", {"Load": {"n": 5}, "Train": {"lr": 0.1}}) == "trained"

    def test_a_reduce_joins_the_configs_of_its_inputs(self, store: ResultsStore) -> None:
        """Equal values stay, different ones become a list; a list beside that is wrapped."""
        members = [address("Train", digit) for digit in (1, 2, 3)]
        for member, lr in zip(members, (0.1, 0.2, 0.1), strict=True):
            put(store, member, {}, lr=lr, layers=[4], opt={"name": "sgd"})
        best = address("Best", 9)
        put(store, best, {}, done(inputs=members, facts={GATHERS: ""}), metric="acc")
        assert store.unique_config(best) == {
            "Train": {"lr": [0.1, 0.2], "layers": [[4]], "opt": {"name": "sgd"}},
            "Best": {"metric": "acc"},
        }

    def test_a_long_chain_is_no_recursion(self, store: ResultsStore) -> None:
        """Configs of 1,500 ancestors are read one after the other, each once."""
        # Python ends a recursion at 1,000
        links = [Address(f"T{i}", f"{i:032x}") for i in range(1_500)]
        for index, link in enumerate(links):
            put(store, link, {}, done(inputs=links[index - 1 : index]), i=index)
        config = store.unique_config(links[-1])
        assert len(config) == len(links)
        assert config["T0"] == {"i": 0}

    def test_two_records_of_one_config_are_ambiguous(self, store: ResultsStore) -> None:
        """Of two versions of a task, say; a config that was read from one of them is exact."""
        for digit, version in ((1, None), (2, "2")):
            attempt = store.begin(address("Train", digit))
            attempt.save(digit, "value")
            text = '{"x":1}'
            attempt.commit(Identity(attempt.address, version, text, text), done())
        with pytest.raises(AmbiguousConfig, match="2 records of Train"):
            store.load("value", **WHERE)
        exact = store.unique_config(address("Train", 2))
        assert store.load("value", "Train", exact) == 2

    def test_a_lock_is_a_context(self, store: ResultsStore) -> None:
        """Scripts of the seed may take it, once and again."""
        with store.lock:
            store.save(1, "value", **WHERE)
        with store.lock:
            assert store.load("value", **WHERE) == 1
