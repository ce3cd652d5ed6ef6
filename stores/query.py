"""Which records are meant? By task, key, state, config, time and words: all of it has to hold."""

from __future__ import annotations

import fnmatch
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, fields
from typing import Any, Final, TypedDict, Unpack

from stores.config_paths import Path, same_text
from stores.errors import QueryError, nearest
from stores.lazy_dataclass import dataclass
from stores.moments import When, moment
from stores.record import Address, Record, TaskState

Value = object
State = TaskState | str


class Criteria(TypedDict, total=False):
    """What `store.records` and the like take as keyword arguments.

    Attributes:
        task: Name of the task, or a glob over names: `Train*`.
        keys: Keys, or beginnings of them; one, or several of which any may fit.
        state: A state, or several of which any may be the record's.
        where: Values in the config by path: `{"lr": 1e-3, "model.depth": [3, 5]}`. Of a list any
            may be there (`[[64, 64]]` is one choice, a list); a function is asked. Defaults are
            part of the config. `Load.n` means the `n` of the task itself or of a `Load` upstream.
            Numbers are compared by value (1 is 1.0, but not True), all else with its type.
        since: Attempts that ended then or later.
        until: Attempts that ended before; on this day or before, if it is a date.
        text: Words that all occur in the address, the config (as `lr=0.1`), the names of the run
            or the error, in any case.
    """

    task: str | None
    keys: str | Iterable[str] | None
    state: State | Iterable[State] | None
    where: Mapping[Path, Value] | None
    since: When | None
    until: When | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """What a config has to hold at a path.

    Attributes:
        path: Dotted keys, or a tuple of steps.
        texts: `same_text` of the values of which any may be there; None if a function decides.
        accepts: That function.
    """

    path: Path
    texts: frozenset[str] | None = None
    accepts: Callable[[Any], object] | None = None

    def holds_for(self, value: object) -> bool:
        """Whether a value of a config is wanted."""
        if self.accepts is not None:
            return bool(self.accepts(value))
        return self.texts is not None and same_text(value) in self.texts


@dataclass(frozen=True, slots=True)
class Query:
    """Criteria, checked. `Query.of` makes one.

    Attributes:
        task: Name of a task or glob over names; None for all.
        keys: Keys or beginnings of keys of which one has to fit; None for all.
        addresses: The only records that may fit; None for all.
        states: The states that fit; None for all.
        conditions: What configs have to hold.
        since: Unix time from which on the attempt that counts ended.
        until: Unix time before which it ended.
        words: Texts that have to occur, in lower case.
    """

    task: str | None = None
    keys: tuple[str, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    states: frozenset[TaskState] | None = None
    conditions: tuple[Condition, ...] = ()
    since: float | None = None
    until: float | None = None
    words: tuple[str, ...] = ()
    _among: frozenset[Address] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.addresses is not None:  # thousands, each asked for
            object.__setattr__(self, "_among", frozenset(self.addresses))

    @classmethod
    def of(cls, what: What = None, **criteria: Unpack[Criteria]) -> Query:
        """The query that a user means.

        Args:
            what: A glob over task names, `Train/9a7a08b2`, an address or record, several of them,
                or a query.
            **criteria: What has to hold, too.

        Raises:
            QueryError: a criterion is unknown, or its value is none.
        """
        if unknown := sorted(criteria.keys() - Criteria.__annotations__.keys()):
            known = sorted(Criteria.__annotations__)
            raise QueryError(
                f"records are not found by {unknown[0]!r}.{nearest(unknown[0], known)} "
                f"There are: {', '.join(known)}"
            )
        if isinstance(what, Query):
            if criteria:
                raise QueryError("give a query, or criteria, but not both")
            return what
        task, keys, addresses = _meant(what)
        if task is not None and criteria.get("task") is not None:
            raise QueryError(f"the task is given twice: {task!r} and {criteria['task']!r}")
        return cls(
            task=task if task is not None else criteria.get("task"),
            keys=keys if keys is not None else _texts(criteria.get("keys"), "keys"),
            addresses=addresses,
            states=_states(criteria.get("state")),
            conditions=_conditions(criteria.get("where")),
            since=_moment(criteria.get("since"), "since"),
            until=_moment(criteria.get("until"), "until", is_end=True),
            words=tuple((criteria.get("text") or "").casefold().split()),
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing is asked for, so that every record fits."""
        return self == Query()

    @property
    def is_about_places(self) -> bool:
        """Whether address, task and key alone decide, so that no record has to be read."""
        return self == Query(self.task, self.keys, self.addresses)

    @property
    def only_task(self) -> str | None:
        """The one task whose records fit; None if it may be several."""
        return self.task if self.task is not None and not set(self.task) & _GLOB else None

    def may_be_at(self, address: Address) -> bool:
        """Whether the record at an address may fit, as far as its task and key tell."""
        if self._among is not None and address not in self._among:
            return False
        if self.keys is not None and not address.key.startswith(self.keys):
            return False
        task = self.task
        return task is None or task == address.task or fnmatch.fnmatchcase(address.task, task)

    def __str__(self) -> str:
        shown = ((each.name, getattr(self, each.name)) for each in fields(self) if each.init)
        given = [f"{name}={value!r}" for name, value in shown if value not in (None, ())]
        return ", ".join(given) or "everything"


What = str | Address | Record | Iterable[Address | Record] | Query | None
"""How a user says which records are meant: see `Query.of`."""

_GLOB: Final = frozenset("*?[")
_HEX: Final = frozenset(string.hexdigits.lower())


def _meant(
    what: str | Address | Record | Iterable[Address | Record] | None,
) -> tuple[str | None, tuple[str, ...] | None, tuple[Address, ...] | None]:
    """Task, keys and addresses."""
    if what is None:
        return None, None, None
    if isinstance(what, str):
        task, slash, key = what.rpartition("/")
        is_id = slash and 4 <= len(key) <= 32 and set(key) <= _HEX
        return (task, (key,), None) if is_id else (what, None, None)
    several = [what] if isinstance(what, (Address, Record)) else list(what)
    return None, None, tuple(sorted({_address(each) for each in several}))


def _address(each: object) -> Address:
    if isinstance(each, Record):
        return each.address
    if not isinstance(each, Address):
        cure = f": store.find({each!r}) gives it" if isinstance(each, str) else ""
        raise QueryError(f"{each!r} is neither a record nor the address of one{cure}")
    return each


def _texts(given: str | Iterable[str] | None, name: str) -> tuple[str, ...] | None:
    if given is None:
        return None
    found = (given,) if isinstance(given, str) else tuple(given)
    if wrong := [each for each in found if not isinstance(each, str) or not each]:
        raise QueryError(f"{name} holds {wrong[0]!r}, which is no text")
    return found


def _states(given: State | Iterable[State] | None) -> frozenset[TaskState] | None:
    if given is None:
        return None
    several = [given] if isinstance(given, str) else list(given)
    known = [each.value for each in TaskState]
    for each in several:
        if each not in known:
            hint = nearest(str(each), known)
            raise QueryError(f"there is no state {each!r}; choose of {', '.join(known)}.{hint}")
    return frozenset(map(TaskState, several))


def _conditions(where: Mapping[Path, Value] | None) -> tuple[Condition, ...]:
    if where is None:
        return ()
    if not isinstance(where, Mapping):
        raise QueryError(f"where is {where!r}; give values by path: {{'lr': 0.1}}")
    return tuple(_condition(path, value) for path, value in where.items())


def _condition(path: Path, value: Value) -> Condition:
    steps = path if isinstance(path, tuple) else (path,)
    if not steps or not all(isinstance(each, str) and each for each in steps):
        raise QueryError(f"where has the path {path!r}; give dotted keys, or a tuple of keys")
    if callable(value) and not isinstance(value, type):
        return Condition(path, accepts=value)
    choices = value if isinstance(value, list) else [value]
    return Condition(path, frozenset(map(same_text, choices)))


def _moment(when: When | None, name: str, *, is_end: bool = False) -> float | None:
    return None if when is None else moment(when, name, is_end=is_end)
