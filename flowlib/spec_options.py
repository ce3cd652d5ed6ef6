"""What do the options of a spec mean? Each is checked as soon as the spec is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypedDict

from flowlib.code_policy import code_policy_of
from flowlib.declaration import Options
from flowlib.errors import SpecError, nearest
from flowlib.policy import limit_of, retries_of
from flowlib.spec_checks import (
    checked_demand,
    executor_options_of,
    hooks_of,
    store_name_of,
)
from flowlib.tolerance import tolerance_of


class OptionArguments(TypedDict, total=False):
    """The options of a spec, as `TaskSpec` tells of them; no part of the identity."""

    resources: Mapping[str, float | str] | None
    retries: int | Mapping[str, int]
    retry_pause: float | str
    timeout: float | str | None
    wait_timeout: float | str | None
    fresh_process: bool
    priority: int
    tags: Iterable[str]
    on_failure: str | None
    min_ok: float | None
    before: Callable[[Any], object] | Iterable[Callable[[Any], object]]
    on_code_change: str | None
    store: str | None
    executor_options: Mapping[str, Mapping[str, Any]] | None


_FIELDS: Final[Mapping[str, str]] = {
    "retry_pause": "retries",
    "timeout": "timeout_s",
    "wait_timeout": "wait_timeout_s",
    "on_failure": "tolerance",
    "min_ok": "tolerance",
}
"""Which field of `Options` an argument is in, where it is called otherwise."""


def field_of(argument: str) -> str:
    """The field of `Options` that an argument is in."""
    return _FIELDS.get(argument, argument)


def options_of(name: str, given: Mapping[str, Any], *, is_reduce: bool) -> Options:
    """The options of a spec.

    Args:
        name: Of the spec, for errors.
        given: Some of `OptionArguments`.
        is_reduce: Whether the spec gathers what it reads.

    Raises:
        SpecError: a value is none, or there is no such option.
    """
    known = OptionArguments.__annotations__
    if unknown := [each for each in given if each not in known]:
        raise SpecError(
            f"{name}: there is no option {unknown[0]!r}.{nearest(unknown[0], known)} "
            f"There are: {', '.join(known)}"
        )
    options = Options(
        resources=checked_demand(name, given.get("resources")),
        retries=retries_of(name, given.get("retries", 0), given.get("retry_pause", 0.0)),
        timeout_s=limit_of(name, "timeout", given.get("timeout")),
        wait_timeout_s=limit_of(name, "wait_timeout", given.get("wait_timeout")),
        fresh_process=given.get("fresh_process", False),
        priority=given.get("priority", 0),
        tags=_tags_of(name, given.get("tags", ())),
        tolerance=tolerance_of(
            name, given.get("on_failure"), given.get("min_ok"), is_reduce=is_reduce
        ),
        before=hooks_of(name, given.get("before", ())),
        on_code_change=code_policy_of(name, given.get("on_code_change")),
        store=store_name_of(name, given.get("store")),
        executor_options=executor_options_of(name, given.get("executor_options")),
    )
    if not isinstance(options.priority, int):
        raise SpecError(f"{name}: priority is {options.priority!r}; give an int")
    if options.fresh_process not in (True, False):
        raise SpecError(f"{name}: fresh_process is {options.fresh_process!r}; give True or False")
    return options


def _tags_of(name: str, tags: object) -> tuple[str, ...]:
    found = (tags,) if isinstance(tags, str) else tags
    if not isinstance(found, Iterable) or not all(isinstance(each, str) for each in found):
        raise SpecError(f"{name}: tags is {tags!r}; give a word, or a list of words")
    return tuple(found)


def option_values(options: Options) -> dict[str, Any]:
    """The options of a spec by the names that users give them, but for `before`."""
    tolerance, retries = options.tolerance, options.retries
    by_kind = {kind.value: count for kind, count in retries.by_kind}
    policy = options.on_code_change
    return {
        "resources": None if options.resources is None else dict(options.resources),
        "retries": by_kind if retries.total is None else retries.total,
        "retry_pause": retries.pause_s,
        "timeout": options.timeout_s,
        "wait_timeout": options.wait_timeout_s,
        "fresh_process": options.fresh_process,
        "priority": options.priority,
        "tags": list(options.tags),
        "on_failure": tolerance.on_failure.value if tolerance.is_given else None,
        "min_ok": tolerance.min_ok,
        "on_code_change": None if policy is None else policy.value,
        "store": options.store,
        "executor_options": {name: dict(each) for name, each in options.executor_options.items()},
    }


def changed_options(
    name: str, options: Options, changes: Mapping[str, Any], *, is_reduce: bool
) -> Options:
    """`options` with those that are named changed.

    Raises:
        SpecError: a value is none, or there is no such option.
    """
    made = options_of(name, changes, is_reduce=is_reduce)
    named = {field_of(each) for each in changes}
    return replace(options, **{each: getattr(made, each) for each in named})
