"""How does somebody else's pool come to compute a call of a task once, and to remember it?"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Final, Self, TypeVar, overload
from uuid import uuid4

from flowlib.direct_use import Bound
from flowlib.errors import TaskFailed
from flowlib.failures import pickled_exception
from flowlib.functions import TaskFunction
from flowlib.left_open import as_future
from flowlib.memo import found, keyable_call
from flowlib.shared_work import SharedWork
from flowlib.single_results import single_node
from flowlib.store_choice import StoreChoice, chosen_store
from stores import ResultsStore

T = TypeVar("T")

_NONE: Final[Mapping[str, Any]] = {}


def wrap_executor(pool: Executor, store: StoreChoice | None = None) -> CachingExecutor:
    """An executor that submits to `pool` only what is not stored yet.

    Of a `@task` function a result that is there is a completed Future, and nothing is submitted;
    otherwise the call is submitted with its store, which keeps the value. Calls that are on their
    way are submitted once. Whatever else is submitted goes on as it is. `pool` itself stays as it
    is, too; the end of a `with` block, and `shutdown`, are those of `pool`.

    Args:
        pool: Any executor with the interface of `concurrent.futures`. In other processes the
            function has to be found under its name, as always, and the store has to be one that
            they reach, such as a `LocalFileStore`.
        store: Where results live, a store or a text such as `"file:runs"`. None is, with every
            call, the one of a direct call in its place.
    """
    return CachingExecutor(pool, store)


class CachingExecutor(Executor):
    """A pool that remembers: made by `wrap_executor`.

    Its attributes are those of the pool.

    Args:
        pool: Who computes what is missing.
        store: As of `wrap_executor`.
    """

    def __init__(self, pool: Executor, store: StoreChoice | None = None) -> None:
        self._pool = pool
        self._store = store
        self._own = _own_keywords(pool.submit)
        self._work = SharedWork()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_pool":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._pool, name)

    def __repr__(self) -> str:
        return f"<{self._pool!r} that remembers>"

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._pool.__exit__(*error)

    @overload
    def submit(self, fn: TaskFunction[..., T], /, *args: Any, **kwargs: Any) -> Future[T]: ...
    @overload
    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]: ...
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A Future of what `fn` gives; that of a task is completed if its value is stored.

        Args:
            fn: Any function.
            *args: Its arguments; of a task they may be specs.
            **kwargs: Its arguments, and those that `submit` of the pool itself takes by name only,
                such as the `resource_dict` of executorlib.

        Raises:
            CallError: the arguments do not fit the function.
            CodeChanged: other code has made the result, and that is to be an error.
        """
        if not isinstance(fn, TaskFunction):
            return self._pool.submit(fn, *args, **kwargs)
        of_pool = {name: kwargs.pop(name) for name in self._own & kwargs.keys()}
        call = keyable_call(fn, args, kwargs)
        if call is None:
            return self._pool.submit(_Plain(fn), *args, **kwargs, **of_pool)
        store = chosen_store(self._store)
        is_there, value = found(call, store)
        if is_there:
            return as_future(value)

        def start() -> Future[Any]:
            return self._pool.submit(_Computed(fn, store, args, kwargs), **of_pool)

        node = single_node(call)
        return start() if node is None else self._work.join((id(store), node.key), start)

    @overload
    def map(
        self,
        fn: TaskFunction[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]: ...
    @overload
    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]: ...
    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[Any]:
        """As `map` of the pool; calls of a task are submitted one by one."""
        if isinstance(fn, TaskFunction):
            return super().map(fn, *iterables, timeout=timeout)
        return self._pool.map(fn, *iterables, timeout=timeout, chunksize=chunksize)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As `shutdown` of the pool."""
        more = {"cancel_futures": True} if cancel_futures else _NONE
        self._pool.shutdown(wait=wait, **more)


class _Computed:
    """A call in the pool: its value is stored, and travels back.

    It takes no arguments, so that none of them is taken for one of the pool, or changed by it.

    Args:
        function: What is called.
        store: Where its result goes.
        args: The arguments by position.
        kwargs: The arguments by name.
    """

    def __init__(
        self,
        function: TaskFunction[..., Any],
        store: ResultsStore,
        args: Sequence[object],
        kwargs: Mapping[str, object],
    ) -> None:
        self.__name__ = function.__name__  # what pools show
        self._bound = Bound(function, store)
        self._args = args
        self._kwargs = kwargs
        self._asked_in = os.getpid()

    def __call__(self) -> Any:
        try:
            value = self._bound(*self._args, **self._kwargs)
            return value.result() if isinstance(value, Future) else value
        except Exception as error:
            if os.getpid() == self._asked_in or pickled_exception(error) is not None:
                raise
            # The process that has asked could not read it: some pools break altogether then.
            what = f"{self.__name__} failed: {type(error).__name__}: {error}"
        # Not in the block above: with tblib, which Dask brings, its context would travel, too.
        raise TaskFailed(what)

    def __dask_tokenize__(self) -> str:
        """Unlike any other: Dask would answer an equal call with a failure of long ago."""
        return uuid4().hex


class _Plain:
    """A call in the pool that nobody remembers."""

    def __init__(self, function: TaskFunction[..., Any]) -> None:
        self.__name__ = function.__name__
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function.fn(*args, **kwargs)


def _own_keywords(submit: Callable[..., object]) -> frozenset[str]:
    """What `submit` of a pool takes by name only."""
    try:
        parameters = inspect.signature(submit).parameters.values()
    except (TypeError, ValueError):  # a signature that nobody can read
        return frozenset()
    return frozenset(each.name for each in parameters if each.kind is each.KEYWORD_ONLY)
