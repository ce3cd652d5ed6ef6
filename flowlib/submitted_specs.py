"""What is recorded of a spec that was submitted? Plain parts: a newer flowlib reads them, too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flowlib.declaration import Declaration, Options
from flowlib.decorated import function_of
from flowlib.later_specs import LaterSpecs
from flowlib.node import Argument
from flowlib.option_story import Asked, Said
from flowlib.parameters import call_signature
from flowlib.policy import FailureKind, Retries
from flowlib.signature import signature_of
from stores.canonical import qualified_name

Parts = Mapping[str, Any]

_NO_RETRIES: Final = Retries(by_kind=((FailureKind.PREEMPTED, 0),))

_KEPT: Final = (
    "name", "task", "version", "additional_kwargs", "reduce", "ignore_prefix", "is_call", "ignored",
)  # fmt: skip
"""The grid of a spec is expanded already; its signature is that of its task where it runs."""


def parts_of(declaration: Declaration) -> Parts:
    """A spec for another process."""
    prefix = declaration.ignore_prefix or ""
    given = {name.removeprefix(prefix) for name in declaration.config}
    return {
        **{name: getattr(declaration, name) for name in _KEPT},
        "given": sorted(given | declaration.additional_kwargs.keys()),
        "options": _flat(declaration.options),
    }


def declaration_of(parts: Parts) -> Declaration:
    """The spec again; what is not told of it is as in specs that say nothing."""
    task: Callable[..., object] = parts["task"]
    is_call = parts["is_call"]
    signature = call_signature(task) if is_call else signature_of(task, frozenset(parts["given"]))
    known = {name: parts[name] for name in _KEPT if name in parts}
    return Declaration(**known, signature=signature, options=_whole(Options, parts["options"]))


def without_retries(declaration: Declaration) -> Declaration:
    """The same spec, its tasks tried once, also when their process is taken away."""
    options = dataclasses.replace(declaration.options, retries=_NO_RETRIES)
    return dataclasses.replace(declaration, options=options)


def later_parts(later: LaterSpecs) -> Parts:
    """What holds for specs that tasks return, for another process."""
    numbers: dict[Asked | None, int | None] = {None: None}
    story: list[tuple[object, ...]] = []
    for each in later.story:
        if isinstance(each, Asked):
            story.append(("asked", numbers[each.within], each.pattern, dict(each.options)))
            numbers[each] = len(story) - 1
        else:
            story.append(("said", numbers[each.asked], dict(each.given), each.is_default))
    prefixes = (later.ignore_prefix, later.group_prefix)
    return {"story": story, "ignore_prefix": prefixes[0], "group_prefix": prefixes[1]}


def later_of(parts: Parts) -> LaterSpecs:
    """The same again."""
    story: list[Asked | Said] = []
    for kind, number, *rest in parts["story"]:
        asked: Any = None if number is None else story[number]
        story.append(Asked(asked, *rest) if kind == "asked" else Said(asked, *rest))
    return LaterSpecs(tuple(story), parts["ignore_prefix"], parts["group_prefix"])


def told_of_later(later: LaterSpecs) -> str:
    """The same as text that is equal for what is equal."""
    return repr(_as_texts(later_parts(later)))


def told_of(declaration: Declaration, text_of: Callable[[Argument], str]) -> str:
    """What makes another submission of the same keys: options, and values that are in no key.

    Args:
        declaration: The spec.
        text_of: Tells values apart.
    """
    options = {**_flat(declaration.options)}
    before = [qualified_name(each) for each in options.pop("before", ())]
    pairs = declaration.additional_kwargs.items()
    extra = sorted(text_of(Argument(name, value, None, None, None)) for name, value in pairs)
    task = qualified_name(function_of(declaration.task))
    return f"{declaration.name} {task} {sorted(options.items())!r} {before} {extra}"


def rows_of(arguments: Sequence[Argument]) -> list[tuple[Any, ...]]:
    """Arguments as plain parts."""
    return [(a.name, a.value, a.key_text, a.full_text, a.user_text) for a in arguments]


def arguments_of(rows: Sequence[tuple[Any, ...]]) -> list[Argument]:
    """The arguments again."""
    return [Argument(*row) for row in rows]


def _as_texts(thing: Any) -> Any:
    """Plain parts with names in the places of functions, whose `repr` is another each time."""
    if isinstance(thing, Mapping):
        return {name: _as_texts(each) for name, each in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_as_texts(each) for each in thing]
    return qualified_name(thing) if callable(thing) else thing


def _flat(thing: Any) -> dict[str, Any]:
    """The fields of a dataclass by name; those that are dataclasses themselves likewise."""
    values = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    return {n: _flat(v) if dataclasses.is_dataclass(v) else v for n, v in values.items()}


def _whole(kind: type[Any], fields: Mapping[str, Any]) -> Any:
    """The dataclass again; fields that are not told have their defaults."""
    usual = kind()
    known = {}
    for field in dataclasses.fields(kind):
        if field.name in fields:
            value, default = fields[field.name], getattr(usual, field.name)
            is_nested = dataclasses.is_dataclass(default)
            known[field.name] = _whole(type(default), value) if is_nested else value
    return kind(**known)
