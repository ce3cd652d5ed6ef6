"""Which part of what a spec gives is meant by `spec["model"][0]`, and where does it go?"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from flowlib.direct_use import Computable
from flowlib.errors import SpecError
from stores.canonical import Opaque

if TYPE_CHECKING:
    Anything = Any
else:

    class Anything:
        """What stands where a value of any type is expected, until there is one."""

        __slots__ = ()


SLOT: Final = "input"
"""The tag of a slot in canonical texts: `{"$input":["data","model",0]}`."""

Step = Any
"""The key or the number of an item, of any type that has a canonical text."""


class Item(Computable, Anything):  # type: ignore[misc]  # a value of any type may be promised
    """A part of the value of a spec, to be an argument of a call.

    Args:
        source: The spec.
        steps: From its value to the part: `spec["model"][0]` has the steps `"model"` and 0.

    Attributes:
        source: The same.
        steps: The same.
    """

    __slots__ = ("source", "steps")

    def __init__(self, source: object, steps: tuple[Step, ...]) -> None:
        self.source = source
        self.steps = steps

    def __getitem__(self, step: Step) -> Item:
        return Item(self.source, (*self.steps, step))

    def __iter__(self) -> NoReturn:
        raise not_iterable(self)

    def __repr__(self) -> str:
        return f"{self.source!r}{steps_text(self.steps)}"

    def __flowlib_identity__(self) -> NoReturn:
        raise misplaced(self)


def steps_text(steps: tuple[Step, ...]) -> str:
    """Steps as they are written: `['model'][0]`."""
    return "".join(f"[{step!r}]" for step in steps)


def not_iterable(promised: object) -> TypeError:
    """The error of who wants to walk through what is not computed yet."""
    return TypeError(
        f"{promised!r} has no values before it has run, so nobody knows how many: name its items, "
        f"spec[0], spec[1], or let another task take it as it is"
    )


def misplaced(promised: object) -> SpecError:
    """The error of who puts a spec where its value cannot be put in its place."""
    return SpecError(
        f"{promised!r} can be an argument of a call of a @task function, or stand in one: in "
        f"lists, tuples, dicts and dataclasses, and nowhere else. A TaskSpec reads from the specs "
        f"that it requires()"
    )


def slot(role: str, steps: tuple[Step, ...]) -> Opaque:
    """Stands in the argument of a call for the value of a spec, or a part of it.

    Args:
        role: As what the call reads the spec: the path of the argument, `data` or `parts[2].x`.
        steps: From the value to the part.
    """
    return Opaque(SLOT, [role, *steps])


def is_slot(value: object) -> bool:
    """Whether a value is what `slot` gives."""
    return type(value) is Opaque and value.kind == SLOT


def slot_parts(value: Any) -> tuple[str, list[Step]]:
    """Role and steps of a slot."""
    role, *steps = value.content
    return role, steps


PLAIN: Final = frozenset({str, int, float, bool, bytes, complex, type(None)})
"""Types whose values hold nothing, and never change."""

Replace = Callable[[Any, str], object]


def replaced(value: Any, path: str, replace: Replace) -> object:
    """A copy of an argument at every depth, with its leaves replaced.

    Args:
        value: Lists, tuples, dicts, dataclasses and sets are copied, everything else is a leaf.
        path: Where it stands.
        replace: Gives what stands in the place of a leaf at a path; never asked for plain values.
    """
    if type(value) in PLAIN:
        return value
    copied = _COPIES.get(type(value), _copied_instance)
    return copied(value, path, replace)


def _copied_list(value: list[Any], path: str, replace: Replace) -> list[object]:
    return [
        each if type(each) in PLAIN else replaced(each, f"{path}[{index}]", replace)
        for index, each in enumerate(value)
    ]


def _copied_dict(value: dict[Any, Any], path: str, replace: Replace) -> dict[Any, object]:
    return {
        key: each if type(each) in PLAIN else replaced(each, below(path, key), replace)
        for key, each in value.items()
    }


_COPIES: Final[Mapping[type, Callable[[Any, str, Replace], object]]] = {
    list: _copied_list,
    tuple: lambda value, path, replace: tuple(_copied_list(value, path, replace)),
    dict: _copied_dict,
    set: lambda value, path, replace: set(value),
}


def _copied_instance(value: Any, path: str, replace: Replace) -> object:
    """A copy of what is of a class derived from these, or of a dataclass; else a leaf."""
    if _is_leaf(value):
        return replace(value, path)
    fields = fields_of(value)
    if fields is not None:
        held = {name: replaced(each, f"{path}.{name}", replace) for name, each in fields.items()}
        return with_fields(value, held)
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(_copied_list(list(value), path, replace))
    if isinstance(value, (dict, list)):
        made: Any = copy.copy(value)
        if isinstance(value, dict):
            dict.update(made, _copied_dict(value, path, replace))  # that of a Counter adds
        else:
            list.__setitem__(made, slice(None), _copied_list(value, path, replace))
        return made
    return replace(value, path)


def _is_leaf(value: object) -> bool:
    """Whether it is a class, a slot, or something with an identity of its own."""
    return isinstance(value, (type, Opaque)) or hasattr(value, "__flowlib_identity__")


def fields_of(value: object) -> dict[str, Any] | None:
    """What a dataclass holds; None for anything else, also for one with its own identity."""
    if not dataclasses.is_dataclass(value) or _is_leaf(value):
        return None
    names = [each.name for each in dataclasses.fields(value)]
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def with_fields(value: object, fields: Mapping[str, object]) -> object:
    """A copy of a dataclass that holds something else, made without asking its constructor."""
    made = copy.copy(value)
    for name, each in fields.items():
        object.__setattr__(made, name, each)
    return made


def below(path: str, key: object) -> str:
    """The path of an item of a dict; a key that is no name stands in brackets."""
    is_name = type(key) is str and key.isidentifier()
    return f"{path}.{key}" if is_name else f"{path}[{key!r}]"
