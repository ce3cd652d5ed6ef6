"""What is a call of a task before it runs? A spec that reads from the specs in its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from flowlib.call_arguments import CallArguments, LastLinks, Links
from flowlib.declaration import Declaration
from flowlib.errors import SpecError
from flowlib.grid import expand_config
from flowlib.identity import Resolver
from flowlib.items import PLAIN, Anything, Item, replaced, slot
from flowlib.node import Argument
from flowlib.parameters import Parameters
from flowlib.spec import TaskSpec
from flowlib.spec_options import changed_options

if TYPE_CHECKING:
    from concurrent.futures import Future

    from flowlib.store_choice import StoreChoice

T_co = TypeVar("T_co", covariant=True)

Reads = tuple[tuple[str, TaskSpec], ...]
"""Which specs a call reads, and as what: the paths of the arguments."""


@dataclass(frozen=True, slots=True)
class Binding:
    """The arguments of one task of a call.

    Attributes:
        arguments: Sorted by name; where a spec stood there is a slot.
        reads: What belongs into the slots.
    """

    arguments: tuple[Argument, ...]
    reads: Reads


_NO_SPECS: Final[list[TaskSpec]] = []
_NO_NAMES: Final[frozenset[str]] = frozenset()
_SHARED: Final = frozenset({int, float, str, bool})
_MOST_SHARED: Final = 512
"""How many arguments of scalar values calls share."""


class Callee:
    """What the calls of one task with the same options have in common.

    Args:
        declaration: Of the task.
        parameters: What it can be called with.

    Attributes:
        declaration: The same.
        parameters: The same.
        last_links: Knows what its last call reads.
    """

    __slots__ = (
        *("_changed", "_resolver", "_scalars", "_slots"),
        *("declaration", "last_links", "parameters"),
    )

    def __init__(self, declaration: Declaration, parameters: Parameters) -> None:
        self.declaration = declaration
        self.parameters = parameters
        self._resolver = Resolver(declaration)
        self._changed: dict[str, Callee] = {}
        self._slots: dict[str, Argument] = {}
        self.last_links = LastLinks()
        self._scalars: dict[tuple[str, type, object], Argument] = {}

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

    def binding(
        self, config: Mapping[str, object], linked: Iterable[str], links: Links | None = None
    ) -> Binding:
        """The arguments of one task.

        Args:
            config: Values by parameter; specs are items.
            linked: The parameters in which there are some.
            links: What is read, if that is known.
        """
        reads: list[tuple[str, TaskSpec]] = []
        arguments = []
        for name in sorted(config):
            value = config[name]
            if name in linked and type(value) is Item and not value.steps:
                arguments.append(self._whole(name, value, reads))
            elif name in linked:
                arguments.append(self._linked(name, value, reads))
            else:
                arguments.append(self._plain(name, value))
        return Binding(tuple(arguments), tuple(reads) if links is None else links.reads)

    def _plain(self, name: str, value: object) -> Argument:
        """An argument without specs; those of some scalar values are shared by calls."""
        if type(value) not in _SHARED or value == 0:  # 0.0 and -0.0 are equal, and two values
            return self._resolver.argument(name, value)
        known = (name, type(value), value)
        shared = self._scalars.get(known)
        if shared is None:
            shared = self._resolver.argument(name, value)
            if len(self._scalars) < _MOST_SHARED:
                self._scalars[known] = shared
        return shared

    def _whole(self, name: str, value: Item, reads: list[tuple[str, TaskSpec]]) -> Argument:
        """The argument that is a spec: its role says it all, so calls share it."""
        source: Any = value.source
        reads.append((name, source))
        if name not in self._slots:
            self._refuse_ignored(name, source)
            self._slots[name] = Argument(name, slot(name, ()), None, None, None)
        return self._slots[name]

    def _refuse_ignored(self, name: str, source: TaskSpec) -> None:
        if name in self.declaration.ignored:
            raise SpecError(
                f"{self.declaration.name}.{name} is ignored, so that it is no part of the "
                f"identity: it cannot hold {source!r}, whose key would be lost"
            )

    def _linked(self, name: str, value: object, reads: list[tuple[str, TaskSpec]]) -> Argument:
        def placed(each: object, role: str) -> object:
            if type(each) is not Item:
                return each
            source: Any = each.source
            reads.append((role, source))
            return slot(role, each.steps)

        count = len(reads)
        resolved = replaced(value, name, placed)
        if len(reads) == count:  # the spec is in another of the choices
            return self._resolver.argument(name, resolved)
        self._refuse_ignored(name, reads[-1][1])
        return self._resolver.argument(name, resolved)


class Call(TaskSpec, Anything, Generic[T_co]):  # type: ignore[misc]  # a value of any type may be promised
    """A call of a task, to be computed later: a spec whose arguments may be other specs.

    Args:
        callee: What is called.
        given: The arguments by parameter.
        label: What its tasks are called.
    """

    def __init__(
        self, callee: Callee, given: Mapping[str, object], label: str | None = None
    ) -> None:
        declaration = callee.declaration
        self.task = declaration.task
        self.name = declaration.name
        self.label = label
        self.additional_kwargs = {}
        self.reduce = declaration.reduce
        self.expand_method = None
        self.config_ignore_prefix = None
        self.config_group_prefix = None
        self.version = declaration.version
        self._options = declaration.options
        self._callee = callee
        self._successors = []  # a call does not tell those that it reads from
        self._predecessors = _NO_SPECS
        self.config = dict(given)
        self._linked: frozenset[str] | set[str] = _NO_NAMES
        special = [name for name, value in given.items() if type(value) not in PLAIN]
        varies = False
        self._links = links = callee.last_links.of(given, special) if special else None
        if links is not None:
            self.config.update(links.items)
            self._linked = links.names
            self._predecessors = links.sources
        elif special:
            captured = CallArguments(self.config, special)
            varies = captured.varies
            self._linked = captured.linked
            self._predecessors = list(captured.sources.values())
        self._only = None if varies else callee.binding(self.config, self._linked, links)

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
        return Call(self._callee, self.config, label)

    def options(self, **changes: Any) -> Call[T_co]:
        """The same with other options, those of `TaskSpec`, which are no part of the identity."""
        return Call(self._callee.with_options(changes), self.config, self.label)

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
        return self._only

    def bindings(self) -> Iterator[Binding]:
        """The arguments of each of its tasks, in order.

        Raises:
            SweepError: its sweeps cannot be combined.
        """
        if self._only is not None:
            yield self._only
            return
        for point in expand_config(self.config, spec=self.name):
            config = {name: choice.value for name, choice in point.items()}
            self._callee.parameters.check(config)
            yield self._callee.binding(config, self._linked)

    def _configs(self) -> Iterator[dict[str, Any]]:
        for each in self.bindings():
            yield {argument.name: argument.value for argument in each.arguments}
