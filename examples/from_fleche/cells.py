"""
What does each cell do? They follow the notebook one by one.

    fleche                                flowlib
    Cache(ValueMemory, CallMemory)        InMemoryStore()
    Cache(ValuePickleFile, CallPickleFile)  LocalFileStore(folder)
    with cache(my_cache):                 with use_store(store):
    BoundWrapper.bind(f)                  f.bind()
    my_cache.contains(f.digest(3))        f.exists(3, store=store)
    wrap_executor(pool); pool.submit(f)   pool = wrap_executor(pool); pool.submit(f)
"""

from __future__ import annotations

import importlib
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from examples.from_fleche.tasks import add, cube_sne, expensive, square_async, triple
from flowlib import InMemoryStore, LocalFileStore, use_store, wrap_executor


def bind_in_threads() -> None:
    """1a. A bound function carries the store that holds where it is bound."""
    store = InMemoryStore()
    with use_store(store), ThreadPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(add.bind(), x, x + 1) for x in range(4)]
        results = [each.result() for each in futures]
    print("Results:", results)
    print("In the store:", add.exists(0, 1, store=store))


def bind_once() -> None:
    """1b. It can be passed around, and needs no block where it is called."""
    store = InMemoryStore()
    bound_add = add.bind(store=store)
    with ThreadPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(bound_add, x, x + 1) for x in range(4)]
        results = [each.result() for each in futures]
    print("Results:", results)
    print("In the store:", add.exists(0, 1, store=store))


def bind_in_processes() -> None:
    """1c. Processes share a store of files, or of a database."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalFileStore(folder)
        with use_store(store), ProcessPoolExecutor(max_workers=2) as pool:
            results = list(pool.map(expensive.bind(), range(5)))
        print("Results:", results)
        print("Cached:", expensive.exists(3, store=store))


def bind_in_executorlib() -> None:
    """1d. An executor of another library."""
    executorlib = _executorlib()
    if executorlib is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        store = LocalFileStore(folder)
        with use_store(store), executorlib.SingleNodeExecutor() as executor:
            futures = [executor.submit(cube_sne.bind(), x) for x in range(5)]
            results = [each.result() for each in futures]
        print("Results:", results)
        print("In the store:", cube_sne.exists(3, store=store))


def futures_of_functions() -> None:
    """2. A function that submits its work itself: its value is stored when it is done."""
    store = InMemoryStore()
    with use_store(store):
        future = square_async(4)
        print("First call returns a Future:", isinstance(future, Future))
        print("Result:", future.result())
        print("Cached:", square_async.exists(4))
        print("Second call is the cached value, not a Future:", square_async(4))


def wrap_threads() -> None:
    """3a. Hits do not enter the pool."""
    with use_store(InMemoryStore()):
        with wrap_executor(ThreadPoolExecutor(max_workers=2)) as pool:
            futures = [pool.submit(triple, x) for x in range(4)]
            print("First-pass results:", [each.result() for each in futures])
        with wrap_executor(ThreadPoolExecutor(max_workers=2)) as pool:
            futures = [pool.submit(triple, x) for x in range(4)]
            print("All already done?", all(each.done() for each in futures))
            print("Cached results:", [each.result() for each in futures])


def wrap_processes() -> None:
    """3b. The store may be given to the wrapped pool, too."""
    with tempfile.TemporaryDirectory() as folder:
        store = LocalFileStore(folder)
        with wrap_executor(ProcessPoolExecutor(max_workers=2), store) as pool:
            futures = [pool.submit(expensive, x) for x in range(5)]
            results = [each.result() for each in futures]
        print("Results:", results)
        print("Cached:", expensive.exists(3, store=store))


def options_of_executors() -> None:
    """3c. What `submit` of the executor takes by name only goes there, not to the function."""
    executorlib = _executorlib()
    if executorlib is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        store = LocalFileStore(folder)
        with wrap_executor(executorlib.SingleNodeExecutor(), store) as executor:
            future = executor.submit(expensive, 5, resource_dict={"cores": 1})
            print("Result:", future.result())
        print("Cached:", expensive.exists(5, store=store))


CELLS = {
    "1a": bind_in_threads,
    "1b": bind_once,
    "1c": bind_in_processes,
    "1d": bind_in_executorlib,
    "2": futures_of_functions,
    "3a": wrap_threads,
    "3b": wrap_processes,
    "3c": options_of_executors,
}
"""The cells, by their numbers in the notebook."""


def _executorlib() -> Any:
    try:
        return importlib.import_module("executorlib")
    except ImportError:
        print("executorlib not installed; skipping SingleNodeExecutor example.")
        return None
