"""Are the results right when drivers, workers and servers are killed all the time?"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults_session import VICTIMS, FaultSession
from benchmarks.faults_tasks import TASKS_OF_ROUND, flow_of
from benchmarks.places import KINDS, place, server_of
from stores import InMemoryStore, LocalFileStore, ResultsStore, open_store

_LEASE_S = 3.0
_SHOWN = 5


@dataclass(slots=True)
class Report:
    """What one run has shown.

    Attributes:
        kind: Of the store.
        seconds: How long it took, with the end in peace.
        keys: How many results there are.
        executions: How often a task was begun.
        takeovers: How many of these were of a key that somebody had begun before.
        kills: How many processes were killed, by kind.
        leftovers: What `gc` found of the killed.
        problems: All that is not as it should be.
    """

    kind: str
    seconds: float = 0.0
    keys: int = 0
    executions: int = 0
    takeovers: int = 0
    kills: Mapping[str, int] = field(default_factory=dict)
    leftovers: int = 0
    problems: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> None:
    """Run, print a table, and exit with 1 when anything differs."""
    parser = argparse.ArgumentParser("python -m benchmarks faults", description="Kill at random.")
    parser.add_argument("--store", default="all", choices=[*KINDS, "all"])
    parser.add_argument("--seconds", type=float, default=600.0, help="per store")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drivers", type=int, default=3, help="with two workers each")
    asked = parser.parse_args(arguments)
    reports = []
    for kind in KINDS if asked.store == "all" else [asked.store]:
        with tempfile.TemporaryDirectory(prefix="flowlib-faults-") as folder:
            report = inject(kind, Path(folder), asked.seconds, asked.seed, asked.drivers)
            reports.append(report)
            output = Path(folder) / "run" / "output"
            if report.problems and output.exists():
                print(output.read_text()[-4000:], file=sys.stderr)
    print(table(reports))
    sys.exit(1 if any(report.problems for report in reports) else 0)


def inject(kind: str, folder: Path, seconds: float, seed: int, drivers: int = 3) -> Report:
    """Run drivers on a store of a kind while they are killed, and compare the results.

    Args:
        kind: Of the store.
        folder: An empty one, for all files.
        seconds: How long processes are killed.
        seed: Decides which of them, and when.
        drivers: How many work at once, with two workers each.
    """
    report, began = Report(kind), time.monotonic()
    with server_of(kind) as server:
        where = place(kind, folder, server, lease_s=_LEASE_S)
        session = FaultSession(folder / "run", where, server, drivers, seed)
        session.run(seconds)
        report.seconds = time.monotonic() - began
        report.kills, report.problems = session.kills, list(session.problems)
        store = open_store(where)
        try:
            _check(report, store, folder / "run")
        finally:
            store.close()
    return report


def table(reports: list[Report]) -> str:
    """The figures of all runs, and what was wrong."""
    names = ["store", "seconds", "keys", "executions", "takeovers", "leftovers, gone by gc"]
    lines = [" | ".join([*names, *(f"killed {each}s" for each in VICTIMS), "result"])]
    lines.append("---|" * (len(names) + len(VICTIMS)) + "---")
    for each in reports:
        figures = [each.keys, each.executions, each.takeovers, each.leftovers]
        kills = [each.kills.get(victim, 0) for victim in VICTIMS]
        cells = [each.kind, f"{each.seconds:.0f}", *map(str, [*figures, *kills])]
        lines.append(" | ".join([*cells, "**wrong**" if each.problems else "the same"]))
    lines = [f"| {line} |" if "---|" not in line else f"|{line}|" for line in lines]
    wrong = [f"- {each.kind}: {problem}" for each in reports for problem in each.problems]
    return "\n".join([*lines, *wrong])


def _check(report: Report, store: ResultsStore, folder: Path) -> None:
    """Compare with a run in peace, count, and look for what was left."""
    rounds = len(list((folder / "rounds").glob("*.begun")))
    found = contents(store)
    _compare(report.problems, found, _undisturbed(rounds))
    report.keys = len({address for address, _ in found})
    if report.keys != rounds * TASKS_OF_ROUND:
        report.problems.append(f"{report.keys} keys in {rounds} rounds of {TASKS_OF_ROUND}")
    _count_executions(report, store, folder)
    failures = folder / "failures"
    if failures.exists():
        report.problems += failures.read_text().splitlines()[:_SHOWN]
    report.problems += [str(fault) for fault in store.verify().faults[:_SHOWN]]
    if busy := store.keys_in_work():
        report.problems.append(f"{len(busy)} keys are still leased")
    plan = store.gc()
    report.leftovers = len(plan.leftovers)
    plan.apply()
    left = [str(each) for each in store.leftovers()]
    if isinstance(store, LocalFileStore):
        from tests.faults.drivers import leftovers

        # A mark is no leftover: it keeps the number of an attempt from being used twice.
        files = leftovers(Path(store.base_dir))
        left += [each for each in files if not each.endswith(".over")]
    report.problems += [f"left over after gc: {each}" for each in left[:_SHOWN]]


def _undisturbed(rounds: int) -> dict[tuple[str, str], str]:
    """What the same rounds come to when nobody disturbs them."""
    expected = {}
    for number in range(rounds):
        store = InMemoryStore()
        flow_of(number, "", 0.0).run(num_workers=1, results_store=store)
        expected.update(contents(store))
    return expected


def contents(store: ResultsStore) -> dict[tuple[str, str], str]:
    """The codec and the digest of the bytes of every artifact, by address and name."""
    found = {}
    for address in store.addresses():
        record = store.record(address)
        attempt = None if record is None else record.finished
        for artifact in () if attempt is None else attempt.artifacts:
            _, stream = store.portable_stream(address, artifact)
            with stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
            found[f"{address.task}/{address.key}", artifact.name] = f"{artifact.type_} {digest}"
    return found


def _compare(
    problems: list[str],
    found: Mapping[tuple[str, str], str],
    expected: Mapping[tuple[str, str], str],
) -> None:
    differing = [name for name in expected.keys() | found if found.get(name) != expected.get(name)]
    problems += [
        f"{name}: {found.get(name)} instead of {expected.get(name)}"
        for name in sorted(differing)[:_SHOWN]
    ]
    if len(differing) > _SHOWN:
        problems.append(f"{len(differing)} artifacts differ in all")


def _count_executions(report: Report, store: ResultsStore, folder: Path) -> None:
    """Each attempt ran once, and none ran after the one that counts: nothing finished was lost."""
    begun = [line.split() for line in (folder / "log").read_text().splitlines()]
    attempts = Counter((key, int(number)) for key, number, _ in begun)
    last: dict[str, int] = {}
    for key, number in attempts:
        last[key] = max(last.get(key, 0), number)
    report.executions, report.takeovers = len(begun), len(begun) - len(last)
    twice = [each for each, count in attempts.items() if count > 1]
    report.problems += [f"attempt {number} of {key} ran twice" for key, number in twice[:_SHOWN]]
    for address in store.addresses():
        record = store.record(address)
        counts = record.finished.number if record is not None and record.finished else None
        if counts != last.get(address.key):
            report.problems.append(
                f"{address}: attempt {counts} counts, the last begun is {last.get(address.key)}"
            )
