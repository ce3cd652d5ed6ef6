"""
Do stored results still come out the same? Some of them are computed again, and compared.

    same code, same result        as it should be
    same code, other result       the task is not deterministic
    other code, other result      the stored result is stale
"""

from __future__ import annotations

import math
import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowlib.fingerprint import CODE
from flowlib.flow_arguments import Selectors
from flowlib.result_comparison import ComparedArtifact, Comparison, Tolerance
from flowlib.stored_selection import select_records
from stores import Address, LayeredStore, LocalFileStore, ReadOnlyStore, ResultsStore, TaskState
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from flowlib.flow import Flow

_ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class VerifiedResult:
    """A result that was computed again.

    Attributes:
        address: Where its record lies.
        artifacts: Each of its artifacts compared; empty if it could not be computed.
        same_code: Whether the code that ran now is that of the record; None if nobody knows.
        error: Why it could not be computed, if so.
    """

    address: Address
    artifacts: tuple[ComparedArtifact, ...]
    same_code: bool | None
    error: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether it came out the same."""
        return not self.error and all(each.match.is_good for each in self.artifacts)

    @property
    def verdict(self) -> str:
        """`equal`, `failed`, `stale` if the code has changed, else `differs`."""
        if self.error:
            return "failed"
        if self.is_equal:
            return "equal"
        return "stale" if self.same_code is False else "differs"


@dataclass(frozen=True, slots=True)
class Verification:
    """The results that were computed again.

    Attributes:
        results: They, by task and key.
        population: Of how many they were drawn.
    """

    results: tuple[VerifiedResult, ...]
    population: int

    @property
    def ok(self) -> bool:
        """Whether all came out the same."""
        return all(each.is_equal for each in self.results)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "population": self.population,
            "results": [
                {
                    "id": f"{each.address.task}/{each.address.key}",
                    "verdict": each.verdict,
                    "same_code": each.same_code,
                    "artifacts": [one.to_dict() for one in each.artifacts],
                    "error": each.error,
                }
                for each in self.results
            ],
        }


def verify(
    flow: Flow,
    results_store: ResultsStore,
    selectors: Selectors = None,
    *,
    sample: str | int = "5%",
    random_seed: int | None = None,
    rtol: Tolerance = 0.0,
    may_unpickle: bool = False,
    **run_arguments: Any,
) -> Verification:
    """Compute some finished results of a flow again, into a temporary store, and compare.

    What they read is taken from the store as it is; the store is only read.

    Args:
        flow: Whose results.
        results_store: Where they are.
        selectors: Which of them, as for `flowlib ls`; None is all.
        sample: How many: "5%", at least one; a number; or "all".
        random_seed: Draws the same ones again.
        rtol: How far numbers may differ, as for `reproduce`.
        may_unpickle: Whether pickles are loaded to compare values where bytes differ.
        **run_arguments: As for `Flow.run`: `num_workers`, `resources`, `executor`, …

    Raises:
        NothingSelected: a selector selects nothing.
        ValueError: the sample is none.
    """
    known = _finished(flow, results_store, selectors)
    count = sample_size(sample, len(known))
    drawn = sorted(random.Random(random_seed).sample(known, count))
    if not drawn:
        return Verification((), len(known))
    place = Path(tempfile.mkdtemp(prefix="flowlib-verify-"))
    try:
        fresh = LocalFileStore(place)
        names = [f"{each.task}/{each.key}" for each in drawn]
        flow.run(
            results_store=LayeredStore([fresh, ReadOnlyStore(results_store)]),
            only=names,
            force=names,
            keep=_ALL,
            on_code_change="ignore",
            exit_on_error=False,
            return_results=None,
            **run_arguments,
        )
        comparison = Comparison(results_store, fresh, rtol=rtol, may_unpickle=may_unpickle)
        found = [_verified(results_store, fresh, each, comparison) for each in drawn]
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Verification(tuple(found), len(known))


def sample_size(sample: str | int, population: int) -> int:
    """How many of a population a sample has.

    Args:
        sample: "5%", a number, or "all".
        population: How many there are.

    Raises:
        ValueError: it is none of these.
    """
    text = str(sample).strip()
    if text == _ALL:
        return population
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    is_share = text.endswith("%")
    is_sound = number <= 100 if is_share else number % 1 == 0
    if not (0 < number < math.inf and is_sound):
        raise ValueError(f'sample is "5%", a number of results or "all", not {sample!r}')
    wanted = math.ceil(population * number / 100) if is_share else int(number)
    return min(wanted, population)


def _finished(flow: Flow, store: ResultsStore, selectors: Selectors) -> list[Address]:
    """The results of a flow that are there, by task and key."""
    addresses = [node.address for node in flow.graph]
    if selectors is not None:
        texts = [selectors] if isinstance(selectors, str) else selectors
        meant = set(select_records(store, texts))
        addresses = [each for each in addresses if each in meant]
    statuses = store.statuses(addresses)
    return sorted(each for each in addresses if _counts(statuses.get(each.key)))


def _counts(status: Any) -> bool:
    return status is not None and status.state is TaskState.FINISHED and not status.missing


def _verified(
    before: ResultsStore, after: ResultsStore, address: Address, comparison: Comparison
) -> VerifiedResult:
    old, new = before.record(address), after.record(address)
    if new is None or new.finished is None:
        error = None if new is None else new.latest.error
        text = "it was not computed" if error is None else f"{error.type_}: {error.message}"
        return VerifiedResult(address, (), None, text)
    facts: Sequence[str | None] = [
        each.finished.facts.get(CODE) if each is not None and each.finished is not None else None
        for each in (old, new)
    ]
    same = facts[0] == facts[1] if all(facts) else None
    return VerifiedResult(address, tuple(comparison.of(address)), same)
