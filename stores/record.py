"""What does a store know of one key? Who it is, the attempt that counts, and the last one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, NamedTuple

from stores.errors import RecordDamaged, RecordTooNew
from stores.lazy_dataclass import dataclass
from stores.part_kinds import NUMBER, PARTS, TEXT, TEXT_OR_NONE, check_kinds
from stores.part_texts import attempt_text
from stores.parts import (
    Address,
    Artifact,
    Attempt,
    ErrorDetails,
    Identity,
    Input,
    RunInfo,
    TaskState,
    artifact_from_dict,
    artifact_to_dict,
    attempt_from_dict,
)

__all__ = [
    "SCHEMA",
    "Address",
    "Artifact",
    "Attempt",
    "ErrorDetails",
    "Identity",
    "Input",
    "Record",
    "RunInfo",
    "Status",
    "TaskState",
    "artifact_from_dict",
    "artifact_to_dict",
]

SCHEMA: Final = 1
"""Version of the record's form. Older ones are read for ever, newer ones are refused."""


class RecordText(NamedTuple):
    """A record as JSON.

    Attributes:
        whole: All of it.
        facts: The facts of the attempt that counts, else of the last one.
        artifacts: Likewise.
        started: When that attempt began; "null" if nobody knows.
        ended: When it ended, likewise.
    """

    whole: str
    facts: str
    artifacts: str
    started: str
    ended: str


@dataclass(frozen=True, slots=True)
class Record:
    """Everything a store knows of one key.

    Attributes:
        identity: What never changes.
        finished: The attempt whose artifacts count; a later attempt that failed leaves it as is.
        latest: The last attempt.
    """

    identity: Identity
    finished: Attempt | None
    latest: Attempt
    schema: int = SCHEMA

    @property
    def address(self) -> Address:
        """Where it lies."""
        return self.identity.address

    @property
    def state(self) -> TaskState:
        """Finished if some attempt counts, else that of the last attempt."""
        return TaskState.FINISHED if self.finished is not None else self.latest.state

    @property
    def attempts_in_use(self) -> frozenset[int]:
        """The numbers of the attempts it tells of, and of those whose files it names."""
        attempts = [each for each in (self.finished, self.latest) if each is not None]
        files = [a.file for attempt in attempts for a in attempt.artifacts if a.file]
        owners = {int(file.partition("/")[0]) for file in files}
        return frozenset({attempt.number for attempt in attempts} | owners)

    def to_json(self) -> str:
        """The record as one line of JSON, with the configs as JSON of their own."""
        return self.text().whole

    def text(self) -> RecordText:
        """The same, and the parts of it that an index has, too."""
        identity, finished = self.identity, self.finished
        address, version = identity.address, identity.version
        is_same = finished is not None and finished.number == self.latest.number
        latest = attempt_text(self.latest)
        counts = latest if finished is None or is_same else attempt_text(finished)
        whole = (
            f'{{"schema":{self.schema},"task":{quoted(address.task)},"key":{quoted(address.key)},'
            f'"version":{"null" if version is None else quoted(version)},'
            f'"config":{identity.config},"user_config":{identity.user_config},'
            f'"finished":{"null" if counts is latest else counts.whole},"latest":{latest.whole},'
            f'"counts":{"true" if is_same else "false"}}}'
        )
        return RecordText(whole, *counts[1:])

    @classmethod
    def from_json(cls, text: str, source: str) -> Record:
        """Read what `to_json` wrote.

        Args:
            text: The record.
            source: Where it was read, for errors.

        Raises:
            RecordTooNew: it was written by a newer flowlib.
            RecordDamaged: it is not a record.
        """
        try:
            found = json.loads(text)
            schema = found["schema"]
            if isinstance(schema, int) and schema > SCHEMA:
                raise RecordTooNew(
                    f"{source} has schema {schema}, this flowlib reads up to {SCHEMA}: "
                    f"use the flowlib that wrote it, or a newer one"
                )
            check_kinds((schema,), NUMBER)
            latest = attempt_from_dict(found["latest"])
            finished = attempt_from_dict(found["finished"]) if found["finished"] else None
            check_kinds((found["task"], found["key"]), TEXT)
            check_kinds((found["version"],), TEXT_OR_NONE)
            check_kinds((found["config"], found["user_config"]), PARTS)
            if found["counts"] not in (True, False):
                raise ValueError("counts is neither true nor false")
            return cls(
                identity=Identity(
                    Address(found["task"], found["key"]),
                    found["version"],
                    _sorted(found["config"]),
                    _sorted(found["user_config"]),
                ),
                finished=latest if found["counts"] else finished,
                latest=latest,
                schema=schema,
            )
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise RecordDamaged(f"{source} is not a readable record: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Status:
    """What a plan needs to know of one key, without reading its record.

    Attributes:
        state: Finished if some attempt counts, else that of the last attempt.
        attempt: Number of the attempt that counts, else of the last one.
        latest_state: State of the last attempt.
        latest_attempt: Number of the last attempt.
        facts: Of the attempt that counts, else of the last one.
        artifacts: Of the attempt that counts.
        missing: Names of artifacts whose file is gone.
        damaged: Names of artifacts whose file has another size than when it was saved.
        duration_s: How long the attempt took.
    """

    state: TaskState
    attempt: int
    latest_state: TaskState
    latest_attempt: int
    facts: Mapping[str, str] = field(default_factory=dict)
    artifacts: Sequence[Artifact] = ()
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    duration_s: float | None = None

    @classmethod
    def of(cls, record: Record) -> Status:
        """The status of a record whose files are not looked at."""
        counts = record.finished or record.latest
        return cls(
            state=record.state,
            attempt=counts.number,
            latest_state=record.latest.state,
            latest_attempt=record.latest.number,
            facts=counts.facts,
            artifacts=counts.artifacts,
            duration_s=counts.duration_s,
        )


_sorted: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
