"""
What every store promises, and what follows from its few primitives.

* A result exists only when a committed record lists it; attempts that fail leave it as it is.
* A key is computed by one process at a time: `begin` takes a lease, `commit` needs it still.
* Reading never blocks: a damaged record counts as none and is healed by the next commit.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from stores import ancestry, by_hand, housekeeping, matching
from stores.attempt import OpenAttempt
from stores.errors import ArtifactMissing, RecordMissing, StoreWithoutFiles
from stores.files import File
from stores.lease import Owner
from stores.lineage import Lineage
from stores.primitives import StorePrimitives
from stores.query import Criteria, Query, What
from stores.record import Address, TaskState
from stores.store_page import store_html
from stores.stored_values import stored_values
from stores.table import Records
from stores.values import Promise, StoreContext, UniqueConfig

if TYPE_CHECKING:  # runs and their workers do nothing of it: it is loaded where it is asked for
    from stores.housekeeping import collection, copying, deletion, usage, verification

_log = logging.getLogger("stores")


class ResultsStore(StorePrimitives):
    """Keeps records and artifacts. Derive from it and implement what is abstract."""

    _repr_html_ = store_html
    __getitem__ = stored_values

    # -- by address ----------------------------------------------------------------------
    def begin(
        self, address: Address, owner: Owner | None = None, *, at_least: int = 1
    ) -> OpenAttempt:
        """Start an attempt at a key, which gets the number `at_least` or a higher one.

        Raises:
            LeaseHeld: another live process is computing it.
        """
        lease, previous = self.acquire(address, owner or Owner.of_this_process(), at_least)
        return OpenAttempt(self, lease, previous)

    def get(self, address: Address, name: str, *, lazy: bool = False, **options: Any) -> Any:
        """The value of an artifact of the attempt that counts.

        Raises:
            ArtifactMissing: there is no such record, or nothing of that name in it.
            ArtifactDamaged: its bytes are gone or are not what was saved.
        """
        record = self.record(address)
        if record is None:
            raise ArtifactMissing(address, name)
        artifacts = matching.artifacts_in_force(record)
        if name not in artifacts:
            raise ArtifactMissing(address, name, artifacts)
        attempt, artifact = artifacts[name]
        return self.load_artifact(address, attempt.number, artifact, lazy=lazy, **options)

    def find(self, prefix: str) -> Address:
        """The address that `Train/9a7a` means.

        Raises:
            RecordMissing: none begins like this.
            AmbiguousConfig: several do.
        """
        return matching.find_by_prefix(prefix, self.addresses)

    def records(self, what: What = None, /, **criteria: Unpack[Criteria]) -> Records:
        """The records that are meant, read while they are iterated; also a table.

        Args:
            what: A glob over task names, `Train/9a7a08b2`, an address, several of them, or a
                query; None for all.
            **criteria: What has to hold, too: see `Criteria`.

        Raises:
            QueryError: a criterion is unknown or no value for it.
        """
        return Records(self, Query.of(what, **criteria))

    def count(self, what: What = None, /, **criteria: Unpack[Criteria]) -> int:
        """How many records are meant, exactly; they are read for it."""
        return self.records(what, **criteria).count()

    def dependents(self, what: What = None, /, **criteria: Unpack[Criteria]) -> list[Address]:
        """The records that were computed from those that are meant, directly or indirectly."""
        return housekeeping.deletion.dependents(self, Query.of(what, **criteria))

    def delete_records(
        self,
        what: What = None,
        /,
        *,
        with_dependents: bool = False,
        keep_dependents: bool = False,
        **criteria: Unpack[Criteria],
    ) -> deletion.Removal:
        """Delete the records that are meant, but none that is being computed.

        Args:
            what: As for `records`; "*" for all.
            with_dependents: Delete what was computed from them, too.
            keep_dependents: Keep that, although it cannot be computed again from the same.
            **criteria: As for `records`.

        Raises:
            DependentsExist: others were computed from them, and nothing is said about those.
            AmbiguousConfig: the beginning of a key means several records.
        """
        return housekeeping.deletion.delete(
            self, Query.of(what, **criteria), with_dependents, keep_dependents
        )

    def copy(
        self,
        what: What,
        other: ResultsStore,
        *,
        upstream: bool = True,
        replace: bool = False,
        **criteria: Unpack[Criteria],
    ) -> copying.Transfer:
        """Copy records, and texts they name, to another store; every byte is checked, none decoded.

        After an interruption, copy again: what is there already is left as it is.

        Args:
            what: As for `records`; None for all.
            other: Where they go.
            upstream: Copy what they were computed from, too.
            replace: Write them also if they are there.
            **criteria: As for `records`.
        """
        query = Query.of(what, **criteria)
        return housekeeping.copying.copy(self, other, query, upstream=upstream, replace=replace)

    def verify(
        self, what: What = None, /, *, remove_damaged: bool = False, **criteria: Unpack[Criteria]
    ) -> verification.Verification:
        """Read every byte of what is meant, decode none, and tell what is damaged.

        With `remove_damaged` such results are deleted, so that the next run computes them again.
        """
        meant = Query.of(what, **criteria)
        return housekeeping.verification.verify(self, meant, remove_damaged=remove_damaged)

    def disk_usage(self, what: What = None, /) -> usage.DiskUsage:
        """How much room records and artifacts take, per task."""
        return housekeeping.usage.disk_usage(self, Query.of(what))

    def gc(self, **policy: Unpack[collection.GcPolicy]) -> collection.GcPlan:
        """Plan what may go: `plan.apply()` deletes it, but for what came into use meanwhile.

        See `GcPolicy` for what is kept; without any, only what killed processes left goes.
        """
        return housekeeping.collection.plan_collection(self, policy)

    def unique_configs(self, addresses: Sequence[Address]) -> dict[str, UniqueConfig]:
        """The configs of tasks with those of all their ancestors, by key."""
        return ancestry.unique_configs(addresses, self.record)

    def lineages(self, addresses: Sequence[Address]) -> dict[str, Lineage]:
        """The configs of tasks and of their ancestors, and which of them a reduce has joined."""
        return ancestry.lineages(addresses, self.record)

    def unique_config(self, address: Address) -> UniqueConfig:
        """The configs of a task and of all its ancestors, by task name."""
        return self.unique_configs([address])[address.key]

    def run_history(self, addresses: Sequence[Address]) -> dict[str, str]:
        """Task name -> id, for the records at `addresses` and all upstream of them."""
        return ancestry.run_history(addresses, self.record)

    # -- by task name and config: the seed's interface -----------------------------------

    @property
    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Nothing needs to be locked: leases and atomic commits do that."""
        return contextlib.nullcontext()

    def save(
        self,
        obj: Any,
        name: str,
        type_: str | None = None,
        task_name: str = "",
        task_unique_config: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Save a value outside a run, in an attempt of its own.

        The attempt has the state `saved`: it never makes a task count as finished.

        Args:
            obj: The value.
            name: Its name.
            type_: Name of a codec; None lets the value decide.
            task_name: Name of the task.
            task_unique_config: A `unique_config`, or a plain dict that equals one.
            **kwargs: Options of the store and of the codec.
        """
        address = self._address(task_name, task_unique_config) or matching.saved_address(
            task_name, task_unique_config or {}
        )
        by_hand.save(self.begin(address), obj, name, type_, task_unique_config or {}, **kwargs)

    def load(
        self,
        name: str,
        task_name: str,
        task_unique_config: Mapping[str, Any],
        lazy: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The value saved under a name; None and a warning when there is none."""
        address = self._address(task_name, task_unique_config)
        if address is not None:
            try:
                return self.get(address, name, lazy=lazy, **kwargs)
            except ArtifactMissing:
                pass
        _log.warning("%s has saved no %r with this config", task_name, name)
        return None

    def delete(self, name: str, task_name: str, task_unique_config: Mapping[str, Any]) -> None:
        """Delete an artifact; a task that has lost one is computed again by the next run."""
        address = self._address(task_name, task_unique_config)
        if address is not None:
            by_hand.delete(self.begin(address), name)

    def delete_run(self, task_name: str, task_unique_config: Mapping[str, Any]) -> None:
        """Delete everything a task has saved."""
        address = self._address(task_name, task_unique_config)
        if address is not None:
            self.remove(address)

    def get_context(self, task_name: str, task_unique_config: Mapping[str, Any]) -> StoreContext:
        """The folder and the counter of a task, as far as the store has them."""
        return by_hand.context(self, self._address(task_name, task_unique_config))

    def get_results(
        self, task_name: str, task_unique_config: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """All values of a task by name; None if it has none."""
        return by_hand.values(self, self._address(task_name, task_unique_config))

    def is_finished(self, task_name: str, task_unique_config: Mapping[str, Any]) -> bool:
        """Whether the results of a task count and are all there."""
        address = self._address(task_name, task_unique_config)
        status = None if address is None else self.statuses([address]).get(address.key)
        if status is None or status.missing or status.damaged:
            return False
        return status.state is TaskState.FINISHED

    def open(
        self,
        name: str | None = None,
        task_name: str | None = None,
        task_unique_config: Mapping[str, Any] | None = None,
        mode: str | None = None,
        promise: Promise | None = None,
        type_: str | None = None,
        sub_dir: str | None = None,
        **open_kwargs: Any,
    ) -> File:
        """Open an artifact as a file.

        Raises:
            StoreWithoutFiles: the store keeps no files.
            ArtifactMissing: there is nothing of that name.
        """
        if not self.supports_files:
            raise StoreWithoutFiles(self.without_files("open()"))
        if promise is not None:
            return self.open_promise(promise, mode, **open_kwargs)
        address, config = self._address(task_name or "", task_unique_config), task_unique_config
        if mode not in (None, "r", "rb", "rt"):
            address = address or matching.saved_address(task_name or "", config or {})
            attempt = self.begin(address)
            return by_hand.opened(attempt, name, mode, type_, sub_dir, config or {}, **open_kwargs)
        if address is None:
            raise RecordMissing(f"{task_name} has no record with this config")
        return self.open_promise(self.get(address, name or "", lazy=True), mode, **open_kwargs)

    def _address(self, task_name: str, config: Mapping[str, Any] | None) -> Address | None:
        """The record that a task name and a config mean; None when there is none."""
        if isinstance(config, UniqueConfig) and config.address is not None:
            return matching.in_lineage(config.address, task_name, self.record)
        return matching.match(task_name, config or {}, self)
