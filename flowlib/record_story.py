"""What does a store know of one task? Config, origin, neighbours, results, attempts, errors."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from flowlib.bulk import paused_collection
from flowlib.earlier_tries import earlier_tries
from flowlib.events import Retried
from flowlib.next_commands import words_for
from flowlib.origin_texts import Kept, kept_texts
from flowlib.reasons import WHY
from flowlib.record_lines import plain_config, time_text
from flowlib.rerun import document_words, script_words
from flowlib.run_folders import recorded_log
from flowlib.running import seed_of
from stores import Address, Attempt, Query, Record, RecordMissing, ResultsStore
from stores.ancestry import own_config
from stores.cells import plain_values
from stores.lazy_dataclass import dataclass
from stores.matching import artifacts_in_force
from stores.sieve import full_config

_MOST_VALUES: Final = 20
"""Plain values of one artifact that are told; a dict of metrics may hold thousands."""

_LOG: Final = "log"
_FIRST: Final = 1


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A record that was read by another, or has read it.

    Attributes:
        address: Where it lies.
        role: As what it was read.
        attempt: Which attempt counted then.
        current: Which attempt counts now; None if it is gone or has no result.
    """

    address: Address
    role: str
    attempt: int
    current: int | None


@dataclass(frozen=True, slots=True)
class SavedArtifact:
    """What is told of an artifact without loading it.

    Attributes:
        name: Its name.
        type_: Name of the codec.
        size_bytes: Of the encoded value.
        attempt: Number of the attempt that saved it.
        values: The numbers and words in it, by dotted keys; "" for one that is its own value.
    """

    name: str
    type_: str
    size_bytes: int
    attempt: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RecordStory:
    """All that is known of one record.

    Attributes:
        record: It.
        config: The whole config.
        given: The names in it that the user gave; the others are defaults.
        inherited: The configs of the tasks upstream, by name.
        why: Why it was computed, a word of `Reason`; None if that is not known.
        upstream: What it was computed from: what it has read, then what has grown of it.
        downstream: What was computed from it.
        artifacts: Those in force.
        log: The log of the last attempt, if it is still there.
        folder: With its files, in a store that has some.
        again: Words of the command that computes it again; empty if none is known.
        kept: What is kept of where it comes from, beside the record.
        tries: How attempts ended that their run tried again, if its log is there.
    """

    record: Record
    config: Mapping[str, object]
    given: tuple[str, ...]
    inherited: Mapping[str, Mapping[str, object]]
    why: str | None
    upstream: tuple[Neighbour, ...]
    downstream: tuple[Neighbour, ...]
    artifacts: tuple[SavedArtifact, ...]
    log: str | None
    folder: str | None
    again: tuple[str, ...]
    kept: Kept = field(default_factory=Kept)
    tries: tuple[Retried, ...] = ()

    @property
    def address(self) -> Address:
        """Where the record lies."""
        return self.record.address

    @property
    def counts(self) -> Attempt:
        """The attempt that counts, else the last one."""
        return self.record.finished or self.record.latest

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The attempts that the record tells of, the last one last."""
        finished, latest = self.record.finished, self.record.latest
        is_same = finished is None or finished.number == latest.number
        return (latest,) if is_same or finished is None else (finished, latest)

    @property
    def origin(self) -> dict[str, Any]:
        """Code, machine and command of the attempt that counts."""
        return {name: each for name, each in self.counts.provenance.items() if name != _LOG}

    @property
    def seed(self) -> int:
        """What the task saw as `node_seed`."""
        return seed_of(self.address.key)

    @property
    def again_text(self) -> str:
        """The command that computes it again, quoted for a shell; empty if none is known."""
        return shlex.join(self.again)


def record_story(
    store: ResultsStore,
    address: Address,
    *,
    readers: Iterable[Neighbour] | None = None,
    most: int | None = None,
    inherits: bool = True,
) -> RecordStory:
    """All that is known of one record.

    Nothing big is loaded, and nothing is unpickled.

    Args:
        store: Where it is.
        address: Of the record.
        readers: What has read it, if the caller knows; else all records are looked at for that.
        most: So many of those are looked up that it has read; None for all.
        inherits: Whether the configs of all its ancestors are read; else its own stands alone.

    Raises:
        RecordMissing: there is none, or it is damaged.
    """
    record = store.record(address)
    if record is None or record.address != address:
        raise RecordMissing(f"there is no record {address}, or it cannot be read")
    attempt = record.finished or record.latest
    if readers is None:
        with paused_collection():
            readers = tuple(_readers(store, address))
    configs = store.unique_config(address) if inherits else {address.task: own_config(record)}
    return RecordStory(
        record,
        full_config(record),
        tuple(configs.get(address.task, {})),
        {task: config for task, config in configs.items() if task != address.task},
        _why(attempt),
        tuple(_sources(store, attempt, most)),
        tuple(readers),
        tuple(_artifacts(store, record)),
        recorded_log(store, record.latest.provenance),
        _folder(store, record),
        _again(store, record),
        kept_texts(store, attempt),
        earlier_tries(store, record),
    )


def story_document(story: RecordStory) -> dict[str, Any]:
    """All that is known of one record, for JSON."""
    record, counts = story.record, story.counts
    run = counts.run
    return {
        "id": str(story.address),
        "task": story.address.task,
        "key": story.address.key,
        "state": record.state.value,
        "version": record.identity.version,
        "config": plain_config(story.config),
        "given": list(story.given),
        "inherited": {task: plain_config(config) for task, config in story.inherited.items()},
        "why": story.why,
        "run": run and {"name": run.run_name, "project": run.project_name, "as": run.unique_name},
        "upstream": [_neighbour_document(each) for each in story.upstream],
        "downstream": [_neighbour_document(each) for each in story.downstream],
        "grown": [str(each.address) for each in counts.grown],
        "artifacts": [_artifact_document(each) for each in story.artifacts],
        "attempts": [_attempt_document(each) for each in story.attempts],
        "tries": [_try_document(each) for each in story.tries],
        "facts": dict(counts.facts),
        "environment": story.origin,
        "seed": story.seed,
        "patch": story.kept.patch,
        "packages": None if story.kept.packages is None else dict(story.kept.packages),
        "untracked": list(story.kept.untracked),
        "log": story.log,
        "folder": story.folder,
        "again": list(story.again),
    }


def _attempt_document(attempt: Attempt) -> dict[str, Any]:
    error = attempt.error
    return {
        "number": attempt.number,
        "state": attempt.state.value,
        "started": time_text(attempt.started),
        "ended": time_text(attempt.ended),
        "duration_s": attempt.duration_s,
        "owner": str(attempt.owner) if attempt.owner else None,
        "error": error
        and {"type": error.type_, "message": error.message, "traceback": error.traceback},
    }


def _artifact_document(each: SavedArtifact) -> dict[str, Any]:
    told = {"name": each.name, "type": each.type_, "size_bytes": each.size_bytes}
    return {**told, "attempt": each.attempt, "values": dict(each.values)}


def _try_document(each: Retried) -> dict[str, Any]:
    error = {"type": each.error.type_, "message": each.error.message}
    return {"kind": each.kind, "ended": time_text(each.at), "error": error}


def _neighbour_document(each: Neighbour) -> dict[str, Any]:
    return {
        "id": str(each.address),
        "task": each.address.task,
        "key": each.address.key,
        "role": each.role,
        "attempt": each.attempt,
        "current": each.current,
    }


def _why(attempt: Attempt) -> str | None:
    known = attempt.facts.get(WHY)
    if known is None and attempt.number == _FIRST and attempt.run is not None:
        return "new"
    return known


def _sources(store: ResultsStore, attempt: Attempt, most: int | None) -> Iterator[Neighbour]:
    read = (*attempt.inputs[:most], *attempt.grown[:most])
    statuses = store.statuses([each.address for each in read])
    for each in read:
        status = statuses.get(each.address.key)
        is_there = status is not None and status.state.value == "finished"
        current = status.attempt if is_there and status is not None else None
        yield Neighbour(each.address, each.role, each.attempt, current)


def _readers(store: ResultsStore, address: Address) -> Iterator[Neighbour]:
    for record in store.candidates(Query()):
        attempt = record.finished or record.latest
        for each in (*attempt.inputs, *attempt.grown):
            if each.address == address:
                current = attempt.number if record.finished else None
                yield Neighbour(record.address, each.role, each.attempt, current)
                break


def _artifacts(store: ResultsStore, record: Record) -> Iterator[SavedArtifact]:
    for attempt, artifact in artifacts_in_force(record).values():
        found = list(plain_values(store, record.address, artifact))[:_MOST_VALUES]
        values = {".".join(keys): value for keys, value in found}
        name, size_bytes = artifact.name, artifact.size_bytes
        yield SavedArtifact(name, artifact.type_, size_bytes, attempt.number, values)


def _folder(store: ResultsStore, record: Record) -> str | None:
    folder = store.record_folder(record.address)
    return str(folder) if folder is not None and folder.is_dir() else None


def _again(store: ResultsStore, record: Record) -> tuple[str, ...]:
    """The command that made it last: of its document for this task alone, or a script."""
    words = document_words(store, record.latest)
    if words:
        return words_for(words, str(record.address))
    return script_words(record.latest.provenance)
