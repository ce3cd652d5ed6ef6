"""How do old results get the keys of changed tasks? By a plan of copies, from upstream to down."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from flowlib.changes import Changes, Config, NotMovable, declared, dumped
from flowlib.comparison import inputs_fact
from flowlib.errors import MigrationError
from flowlib.identity import key_of, upstream_digest
from flowlib.recorded import default_text
from flowlib.spec import TaskSpec
from stores import (
    Address,
    ArtifactDamaged,
    Attempt,
    Identity,
    Input,
    LeaseHeld,
    LeaseLost,
    Record,
    ResultsStore,
    TaskState,
    canonical,
)
from stores.ancestry import counting
from stores.housekeeping.copying import copy_record
from stores.housekeeping.deletion import removed
from stores.housekeeping.relations import readers_in, sources_first
from stores.lazy_dataclass import dataclass

_MOST_CHOICES = 10_000
"""So many choices are tried of the parameters that a user gave although they were at default."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration has done.

    Attributes:
        moved: The new addresses that were written.
        left: Old addresses that were left for now, and why.
        removed: Old addresses that were deleted.
    """

    moved: tuple[Address, ...]
    left: tuple[tuple[Address, str], ...]
    removed: tuple[Address, ...]

    def __str__(self) -> str:
        return f"{len(self.moved)} moved, {len(self.left)} left, {len(self.removed)} old deleted"


class Migration:
    """What would move; nothing has happened yet.

    Attributes:
        moves: New address by old one, what is upstream first.
        there: Old addresses whose new one has a result already.
        unmovable: Old addresses that cannot move, and why.
        clashes: Old addresses that would have the same new one.
    """

    def __init__(self, store: ResultsStore, changes: Changes, specs: Iterable[TaskSpec]) -> None:
        self.moves: dict[Address, Address] = {}
        self.there: list[Address] = []
        self.unmovable: list[tuple[Address, str]] = []
        self._store = store
        self._changes = changes
        self._specs = {spec.name: spec.declaration() for spec in specs}
        for address in sources_first(sorted(store.addresses()), store.record):
            record = store.record(address)
            if record is not None and record.finished is not None:
                self._consider(record)
        owners: dict[Address, list[Address]] = {}
        for old, new in self.moves.items():
            owners.setdefault(new, []).append(old)
        self.clashes = [tuple(each) for each in owners.values() if len(each) > 1]
        statuses = store.statuses(self.moves.values())
        is_there = {key for key, each in statuses.items() if each.state is TaskState.FINISHED}
        self.there = [old for old, new in self.moves.items() if new.key in is_there]

    def __repr__(self) -> str:
        return f"<Migration: {self}>"

    def __str__(self) -> str:
        waiting = [old for old in self.moves if old not in set(self.there)]
        lines = [
            f"{len(waiting)} results would move, {len(self.there)} are there already, "
            f"{len(self.unmovable)} cannot move"
        ]
        lines += [f"{old} -> {self.moves[old]}" for old in waiting[:10]]
        lines += [f"{address} cannot move: {why}" for address, why in self.unmovable[:10]]
        lines += [f"{_listed(each)} would be the same" for each in self.clashes]
        return "\n  ".join(lines)

    def apply(self, *, remove_old: bool = False) -> Migrated:
        """Write the results under their new keys; again after an interruption.

        Args:
            remove_old: Delete the old ones whose new one is there.

        Raises:
            MigrationError: results would become one; nothing was written.
        """
        if self.clashes:
            raise MigrationError(
                f"{_listed(self.clashes[0])} would have the same key: say with which value a "
                f"parameter is removed, {{'Task.parameter': value}}, or delete some of them"
            )
        moved, left = [], []
        for old, new in self.moves.items():
            try:
                record = self._store.record(old)
                if record is None or self._is_there(new):
                    continue
                status = self._store.statuses([new]).get(new.key)
                known = None if status is None else status.attempt
                copy_record(self._store, old, self._renamed(record), self._store, known)
                moved.append(new)
            except (ArtifactDamaged, LeaseHeld, LeaseLost) as error:
                left.append((old, str(error)))
        gone = self._remove_old() if remove_old else ()
        return Migrated(tuple(moved), tuple(left), gone)

    def _remove_old(self) -> tuple[Address, ...]:
        chosen = [old for old, new in self.moves.items() if self._is_there(new)]
        readers = readers_in(self._store)
        kept = set(itertools.chain.from_iterable(readers.values())) - set(chosen)
        free = [each for each in chosen if not kept.intersection(readers.get(each, ()))]
        return removed(self._store, free, readers).removed

    def _is_there(self, address: Address) -> bool:
        status = self._store.statuses([address]).get(address.key)
        is_whole = status is not None and not (status.missing or status.damaged)
        return is_whole and status is not None and status.state is TaskState.FINISHED

    def _consider(self, record: Record) -> None:
        """Note where a record moves, if it does."""
        task = record.address.task
        steps = self._changes.of_task(task)
        inputs = counting(record).inputs
        is_downstream = any(each.address in self.moves for each in inputs)
        if not (steps or is_downstream or task in self._changes.tasks):
            return
        try:
            new = self._renamed(record).address
        except NotMovable as error:
            self.unmovable.append((record.address, str(error)))
            return
        if new != record.address:
            self.moves[record.address] = new

    def _renamed(self, record: Record) -> Record:
        """A record as it would have been computed with the changes.

        Raises:
            NotMovable: it cannot be told how.
        """
        identity = record.identity
        keyed, version = _key_parts(record)
        texts_of = json.loads(identity.config), json.loads(identity.user_config)
        config = Config(*texts_of, keyed, self._roles(record))
        for step in self._changes.of_task(identity.address.task):
            config.apply(step)
        name = self._changes.tasks.get(identity.address.task, identity.address.task)
        if config.is_changed:
            self._leave_out_defaults(name, config)
        roles = {**self._changes.tasks, **config.roles}
        latest = self._with_inputs(record.latest, roles)
        finished = None if record.finished is None else self._with_inputs(record.finished, roles)
        sources = [(each.role, each.address.key) for each in (finished or latest).inputs]
        key = key_of(name, version, config.texts(), upstream_digest(sources))
        address = Address(name, key)
        texts = dumped(config.full), dumped(config.user)
        return Record(Identity(address, identity.version, *texts), finished, latest)

    def _roles(self, record: Record) -> Iterator[str]:
        """The paths of the arguments of a call under which it has read others; else none.

        A record does not tell whether it is of a call, but roles do that no task is called by.
        """
        inputs = counting(record).inputs
        task = record.address.task
        now = self._specs.get(self._changes.tasks.get(task, task))
        is_call = now is not None and now.is_call
        if is_call or any(each.role != each.address.task for each in inputs):
            yield from dict.fromkeys(each.role for each in inputs)

    def _leave_out_defaults(self, name: str, config: Config) -> None:
        """A parameter at the default that the task has now is no part of the key."""
        if name not in self._specs:
            return
        parameters = self._specs[name].signature.config
        defaults = {each: default_text(parameter) for each, parameter in parameters.items()}
        config.keyed = {
            each for each, value in config.full.items() if dumped(value) != defaults.get(each)
        }

    def _with_inputs(self, attempt: Attempt, roles: Mapping[str, str]) -> Attempt:
        inputs = tuple(
            replace(each, role=roles.get(each.role, each.role), address=self._moved(each))
            for each in attempt.inputs
        )
        grown = tuple([replace(each, address=self._moved(each)) for each in attempt.grown])
        facts = {name: text for name, text in attempt.facts.items() if name != "inputs"}
        if fact := inputs_fact(inputs):
            facts["inputs"] = fact
        return replace(attempt, inputs=inputs, grown=grown, facts=facts)

    def _moved(self, read: Input) -> Address:
        """Where it lies now what was read."""
        return self.moves.get(read.address, read.address)


def migrate(
    store: ResultsStore,
    *,
    rename_tasks: Mapping[str, str] | None = None,
    move: Mapping[str, str] | None = None,
    add: Mapping[str, object] | None = None,
    remove: Mapping[str, object] | Sequence[str] = (),
    specs: Sequence[TaskSpec] = (),
) -> Migration:
    """Plan how old results get the keys that changed tasks have now: `plan.apply()` does it.

    Whatever was computed from them gets a new key, too. The old results stay, unless
    `apply(remove_old=True)` is told otherwise. Tasks go by their old names in all arguments.

    Args:
        store: Where the results are.
        rename_tasks: New names of tasks by old ones.
        move: New places of parameters, `{"Train.lr": "Train.optimizer.lr"}`.
        add: Parameters that are new, with the value that old results were computed with.
        remove: Parameters that there are no more; or with the only value for which a result
            counts, `{"Train.seed": 0}`.
        specs: The tasks as they are now, or calls of them, which tell the defaults: a parameter at
            its default is no part of a key. Needed where a default is added or has changed, and
            for calls that read a task under a parameter of its name, if that is renamed.

    Raises:
        MigrationError: a task is unknown, or a path names no parameter.
    """
    known = {address.task for address in store.addresses()}
    changes = declared(known, rename_tasks or {}, move or {}, add or {}, remove)
    return Migration(store, changes, specs)


def _key_parts(record: Record) -> tuple[frozenset[str], str | None]:
    """The parameters that entered the key of a record, and the text of its version.

    Those the user did not give were at their default. Of those that were given some may have
    been, too: which, the key tells.

    Raises:
        NotMovable: no choice of them makes this key.
    """
    identity = record.identity
    full: dict[str, object] = json.loads(identity.config)
    given = [name for name in json.loads(identity.user_config) if name in full]
    upstream = upstream_digest((i.role, i.address.key) for i in counting(record).inputs)
    texts = {name: dumped(full[name]) for name in given}
    choices = itertools.chain.from_iterable(
        itertools.combinations(given, count) for count in range(len(given) + 1)
    )
    for at_default in itertools.islice(choices, _MOST_CHOICES):
        keyed = {name: texts[name] for name in given if name not in at_default}
        for version in _versions(identity.version):
            if key_of(identity.address.task, version, keyed, upstream) == identity.address.key:
                return frozenset(keyed), version
    raise NotMovable("its key is none that its config and its inputs make")


def _versions(version: str | None) -> Iterator[str | None]:
    """The texts that a version may have had: of words, or of a number."""
    if version is None:
        yield None
        return
    yield canonical.encode(version)
    if version.lstrip("-").isdecimal():
        yield canonical.encode(int(version))


def _listed(addresses: Iterable[Address]) -> str:
    return ", ".join(map(str, addresses))
