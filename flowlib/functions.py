"""What does `@task` make of a function? Calls of it are specs, which are computed later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Generic, Literal, ParamSpec, TypeVar, Unpack, overload

from flowlib.calls import Call, Callee
from flowlib.choices import Varying
from flowlib.declaration import Declaration, Options
from flowlib.decorated import Decorated
from flowlib.direct_use import CalledDirectly
from flowlib.errors import CallError, SpecError
from flowlib.parameters import Parameters, call_signature, ignored_by_annotation
from flowlib.signature import is_task_class
from flowlib.spec_checks import check_task, name_of, refuse_protected
from flowlib.spec_options import OptionArguments, options_of

P = ParamSpec("P")
T = TypeVar("T")


class TaskFunction(Decorated, CalledDirectly[P, T], Generic[P, T]):
    """A function of which a call is a spec: made by `@task`.

    Args:
        fn: The function.
        name: What its records are filed under; None is its own name.
        version: A new one makes all results count as not yet computed.
        ignore: Parameters that are no part of the identity.
        require: Parameters that every call has to give although they have a default.
        future: Whether direct calls give Futures.
        options: Those of `TaskSpec`, for all calls.

    Attributes:
        fn: The function as it was written, to be called at once.
        gives_future: Whether direct calls give Futures.

    Raises:
        SpecError: it has no name that stays, or an option is none.
    """

    fn: Callable[P, T]

    def __init__(
        self,
        fn: Callable[P, T],
        *,
        name: str | None = None,
        version: str | int | None = None,
        ignore: Iterable[str] = (),
        require: Iterable[str] = (),
        future: bool = False,
        options: OptionArguments | None = None,
    ) -> None:
        check_task(fn)
        super().__init__(fn)
        self._spec_name = name_of(fn, name)
        self._version = version
        self._ignore = ignore
        self._require = require
        self.gives_future = future
        self._options = options_of(self._spec_name, options or {}, is_reduce=False)
        self._told: set[str] = set()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        """A spec of this call, computed when a flow runs it.

        Any argument may be a spec or an item of one, or hold some, or a sweep.

        Raises:
            CallError: the arguments do not fit the function.
            SpecError: one of them has the wrong type, or no text that stays.
        """
        return self._callee.call(args, kwargs)

    def map(self, *values: Iterable[object], **same: Any) -> list[Call[T]]:
        """A call for each value, or for the first, the second, … of several lists of values.

        Args:
            *values: Arguments by position; equally long.
            **same: Arguments that all calls have.

        Raises:
            CallError: the lists differ in length, or a call does not fit.
        """
        if any(isinstance(each, Varying) for each in values):
            raise CallError(
                f"{self._spec_name}.map() takes lists of values, not a sweep, which makes several "
                f"tasks of one call by itself: {self._spec_name}({', '.join(map(repr, values))})"
            )
        columns = [list(each) for each in values]
        if not columns or len({len(each) for each in columns}) > 1:
            lengths = ", ".join(str(len(each)) for each in columns) or "none"
            raise CallError(
                f"{self._spec_name}.map() takes lists of values, equally long: got {lengths}"
            )
        return [self._callee.call(row, same) for row in zip(*columns, strict=True)]

    def reduce(self, *args: Any, **kwargs: Any) -> Call[T]:
        """A call in which every spec stands for the list of all of its values."""
        return self._callee.gathering(True).call(args, kwargs)

    def reduce_over(self, *axes: str) -> Callable[..., Call[T]]:
        """As `reduce`, but over the named parameters only: `pick.reduce_over("seed")(runs)`.

        There is one call for each combination of the other parameters that vary.
        """
        if not axes:
            raise SpecError(f"{self._spec_name}.reduce_over() needs the name of a parameter")
        callee = self._callee.gathering(axes)

        def reduce(*args: Any, **kwargs: Any) -> Call[T]:
            return callee.call(args, kwargs)

        return reduce

    @property
    def spec_name(self) -> str:
        """What its records are filed under."""
        return self._spec_name

    def lazy_call(self, args: Sequence[object], kwargs: Mapping[str, object]) -> Call[T]:
        """A spec of a call, of which the arguments are given as they are."""
        return self._callee.call(args, kwargs)

    @property
    def callee(self) -> Callee:
        """What its calls have in common."""
        return self._callee

    def is_first(self, word: str) -> bool:
        """Whether it is asked for the first time about this: what is said of it is said once."""
        is_new = word not in self._told
        self._told.add(word)
        return is_new

    def takes(self, name: str) -> bool:
        """Whether the function has a parameter of this name."""
        return name in self._callee.parameters.givable

    @cached_property
    def _callee(self) -> Callee:
        """Found out with the first call: annotations may name what is defined later."""
        parameters = Parameters(self, self._spec_name, self._require)
        parameters.check_names("ignore", self._ignore, parameters.givable)
        signature = call_signature(self)
        return Callee(
            Declaration(
                name=self._spec_name,
                task=self,
                signature=signature,
                version=self._version,
                options=self._options.for_parameters(signature.tolerant),
                is_call=True,
                ignored=frozenset(self._ignore) | ignored_by_annotation(self),
            ),
            parameters,
        )


class EagerFunction(TaskFunction[P, T]):
    """A function whose plain calls are remembered: made by `@task(eager=True)`."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:  # type: ignore[override]  # that is what the user asks for
        """As `call`, with the store that holds: loaded, or computed here and now and stored.

        Raises:
            Exception: what the function raises.
        """
        return self.called(args, kwargs)

    def spec(self, *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        """A spec of a call, as undecorated calls of other functions give it."""
        return self.lazy_call(args, kwargs)


@overload
def task(fn: Callable[P, T], /) -> TaskFunction[P, T]: ...


@overload
def task(
    *,
    eager: Literal[True],
    name: str | None = None,
    version: str | int | None = None,
    ignore: Iterable[str] = (),
    require: Iterable[str] = (),
    future: bool = False,
    **options: Unpack[OptionArguments],
) -> Callable[[Callable[P, T]], EagerFunction[P, T]]: ...


@overload
def task(
    *,
    name: str | None = None,
    version: str | int | None = None,
    ignore: Iterable[str] = (),
    require: Iterable[str] = (),
    future: bool = False,
    **options: Unpack[OptionArguments],
) -> Callable[[Callable[P, T]], TaskFunction[P, T]]: ...


def task(
    fn: Callable[P, T] | None = None,
    /,
    *,
    eager: bool = False,
    name: str | None = None,
    version: str | int | None = None,
    ignore: Iterable[str] = (),
    require: Iterable[str] = (),
    future: bool = False,
    **options: Unpack[OptionArguments],
) -> TaskFunction[P, T] | Callable[[Callable[P, T]], TaskFunction[P, T]]:
    """Decorate a function so that a call of it is a spec: `@task` or `@task(version=2)`.

    Args:
        fn: The function.
        eager: Whether a plain call computes and is remembered, as `call` does; `fn.spec(...)` is
            the spec then.
        name: What its records are filed under; None is its own name.
        version: A new one makes all results count as not yet computed.
        ignore: Parameters that are no part of the identity, as are those that are annotated
            `Annotated[T, Ignore]`.
        require: Parameters that every call has to give although they have a default.
        future: Whether direct calls always give a Future, completed if the result is there. A
            function that returns a Future gives it only as long as it is not done, otherwise.
        **options: Those of `TaskSpec`, for all calls: `retries`, `resources`, `timeout`, …

    Raises:
        SpecError: it has no name that stays, or an option is none.
        TypeError: it is no function.
    """

    def decorated(function: Callable[P, T]) -> TaskFunction[P, T]:
        kind = EagerFunction if eager else TaskFunction
        return kind(
            function,
            name=name,
            version=version,
            ignore=ignore,
            require=require,
            future=future,
            options=options,
        )

    return decorated if fn is None else decorated(fn)


def class_call(task: Callable[..., object], args: Any, kwargs: Any) -> Call[Any]:
    """What `Train.spec(data, lr=0.1)` gives."""
    return _callee_of_class(task).call(args, kwargs)


def callee_of(task: Callable[..., object]) -> Callee:
    """What the calls of a decorated function or of a class have in common.

    Raises:
        SpecError: it is neither.
    """
    if isinstance(task, TaskFunction):
        return task.callee
    if is_task_class(task):
        return _callee_of_class(task)
    raise SpecError(f"{task!r} is called without being a @task function or a class of a Task")


@lru_cache(maxsize=1024)
def _callee_of_class(task: Callable[..., object]) -> Callee:
    check_task(task)
    name, signature = name_of(task), call_signature(task)
    refuse_protected(name, task, signature.config)
    declaration = Declaration(
        name=name,
        task=task,
        signature=signature,
        options=Options().for_parameters(signature.tolerant),
        is_call=True,
        ignored=ignored_by_annotation(task),
    )
    return Callee(declaration, Parameters(task, name))
