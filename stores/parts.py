"""What is a record made of? Addresses, attempts, artifacts, inputs, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Any, Final

from stores.lazy_dataclass import dataclass
from stores.lease import Owner
from stores.part_kinds import (
    LIST_OR_NONE,
    NUMBER,
    PARTS,
    TEXT,
    TEXT_OR_NONE,
    check_kinds,
    is_time,
)


class TaskState(str, Enum):
    """The state of a task.

    `SAVED` is that of results which were saved outside a run; it is never a success.
    """

    PENDING = "pending"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"
    UPSTREAM_FAILED = "upstream_failed"
    SAVED = "saved"


STATES: Final = frozenset(each.value for each in TaskState)
_NO_PARTS: Final[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a record lies: the name of its task and its key."""

    task: str
    key: str

    def __str__(self) -> str:
        return f"{self.task}/{self.key[:8]}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Address, (self.task, self.key)  # six times as fast as the fields one by one


@dataclass(frozen=True, slots=True)
class Artifact:
    """One saved value.

    Attributes:
        name: Its name, unique in the attempt.
        type_: Name of the codec it was written with.
        codec_version: Version of that codec.
        size_bytes: Length of the encoded value; of a folder, of all files in it.
        digest: BLAKE2b-128 of the bytes of a file, or of all in a folder (`stores.trees`); None
            for inline values, and for folders of the first days.
        inline: The encoded value itself, if it is small.
        encoding: How `inline` is written: "utf-8" or "base64"; "tar" for bytes outside of the
            record that are an archive of a file or folder called `content`; "folder" for one.
        file: Path relative to the folder of the key (it begins with an attempt number), if it is
            not inline.
        load_kwargs: Options for loading it.
    """

    name: str
    type_: str
    codec_version: int = 1
    size_bytes: int = 0
    digest: str | None = None
    inline: str | None = None
    encoding: str = "utf-8"
    file: str | None = None
    load_kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Input:
    """One record that an attempt has read: as what, where, and which attempt counted then."""

    role: str
    address: Address
    attempt: int

    def __reduce__(self) -> tuple[Any, ...]:
        return Input, (self.role, self.address, self.attempt)


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What went wrong, as text: nothing of the user's is needed to read it."""

    type_: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The run an attempt belongs to, and what the node was called in it."""

    project_name: str
    run_name: str
    unique_name: str
    sweep_counter: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.project_name, self.run_name, self.unique_name, self.sweep_counter)
        return RunInfo, parts


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes about a key.

    Attributes:
        address: Where the record lies.
        version: The user's version of the task, as text.
        config: Canonical text of the whole resolved config.
        user_config: Canonical text of what the user gave, ignored keys left out.
    """

    address: Address
    version: str | None = None
    config: str = "{}"
    user_config: str = "{}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Identity, (self.address, self.version, self.config, self.user_config)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at computing a key.

    Attributes:
        number: Counts up for a key and is never used again: the fence of its lease.
        state: How it ended.
        started: Unix time in seconds.
        ended: Unix time in seconds.
        artifacts: What it saved.
        inputs: What it read.
        error: What went wrong.
        facts: Words that a later plan compares; stores do not look at them.
        run: The run it belongs to.
        owner: The process that made it.
        provenance: Where it comes from: code, machine, packages.
        grown: What the task has returned as specs: its results are theirs, put together. It has
            not read them itself.
    """

    number: int
    state: TaskState
    started: float | None = None
    ended: float | None = None
    artifacts: tuple[Artifact, ...] = ()
    inputs: tuple[Input, ...] = ()
    error: ErrorDetails | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    run: RunInfo | None = None
    owner: Owner | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    grown: tuple[Input, ...] = ()

    def made_by(self, number: int, artifacts: tuple[Artifact, ...], owner: Owner | None) -> Attempt:
        """The same with its number, its artifacts and its owner; `replace` takes twice as long."""
        return Attempt(
            number,
            self.state,
            self.started,
            self.ended,
            artifacts,
            self.inputs,
            self.error,
            self.facts,
            self.run,
            owner,
            self.provenance,
            self.grown,
        )

    @property
    def duration_s(self) -> float | None:
        """How long it took."""
        if self.started is None or self.ended is None:
            return None
        return self.ended - self.started


def attempt_from_dict(found: Mapping[str, Any]) -> Attempt:
    """Read what `part_texts.attempt_text` wrote.

    Raises:
        ValueError: a part is of another kind than any that was written.
    """
    _check_attempt(found)
    error, run, owner = found.get("error"), found.get("run"), found.get("owner")
    return Attempt(
        number=found["number"],
        state=TaskState(found["state"]),
        started=found.get("started"),
        ended=found.get("ended"),
        artifacts=tuple(artifact_from_dict(each) for each in found.get("artifacts", ())),
        inputs=_inputs(found, "inputs"),
        error=None if error is None else ErrorDetails(**error),
        facts=found.get("facts", {}),
        run=None if run is None else RunInfo(*run),
        owner=None if owner is None else Owner.from_list(owner),
        provenance=found.get("provenance", {}),
        grown=_inputs(found, "grown"),
    )


def _inputs(found: Mapping[str, Any], name: str) -> tuple[Input, ...]:
    return tuple([Input(i[0], Address(i[1], i[2]), i[3]) for i in found.get(name, ())])


def _check_attempt(found: Mapping[str, Any]) -> None:
    """See that what JSON tells of an attempt is what `attempt_text` wrote, kind by kind."""
    if not (is_time(found.get("started")) and is_time(found.get("ended"))):
        raise ValueError("a time is none")
    inputs = (*found.get("inputs", ()), *found.get("grown", ()))
    error, run = found.get("error"), found.get("run") or ()
    texts, numbers, maybe = [found["state"], *run[:3]], [found["number"]], [*run[3:]]
    parts = [found.get("facts", _NO_PARTS), found.get("provenance", _NO_PARTS)]
    for role, task, key, number in inputs:
        texts += role, task, key
        numbers.append(number)
    if error:
        texts += error.values()
    for each in found.get("artifacts", ()):
        get = each.get
        texts += each["name"], each["type"], get("encoding", "")
        numbers += each["bytes"], get("codec_version", 1)
        maybe += get("text"), get("base64"), get("digest"), get("file")
        parts.append(get("load_kwargs", _NO_PARTS))
    check_kinds(texts, TEXT)
    check_kinds(numbers, NUMBER)
    check_kinds(maybe, TEXT_OR_NONE)
    check_kinds(parts, PARTS)
    check_kinds((found.get("run"), found.get("owner")), LIST_OR_NONE)


def artifact_to_dict(artifact: Artifact) -> dict[str, Any]:
    """The JSON form of an artifact; what is usual is left out."""
    found: dict[str, Any] = {"name": artifact.name, "type": artifact.type_}
    if artifact.codec_version != 1:
        found["codec_version"] = artifact.codec_version
    if artifact.inline is None:
        found["bytes"] = artifact.size_bytes
        found["file"] = artifact.file
        if artifact.digest is not None:
            found["digest"] = artifact.digest
        if artifact.encoding != "utf-8":
            found["encoding"] = artifact.encoding
    else:
        found["text" if artifact.encoding == "utf-8" else "base64"] = artifact.inline
        found["bytes"] = artifact.size_bytes
    if artifact.load_kwargs:
        found["load_kwargs"] = dict(artifact.load_kwargs)
    return found


def artifact_from_dict(found: Mapping[str, Any]) -> Artifact:
    """Read what `artifact_to_dict` made."""
    text = found.get("text")
    return Artifact(
        name=found["name"],
        type_=found["type"],
        codec_version=found.get("codec_version", 1),
        size_bytes=found["bytes"],
        digest=found.get("digest"),
        inline=found.get("base64") if text is None else text,
        encoding=found.get("encoding", "utf-8") if "base64" not in found else "base64",
        file=found.get("file"),
        load_kwargs=found.get("load_kwargs", {}),
    )
