"""Which parameters does a task take: from the config, from its predecessors, from flowlib?"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Container, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, Final, Literal

from flowlib.context import Task
from flowlib.direct_use import Computable
from flowlib.field_defaults import (
    annotated_fields,
    fresh,
    promised_defaults,
    value_default,
)
from stores.lazy_dataclass import dataclass

REQUIRED: Final = inspect.Parameter.empty
"""The default of a parameter that has none."""

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a task; `default` is `REQUIRED` where it has none."""

    name: str
    default: object
    annotation: object

    @property
    def is_required(self) -> bool:
        """Whether the task cannot be called without it."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of one task.

    Attributes:
        config: Those that a config (or `additional_kwargs`) may give, by name.
        takes_any_config: Whether keys beyond `config` are accepted (`**kwargs`).
        expects: Those that are filled with artifacts of the predecessors.
        lazy: Names in `expects` whose annotation asks for a `Promise` or `LazySweep`.
        wants_task: Whether a function asks for the running `Task` as `task`.
        sets_attributes: Whether the config becomes attributes (a class with annotated fields).
        tolerant: Names of parameters whose annotation allows a `Failure`.
    """

    config: Mapping[str, Parameter]
    takes_any_config: bool
    expects: Mapping[str, inspect.Parameter]
    lazy: frozenset[str]
    wants_task: bool
    sets_attributes: bool
    tolerant: frozenset[str] = frozenset()


def is_task_class(task: object) -> typing.TypeGuard[type[Task]]:
    """Whether `task` is a class derived from `Task`."""
    return isinstance(task, type) and issubclass(task, Task)


@functools.lru_cache(maxsize=1024)
def signature_of(task: Callable[..., object], given: frozenset[str]) -> Signature:
    """The signature of `task`.

    Args:
        task: A class derived from `Task`, or a function.
        given: Names that the config or `additional_kwargs` give; for a function they
            decide which parameters are left to the predecessors.
    """
    return _class_signature(task) if is_task_class(task) else _function_signature(task, given)


def _class_signature(task: type[Task]) -> Signature:
    run_hints = _hints(task.run)
    run = [p for p in _parameters(task.run)[1:] if p.kind not in _VARIADIC]
    expects = {p.name: _expected(p, run_hints) for p in run}
    has_constructor = "__init__" in _own_attributes(task)
    accepted = _parameters(task.__init__)[1:] if has_constructor else []
    config = (
        _config_parameters(accepted, _hints(task.__init__))
        if has_constructor
        else {p.name: p for p in _annotated_fields(task)}
    )
    return Signature(
        config=config,
        takes_any_config=any(p.kind is inspect.Parameter.VAR_KEYWORD for p in accepted),
        expects=expects,
        lazy=lazy_names(expects),
        wants_task=False,
        sets_attributes=not has_constructor,
        tolerant=tolerant_names(expects) | tolerant_names(config),
    )


def _function_signature(task: Callable[..., object], given: frozenset[str]) -> Signature:
    hints = _hints(task)
    parameters = _parameters(task)
    named = [p for p in parameters if p.kind not in _VARIADIC and p.name != "task"]
    expects = {p.name: _expected(p, hints) for p in named if p.name not in given}
    return Signature(
        config=_config_parameters(named, hints),
        takes_any_config=any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters),
        expects=expects,
        lazy=lazy_names(expects),
        wants_task=any(p.name == "task" for p in parameters),
        sets_attributes=False,
        tolerant=tolerant_names(expects),
    )


def _expected(found: inspect.Parameter, hints: Mapping[str, object]) -> inspect.Parameter:
    annotation = hints.get(found.name, found.annotation)
    return found.replace(annotation=annotation, default=value_default(found.default))


def _config_parameters(
    parameters: list[inspect.Parameter], hints: Mapping[str, object]
) -> dict[str, Parameter]:
    return {
        p.name: Parameter(p.name, value_default(p.default), hints.get(p.name, p.annotation))
        for p in parameters
        if p.kind not in _VARIADIC
    }


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _own_attributes(task: type[Task]) -> set[str]:
    """Names defined by the user's classes, not by `Task` and what it derives from."""
    mine = [base for base in task.__mro__ if issubclass(base, Task) and base is not Task]
    mixins = [base for base in task.__mro__ if not issubclass(base, Task)]
    owners = [*mine, *(base for base in mixins if base not in Task.__mro__)]
    return {name for owner in owners for name in vars(owner)}


def _annotated_fields(task: type[Task]) -> Iterator[Parameter]:
    for name, default, hint in annotated_fields(task, Task.__mro__):
        yield Parameter(name, default, hint)


def defaults_of(signature: Signature, given: Container[str]) -> dict[str, object]:
    """What the parameters of a config have that are not given, for one task."""
    return {
        name: fresh(parameter.default)
        for name, parameter in signature.config.items()
        if name not in given and not parameter.is_required
    }


def promised_in(task: Callable[..., object]) -> dict[str, Computable]:
    """The parameters of a task that read from a spec where nothing is given, and that spec."""
    if not is_task_class(task):
        return promised_defaults([task])
    known = signature_of(task, frozenset())
    if known.sets_attributes:
        return promised_defaults([task.run], [(task, name) for name in known.config])
    return promised_defaults([task.run, task.__init__])


def _hints(owner: Any) -> dict[str, object]:
    try:
        return typing.get_type_hints(owner)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return {}  # an annotation that cannot be resolved here is not checked here


def parameter_of(found: inspect.Parameter, default: object = REQUIRED) -> Parameter:
    """A parameter of a function; `default` is for one that can be left out without having one."""
    return Parameter(
        found.name, default if found.default is REQUIRED else found.default, found.annotation
    )


def lazy_names(expects: Mapping[str, inspect.Parameter | Parameter]) -> frozenset[str]:
    """The parameters whose annotation asks for a `Promise` or `LazySweep`."""
    return frozenset(name for name, p in expects.items() if _names(p.annotation, _LAZY))


def tolerant_names(expects: Mapping[str, inspect.Parameter | Parameter]) -> frozenset[str]:
    """The parameters whose annotation allows a `Failure`."""
    return frozenset(name for name, p in expects.items() if _names(p.annotation, _FAILURES))


def may_return_specs(task: Callable[..., object]) -> bool:
    """Whether a task says that it returns specs, by the annotation of what it returns."""
    told = getattr(task.run if is_task_class(task) else task, "__annotations__", {}).get("return")
    return told is not None and _names(told, ("TaskSpec", "Call", "Item"))


_LAZY: Final = ("Promise", "FilePromise", "LazySweep")
_FAILURES: Final = ("Failure",)


def _names(annotation: object, wanted: tuple[str, ...]) -> bool:
    """Whether an annotation names one of these classes, or one that is derived from it."""
    annotation = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(annotation, str):  # could not be resolved: judge by its words
        return any(each in wanted for each in re.findall(r"\w+", annotation))
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return any(base.__name__ in wanted for base in annotation.__mro__)
    parts = (typing.get_origin(annotation), *typing.get_args(annotation))
    return any(_names(each, wanted) for each in parts if each is not None)


def location_of(task: Any) -> str:
    """`file:line` of a task, or an empty string; slow, so for messages only."""
    target = inspect.unwrap(task)
    code = getattr(target, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:
        return f"{inspect.getsourcefile(target)}:{inspect.getsourcelines(target)[1]}"
    except (OSError, TypeError):
        return ""


def type_mismatch(value: object, annotation: object) -> str:
    """What `annotation` allows when `value` is surely something else, else an empty string.

    Only what is certain is reported: built-in scalars and containers, None, literals and
    unions of them. An int fits `float`, a tuple fits `list`, and every other annotation fits all.
    """
    if type(value) is annotation:
        return ""
    try:
        allowed = _alternatives(annotation)
    except TypeError:  # an annotation with unhashable parts
        allowed = tuple(_allowed(annotation))
    if not allowed or any(_fits(value, each) for each in allowed):
        return ""
    return " | ".join(_shown(each) for each in allowed)


_CHECKED: Final[Mapping[object, tuple[type, ...]]] = {
    int: (int,),
    float: (float, int),
    complex: (complex, float, int),
    str: (str,),
    bytes: (bytes, bytearray),
    bool: (bool,),
    list: (list, tuple),
    tuple: (tuple, list),
    dict: (dict,),
    set: (set, frozenset),
    NoneType: (NoneType,),
}


@functools.lru_cache(maxsize=512)
def _alternatives(annotation: object) -> tuple[object, ...]:
    return tuple(_allowed(annotation))


def _allowed(annotation: object) -> Iterator[object]:
    """The alternatives of an annotation; nothing at all when one of them cannot be judged."""
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        told = [each for each in typing.get_args(annotation) if not _names(each, _FAILURES)]
        inner = [list(_allowed(each)) for each in told]
        if all(inner):
            yield from (each for alternatives in inner for each in alternatives)
    elif typing.get_origin(annotation) is Literal:
        yield annotation
    elif annotation is None:
        yield NoneType
    else:
        origin = typing.get_origin(annotation) or annotation
        if isinstance(origin, type) and origin in _CHECKED:
            yield origin


def _fits(value: object, allowed: object) -> bool:
    if typing.get_origin(allowed) is Literal:
        return value in typing.get_args(allowed)
    if isinstance(value, bool):
        return allowed is bool
    return isinstance(_as_plain(value), _CHECKED[allowed])


def _as_plain(value: Any) -> object:
    """The Python number for a numpy scalar."""
    is_numpy = type(value).__module__ == "numpy" and not hasattr(value, "__len__")
    return value.item() if is_numpy and hasattr(value, "item") else value


def _shown(allowed: object) -> str:
    if typing.get_origin(allowed) is Literal:
        return repr(allowed).replace("typing.", "")
    return "None" if allowed is NoneType else getattr(allowed, "__name__", str(allowed))
