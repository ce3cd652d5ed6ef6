"""Which store holds the results of which task of a graph, where specs name one?"""

from __future__ import annotations

from collections.abc import Mapping

from flowlib.errors import RunError, nearest
from flowlib.graph import TaskGraph
from stores import ResultsStore, SplitStore

Stores = Mapping[str, ResultsStore]
"""Stores by the names that specs use."""


def checked_stores(stores: object) -> Stores:
    """The named stores of a run; None is none of them.

    Raises:
        TypeError: they are no mapping from names to stores.
    """
    if stores is None:
        return {}
    if not isinstance(stores, Mapping):
        raise TypeError(f'stores is a mapping from names to stores, {{"git": …}}, not {stores!r}')
    for name, store in stores.items():
        if not isinstance(name, str) or not isinstance(store, ResultsStore):
            raise TypeError(
                f"stores[{name!r}] is {store!r}, which is no store: give LocalFileStore(folder), "
                f"or stores.open_store('file:folder')"
            )
    return stores


def store_for(graph: TaskGraph, main: ResultsStore, stores: Stores) -> ResultsStore:
    """The store of a run of `graph`: `main`, with those of the specs that name another one.

    Args:
        graph: The nodes.
        main: The store of all specs that name none.
        stores: The others by name.

    Raises:
        RunError: a spec names a store that there is not, or calls of one task name several.
    """
    wanted: dict[str, str | None] = {}
    for declaration in graph.declarations:
        name, store = declaration.name, declaration.options.store
        if store is not None and store not in stores:
            raise RunError(_unknown(name, store, stores))
        if wanted.setdefault(name, store) != store:
            both = " and ".join(_shown(each) for each in (wanted[name], store))
            raise RunError(
                f"calls of {name} are to be kept in {both}, but all results of a task lie in one "
                f"store: give it to all of them, @task(store=…)"
            )
    by_task = {name: stores[store] for name, store in wanted.items() if store is not None}
    return SplitStore(main, by_task) if by_task else main


def _shown(store: str | None) -> str:
    return "the store of the run" if store is None else f"store={store!r}"


def _unknown(name: str, store: str, stores: Stores) -> str:
    if not stores:
        return (
            f"{name} has store={store!r}, but the run knows of no stores by name: give "
            f"Flow.run(stores={{{store!r}: LocalFileStore(folder)}})"
        )
    known = ", ".join(stores)
    return f"{name} has store={store!r}, which is none of {known}.{nearest(store, stores)}"
