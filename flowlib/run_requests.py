"""
How is a run asked for something by a process that cannot send it a signal? By a note in its store.

A note is a record in `store.beside("requests")`, which the driver reads every ten seconds, and
writes its answer to. Who has asked takes it away, answered or not; where the driver is
known it may stay for a slow one: no other run obeys it. What nobody has taken away goes when it is
old.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Collection
from contextlib import closing, suppress
from typing import Any, Final, Self

from flowlib.age import ago
from stores import (
    Address,
    Attempt,
    Identity,
    LeaseHeld,
    Owner,
    ResultsStore,
    Status,
    StoreError,
    TaskState,
    canonical,
)
from stores.lazy_dataclass import dataclass
from stores.moments import span

_PLACE: Final = "requests"
_REQUEST: Final = "request"
_ANSWER: Final = "answer"
_HOST: Final = "host"
_IS_REFUSED: Final = "refused"
_SKEW_S: Final = 300.0
"""So much may the clocks of two hosts differ."""

_GRACE_S: Final = 3600.0
"""What was asked for in this time is kept in any case, as by `store.gc`."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for: to stop, or to do without some of its tasks.

    Attributes:
        run: Name of its folder.
        by: Who asks, `alice@gpu3`.
        at: When, in seconds since 1970.
        only: Selectors of the tasks to do without; empty: the run is to stop.
        is_now: Whether what runs is to be ended as well; tasks that are done without always are.
        driver: The process that is asked; None: that of any run of this name.
    """

    run: str
    by: str
    at: float
    only: tuple[str, ...] = ()
    is_now: bool = False
    driver: Owner | None = None

    def is_for(self, run: str, driver: Owner, began: float) -> bool:
        """Whether a run that this process began at this time is meant."""
        if self.driver is not None:
            return self.driver == driver and self.run == run
        return self.run == run and self.at > began - _SKEW_S  # no later run of the name

    def told(self, now: float) -> str:
        """What it is, in a few words: `cancel of Train-1 asked 12 s ago by alice@gpu3`.

        Args:
            now: The time, in seconds since 1970.
        """
        what = f"cancel of {', '.join(self.only)}" if self.only else "cancel"
        at_once = " with --now" if self.is_now else ""
        return f"{what} asked {ago(now - self.at)} by {self.by}{at_once}"

    def to_document(self) -> dict[str, Any]:
        """For JSON that people read; the note itself is `to_text`."""
        return {"by": self.by, "at": self.at, "only": [*self.only], "is_now": self.is_now}

    def to_text(self) -> str:
        """As JSON."""
        driver = self.driver.to_list() if self.driver else None
        return json.dumps([self.run, self.by, self.at, self.only, self.is_now, driver])

    @classmethod
    def from_text(cls, text: str) -> RunRequest:
        """Read what `to_text` made."""
        run, by, at, only, is_now, driver = json.loads(text)
        owner = None if driver is None else Owner.from_list(driver)
        selectors, moment = tuple(str(each) for each in only), float(at)
        if not math.isfinite(moment):
            raise ValueError(f"{at} is no time")
        return cls(str(run), str(by), moment, selectors, bool(is_now), owner)


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """What a run has said to a request.

    Attributes:
        words: What becomes of the tasks; empty if it stops.
        is_refused: Whether it does nothing about it, for the reason that the words tell.
        host: Where it goes on.
    """

    words: str
    is_refused: bool = False
    host: str = ""


def asker() -> str:
    """The user of this process and its host."""
    import getpass  # only who asks needs it, no driver

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without such a user
        user = str(os.getuid())
    return f"{user}@{Owner.of_this_process().host}"


class RequestNote:
    """A request that was left for a run.

    Args:
        store: The store of the run.
        request: It.

    Raises:
        StoreError: the store cannot be written, or keeps nothing but results.
    """

    def __init__(self, store: ResultsStore, request: RunRequest) -> None:
        self._beside = store.beside(_PLACE)
        self._address = Address(_REQUEST, os.urandom(16).hex())
        _write(self._beside, self._address, request)

    def answer(self) -> RunAnswer | None:
        """What the run has said; None if it has not yet."""
        status = self._beside.statuses([self._address]).get(self._address.key)
        if status is None or _ANSWER not in status.facts:
            return None
        return RunAnswer(status.facts[_ANSWER], _IS_REFUSED in status.facts, status.facts[_HOST])

    def take_away(self) -> None:
        """Nobody is asked any more."""
        with suppress(StoreError):  # it does no harm
            self._beside.remove(self._address)

    def close(self) -> None:
        """Free what is open."""
        self._beside.close()


class OpenRequests:
    """The requests in a store that nobody has answered; opened when it is looked into first.

    Args:
        store: The store of the runs.
    """

    def __init__(self, store: ResultsStore) -> None:
        self._store = store
        self._beside: ResultsStore | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free what is open; nothing is found any more."""
        self._is_closed = True
        if self._beside is not None:
            self._beside.close()
            self._beside = None

    def all(self) -> list[tuple[Address, RunRequest]]:
        """Those of all runs; none where the store cannot tell."""
        if self._is_closed:
            return []
        try:
            if self._beside is None:
                self._beside = self._store.beside(_PLACE)
            addresses = list(self._beside.addresses(_REQUEST))
            known = self._beside.statuses(addresses) if addresses else {}
        except (StoreError, OSError):  # a run goes on without, where another user has written them
            return []
        found = [(each, _request_in(known.get(each.key))) for each in addresses]
        return [(address, request) for address, request in found if request is not None]


class RequestBox(OpenRequests):
    """The requests for one run, as its driver reads them.

    Args:
        store: The store of the run.
        run: Name of the folder of the run.
    """

    def __init__(self, store: ResultsStore, run: str) -> None:
        super().__init__(store)
        self._run = run
        self._driver, self._began = Owner.of_this_process(), time.time()

    def new(self) -> list[tuple[Address, RunRequest]]:
        """The requests for this run that have no answer; none where the store cannot tell."""
        mine = (self._run, self._driver, self._began)
        return [(address, request) for address, request in self.all() if request.is_for(*mine)]

    def answer(self, address: Address, request: RunRequest, answer: RunAnswer) -> None:
        """Tell whoever has asked."""
        if self._beside is not None:
            facts = {_ANSWER: answer.words, _HOST: self._driver.host}
            facts |= {_IS_REFUSED: "1"} if answer.is_refused else {}
            with suppress(StoreError, OSError):  # it has been taken away, say
                _write(self._beside, address, request, facts)


def old_requests(
    store: ResultsStore, *, older_than: float | str | None = None, grace: float | str = _GRACE_S
) -> list[Address]:
    """The notes that were left long ago, answered or not: no run will look at them any more.

    Args:
        store: The store of the runs.
        older_than: Seconds, or "30d".
        grace: What was left or answered in this time is left out in any case.

    Raises:
        QueryError: a length of time is none.
    """
    limit_s = span(grace, "grace")
    limit_s = max(limit_s, 0.0 if older_than is None else span(older_than, "older_than"))
    before = time.time() - limit_s
    try:
        beside = store.beside(_PLACE)
    except StoreError:  # it keeps nothing but results
        return []
    with closing(beside):
        records = [beside.record(each) for each in beside.addresses(_REQUEST)]
    known = [each for each in records if each is not None]
    return [each.address for each in known if (each.latest.ended or 0.0) < before]


def forget_requests(store: ResultsStore, notes: Collection[Address]) -> int:
    """Drop notes, but for one that is just being answered.

    Args:
        store: The store of the runs.
        notes: They.

    Returns:
        How many that were.
    """
    if not notes:
        return 0
    count = 0
    with closing(store.beside(_PLACE)) as beside:
        for each in notes:
            with suppress(LeaseHeld):
                count += beside.remove(each)
    return count


def _write(
    beside: ResultsStore, address: Address, request: RunRequest, facts: dict[str, str] | None = None
) -> None:
    now, text = time.time(), canonical.encode({})
    attempt = beside.begin(address)
    told = {_REQUEST: request.to_text(), **(facts or {})}
    outcome = Attempt(0, TaskState.FINISHED, started=now, ended=now, facts=told)
    attempt.commit(Identity(address, None, text, text), outcome, keeps_finished=False)


def _request_in(status: Status | None) -> RunRequest | None:
    """The request of a note that nobody has answered."""
    facts: Any = {} if status is None else status.facts
    if _ANSWER in facts:
        return None
    try:
        return RunRequest.from_text(facts[_REQUEST])
    except (LookupError, ValueError, TypeError, OverflowError, RecursionError):
        return None
