"""What is a call of a task before it runs? A spec that reads from the specs in its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from flowlib.call_arguments import PLACE, Arguments, Binding, CallArguments
from flowlib.call_links import NO_LINKS, LastLinks, Links
from flowlib.declaration import Declaration, Options
from flowlib.errors import SpecError
from flowlib.grid import expand_config
from flowlib.items import PLAIN, Anything
from flowlib.node import Argument
from flowlib.parameters import Parameters
from flowlib.spec import NOBODY, TaskSpec
from flowlib.spec_options import changed_options

if TYPE_CHECKING:
    from concurrent.futures import Future

    from flowlib.store_choice import StoreChoice

T_co = TypeVar("T_co", covariant=True)


class Callee:
    """What the calls of one task with the same options have in common.

    Args:
        declaration: Of the task.
        parameters: What it can be called with.

    Attributes:
        declaration: The same.
        parameters: The same.
        arguments: Makes those of its tasks.
        last_links: Knows what its last call reads.
    """

    __slots__ = ("_changed", "arguments", "declaration", "last_links", "parameters")

    def __init__(self, declaration: Declaration, parameters: Parameters) -> None:
        self.declaration = declaration
        self.parameters = parameters
        self._changed: dict[str, Callee] = {}
        self.arguments = Arguments(declaration)
        self.last_links = LastLinks()

    def call(self, args: Sequence[object], kwargs: Mapping[str, object]) -> Call[Any]:
        """A call with these arguments.

        Raises:
            CallError: they do not fit the parameters.
            SpecError: one of them has the wrong type, or no text that stays.
        """
        return Call(self, self.parameters.bound(args, kwargs))

    def with_options(self, changes: Mapping[str, Any]) -> Callee:
        """The same with other options; equal changes give the same object."""
        known = repr(sorted(changes.items()))
        if known not in self._changed:
            old = self.declaration
            options = changed_options(old.name, old.options, changes, is_reduce=bool(old.reduce))
            changed = replace(old, options=options)
            self._changed[known] = Callee(changed, self.parameters)
        return self._changed[known]

    def gathering(self, reduce: bool | tuple[str, ...]) -> Callee:
        """The same as a reduce: every spec in the arguments stands for all of its values."""
        known = f"reduce {reduce!r}"
        if known not in self._changed:
            changed = replace(self.declaration, reduce=reduce)
            self._changed[known] = Callee(changed, self.parameters)
        return self._changed[known]


def _seen(path: str) -> Any:
    """An attribute that stands elsewhere: a hundred thousand calls do not hold it each."""
    return property(attrgetter(path))


class Call(TaskSpec, Anything, Generic[T_co]):  # type: ignore[misc]  # a value of any type may be promised
    """A call of a task, to be computed later: a spec whose arguments may be other specs.

    The collector of garbage has one object to look at for a call of plain values: whatever else
    it needs is shared, or made with the nodes.

    Args:
        callee: What is called.
        given: The arguments by parameter; a dict becomes the call's own.
        label: What its tasks are called.
    """

    additional_kwargs: dict[str, Any] = MappingProxyType({})  # type: ignore[assignment]  # no call has some
    config_group_prefix: str | None = None
    config_ignore_prefix: str | None = None
    expand_method: object = None
    reduce: bool | Sequence[str] | None = _seen("_callee.declaration.reduce")
    version: str | int | None = _seen("_callee.declaration.version")
    _options: Options = _seen("_callee.declaration.options")
    config: dict[str, Any] = _seen("_whole_config")

    def __init__(
        self, callee: Callee, given: Mapping[str, object], label: str | None = None
    ) -> None:
        self.task = callee.declaration.task
        self.name = callee.declaration.name
        self.label = label
        self._callee = callee
        self._successors = NOBODY  # a call does not tell those that it reads from
        self._given = config = given if type(given) is dict else dict(given)
        self._arguments: tuple[Argument, ...] | None = None
        self._links = NO_LINKS
        special = [name for name, value in given.items() if type(value) not in PLAIN]
        if special:
            links = callee.last_links.of(config, special)
            self._links = self._captured(special) if links is None else links
            config.update(dict.fromkeys(self._links.items, PLACE))
        self._predecessors = self._links.sources
        if self._arguments is None and not callee.arguments.fit_by_types(config):
            self._arguments = callee.arguments.checked(config, self._links)

    def _captured(self, special: Sequence[str]) -> Links:
        """What it reads where this is more than whole arguments."""
        captured = CallArguments(self._given, special)
        sources = list(captured.sources.values())
        if captured.varies:
            self._arguments = ()
            return Links(frozenset(captured.linked), {}, sources, (), varies=True)
        binding = self._callee.arguments.binding(self._given, captured.linked)
        self._arguments = binding.arguments
        return Links(frozenset(captured.linked), {}, sources, binding.reads)

    @property
    def _whole_config(self) -> dict[str, Any]:
        items = self._links.items
        given: dict[str, Any] = self._given
        return {**given, **items} if items else given

    if TYPE_CHECKING:  # what a call gives is known; a sweep gives a list of it

        def result(self, store: StoreChoice | None = None, *, force: bool = False) -> T_co:
            """As of any spec."""

        def submit(
            self,
            store: StoreChoice | None = None,
            *,
            executor: object = None,
            force: bool = False,
        ) -> Future[T_co]:
            """As of any spec."""

    def __repr__(self) -> str:
        return f"<call of {self.name}>" if self.label is None else f"<call {self.label}>"

    def named(self, label: str) -> Call[T_co]:
        """The same under a name of its own, which is no part of the identity.

        Its task is called so in plans, pictures and selectors; several are `label-1`, `label-2`.
        """
        if not isinstance(label, str) or not label:
            raise SpecError(f"{self.name}: a name is text that is not empty, not {label!r}")
        return Call(self._callee, dict(self.config), label)

    def options(self, **changes: Any) -> Call[T_co]:
        """The same with other options, those of `TaskSpec`, which are no part of the identity."""
        return Call(self._callee.with_options(changes), dict(self.config), self.label)

    def requires(self, *predecessors: TaskSpec | Sequence[TaskSpec]) -> NoReturn:
        """Refused: a call reads from the specs in its arguments.

        Raises:
            SpecError: always.
        """
        raise SpecError(
            f"{self.name}: a call reads from the specs that are its arguments: give them there"
        )

    def declaration(
        self, ignore_prefix: str | None = None, group_prefix: str | None = None
    ) -> Declaration:
        """What it has in common with other calls of the task."""
        return self._callee.declaration

    def gathers(self) -> bool | tuple[str, ...]:
        """Whether specs in its arguments stand for all of their values."""
        return self._callee.declaration.reduce

    @property
    def only(self) -> Binding | None:
        """The arguments of its task, if it has no sweeps."""
        if self._links.varies:
            return None
        if self._arguments is None:
            self._arguments = self._callee.arguments.of(self._given, self._links)
        return Binding(self._arguments, self._links.reads)

    def bindings(self) -> Iterator[Binding]:
        """The arguments of each of its tasks, in order.

        Raises:
            SweepError: its sweeps cannot be combined.
        """
        if (only := self.only) is not None:
            yield only
            return
        for point in expand_config(self.config, spec=self.name):
            config = {name: choice.value for name, choice in point.items()}
            self._callee.parameters.check(config)
            yield self._callee.arguments.binding(config, self._links.names)

    def _configs(self) -> Iterator[dict[str, Any]]:
        for each in self.bindings():
            yield {argument.name: argument.value for argument in each.arguments}
