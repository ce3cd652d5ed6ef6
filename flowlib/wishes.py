"""
What does a user want of a flow? `force`, `only`, `skip`, `keep`, `resume`, as keys of nodes.

    only     these; what is upstream of them is looked at only if something missing needs it
    skip     these do not run, nor does what needs a result of theirs that is not there
    keep     a success of these counts, whatever a default, the code or something upstream says
    force    these run again; stronger than keep, but it adds nothing to what is wanted
    resume   what that run wanted; what had finished then is kept
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from flowlib.errors import NothingSelected, SelectorError
from flowlib.flow_arguments import Selectors
from flowlib.graph import TaskGraph
from flowlib.needed import OwnReason
from flowlib.node import Node
from flowlib.reasons import Reason
from flowlib.selection import Selected, select
from stores import ResultsStore, Status, TaskState
from stores.lazy_dataclass import dataclass

_NONE: Final = Selected(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Wishes:
    """The arguments of `Flow.plan` and `Flow.run` that tell what is wanted."""

    force: Selectors = None
    only: Selectors = None
    skip: Selectors = None
    keep: Selectors = None
    resume: str | None = None
    on_code_change: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The same as keys of nodes.

    Attributes:
        forced: What runs again.
        targets: What is wanted; None is all.
        skipped: What does not run.
        kept: What counts if there is a success.
        notes: What to say about it.
    """

    forced: Selected
    targets: frozenset[str] | None
    skipped: frozenset[str]
    kept: frozenset[str]
    notes: tuple[str, ...] = ()


class Look:
    """What the store knows of the nodes of a graph; each is asked for once.

    Attributes:
        statuses: What is known so far, by key.
        store: Where it is asked for.
    """

    def __init__(self, graph: TaskGraph, store: ResultsStore) -> None:
        self._graph = graph
        self.store = store
        self._asked: set[str] = set()
        self._has_all = False
        self.statuses: dict[str, Status] = {}

    def at_all(self) -> Mapping[str, Status]:
        """What is known of all nodes."""
        if not self._has_all and not self._asked:
            self.statuses = self.store.statuses([node.address for node in self._graph])
        elif not self._has_all:
            self.at(self._graph)
        self._has_all = True
        return self.statuses

    def at(self, nodes: Collection[Node] | TaskGraph) -> Mapping[str, Status]:
        """What is known; the store is asked in one look for those it was not asked for."""
        new = [] if self._has_all else [each for each in nodes if each.key not in self._asked]
        if new:
            self._asked.update(each.key for each in new)
            self.statuses.update(self.store.statuses([each.address for each in new]))
        return self.statuses

    def add(self, nodes: Collection[Node]) -> None:
        """Ask for nodes that the graph did not have when it was looked at."""
        new = [each for each in nodes if each.key not in self.statuses]
        self._asked.update(each.key for each in new)
        if new:
            self.statuses.update(self.store.statuses([each.address for each in new]))

    def was_at(self, nodes: Iterable[Node]) -> bool:
        """Whether the store was asked for all of `nodes`."""
        return self._has_all or all(each.key in self._asked for each in nodes)

    def remembered(self, own: OwnReason) -> OwnReason:
        """The same reasons, found once for every node that the store was asked for."""
        known: dict[str, Reason | None] = {}

        def reason(node: Node) -> Reason | None:
            if node.key in known:
                return known[node.key]
            found = own(node)
            if self.was_at([node]):
                known[node.key] = found
            return found

        return reason


class StoreWords(Mapping[str, Collection[str]]):
    """What `@failed` and other words stand for in a graph; the store is asked when one is used."""

    def __init__(self, graph: TaskGraph, store: ResultsStore, look: Look) -> None:
        self._graph = graph
        self._store = store
        self._look = look

    def __getitem__(self, word: str) -> Collection[str]:
        if word == _LAST:
            return self._of_last_run()
        state = _STATES[word]
        return [k for k, status in self._look.at_all().items() if status.state is state]

    def __iter__(self) -> Iterator[str]:
        return iter((*_STATES, _LAST))

    def __len__(self) -> int:
        return len(_STATES) + 1

    def _of_last_run(self) -> Collection[str]:
        from flowlib.stored_runs import last_run, tasks_of_run

        folder = last_run(self._store)
        if folder is None:
            return ()
        return {address.key for address in tasks_of_run(folder).values()}


def wanted_of(graph: TaskGraph, store: ResultsStore, look: Look, wishes: Wishes) -> Wanted:
    """What `wishes` mean for a graph.

    Raises:
        SelectorError: a selector is none, or selects nothing; there is no run to resume.
        TypeError: a wish is of another type, or mixes "all" with selectors.
    """
    words = StoreWords(graph, store, look)
    forced = selected(graph, words, "force", wishes.force)
    only = selected(graph, words, "only", wishes.only)
    skipped = selected(graph, words, "skip", wishes.skip)
    kept = selected(graph, words, "keep", wishes.keep).keys
    targets = None if wishes.only is None else only.keys
    if wishes.resume is None:
        return Wanted(forced, targets, skipped.keys, kept)
    asked, done, note = _resumed(graph, store, wishes.resume)
    targets = asked if targets is None else targets & asked
    if not targets:
        raise NothingSelected(f"run {wishes.resume!r} did not want what only={wishes.only!r} means")
    return Wanted(forced, targets, skipped.keys, kept | done, note)


def selected(graph: TaskGraph, words: StoreWords, name: str, given: Selectors) -> Selected:
    """What the selectors of an argument select.

    Args:
        graph: The nodes.
        words: What `@failed` and others mean.
        name: Of the argument, for errors.
        given: The selectors; "all" for all.

    Raises:
        SelectorError: one is none, or selects nothing.
        TypeError: the argument is of another type, or mixes "all" with selectors.
    """
    if given is None:
        return _NONE
    if isinstance(given, str):
        texts = [given]
    elif isinstance(given, (list, tuple, set, frozenset)):
        texts = [str(each) for each in given]
    else:
        raise TypeError(f"{name} takes a selector or a list of them, not {type(given).__name__}")
    if "all" in texts and "all" not in graph.by_spec:
        if len(texts) > 1:
            raise TypeError(f"{name}='all' means everything: give it alone, or names without it")
        return Selected(frozenset(graph.nodes), frozenset(), frozenset(graph.nodes))
    try:
        return select(graph, texts, words)
    except SelectorError as error:
        raise type(error)(f"{name}: {error}") from None


def _resumed(
    graph: TaskGraph, store: ResultsStore, name: str
) -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    """The nodes that a run wanted, those that had finished in it, and what to say."""
    from flowlib.run_manifest import states_of_run
    from flowlib.stored_runs import find_run

    run = find_run(store, name)
    states = states_of_run(run.folder)
    asked = frozenset(states.keys() & graph.nodes.keys())
    if not asked:
        raise NothingSelected(f"run {run.name!r} wanted none of the tasks of this flow")
    done = frozenset(key for key in asked if states[key] in _DONE)
    gone = len(states) - len(asked)
    note = f"{gone} tasks that run {run.name} wanted are not in this flow" if gone else ""
    return asked, done, (note,) * bool(note)


_LAST: Final = "last"
_STATES: Final = {
    "failed": TaskState.FAILED,
    "interrupted": TaskState.KILLED,
    "finished": TaskState.FINISHED,
}
_DONE: Final = frozenset({"cached", TaskState.FINISHED.value})
