"""With which arguments can a task be called, and how are they handed to it?"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from flowlib.decorated import function_of
from flowlib.errors import CallError, nearest
from flowlib.field_defaults import field_hints
from flowlib.signature import (
    Signature,
    is_task_class,
    lazy_names,
    location_of,
    parameter_of,
    promised_in,
    signature_of,
)

_ROOT: Final = re.compile(r"[.\[]")
_BY_POSITION: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Ignore:
    """Marks a parameter that is no part of the identity: `Annotated[bool, Ignore]`."""


class Parameters:
    """The parameters of a task that calls give: those of a function, without `task`.

    Those of a class are the parameters of `run`, then those of `__init__` (or its fields).

    Args:
        task: A function, decorated or not, or a class derived from `Task`.
        name: What to call it in errors.
        require: Parameters that have to be given although they have a default.

    Raises:
        CallError: `run` and `__init__` have a parameter of one name; or `require` names none.
    """

    def __init__(self, task: Callable[..., object], name: str, require: Iterable[str] = ()) -> None:
        self._task = task
        self._name = name
        found = _class_parameters(task) if is_task_class(task) else _function_parameters(task)
        kinds = {each.name: each.kind for each in found}
        self._positional = tuple(n for n, kind in kinds.items() if kind in _BY_POSITION)
        self._rest = next(
            (n for n, k in kinds.items() if k is inspect.Parameter.VAR_POSITIONAL), ""
        )
        self._takes_any = inspect.Parameter.VAR_KEYWORD in kinds.values()
        named = (*_BY_POSITION[1:], inspect.Parameter.KEYWORD_ONLY)
        self._by_name = frozenset(n for n, kind in kinds.items() if kind in named)
        givable = {n for n, kind in kinds.items() if kind is not inspect.Parameter.VAR_KEYWORD}
        self.check_names("require", require, givable)
        can_miss = {each.name for each in found if each.default is not each.empty}
        promised = {n: spec for n, spec in promised_in(task).items() if n not in {*require}}
        self._required = (givable - can_miss - {self._rest} - {*promised}) | {*require}
        self._promised = promised
        self.givable: frozenset[str] = frozenset(givable)

    def check_names(self, option: str, names: Iterable[str], known: Iterable[str]) -> None:
        """Refuse names of parameters that there are not."""
        if isinstance(names, str):
            raise CallError(f"{self._name}: {option} is a list of parameters, not {names!r}")
        for each in names:
            if each not in {*known}:
                raise CallError(
                    f"{self._name}: {option} names {each!r}, which is no parameter of "
                    f"{self._where}.{nearest(str(each), known)}"
                )

    def bound(self, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
        """The arguments by parameter, as far as they are given.

        Raises:
            CallError: there are too many, some are missing or unknown.
        """
        given: dict[str, object] = dict(zip(self._positional, args, strict=False))
        if len(args) > len(self._positional):
            if not self._rest:
                raise CallError(
                    f"{self._name}() takes {len(self._positional)} arguments by position, "
                    f"but {len(args)} were given ({self._where})"
                )
            given[self._rest] = tuple(args[len(self._positional) :])
        for name, value in kwargs.items():
            if name in given or not (name in self._by_name or self._takes_any):
                self._refuse(name, given)
            given[name] = value
        if self._promised:
            given = {**self._promised, **given}
        self.check(given)
        return given

    def check(self, given: Mapping[str, object]) -> None:
        """Refuse arguments of which some are missing.

        Raises:
            CallError: they are.
        """
        if not self._required <= given.keys():
            missing = [name for name in self.givable if name in self._required - given.keys()]
            raise CallError(
                f"{self._name}() is missing {', '.join(sorted(missing))} ({self._where})"
            )

    def _refuse(self, name: str, given: Mapping[str, object]) -> typing.NoReturn:
        if name in given:
            raise CallError(f"{self._name}() got {name!r} twice ({self._where})")
        if name in self.givable:
            raise CallError(f"{self._name}() takes {name!r} by position only ({self._where})")
        takes = ", ".join(sorted(self.givable)) or "none"
        raise CallError(
            f"{self._name}() got {name!r}, which is not a parameter of {self._where}."
            f"{nearest(name, self.givable)} It takes: {takes}"
        )

    @property
    def _where(self) -> str:
        location = location_of(function_of(self._task))
        task = getattr(self._task, "__name__", str(self._task))
        return f"{task}, {location}" if location else task


def call_signature(task: Callable[..., object]) -> Signature:
    """What calls of a task give it: everything, nothing comes from predecessors."""
    if is_task_class(task):
        known = signature_of(task, frozenset())
        of_run = {name: parameter_of(each) for name, each in known.expects.items()}
        return Signature(
            config={**of_run, **known.config},
            takes_any_config=known.takes_any_config,
            expects={},
            lazy=lazy_names(known.expects) | lazy_names(known.config),
            wants_task=False,
            sets_attributes=known.sets_attributes,
            tolerant=known.tolerant,
        )
    found = _function_parameters(task)
    hints = signature_of(task, frozenset()).config
    config = {
        each.name: hints.get(each.name) or parameter_of(each.replace(annotation=each.empty), ())
        for each in found
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    }
    known = signature_of(task, frozenset())
    return Signature(
        config=config,
        takes_any_config=known.takes_any_config,
        expects={},
        lazy=lazy_names(config),
        wants_task=known.wants_task,
        sets_attributes=False,
        tolerant=known.tolerant,
    )


def ignored_by_annotation(task: Callable[..., object]) -> frozenset[str]:
    """The parameters that are annotated `Annotated[T, Ignore]`."""
    owners = [task.run, task.__init__] if is_task_class(task) else [function_of(task)]
    hinted = [field_hints(base, include_extras=True) for base in getattr(task, "__mro__", ())]
    for owner in owners:
        try:
            hinted.append(typing.get_type_hints(owner, include_extras=True))
        except (NameError, TypeError, AttributeError, SyntaxError):
            continue  # an annotation that cannot be resolved marks nothing
    return frozenset(
        name
        for hints in hinted
        for name, hint in hints.items()
        if any(mark is Ignore or isinstance(mark, Ignore) for mark in _marks(hint))
    )


@functools.lru_cache(maxsize=1024)
def _signature(function: Callable[..., object]) -> inspect.Signature:
    return inspect.signature(function)


def handed(
    function: Callable[..., object], arguments: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a function by position and by name, from those by parameter."""
    found = _signature(function).parameters.values()
    rest = next((p.name for p in found if p.kind is inspect.Parameter.VAR_POSITIONAL), None)
    has_rest = rest is not None and rest in arguments
    by_name = dict(arguments)
    by_position: list[Any] = []
    for each in found:
        is_needed = each.kind is inspect.Parameter.POSITIONAL_ONLY or (
            has_rest and each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        if is_needed and (each.name in by_name or has_rest):
            by_position.append(by_name.pop(each.name, each.default))
    if rest is not None and has_rest:
        by_position.extend(by_name.pop(rest))
    return by_position, by_name


def task_parameters(task: type) -> frozenset[str]:
    """The parameters of a class that go to `run`, not to `__init__`."""
    return frozenset(signature_of(task, frozenset()).expects)


def root_of(path: str) -> str:
    """The parameter in which a path begins: `data` of `data.parts[0]`."""
    return _ROOT.split(path, maxsplit=1)[0]


def _marks(hint: object) -> tuple[object, ...]:
    return getattr(hint, "__metadata__", ())


def _function_parameters(task: Callable[..., object]) -> list[inspect.Parameter]:
    every = inspect.signature(function_of(task)).parameters.values()
    return [each for each in every if each.name != "task"]


def _class_parameters(task: type) -> list[inspect.Parameter]:
    known = signature_of(task, frozenset())
    if doubled := sorted(known.expects.keys() & known.config.keys()):
        raise CallError(
            f"{task.__name__}.spec(): run and __init__ both have a parameter {doubled[0]!r}, so "
            f"nobody knows which is meant: rename one of them"
        )
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [
        inspect.Parameter(each.name, kind, default=each.default) for each in known.config.values()
    ]
    rest = [inspect.Parameter("config", inspect.Parameter.VAR_KEYWORD)]
    return [*known.expects.values(), *own, *(rest if known.takes_any_config else [])]
