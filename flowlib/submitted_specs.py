"""What is recorded of a spec that was submitted? Plain parts: a newer flowlib reads them, too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flowlib.declaration import Declaration, Options
from flowlib.decorated import function_of
from flowlib.node import Argument
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
