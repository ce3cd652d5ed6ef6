"""Which submitted tasks are meant, and which of them have not run?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Final

from flowlib.errors import NothingSelected, SelectorError, nearest
from flowlib.selectors import Selector, parse_selector
from flowlib.submission import Submission, SubmittedTask, read_submissions
from stores import Address, ResultsStore, TaskState, canonical
from stores.summary import Summary

PENDING: Final = "pending"
"""The word for tasks that were submitted and have not run."""

_KEY: Final = re.compile(r"[0-9a-f]{1,32}").fullmatch
_MOST_NAMED: Final = 5
_MOST_COMPARED: Final = 500


class Place:
    """Where a task stands: its submission, and its number there."""

    __slots__ = ("number", "submission")

    def __init__(self, submission: Submission, number: int) -> None:
        self.submission = submission
        self.number = number

    @property
    def task(self) -> SubmittedTask:
        """What is told of it."""
        return self.submission.tasks[self.number]


class Submitted:
    """All that was submitted to a store, looked up once; of one task the newest counts.

    Args:
        store: It.
    """

    def __init__(self, store: ResultsStore) -> None:
        self._store = store

    @cached_property
    def submissions(self) -> list[Submission]:
        """All of them, the newest first."""
        return read_submissions(self._store)

    @cached_property
    def places(self) -> Mapping[Address, Place]:
        """Where each task stands."""
        found: dict[Address, Place] = {}
        for submission in self.submissions:
            for number, task in enumerate(submission.tasks):
                found.setdefault(task.address, Place(submission, number))
        return found

    @cached_property
    def pending(self) -> Mapping[Address, Place]:
        """Those of which the store has no record."""
        if not self.submissions:
            return {}
        known = self._store.statuses(self.places)
        return {at: place for at, place in self.places.items() if at.key not in known}

    def find(self, texts: Iterable[str], *, only_pending: bool = False) -> list[Address]:
        """The tasks that any of the texts means, in the order of the texts.

        Args:
            texts: Beginnings of keys, `Train/9a7a08b2`, or other selectors: see docs/documents.md.
            only_pending: Whether those alone are looked at that have not run.

        Raises:
            NothingSelected: one means nothing.
            SelectorError: one is no selector, or the beginning of several keys.
        """
        places = self.pending if only_pending else self.places
        found: dict[Address, None] = {}
        for text in texts:
            meant = _meant(text, places)
            if not meant:
                raise _nothing(text, places)
            found.update(dict.fromkeys(meant))
        return list(found)

    def summaries(self, addresses: Iterable[Address]) -> Iterator[Summary]:
        """What a list shows of submitted tasks: they are pending."""
        for address in addresses:
            place = self.places[address]
            when, task = place.submission.when, place.task
            config, given = _values(task.config), tuple(_values(task.given))
            state, name = TaskState.PENDING.value, task.unique_name
            yield Summary(address, state, config, given, None, when, "", name, state)


def sources_of(place: Place) -> list[Address]:
    """What a submitted task reads."""
    submission = place.submission
    numbers = submission.gates[place.task.gate].sources
    return [submission.tasks[number].address for number in numbers]


def _meant(text: str, places: Mapping[Address, Place]) -> list[Address]:
    task, _, key = text.rpartition("/")
    names = {each.task for each in places}
    if _KEY(key) and (not task or task in names) and key not in names:
        found = [a for a in places if a.key.startswith(key) and task in ("", a.task)]
        if len(found) > 1:
            raise _ambiguous(text, found)
        if found:
            return found
    selector = parse_selector(text, names)
    if selector.word:
        return list(places) if selector.word == PENDING else []
    found = [address for address, place in places.items() if _is_meant(selector, place.task)]
    if selector.key and len(found) > 1:
        raise _ambiguous(text, found)
    return _spread(selector, found, places)


def _is_meant(selector: Selector, task: SubmittedTask) -> bool:
    address = task.address
    config = _values(task.config) if selector.conditions else {}
    return selector.matches(address.task, task.unique_name, address.key, config)


def _spread(
    selector: Selector, found: list[Address], places: Mapping[Address, Place]
) -> list[Address]:
    """With what is downstream or upstream, if that is wanted, as far as it is looked at."""
    if not found or not (selector.upstream or selector.downstream):
        return found
    meant = dict.fromkeys(found)
    if selector.downstream:
        below = set(found)
        for address, place in places.items():  # of one graph predecessors come first
            if below.intersection(sources_of(place)):
                below.add(address)
                meant[address] = None
    stack = list(found) if selector.upstream else []
    while stack:
        address = stack.pop()
        new = [a for a in sources_of(places[address]) if a in places and a not in meant]
        meant.update(dict.fromkeys(new))
        stack += new
    return list(meant)


def _values(text: str) -> Mapping[str, Any]:
    found = canonical.decode(text)
    return found if isinstance(found, dict) else {}


def _ambiguous(text: str, found: list[Address]) -> SelectorError:
    shown = ", ".join(f"{each.task}/{each.key}" for each in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return SelectorError(f"{text!r} means {len(found)} submitted tasks: {shown}{more}")


def _nothing(text: str, places: Mapping[Address, Place]) -> NothingSelected:
    names = list(dict.fromkeys(each.task for each in places))
    known = [*names, *(str(each) for each in islice(places, _MOST_COMPARED))]
    what = "there is no such task" if places else "nothing was submitted to this store"
    listed = f" There are: {', '.join(names)}" if names else ""
    return NothingSelected(f"{text!r} selects nothing: {what}.{nearest(text, known)}{listed}")
