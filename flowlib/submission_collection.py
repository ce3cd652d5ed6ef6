"""Which submissions does nobody need any more?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from flowlib.code_snapshot import SNAPSHOT
from flowlib.submission import (
    Submission,
    drop_leftovers,
    drop_submission,
    read_submissions,
)
from flowlib.submitted_tasks import Submitted
from stores import Address, LeaseHeld, ResultsStore
from stores.moments import span
from stores.text_shelf import drop, named_in, unnamed

_GRACE_S: Final = 3600.0
"""What was submitted in this time is kept in any case, as by `store.gc`."""


def forgettable(
    store: ResultsStore,
    *,
    older_than: float | str | None = None,
    keep_runs: int | None = None,
    grace: float | str = _GRACE_S,
) -> list[Submission]:
    """The submissions that may go; the results of their tasks are not touched.

    Those go whose tasks all stand in newer ones. With `older_than` those go, too, that were made
    longer ago; with `keep_runs` those of which nothing waits to be run; with both, what is both.
    None goes of which something is being computed.

    Args:
        store: Where they are.
        older_than: Seconds, or "30d".
        keep_runs: How many runs are kept; it matters only whether it is given.
        grace: What was submitted in this time is kept.

    Raises:
        QueryError: a length of time is none.
    """
    submitted = Submitted(store)
    if not submitted.submissions:
        return []
    now, busy = time.time(), set(store.keys_in_work())
    young = now - span(grace, "grace")
    limit = None if older_than is None else now - span(older_than, "older_than")
    needed = {place.submission.id for place in submitted.places.values()}
    waiting = {place.submission.id for place in submitted.pending.values()}
    found = []
    for each in submitted.submissions:
        is_old = limit is None or each.when < limit
        is_done = keep_runs is None or each.id not in waiting
        is_chosen = not (limit is None and keep_runs is None) and is_old and is_done
        may_go = each.when < young and not _is_in_work(each, busy)
        if may_go and (is_chosen or each.id not in needed):
            found.append(each)
    return found


def unneeded_code(store: ResultsStore, *, grace: float | str = _GRACE_S) -> dict[str, int]:
    """Snapshots of code that no record and no submission names: sizes in bytes by digest.

    Args:
        store: Where they are.
        grace: What was kept in this time may belong to a run that has committed nothing yet.
    """
    now = time.time()
    some = unnamed(store, SNAPSHOT, (), now - span(grace, "grace"))
    if not some:
        return {}
    named = {each for record in store.records() for each in named_in(record)}
    named |= {each.code.digest for each in read_submissions(store) if each.code is not None}
    return {digest: size for digest, size in some.items() if digest not in named}


def forget_code(store: ResultsStore, digests: Iterable[str]) -> None:
    """Delete snapshots of code."""
    drop(store, SNAPSHOT, list(digests))


def forget(store: ResultsStore, submissions: Iterable[Submission]) -> int:
    """Drop submissions, and what killed processes have left beside them; how many that were."""
    count = 0
    for each in submissions:
        with suppress(LeaseHeld):  # it is just being submitted again
            count += drop_submission(store, each.id)
    drop_leftovers(store)
    return count


def _is_in_work(submission: Submission, busy: set[Address]) -> bool:
    return bool(busy) and any(each.address in busy for each in submission.tasks)
