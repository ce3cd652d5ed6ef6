"""Which results were made by other code than the present one, and what is done with them?"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, Final

from flowlib.code_policy import OnCodeChange, checked_code_policy
from flowlib.configuration import settings
from flowlib.declaration import Declaration
from flowlib.errors import CodeChanged
from flowlib.fingerprint import CODE, Fingerprints, differs
from flowlib.node import Node
from stores import Status

_MOST_NAMED: Final = 5
_PLAIN: Final = frozenset({bool, int, float, complex, str, bytes, type(None)})


def code_of(node: Node) -> tuple[Callable[..., object], ...]:
    """The task of a node, and the functions and classes that its config gives to it."""
    given: list[Callable[..., object]] = []
    for argument in node.arguments:
        if argument.full_text is not None and not _is_data(argument.value):
            given += _code_in(argument.value)
    return (node.declaration.task, *given)


def _is_data(value: Any) -> bool:
    """Whether there is surely no code in a value, as in most: asked for every node."""
    kind = type(value)
    if kind is dict:  # in most dicts nothing needs a second look
        inner = value.values()
        is_flat = _PLAIN.issuperset(map(type, inner))
        return _PLAIN.issuperset(map(type, value)) and (is_flat or all(map(_is_data, inner)))
    return kind in _PLAIN or (kind in (list, tuple) and all(map(_is_data, value)))


def _code_in(value: object) -> Iterator[Callable[..., object]]:
    """Functions and classes inside of a value, in an order that does not depend on chance."""
    if type(value) in _PLAIN:
        return
    if isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            yield from _code_in(value[key])
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _code_in(each)
    elif not isinstance(value, (set, frozenset)):
        yield value if isinstance(value, (FunctionType, type)) else type(value)


class CodeChanges:
    """Compares code for one plan; each task is looked at once.

    The argument of a call decides, or else the spec, or else the setting.

    Args:
        wanted: The argument of the call.
        fingerprints: What is known of the present code; None if it is to be found out.

    Raises:
        ValueError: `wanted` is no such policy.

    Attributes:
        fingerprints: Of the present code.
    """

    def __init__(self, wanted: str | None = None, fingerprints: Fingerprints | None = None) -> None:
        self._wanted = checked_code_policy(wanted)
        self._default = OnCodeChange(settings().on_code_change)
        self._policies: dict[Declaration, OnCodeChange] = {}
        self._changed: dict[str, Node] = {}
        self.fingerprints = Fingerprints() if fingerprints is None else fingerprints

    def policy(self, declaration: Declaration) -> OnCodeChange:
        """What is done with results of a spec that other code has made."""
        known = self._policies.get(declaration)
        if known is None:
            own = declaration.options.on_code_change
            known = self._policies[declaration] = self._wanted or own or self._default
        return known

    def is_outdated(self, node: Node, status: Status) -> bool:
        """Whether a result is to be computed again, because of its code alone."""
        recorded = status.facts.get(CODE, "")
        policy = self.policy(node.declaration)
        if not recorded or policy is OnCodeChange.IGNORE:
            return False
        if not differs(recorded, self.fingerprints.fact(*code_of(node))):
            return False
        if policy is OnCodeChange.RERUN:
            return True
        self._changed[node.key] = node
        return False

    def used(self, keys: Iterable[str]) -> tuple[Node, ...]:
        """The nodes among these whose results are used although their code has changed.

        Raises:
            CodeChanged: there are some that are not to be used, nor to be computed again.
        """
        found = [self._changed[key] for key in keys if key in self._changed]
        refused = [each for each in found if self.policy(each.declaration) is OnCodeChange.ERROR]
        if refused:
            raise CodeChanged(
                f'nothing was run, under on_code_change="error": the code of {_counted(refused)} '
                f"has changed since the results were computed. {_cures(refused)}"
            )
        return tuple(found)


def note_on(
    changed: tuple[Node, ...], again: Sequence[str] = (), look: Sequence[str] = ()
) -> tuple[str, ...]:
    """The line about results that are used although their code has changed; none without any.

    Args:
        changed: The nodes.
        again: The words of the command that runs the flow again, if one does.
        look: The words that look into the store, as `RunCommand.seen_by` has them.
    """
    if not changed:
        return ()
    cures = _commands(changed, again, look) if again and look else _cures(changed)
    return (
        f"the code of {_counted(changed)} has changed since the results were computed, which are "
        f"used all the same. {cures}",
    )


def _commands(changed: tuple[Node, ...], again: Sequence[str], look: Sequence[str]) -> str:
    """What to type, where a command runs the flow."""
    program, *store = look
    names = dict.fromkeys(node.name for node in changed)
    return (
        f"Compute again: {shlex.join([*again, '--on-code-change', 'rerun'])} "
        f"· keep for good: {shlex.join([program, 'accept', *names, *store])} "
        f"· what differs: {shlex.join([program, 'why', str(changed[0].address), *store])}"
    )


def _counted(nodes: Iterable[Node]) -> str:
    counts = Counter(node.name for node in nodes)
    named = [f"{name} ×{count}" for name, count in [*counts.items()][:_MOST_NAMED]]
    hidden = len(counts) - len(named)
    return ", ".join(named) + (f" and {hidden} more specs" if hidden else "")


def _cures(nodes: Iterable[Node]) -> str:
    """What to write, or to add to a command."""
    first = next(iter(nodes))
    name, id_ = first.name, str(first.address)
    return (
        f'Compute again: on_code_change="rerun" (--on-code-change rerun), or force="{name}+". '
        f'Keep for good: flow.accept("{name}") (flowlib accept {name}). '
        f'What differs: flow.plan().why("{id_}") (flowlib why {id_})'
    )
