"""What may be asked of specs and functions without a flow? Each question goes to `flowlib.memo`."""

from __future__ import annotations

import functools
import importlib
import os
import pickle
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from flowlib.errors import RunError
from flowlib.store_choice import StoreChoice

if TYPE_CHECKING:
    from concurrent.futures import Future

    from stores import Record, ResultsStore
    from stores.table import Records

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)


class Computable:
    """What has a value that can be computed at once: a spec, or a part of what it gives."""

    __slots__ = ()

    def result(self, store: StoreChoice | None = None, *, force: bool = False) -> Any:
        """Its value: loaded, or computed here and now, with what is missing for it.

        Args:
            store: Where results live, a store or a text such as `"file:runs"`. None: that of the
                running task or of `use_store`, else of the settings, else one memory store per
                process.
            force: Whether it is computed again; what it reads from is not.

        Returns:
            The value of its task; the list of the values, in expansion order, if it is several.

        Raises:
            FlowError: it cannot be planned; nothing was run then.
            Exception: the exception of the first task that failed.
        """
        return _memo().result(self, store, force=force)

    def submit(
        self,
        store: StoreChoice | None = None,
        *,
        executor: object = None,
        force: bool = False,
    ) -> Future[Any]:
        """A Future of what `result` gives, at once; what is missing is computed meanwhile.

        While it is computed, who asks again gets the same Future.

        Args:
            store: As of `result`.
            executor: Where it is computed: the name of an executor, `"processes"` or `"threads"`,
                an executor, or a pool of `concurrent.futures`. None is a thread of this process.
                By `"slurm"`, a `SlurmExecutor` or an executor of submitit one job computes it,
                which goes on when this program ends; the Future knows its `job_id`.
            force: As of `result`.

        Raises:
            FlowError: it cannot be planned.
        """
        future: Future[Any] = _memo().submit(self, store, executor=executor, force=force)
        return future

    def exists(self, store: StoreChoice | None = None) -> bool:
        """Whether `result` would only load. Nothing is computed or written."""
        found: bool = _memo().exists(self, store)
        return found

    def record(self, store: StoreChoice | None = None) -> Record | None:
        """What a store knows of its task; None if that is nothing.

        Raises:
            SpecError: it is several tasks.
        """
        found: Record | None = _memo().record(self, store)
        return found

    @property
    def key(self) -> str:
        """The key of its task: 32 digits; of a part `KEY:name`, as `flowlib cat` takes it.

        Raises:
            SpecError: it is several tasks.
        """
        found: str = _memo().key(self)
        return found

    @property
    def keys(self) -> list[str]:
        """The keys of its tasks, in expansion order."""
        found: list[str] = _memo().keys(self)
        return found


class CalledDirectly(Generic[P, T_co]):
    """What a decorated function can do at once, under the keys of its lazy calls.

    A call may read from specs; then what is missing of them is computed, too.
    """

    def call(
        self, *args: Any, store: StoreChoice | None = None, force: bool = False, **kwargs: Any
    ) -> T_co:
        """What the function gives: loaded, or computed here and now and stored.

        Arguments without an identity (generators, objects of unknown classes) are computed every
        time, with one warning. Of a call several times at once, one computes, the others wait.

        Args:
            *args: Of the function.
            store: As of `TaskSpec.result`.
            force: Whether it is computed again.
            **kwargs: Of the function.

        Raises:
            CallError: the arguments do not fit; or the function has such a parameter of its own.
            Exception: what the function raises.
        """
        value: T_co = _memo().call(self, args, kwargs, store=store, force=force)
        return value

    def called(self, args: Sequence[object], kwargs: Mapping[str, object]) -> T_co:
        """What `call` gives, with the store that holds, of arguments as they are."""
        value: T_co = _memo().call(self, args, kwargs)
        return value

    def load(self, *args: Any, store: StoreChoice | None = None, **kwargs: Any) -> T_co:
        """The stored result of a call; nothing is computed.

        Raises:
            RecordMissing: there is none.
        """
        value: T_co = _memo().load(self, args, kwargs, store=store)
        return value

    def exists(self, *args: Any, store: StoreChoice | None = None, **kwargs: Any) -> bool:
        """Whether a call has its result in a store. Nothing is computed or written."""
        found: bool = _memo().has_result(self, args, kwargs, store=store)
        return found

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The key of a call.

        Raises:
            SpecError: an argument has no text that stays, or there is a sweep.
        """
        found: str = _memo().key_of_call(self, args, kwargs)
        return found

    def query(self, store: StoreChoice | None = None, /, **where: Any) -> Records:
        """The stored results of calls with these arguments: to iterate over, or a table.

        Args:
            store: As of `TaskSpec.result`.
            **where: Values by parameter, defaults included; a list means any of its values.

        Raises:
            QueryError: there is no such parameter.
        """
        found: Records = _memo().query(self, store, where)
        return found

    def bind(self, *, store: StoreChoice | None = None, force: bool = False) -> Bound[P, T_co]:
        """A function that does what `call` does, always with this store.

        It can be sent to any executor: the store is the one that holds here and now, and it
        travels along. One that keeps its results in the memory of this process stays in it.

        Args:
            store: As of `TaskSpec.result`.
            force: As of `call`.
        """
        bound: Bound[P, T_co] = _memo().bound(self, store, force=force)
        return bound


class Bound(Generic[P, T_co]):
    """A memoised function with its store, to be sent anywhere: made by `fn.bind()`.

    Args:
        function: The function.
        store: Where results live.
        force: Whether every call computes.

    Attributes:
        function: The same.
        store: The store.
        force: The same.
    """

    def __init__(
        self,
        function: CalledDirectly[P, T_co],
        store: ResultsStore,
        *,
        force: bool = False,
    ) -> None:
        self.function = function
        self.store = store
        self.force = force

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """As `call` of the function.

        Raises:
            Exception: what the function raises.
        """
        value: T_co = _memo().called(self.function, args, kwargs, self.store, force=self.force)
        return value

    def __repr__(self) -> str:
        return f"<{self.function!r} with {self.store!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        if not self.store.reachable_from_workers:
            raise RunError(
                f"{self!r} cannot be sent to another process: its results would stay there. "
                f"bind(store='file:FOLDER') gives a store that both see"
            )
        return _bound, (self.function, pickle.dumps(self.store), self.force)


def _bound(
    function: CalledDirectly[P, T_co],
    store: bytes,
    force: bool,  # noqa: FBT001  # by position, as pickles give it
) -> Bound[P, T_co]:
    return Bound(function, _arrived(store, os.getpid()), force=force)


@functools.lru_cache(maxsize=8)
def _arrived(store: bytes, pid: int) -> ResultsStore:
    """A store that was sent to this process: one for all calls, which share what it has learnt."""
    opened: ResultsStore = pickle.loads(store)  # noqa: S301  # as safe as the pickle around it
    return opened


@functools.cache
def _memo() -> Any:
    """The façade of direct use stands above specs and functions: it is looked up when asked."""
    return importlib.import_module("flowlib.memo")
