"""What takes how much room? Per task, what its records hold and what their artifacts are."""

from __future__ import annotations

from collections.abc import Iterable

from stores.lazy_dataclass import dataclass
from stores.primitives import StorePrimitives
from stores.query import Query
from stores.record import Artifact, Record
from stores.sieve import fitting


@dataclass(frozen=True, slots=True)
class TaskUsage:
    """The room that one task takes.

    Attributes:
        task: Its name.
        records: How many it has.
        record_bytes: Of the records, small values in them included.
        artifacts: How many of them lie outside of the records.
        artifact_bytes: Of these.
    """

    task: str
    records: int = 0
    record_bytes: int = 0
    artifacts: int = 0
    artifact_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """All together."""
        return self.record_bytes + self.artifact_bytes

    def plus(self, record: Record) -> TaskUsage:
        """With one record more."""
        outside = artifacts_outside(record)
        return TaskUsage(
            self.task,
            self.records + 1,
            self.record_bytes + len(record.to_json().encode()),
            self.artifacts + len(outside),
            self.artifact_bytes + sum(each.size_bytes for each in outside),
        )


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """The room that a store takes, without what nobody can read any more.

    Attributes:
        tasks: Per task, the largest first.
    """

    tasks: tuple[TaskUsage, ...]

    @property
    def records(self) -> int:
        """How many there are."""
        return sum(each.records for each in self.tasks)

    @property
    def size_bytes(self) -> int:
        """All together."""
        return sum(each.size_bytes for each in self.tasks)

    def __str__(self) -> str:
        names = ["task", *(each.task for each in self.tasks), "total"]
        width = max(map(len, names))
        lines = [f"{'task':<{width}}  records  artifacts  {'bytes':>15}"]
        for each in [*self.tasks, _total(self.tasks)]:
            lines.append(  # noqa: PERF401  # shorter than the comprehension
                f"{each.task:<{width}}  {each.records:>7}  {each.artifacts:>9}"
                f"  {each.size_bytes:>15,}"
            )
        return "\n".join(lines)


def disk_usage(store: StorePrimitives, query: Query) -> DiskUsage:
    """What the records that are meant take; every one is read."""
    tasks: dict[str, TaskUsage] = {}
    for record in fitting(store, query):
        task = record.address.task
        tasks[task] = tasks.get(task, TaskUsage(task)).plus(record)
    return DiskUsage(tuple(sorted(tasks.values(), key=lambda each: (-each.size_bytes, each.task))))


def artifacts_outside(record: Record) -> list[Artifact]:
    """The artifacts that are no part of their record, each once."""
    attempts = [record.latest] if record.finished is None else [record.finished, record.latest]
    found = [each for attempt in attempts for each in attempt.artifacts if each.inline is None]
    return list({each.file or each.name: each for each in found}.values())


def size_of(record: Record) -> int:
    """The bytes of a record and of its artifacts."""
    outside = sum(each.size_bytes for each in artifacts_outside(record))
    return len(record.to_json().encode()) + outside


def _total(tasks: Iterable[TaskUsage]) -> TaskUsage:
    several = list(tasks)
    return TaskUsage(
        "total",
        sum(each.records for each in several),
        sum(each.record_bytes for each in several),
        sum(each.artifacts for each in several),
        sum(each.artifact_bytes for each in several),
    )
