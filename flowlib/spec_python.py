"""Which expression of Python gives a spec, with all that it reads from?"""

from __future__ import annotations

from collections import Counter
from typing import Any

from flowlib.calls import Call
from flowlib.decorated import function_of
from flowlib.errors import SpecError
from flowlib.functions import EagerFunction
from flowlib.items import Item, steps_text
from flowlib.parameters import handed
from flowlib.python_values import PythonNames, PythonValues
from flowlib.shell_task import Shell
from flowlib.signature import is_task_class
from flowlib.spec import TaskSpec
from flowlib.spec_checks import name_of
from flowlib.spec_forms import changed_option_values, form_of_spec


def python_of_spec(spec: TaskSpec, *, with_imports: bool = False) -> str:
    """A spec as Python: see `TaskSpec.to_python`.

    Raises:
        SpecError: a task has no name that leads to it, or a value no expression.
    """
    first = _Writer(Counter())
    first.text(spec)
    writer = _Writer(first.uses)  # now it is known what is read several times
    expression = writer.text(spec)
    if not with_imports:
        return expression
    return "\n".join([*writer.names.imports, "", f"spec = {expression}", ""])


class _Writer:
    """Writes specs.

    Args:
        expected: How often each is used, by id.

    Attributes:
        names: What has to be imported.
        uses: How often each was used.
    """

    def __init__(self, expected: Counter[int]) -> None:
        self.names = PythonNames()
        self.uses: Counter[int] = Counter()
        self._values = PythonValues(self.names, self._special)
        self._expected = expected
        self._variables: dict[int, str] = {}

    def text(self, spec: TaskSpec) -> str:
        """Its expression; where it occurs again, the name that it was given there."""
        self.uses[id(spec)] += 1
        if self.uses[id(spec)] > 1:
            return self._variables[id(spec)]
        made = self._call(spec) if isinstance(spec, Call) else self._spec(spec)
        name = self._variables[id(spec)] = f"spec_{len(self._variables) + 1}"
        return f"({name} := {made})" if self._expected[id(spec)] > 1 else made

    def _special(self, value: object) -> str | None:
        if isinstance(value, TaskSpec):
            return self.text(value)
        if isinstance(value, Item):
            source: Any = value.source
            return f"{self.text(source)}{steps_text(value.steps)}"
        return None

    def _spec(self, spec: TaskSpec) -> str:
        path = spec.name
        given: dict[str, Any] = {
            "config": spec.config,
            "additional_kwargs": spec.additional_kwargs,
            "name": None if spec.name == _usual_name(spec) else spec.name,
            "reduce": spec.reduce,
            "expand": spec.expand_method,
            "config_ignore_prefix": spec.config_ignore_prefix,
            "config_group_prefix": spec.config_group_prefix,
            "version": spec.version,
            **changed_option_values(spec),
        }
        said = {k: v for k, v in given.items() if v is not None and v is not False and v != {}}
        arguments = self._values.arguments(said, path)
        task = self._task(spec)
        inside = ", ".join(each for each in (task, arguments) if each)
        made = f"{self.names.from_module('flowlib', 'TaskSpec')}({inside})"
        read = ", ".join([self.text(each) for each in spec.predecessors])
        return f"{made}.requires([{read}])" if read else made

    def _call(self, call: Call[Any]) -> str:
        if call.task is Shell:  # what `sh` was given is no longer known, only what it means
            form = self._values.text(form_of_spec(call), call.name)
            return f"{self.names.from_module('flowlib', 'TaskSpec')}.from_dict({form})"
        made = f"{self._task(call)}{self._verb(call)}({self._arguments(call)})"
        if call.label is not None:
            made += f".named({call.label!r})"
        if options := changed_option_values(call):
            made += f".options({self._values.arguments(options, call.name)})"
        return made

    def _verb(self, call: Call[Any]) -> str:
        """How the task is called: as it is, by `spec`, `reduce` or `reduce_over`."""
        reduce = call.gathers()
        if isinstance(reduce, tuple):
            return f".reduce_over({', '.join(map(repr, reduce))})"
        if reduce:
            return ".reduce"
        is_named = is_task_class(call.task) or isinstance(call.task, EagerFunction)
        return ".spec" if is_named else ""

    def _arguments(self, call: Call[Any]) -> str:
        if is_task_class(call.task):
            return self._values.arguments(call.config, call.name)
        by_position, by_name = handed(function_of(call.task), call.config)
        positional = [self._values.text(each, call.name) for each in by_position]
        named = [self._values.arguments(by_name, call.name)] if by_name else []
        return ", ".join([*positional, *named])

    def _task(self, spec: TaskSpec) -> str:
        try:
            return self.names.of(spec.task)
        except SpecError as error:
            raise SpecError(f"{spec.name}: {error}") from None


def _usual_name(spec: TaskSpec) -> str:
    try:
        return name_of(spec.task)
    except SpecError:
        return ""
