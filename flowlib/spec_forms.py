"""
How is a spec told in plain values, with all that it reads from, and made again from them?

    {"flowlib": 1, "specs": [{"task": "m:Prepare", …}, {"task": "m:Train", "requires": [0], …}]}

Predecessors first; the last one is the spec itself. Others are named by their numbers, so what two
of them read is one spec again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowlib.calls import Call, Callee
from flowlib.declaration import Declaration, Options
from flowlib.errors import SpecError
from flowlib.functions import callee_of
from flowlib.items import Item
from flowlib.plain_values import from_plain, to_plain
from flowlib.references import reference, referred
from flowlib.shell import shell_callee
from flowlib.shell_task import Shell
from flowlib.spec import TaskSpec
from flowlib.spec_options import option_values
from flowlib.spec_order import in_order

FORM: Final = 1
"""Of these forms; those of a later number are refused."""

_SPEC: Final = "$spec"
_ITEM: Final = "$item"


def form_of_spec(spec: TaskSpec) -> dict[str, Any]:
    """A spec in plain values: see `TaskSpec.to_dict`.

    Raises:
        SpecError: a task has no name that leads to it, or a value has no plain form.
    """
    ordered = in_order([spec])
    ordered.sort(key=lambda each: each is spec)  # it is the last one
    return {"flowlib": FORM, "specs": _Writer(ordered).forms()}


def spec_of_form(form: Mapping[str, Any]) -> TaskSpec:
    """The spec that a form tells of: see `TaskSpec.from_dict`.

    Raises:
        SpecError: it is no such form, or names what is not there.
    """
    is_mapping = isinstance(form, Mapping)
    number, forms = (form.get("flowlib"), form.get("specs")) if is_mapping else (None, None)
    if not isinstance(number, int) or not isinstance(forms, list) or not forms:
        raise SpecError(
            f"a spec in plain values is what TaskSpec.to_dict() gives, not {form!r:.200}"
        )
    if number > FORM:
        raise SpecError(
            f"this spec was written by a newer flowlib (form {number}, this one reads {FORM})"
        )
    reader = _Reader()
    for each in forms:
        reader.read(each)
    return reader.specs[-1]


def changed_option_values(spec: TaskSpec) -> dict[str, Any]:
    """The options of a spec that are not as usual; of a call, not as its task has them."""
    declaration = spec.declaration()
    options, usual = declaration.options, Options()
    if isinstance(spec, Call):
        usual = _callee_for(declaration).declaration.options
    expected = option_values(usual)
    given = {n: each for n, each in option_values(options).items() if each != expected[n]}
    return given if options.before == usual.before else {**given, "before": [*options.before]}


def _callee_for(declaration: Declaration) -> Callee:
    """What calls of the same task have in common that were given no options."""
    if declaration.task is Shell:
        return shell_callee(declaration.name, declaration.version)
    return callee_of(declaration.task)


class _Writer:
    def __init__(self, specs: list[TaskSpec]) -> None:
        self._specs = specs
        self._numbers = {id(each): number for number, each in enumerate(specs)}

    def forms(self) -> list[dict[str, Any]]:
        return [
            self._call(each) if isinstance(each, Call) else self._spec(each) for each in self._specs
        ]

    def _spec(self, spec: TaskSpec) -> dict[str, Any]:
        given = {
            "task": _reference(spec),
            "name": spec.name,
            "config": spec.config,
            "additional_kwargs": spec.additional_kwargs,
            "requires": [self._numbers[id(each)] for each in spec.predecessors],
            "reduce": spec.reduce,
            "expand": spec.expand_method,
            "config_ignore_prefix": spec.config_ignore_prefix,
            "config_group_prefix": spec.config_group_prefix,
            "version": spec.version,
            "options": changed_option_values(spec),
        }
        return self._plain(spec, {name: each for name, each in given.items() if _says(each)})

    def _call(self, call: Call[Any]) -> dict[str, Any]:
        declaration = call.declaration()
        given = {
            "call": _reference(call),
            "name": call.name,
            "version": call.version,
            "label": call.label,
            "reduce": declaration.reduce,
            "arguments": call.config,
            "options": changed_option_values(call),
        }
        return self._plain(call, {name: each for name, each in given.items() if _says(each)})

    def _plain(self, spec: TaskSpec, given: dict[str, Any]) -> dict[str, Any]:
        return {
            name: to_plain(each, f"{spec.name}.{name}", self._special)
            for name, each in given.items()
        }

    def _special(self, value: object) -> dict[str, Any] | None:
        if isinstance(value, TaskSpec):
            return {_SPEC: self._numbers[id(value)]}
        if isinstance(value, Item):
            source = self._numbers[id(value.source)]
            return {_ITEM: [source, to_plain(list(value.steps), "item", self._special)]}
        return None


class _Reader:
    def __init__(self) -> None:
        self.specs: list[TaskSpec] = []

    def read(self, form: Mapping[str, Any]) -> None:
        given = {name: from_plain(each, self._special) for name, each in form.items()}
        self.specs.append(self._call(given) if "call" in given else self._spec(given))

    def _spec(self, given: dict[str, Any]) -> TaskSpec:
        requires, options = given.pop("requires", []), given.pop("options", {})
        task = referred(given.pop("task"))
        spec = TaskSpec(task, **given, **options)
        return spec.requires([self.specs[number] for number in requires])

    def _call(self, given: dict[str, Any]) -> TaskSpec:
        task, name, version = referred(given["call"]), given["name"], given.get("version")
        callee = shell_callee(name, version) if task is Shell else callee_of(task)
        found = callee.declaration
        if (found.name, found.version) != (name, version):
            raise SpecError(
                f"{given['call']} is called {found.name!r} with version {found.version!r} by now, "
                f"no longer {name!r} with {version!r}"
            )
        if reduce := given.get("reduce"):
            callee = callee.gathering(tuple(reduce) if isinstance(reduce, list) else reduce)
        if options := given.get("options"):
            callee = callee.with_options(options)
        return Call(callee, given.get("arguments", {}), given.get("label"))

    def _special(self, form: dict[str, Any]) -> object:
        if _SPEC in form:
            return self.specs[form[_SPEC]]
        if _ITEM in form:
            number, steps = form[_ITEM]
            return Item(self.specs[number], tuple(from_plain(steps, self._special)))
        return None


def _reference(spec: TaskSpec) -> str:
    try:
        return reference(spec.task)
    except SpecError as error:
        raise SpecError(f"{spec.name}: {error}") from None


def _says(value: object) -> bool:
    return value is not None and value is not False and value != {} and value != []
