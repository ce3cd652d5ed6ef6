"""Which specs does a flow hold, and under which names?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flowlib.decorated import Decorated
from flowlib.errors import GraphError, nearest
from flowlib.spec import TaskSpec

Given = Sequence[TaskSpec] | Mapping[str, TaskSpec | Sequence[TaskSpec]]
"""Specs in order, or by names that the user gives."""


class Members(Mapping[str, Any]):
    """The specs that a flow was given, by name: one spec, or a list where a name has several.

    Args:
        given: Specs, which are called as they call themselves; or a mapping from name to spec
            or specs.

    Attributes:
        specs: All of them, in order, each once.
        labels: The names that the user gave, by the id of the spec.

    Raises:
        TypeError: something else is given.
        GraphError: a name is empty, or has no specs.
    """

    def __init__(self, given: Given) -> None:
        if isinstance(given, Mapping):
            named = {name: _checked(name, each) for name, each in given.items()}
            self._by_name: dict[str, TaskSpec | list[TaskSpec]] = named
        else:
            self._by_name = _by_own_names(given)
        listed = [each for held in self._by_name.values() for each in _as_list(held)]
        self.specs: list[TaskSpec] = list({id(each): each for each in listed}.values())
        self.labels: dict[int, str] = {}
        if isinstance(given, Mapping):
            for name, held in self._by_name.items():
                for each in _as_list(held):
                    if each.name != name:
                        self.labels.setdefault(id(each), name)

    def __getitem__(self, name: str) -> Any:
        held = self._by_name.get(name)
        if held is None:
            raise KeyError(
                f"this flow has no {name!r}.{nearest(str(name), self._by_name)} "
                f"It has: {', '.join(self._by_name)}"
            )
        return list(held) if isinstance(held, list) else held

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def names(self) -> dict[int, list[str]]:
        """What the specs are called here, by their id."""
        found: dict[int, list[str]] = {}
        for name, held in self._by_name.items():
            for each in _as_list(held):
                found.setdefault(id(each), []).append(name)
        return found


def _checked(name: object, held: object) -> TaskSpec | list[TaskSpec]:
    if not isinstance(name, str) or not name:
        raise GraphError(f"a spec is called {name!r} in Flow({{…}}): a name is text, not empty")
    if isinstance(held, TaskSpec):
        return held
    if isinstance(held, (list, tuple)) and all(isinstance(each, TaskSpec) for each in held):
        if not held:
            raise GraphError(f"{name!r} has no specs: leave it out, or give it one")
        return list(held)
    if isinstance(held, Mapping):
        raise TypeError(f"{name!r} is a mapping itself: unpack it, Flow({{…, **{name}}})")
    raise TypeError(f"{name!r} is a spec or a list of specs, not {held!r}")


def _by_own_names(given: object) -> dict[str, TaskSpec | list[TaskSpec]]:
    is_list = isinstance(given, Iterable) and not isinstance(given, TaskSpec)
    specs = list(given) if is_list else []  # type: ignore[call-overload]  # it is one
    if not is_list or not all(isinstance(each, TaskSpec) for each in specs):
        uncalled = [each for each in (given, *specs) if isinstance(each, Decorated)]
        hint = f": a call of it is a spec, {uncalled[0].__name__}(…)" if uncalled else ""
        if classes := [each for each in specs if isinstance(each, type)]:
            hint = f": TaskSpec({classes[0].__name__}, config) is a spec of it"
        raise TypeError(
            f"Flow takes a list of TaskSpecs, or a mapping to them, not {given!r}{hint}"
        )
    found: dict[str, list[TaskSpec]] = {}
    for each in specs:
        label: str | None = getattr(each, "label", None)
        name = each.name if label is None else label
        if name in found:
            found[name].append(each)
        else:
            found[name] = [each]
    return {name: held[0] if len(held) == 1 else held for name, held in found.items()}


def _as_list(held: TaskSpec | list[TaskSpec]) -> list[TaskSpec]:
    return held if isinstance(held, list) else [held]
