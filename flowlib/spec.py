"""What users write: a task with a config, its predecessors and its options."""

from __future__ import annotations

import copy
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, Unpack

from flowlib.declaration import Declaration
from flowlib.direct_use import Computable
from flowlib.errors import SpecError
from flowlib.grid import expand_config
from flowlib.items import Item, Step, misplaced, not_iterable
from flowlib.signature import Signature, signature_of
from flowlib.spec_checks import (
    check_mappings,
    check_task,
    name_of,
    reduce_of,
    refuse_protected,
)
from flowlib.spec_options import OptionArguments, options_of

NOBODY: Final[list[TaskSpec]] = []
"""The readers of specs that nothing reads from; it stays empty."""


class TaskSpec(Computable):
    """A task with a config that may hold a grid, its predecessors and its options.

    Args:
        task: A class derived from `Task`, or a function.
        config: Parameters of the task; lists are choices under `expand`.
        additional_kwargs: More parameters: any objects that can be sent to a worker. They are
            never part of the identity and win over `config`.
        name: Name of the spec, unique in a flow; the name of the task if None.
        reduce: True gathers the results of all predecessors; a list of parameter names (`seed`,
            `model.depth`, `Train.seed`) gathers over those only, one node for each combination
            of the others.
        expand: How the lists of `config` are combined: `"product"`, `"zip"`, or another method.
        config_ignore_prefix: Keys that begin with it are no part of the identity.
        config_group_prefix: A list whose last element is a string with this prefix varies in
            lockstep with the other lists that end on the same string.
        version: A new value makes all results of the task count as not yet computed.
        resources: What one node needs while it runs, `{"gpu": 1, "mem": "8GB"}`, also fractions;
            `{}` needs nothing; None takes one object if the run has a list of resources.
        retries: How often a failed node is tried again; or how often by kind of failure,
            `{"oom": 1, "exception": 2}`, where kinds that are not named are not tried again. The
            kinds are exception, input, timeout, oom, killed, lost and preempted.
        retry_pause: Seconds (or `"10s"`, `"1m"`) before the first retry; each further pause of the
            node is twice as long, up to ten minutes.
        timeout: After how many seconds (or `"2h"`, `"30m"`, `"10s"`) a node is killed.
        wait_timeout: How long to wait, as for `timeout`, while another run computes a node; then it
            fails here. None waits as long as the other one lives.
        fresh_process: Whether every node runs in a new process, which ends with it.
        priority: Nodes of higher priority start first.
        tags: Free words to select by.
        on_failure: What to do when a predecessor failed. `"fail"`, the default: this is not run
            either. `"skip"`: a reduce gathers those that succeeded. `"pass"`: a `Failure`
            arrives in place of the value.
        min_ok: How many members of a reduce must have succeeded, a number or a fraction such as
            0.8, or it is not run; alone it means `on_failure="skip"`.
        before: A function, or several, that the worker calls with the task before each node, when
            its devices are set; what they raise is a failure of the node.
        on_code_change: What is done with results that other code of the task has made: `"warn"`,
            `"rerun"`, `"ignore"` or `"error"`. None is the setting of that name.
        store: Name of the store that holds the results, one of `Flow.run(stores={name: store})`;
            None is the store of the run.
        executor_options: What executors are told about the nodes, by the name of the executor:
            `{"ray": {"num_cpus": 2}}`. Others do not look at it.

    Raises:
        TypeError: `task` is neither a task class nor a function.
        SpecError: a parameter does not fit.
    """

    def __init__(
        self,
        task: Callable[..., object],
        config: Mapping[str, Any] | None = None,
        additional_kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        reduce: bool | Sequence[str] | None = None,
        expand: object = None,
        config_ignore_prefix: str | None = None,
        config_group_prefix: str | None = None,
        *,
        version: str | int | None = None,
        **options: Unpack[OptionArguments],
    ) -> None:
        check_task(task)
        self.task = task
        self.name = name_of(task, name)
        check_mappings(
            self.name,
            config=config,
            additional_kwargs=additional_kwargs,
            resources=options.get("resources"),
        )
        self.config: dict[str, Any] = copy.copy(dict(config or {}))
        self.additional_kwargs: dict[str, Any] = dict(additional_kwargs or {})
        self.reduce = reduce
        self.expand_method = expand
        self.config_ignore_prefix = config_ignore_prefix
        self.config_group_prefix = config_group_prefix
        self.version = version
        self._options = options_of(self.name, options, is_reduce=bool(reduce))
        self._predecessors: list[TaskSpec] = []
        self._successors: list[TaskSpec] = NOBODY
        self._check()

    def __repr__(self) -> str:
        return f"<TaskSpec {self.name}>"

    def __getitem__(self, step: Step) -> Item:
        """A part of its value, `spec["model"]` or `spec[0]["x"]`, as an argument of a call."""
        return Item(self, (step,))

    def __iter__(self) -> NoReturn:
        raise not_iterable(self)

    def __flowlib_identity__(self) -> NoReturn:
        raise misplaced(self)

    def _repr_html_(self) -> str:
        from flowlib.spec_page import spec_html

        reads = (
            f" · requires {names}"
            if (names := ", ".join(s.name for s in self._predecessors))
            else ""
        )
        about = f"{name_of(self.task)} · expand={self.expand_method!r}{reads}"
        return spec_html(self.name, self.config, self._configs(), about)

    @property
    def unique_name(self) -> str:
        """The name; nodes have names of their own."""
        return self.name

    @property
    def predecessors(self) -> list[TaskSpec]:
        """The specs it reads from, in the order of `requires`."""
        return list(self._predecessors)

    @predecessors.setter
    def predecessors(self, specs: Iterable[TaskSpec]) -> None:
        for spec in self._predecessors:
            spec._successors.remove(self)
        self._predecessors = []
        self.requires(list(specs))

    @property
    def successors(self) -> list[TaskSpec]:
        """The specs that read from it."""
        return list(self._successors)

    @property
    def expects(self) -> dict[str, inspect.Parameter]:
        """What the task wants from its predecessors, by name."""
        return dict(self.signature.expects)

    @property
    def signature(self) -> Signature:
        """The parameters of the task."""
        return signature_of(self.task, frozenset(self._keys(self.config_ignore_prefix)))

    def requires(self, *predecessors: TaskSpec | Sequence[TaskSpec]) -> TaskSpec:
        """Read from `predecessors`: specs, or one list or tuple of them. Returns itself.

        Raises:
            TypeError: something else is given, or a list among several arguments.
        """
        for spec in _flat("requires", predecessors):
            if spec not in self._predecessors:
                self._predecessors.append(spec)
                spec._read_by(self)
        return self

    def required_by(self, *successors: TaskSpec | Sequence[TaskSpec]) -> TaskSpec:
        """Let `successors` read from this spec. Returns itself."""
        for spec in _flat("required_by", successors):
            spec.requires(self)
        return self

    def expand(self) -> list[dict[str, Any]]:
        """The concrete configs of the grid, in order; the graph links them to predecessors."""
        return list(self._configs())

    def _configs(self) -> Iterator[dict[str, Any]]:
        declaration = self.declaration()
        points = expand_config(
            declaration.config,
            declaration.expand,
            group_prefix=declaration.group_prefix,
            spec=self.name,
        )
        yield from ({name: choice.value for name, choice in point.items()} for point in points)

    def declaration(
        self, ignore_prefix: str | None = None, group_prefix: str | None = None
    ) -> Declaration:
        """The spec as it is now, frozen; the prefixes serve where it has none of its own."""
        given_ignore, given_group = self.config_ignore_prefix, self.config_group_prefix
        ignore = ignore_prefix if given_ignore is None else given_ignore
        self._refuse_protected(ignore)
        extra = self.additional_kwargs.keys()
        signature = signature_of(self.task, frozenset(self._keys(ignore)))
        return Declaration(
            name=self.name,
            task=self.task,
            signature=signature,
            version=self.version,
            config={
                k: v for k, v in self.config.items() if k.removeprefix(ignore or "") not in extra
            },
            additional_kwargs=dict(self.additional_kwargs),
            expand=self.expand_method,
            reduce=reduce_of(self.reduce),
            ignore_prefix=ignore,
            group_prefix=group_prefix if given_group is None else given_group,
            options=self._options.for_parameters(signature.tolerant),
        )

    def to_dict(self) -> dict[str, Any]:
        """It and all that it reads from, exactly, in plain values that JSON can hold.

        Raises:
            SpecError: a task or class has no name that leads to it, or a value has no plain form.
        """
        form: dict[str, Any] = _room("spec_forms").form_of_spec(self)
        return form

    @staticmethod
    def from_dict(form: Mapping[str, Any]) -> TaskSpec:
        """The spec that `to_dict` tells of: equal, with the same keys; it imports what is named.

        Raises:
            SpecError: it is no such dict, or names what is not there.
        """
        spec: TaskSpec = _room("spec_forms").spec_of_form(form)
        return spec

    def to_python(self, *, with_imports: bool = False) -> str:
        """An expression that makes an equal one, where what it names is imported.

        Args:
            with_imports: Whether the imports stand before it, and `spec = `.

        Raises:
            SpecError: a task or class has no name that leads to it, or a value no expression.
        """
        text: str = _room("spec_python").python_of_spec(self, with_imports=with_imports)
        return text

    def _read_by(self, successor: TaskSpec) -> None:
        if not self._successors:  # the empty list may be that of all specs
            self._successors = []
        self._successors.append(successor)

    def _check(self) -> None:
        if self.reduce and self.expand_method is not None:
            raise SpecError(
                f"{self.name}: reduce and expand exclude each other: a reduce node gathers all "
                f"of its predecessors. Put the grid into a spec of its own"
            )
        if not self.name:
            raise SpecError("a spec needs a name that is not empty")
        self._refuse_protected(self.config_ignore_prefix)

    def _refuse_protected(self, ignore_prefix: str | None) -> None:
        refuse_protected(self.name, self.task, self._keys(ignore_prefix))

    def _keys(self, ignore_prefix: str | None) -> set[str]:
        """All names that are given, as the task sees them."""
        prefix = ignore_prefix or ""
        return {key.removeprefix(prefix) for key in self.config} | self.additional_kwargs.keys()


def _room(name: str) -> Any:
    """What knows how specs are written stands above them: it is looked up when asked."""
    return importlib.import_module(f"flowlib.{name}")


def _flat(verb: str, specs: Sequence[TaskSpec | Sequence[TaskSpec]]) -> list[TaskSpec]:
    flat: list[Any] = list(specs)
    if len(flat) == 1 and isinstance(flat[0], (list, tuple)):
        flat = list(flat[0])
    for each in flat:
        if not isinstance(each, TaskSpec):
            raise TypeError(
                f"{verb}() takes specs, or one list or tuple of specs; got {type(each).__name__}"
            )
    return flat
