"""How do tasks and their parameters change? Declared changes, applied to the config of a record."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from flowlib.errors import MigrationError, nearest
from flowlib.items import SLOT, below
from stores import canonical
from stores.lazy_dataclass import dataclass

Path = tuple[str, ...]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Move:
    """A parameter of a task that has another place now."""

    task: str
    source: Path
    target: Path


@dataclass(frozen=True, slots=True)
class Addition:
    """A parameter that old results were computed with, in fact, with this value."""

    task: str
    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Deletion:
    """A parameter that there is no more; only where it had this value, if one is given."""

    task: str
    path: Path
    text: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """All that is declared, by the old names of the tasks.

    Attributes:
        tasks: New names of tasks.
        steps: What happens to parameters, in order.
    """

    tasks: Mapping[str, str]
    steps: tuple[Move | Addition | Deletion, ...]

    def of_task(self, task: str) -> list[Move | Addition | Deletion]:
        """What happens to the parameters of one task."""
        return [step for step in self.steps if step.task == task]


class NotMovable(MigrationError):
    """The config of a record does not allow a change; the message says why."""


class Config:
    """The config of one record while it is changed.

    Attributes:
        full: The whole of it.
        user: What the user gave.
        keyed: The parameters that enter the key.
        is_changed: Whether something has happened.
        roles: Of a call: as what it reads now what it has read under each role.
    """

    def __init__(
        self, full: Json, user: Json, keyed: Iterable[str], roles: Iterable[str] = ()
    ) -> None:
        self.full = full
        self.user = user
        self.keyed = set(keyed)
        self.is_changed = False
        self.roles = {role: role for role in roles}

    def apply(self, step: Move | Addition | Deletion) -> None:
        """Make one change, if it is not made already.

        Raises:
            NotMovable: old and new parameters are both there, a value is in the way, or what is
                removed was read from another task.
        """
        if isinstance(step, Move):
            self._move(step.source, step.target)
        elif isinstance(step, Addition):
            self._add(step.path, step.value)
        else:
            self._remove(step.path, step.text)

    def texts(self) -> dict[str, str]:
        """The canonical text of each parameter that enters the key."""
        return {name: dumped(self.full[name]) for name in sorted(self.keyed) if name in self.full}

    def _move(self, source: Path, target: Path) -> None:
        if not _has(self.full, source) and not self._roles_below(source):
            return
        if _has(self.full, target) or self._roles_below(target):
            raise NotMovable(f"it has both {'.'.join(source)} and {'.'.join(target)}")
        was_keyed = source[0] in self.keyed
        for config in (self.full, self.user):
            if _has(config, source):
                _put(config, target, _pop(config, source))
        self._settle(source[0])
        if was_keyed:
            self.keyed.add(target[0])
        self._rename_roles(source, target)
        self.is_changed = True

    def _rename_roles(self, source: Path, target: Path) -> None:
        """What a call reads stands at another place, and this is its role."""
        old, new = _role_of(source), _role_of(target)
        moved = {role: new + role.removeprefix(old) for role in self._roles_below(source)}
        for slot in [*_slots(self.full), *_slots(self.user)]:
            slot[0] = moved.get(slot[0], slot[0])
        self.roles = {first: moved.get(role, role) for first, role in self.roles.items()}

    def _roles_below(self, path: Path) -> list[str]:
        """The roles of what stands at a place, or in what stands there."""
        place = _role_of(path)
        below_it = (f"{place}.", f"{place}[")
        return [role for role in self.roles.values() if role == place or role.startswith(below_it)]

    def _add(self, path: Path, value: Any) -> None:
        if _has(self.full, path):
            return
        for config in (self.full, self.user):
            _put(config, path, value)
        self.keyed.add(path[0])
        self.is_changed = True

    def _remove(self, path: Path, text: str | None) -> None:
        if lost := self._roles_below(path):
            raise NotMovable(f"it has read another task as {lost[0]}, which cannot be removed")
        if not _has(self.full, path):
            return
        if text is not None and dumped(_get(self.full, path)) != text:
            raise NotMovable(f"its {'.'.join(path)} has another value")
        for config in (self.full, self.user):
            if _has(config, path):
                _pop(config, path)
        self._settle(path[0])
        self.is_changed = True

    def _settle(self, name: str) -> None:
        if name not in self.full:
            self.keyed.discard(name)


def declared(
    known: Collection[str],
    tasks: Mapping[str, str],
    moves: Mapping[str, str],
    additions: Mapping[str, object],
    removals: Mapping[str, object] | Iterable[str],
) -> Changes:
    """The changes that a user declares.

    Args:
        known: The tasks that the store has.
        tasks: New names by old ones.
        moves: New places of parameters by old ones, `{"Train.lr": "Train.optimizer.lr"}`.
        additions: Values by parameter.
        removals: Parameters, or the only values with which they are removed.

    Raises:
        MigrationError: a task is unknown, or a path names none.
    """
    there = set(known) | {old for old, new in tasks.items() if new in known}
    for task in tasks:
        _refuse_unknown(task, there)
    steps: list[Move | Addition | Deletion] = []
    for old, new in moves.items():
        (task, source), (other, target) = _split(old, there), _split(new, there)
        if other != task or source == target:
            raise MigrationError(
                f"{old!r} cannot become {new!r}: a parameter moves within its task, which goes "
                f"by its old name here"
            )
        steps.append(Move(task, source, target))
    is_by_value = isinstance(removals, Mapping)
    for path in [removals] if isinstance(removals, str) else removals:
        text = canonical.encode(removals[path]) if is_by_value else None  # type: ignore[index]  # a mapping
        steps.append(Deletion(*_split(path, there), text))
    for path, value in additions.items():
        steps.append(Addition(*_split(path, there), json.loads(canonical.encode(value, path))))
    return Changes(dict(tasks), tuple(steps))


def dumped(value: Any) -> str:
    """The canonical text of what was read from one."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _split(path: str, known: Collection[str]) -> tuple[str, Path]:
    """Task and parameter; the longest name of a task that fits."""
    for task in sorted(known, key=len, reverse=True):
        if path.startswith(f"{task}.") and len(path) > len(task) + 1:
            return task, tuple(path[len(task) + 1 :].split("."))
    if "." not in path:
        raise MigrationError(f"{path!r} names no parameter: write Task.parameter")
    _refuse_unknown(path.partition(".")[0], known)
    raise MigrationError(f"{path!r} names no parameter: write Task.parameter")


def _refuse_unknown(task: str, known: Collection[str]) -> None:
    if task not in known:
        names = ", ".join(sorted(known)) or "none"
        raise MigrationError(
            f"the store has no task {task!r}.{nearest(task, known)} It has: {names}"
        )


def _role_of(path: Path) -> str:
    return functools.reduce(below, path[1:], path[0])


def _slots(value: Any) -> Iterator[list[Any]]:
    """The contents of the slots in a config: role and steps of what a call reads."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict) and [*each] == [f"${SLOT}"]:
            yield each[f"${SLOT}"]
        elif isinstance(each, (dict, list)):
            stack += each.values() if isinstance(each, dict) else each


def _is_dict(value: Any) -> bool:
    """Whether a value of a canonical text is a dict, and not the tag of something else."""
    return isinstance(value, dict) and not any(key[:1] == "$" for key in value)


def _get(config: Json, path: Path) -> Any:
    value: Any = config
    for step in path:
        value = value[step]
    return value


def _has(config: Json, path: Path) -> bool:
    value: Any = config
    for step in path:
        if not _is_dict(value) or step not in value:
            return False
        value = value[step]
    return True


def _put(config: Json, path: Path, value: Any) -> None:
    inner = config
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
        if not _is_dict(inner):
            raise NotMovable(f"its {step} is no dict, so {'.'.join(path)} has no place")
    inner[path[-1]] = value


def _pop(config: Json, path: Path) -> Any:
    """Take a value out; dicts that become empty by that go, too."""
    holder = _get(config, path[:-1])
    value = holder.pop(path[-1])
    if not holder and len(path) > 1:
        _pop(config, path[:-1])
    return value
