"""
Which records of a store do selectors select? The grammar of `flowlib.selectors`, without a flow.

    Train  Tr*              by task
    Train/9a7a, 9a7a08b2    by the beginning of a key, as long as only one record begins so
    Train-12                by the name that the last run had for it
    Train[lr=0.1]           by config, defaults included
    @failed @interrupted @finished @saved    by state: @failed has no result that counts
    @last                   all tasks of the run that began last
    @pending                those that were submitted and have not run; they have no record
    Train+  +Train          with what was computed from it, or what it was computed from
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Final

from flowlib.bulk import paused_collection
from flowlib.errors import FlowError, NothingSelected, SelectorError, nearest
from flowlib.selectors import Selector, parse_selector
from flowlib.submitted_tasks import PENDING, Submitted
from stores import Address, Query, Record, ResultsStore, TaskState
from stores.sieve import ended_at, full_config

_STATES: Final = {
    "failed": TaskState.FAILED,
    "interrupted": TaskState.KILLED,
    "finished": TaskState.FINISHED,
    "saved": TaskState.SAVED,
}
WORDS: Final = (*_STATES, "last", PENDING)
"""What may stand behind `@`."""

_BARE_KEY: Final = re.compile(r"[0-9a-f]{4,}")
_SHORT: Final = 8
"""So much of a key is shown where that is enough."""

_FEW: Final = 64
"""Up to so many records are read one by one, rather than all of their task."""


def select_records(store: ResultsStore, texts: Iterable[str] = ()) -> list[Address]:
    """The records that any of the selectors selects, by task and key; all without a selector.

    Only what is asked for is read: a name costs a listing, a config the records of its task,
    a `+` all records.

    Raises:
        NothingSelected: one selects nothing.
        SelectorError: a text is no selector, or the beginning of a key means several records.
    """
    stock = _Stock(store)
    several = list(texts)
    if not several:
        return stock.addresses
    found: set[Address] = set()
    with paused_collection():
        for text in several:
            try:
                found |= stock.selected(text)
            except NothingSelected as error:
                raise _told_of_pending(store, text, error) from None
    return sorted(found)


def _told_of_pending(store: ResultsStore, text: str, error: NothingSelected) -> NothingSelected:
    """The same error, unless what is meant was submitted and has not run."""
    with suppress(FlowError):
        first, *more = Submitted(store).find([text], only_pending=True)
        is_one = f"{text!r}: {first} was submitted and has not run yet: flowlib execute {first}"
        others = f"{text!r}: {len(more) + 1} tasks were submitted and have not run yet"
        return NothingSelected(others if more else is_one)
    return error


def select_record(store: ResultsStore, text: str) -> Address:
    """The one record that a selector selects.

    Raises:
        NothingSelected: it selects nothing.
        SelectorError: it is no selector, or selects several.
    """
    found = select_records(store, [text])
    if len(found) > 1:
        raise _ambiguous(text, found)
    return found[0]


def read_records(
    store: ResultsStore, addresses: Collection[Address] | None = None
) -> Iterator[Record]:
    """The records at some addresses, or all; those that are gone or damaged are left out.

    Few are read one by one, many with all others of their tasks: stores have a faster way for that.
    """
    if addresses is None:
        yield from store.candidates(Query())
    elif len(addresses) <= _FEW:
        read = map(store.record, addresses)
        yield from (record for record in read if record is not None)
    else:
        wanted = set(addresses)
        for task in dict.fromkeys(each.task for each in addresses):
            for record in store.candidates(Query(task)):
                if record.address in wanted:
                    yield record


class _Stock:
    """What a store holds, looked up once for several selectors."""

    def __init__(self, store: ResultsStore) -> None:
        self._store = store

    def selected(self, text: str) -> set[Address]:
        """The records that a text selects.

        Raises:
            NothingSelected: there is none.
            SelectorError: it is no selector, or the beginning of a key means several.
        """
        if (exact := _whole(text)) in self.known:
            return {exact}
        selector = parse_selector(text, self.by_task)
        return self.spread(selector, self.meant(selector))

    @cached_property
    def addresses(self) -> list[Address]:
        return sorted(self._store.addresses())

    @cached_property
    def known(self) -> frozenset[Address]:
        return frozenset(self.addresses)

    @cached_property
    def by_task(self) -> dict[str, list[Address]]:
        found: dict[str, list[Address]] = {}
        for address in self.addresses:
            found.setdefault(address.task, []).append(address)
        return found

    @cached_property
    def last(self) -> Mapping[str, Address]:
        """The tasks of the last run by unique name, as far as the store has them."""
        from flowlib.stored_runs import last_run, tasks_of_run  # events, which listings do not need

        folder = last_run(self._store)
        if folder is not None:
            asked = tasks_of_run(folder)
            return {name: each for name, each in asked.items() if each in self.known}
        return self._last_by_records()

    @cached_property
    def readers(self) -> dict[Address, list[Address]]:
        """For each record those that have read it; of one that failed, too."""
        found: dict[Address, list[Address]] = {}
        for reader, sources in self.sources.items():
            for source in sources:
                found.setdefault(source, []).append(reader)
        return found

    @cached_property
    def sources(self) -> dict[Address, list[Address]]:
        """For each record those that it has read, or has its results from."""
        found = {}
        for record in self._store.candidates(Query()):
            attempt = record.finished or record.latest
            found[record.address] = [i.address for i in (*attempt.inputs, *attempt.grown)]
        return found

    def meant(self, selector: Selector) -> list[Address]:
        """The records that a selector names, without what its `+` adds.

        Raises:
            NothingSelected: there is none.
            SelectorError: the beginning of a key means several.
        """
        found = self._of_word(selector.word) if selector.word else self._named(selector)
        if selector.conditions:
            found = self._with_config(selector, found)
        if not found:
            raise _nothing(selector, self.by_task)
        return found

    def spread(self, selector: Selector, meant: Iterable[Address]) -> set[Address]:
        """Records with what is up- or downstream of them, if that is asked for."""
        found = set(meant)
        below = _reached(found, self.readers) if selector.downstream else set()
        above = _reached(found, self.sources) & self.known if selector.upstream else set()
        return found | below | above

    def _of_word(self, word: str) -> list[Address]:
        if word == "last":
            return sorted(self.last.values())
        state = _STATES.get(word)
        statuses = self._store.statuses(self.addresses) if state is not None else {}
        return [a for a in self.addresses if a.key in statuses and statuses[a.key].state is state]

    def _named(self, selector: Selector) -> list[Address]:
        tasks = [task for task in self.by_task if selector.names_spec(task)]
        found = [each for task in tasks for each in self.by_task[task]]
        if selector.key:
            return _only(selector, [a for a in found if a.key.startswith(selector.key)])
        if found:
            return found
        if selector.name in self.last:
            return [self.last[selector.name]]
        if not _BARE_KEY.fullmatch(selector.name):
            return []
        return _only(selector, [a for a in self.addresses if a.key.startswith(selector.name)])

    def _with_config(self, selector: Selector, found: list[Address]) -> list[Address]:
        return [
            address
            for address, config in self._configs(found)
            if all(each.holds(config) for each in selector.conditions)
        ]

    def _configs(self, found: list[Address]) -> Iterator[tuple[Address, Mapping[str, object]]]:
        if len(found) <= _FEW:
            for record in read_records(self._store, found):
                yield record.address, full_config(record)
            return
        wanted = set(found)
        for task in dict.fromkeys(each.task for each in found):
            for summary in self._store.summaries(task):
                if summary.address in wanted:
                    yield summary.address, summary.config

    def _last_by_records(self) -> dict[str, Address]:
        """The tasks of the run of the newest record, for a store without folders of runs."""
        found: dict[tuple[str, str], dict[str, Address]] = {}
        newest, newest_run = -1.0, ("", "")
        for record in self._store.candidates(Query()):
            attempt = record.finished or record.latest
            if attempt.run is None:
                continue
            run = (attempt.run.project_name, attempt.run.run_name)
            found.setdefault(run, {})[attempt.run.unique_name] = record.address
            if (ended := ended_at(attempt) or 0.0) > newest:
                newest, newest_run = ended, run
        return found.get(newest_run, {})


def _whole(text: str) -> Address:
    """The address that a text is, whatever letters the name of the task has: `a/b+/9a7a08b2…`."""
    task, _, key = text.rpartition("/")
    return Address(task, key)


def _reached(start: set[Address], edges: Mapping[Address, list[Address]]) -> set[Address]:
    found: set[Address] = set()
    stack = list(start)
    while stack:
        new = [each for each in edges.get(stack.pop(), ()) if each not in found]
        found.update(new)
        stack.extend(new)
    return found


def _only(selector: Selector, found: list[Address]) -> list[Address]:
    if len(found) > 1:
        raise _ambiguous(selector.text, found)
    return found


def _ambiguous(text: str, found: list[Address]) -> SelectorError:
    short = [f"{each.task}/{each.key[:_SHORT]}" for each in found]
    is_enough = len(set(short)) == len(short)
    named = short if is_enough else [f"{each.task}/{each.key}" for each in found]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return SelectorError(
        f"{text!r} means {len(found)} records: {', '.join(named[:5])}{more}; name one of them"
    )


def _nothing(selector: Selector, tasks: Mapping[str, object]) -> NothingSelected:
    text = f"{selector.text!r} selects nothing"
    if selector.word in WORDS:
        return NothingSelected(f"{text}: the store has none")
    if selector.word:
        listed = ", ".join(f"@{word}" for word in WORDS)
        return NothingSelected(
            f"{selector.text!r}: there is no @{selector.word}."
            f"{nearest(selector.word, WORDS)} There are: {listed}"
        )
    if any(map(selector.names_spec, tasks)):
        return NothingSelected(f"{text}: no record has this key or config")
    return NothingSelected(
        f"{text}: the store has no such task.{nearest(selector.name, tasks)} "
        f"There are: {', '.join(tasks) or 'none'}"
    )
