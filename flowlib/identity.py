"""
When are two tasks the same? Turns the chosen values of a config into arguments and a key.

The key is BLAKE2b-128 over the canonical text of the name, the version if there is one, the
config (resolved against the signature, without ignored keys and values equal to their default)
and the keys of the predecessors, with their roles, in sorted order.
"""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Final

from flowlib.declaration import Declaration
from flowlib.errors import ParameterError, SpecError, SweepError, nearest
from flowlib.grid import Choice, Point
from flowlib.node import Argument, Node
from flowlib.recorded import default_text
from flowlib.signature import Parameter, location_of, type_mismatch
from stores import Unencodable, canonical

KEY_VERSION: Final = 1
"""Enters every key: a change of the encoding is a change of this number."""


class Resolver:
    """Fits the points of one spec to the signature of its task.

    Every distinct value is checked and encoded once, however many points share it.

    Raises:
        SpecError: a key is unknown, missing or of the wrong type, or cannot be encoded.
    """

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._known: dict[tuple[str, int], tuple[Choice, Argument]] = {}
        self._orders: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._defaults: dict[str, str | None] = {}
        self._frame = _frame_of(declaration)

    def resolve(self, point: Point) -> tuple[Argument, ...]:
        """The arguments of one point, sorted by parameter name."""
        given = tuple(point)
        order = self._orders.get(given)
        if order is None:
            order = self._orders[given] = self._checked_order(given)
        known = self._known
        arguments = []
        for name in order:
            choice = point[name]
            entry = known.get((name, id(choice)))
            if entry is None:
                # the choice is kept beside the argument: its id must not be used again
                entry = known[name, id(choice)] = (choice, self.argument(name, choice.value))
            arguments.append(entry[1])
        return tuple(arguments)

    def key(self, arguments: tuple[Argument, ...], upstream_digest: str) -> str:
        """The identity of the node with these arguments and predecessors."""
        config = ",".join([a.key_text for a in arguments if a.key_text is not None])
        return _key(config, upstream_digest, self._frame)

    def _checked_order(self, given: tuple[str, ...]) -> tuple[str, ...]:
        declaration = self._declaration
        known = declaration.signature.config
        for raw in given:
            name = self._runtime_name(raw)
            if name not in known and not declaration.signature.takes_any_config:
                raise ParameterError(
                    _unknown_key(declaration, name), spec=declaration.name, path=name
                )
        self._refuse_doubled(given)
        return tuple(sorted(given, key=self._runtime_name))

    def _refuse_doubled(self, given: tuple[str, ...]) -> None:
        names = [self._runtime_name(raw) for raw in given]
        for name in names:
            if names.count(name) > 1:
                raise SpecError(
                    f"{self._declaration.name}.{name} is given twice: with and without the "
                    f"ignore prefix {self._declaration.ignore_prefix!r}"
                )

    def _runtime_name(self, raw: str) -> str:
        return raw.removeprefix(self._declaration.ignore_prefix or "")

    def argument(self, raw: str, value: object) -> Argument:
        """One argument of a node.

        Args:
            raw: The parameter, perhaps with the ignore prefix.
            value: What the user gave.

        Raises:
            SpecError: the value has the wrong type, or no text that stays.
        """
        declaration, prefix = self._declaration, self._declaration.ignore_prefix
        name = self._runtime_name(raw)
        parameter = declaration.signature.config.get(name)
        if (prefix and raw.startswith(prefix)) or name in declaration.ignored:
            runtime = self._converted(name, parameter, self._runtime(name, value))
            return Argument(name, runtime, None, None, None)
        kept = _without_ignored(value, prefix)
        resolved = self._converted(name, parameter, kept)
        user = self._text(name, kept)
        full = user if resolved is kept else self._text(name, resolved)
        runtime = (
            self._converted(name, parameter, self._runtime(name, value)) if prefix else resolved
        )
        full_text = f"{quoted(name)}:{full}"
        user_text = full_text if user is full else f"{quoted(name)}:{user}"
        is_default = full == self._default_text(name, parameter)
        return Argument(name, runtime, None if is_default else full_text, full_text, user_text)

    def _runtime(self, name: str, value: object) -> object:
        """The value as the task gets it: keys without the ignore prefix."""
        try:
            return _without_prefix(value, self._declaration.ignore_prefix)
        except SpecError as error:
            raise SpecError(f"{self._declaration.name}.{name}: {error}") from None

    def _converted(self, name: str, parameter: Parameter | None, value: object) -> object:
        if parameter is None or type(value) is canonical.Opaque:  # a value that is yet to come
            return value
        if parameter.annotation is float and type(value) is int:
            try:
                return float(value)
            except OverflowError as error:
                raise SpecError(f"{self._declaration.name}.{name}: {error}") from None
        allowed = type_mismatch(value, parameter.annotation)
        if allowed and not (value is None and parameter.default is None):
            raise SpecError(
                f"{self._declaration.name}.{name} is {value!r} ({type(value).__name__}), but "
                f"{self._where()} wants {allowed}"
            )
        return value

    def _default_text(self, name: str, parameter: Parameter | None) -> str | None:
        if name not in self._defaults:
            self._defaults[name] = default_text(parameter)
        return self._defaults[name]

    def _text(self, name: str, value: object) -> str:
        try:
            return canonical.encode(value, name)
        except Unencodable as error:
            raise SpecError(f"{self._declaration.name}: {error}") from error

    def _where(self) -> str:
        location = location_of(self._declaration.task)
        task = getattr(self._declaration.task, "__name__", str(self._declaration.task))
        return f"{task} ({location})" if location else task


def node_key(declaration: Declaration, arguments: Iterable[Argument], upstream_digest: str) -> str:
    """The identity of the call of a task with these arguments and predecessors."""
    config = ",".join([text for a in arguments if (text := a.key_text) is not None])
    return _key(config, upstream_digest, _frame_of(declaration))


@functools.lru_cache(maxsize=64)
def _frame_of(declaration: Declaration) -> str:
    version = declaration.version
    return _frame(declaration.name, None if version is None else canonical.encode(version))


def key_with_version(node: Node, version: str | int | None, upstream_digest: str) -> str:
    """The identity that a node would have if its task had another version.

    Args:
        node: It.
        version: The other version.
        upstream_digest: That of its predecessors.
    """
    config = ",".join([a.key_text for a in node.arguments if a.key_text is not None])
    text = None if version is None else canonical.encode(version)
    return _key(config, upstream_digest, _frame(node.name, text))


def key_of(name: str, version: str | None, texts: Mapping[str, str], upstream_digest: str) -> str:
    """The identity that a record has.

    Args:
        name: Of its task.
        version: Canonical text of the version; None without one.
        texts: Canonical texts of the parameters that are not at their default.
        upstream_digest: That of its predecessors.
    """
    config = ",".join([f"{quoted(each)}:{texts[each]}" for each in sorted(texts)])
    return _key(config, upstream_digest, _frame(name, version))


def _frame(name: str, version: str | None) -> str:
    tail = "" if version is None else f',"version":{version}'
    return f'"name":{quoted(name)},"scheme":{KEY_VERSION}{tail}'


def _key(config: str, upstream_digest: str, frame: str) -> str:
    return canonical.digest(f'{{"config":{{{config}}},"inputs":"{upstream_digest}",{frame}}}')


def missing_keys(declaration: Declaration, given: Iterable[str]) -> list[str]:
    """Config parameters without a default that nothing gives and no predecessor can give."""
    has = {name.removeprefix(declaration.ignore_prefix or "") for name in given}
    has |= declaration.additional_kwargs.keys() | declaration.signature.expects.keys()
    parameters = declaration.signature.config.values()
    return [p.name for p in parameters if p.is_required and p.name not in has]


def upstream_digest(roles_and_keys: Iterable[tuple[str, str]]) -> str:
    """The digest of the predecessors: of their (role, key) pairs, whatever their order."""
    pairs = sorted(f"[{quoted(role)},{quoted(key)}]" for role, key in roles_and_keys)
    return canonical.digest(f"[{','.join(pairs)}]") if pairs else ""


def own_copy(value: object) -> object:
    """A copy of a config value that user code may change; plain values are copied quickly."""
    kind = type(value)
    if kind in _UNCHANGEABLE:
        return value
    if kind is dict:
        return {key: own_copy(inner) for key, inner in value.items()}  # type: ignore[attr-defined]  # exact dict
    if kind is list:
        return [own_copy(inner) for inner in value]  # type: ignore[attr-defined]  # exact list
    return copy.deepcopy(value)


_UNCHANGEABLE: Final = frozenset({str, int, float, bool, bytes, type(None), canonical.Opaque})


def refuse_ignored_sweep(
    declaration: Declaration, first: tuple[Argument, ...], second: tuple[Argument, ...]
) -> None:
    """Two points of one key must be the same task.

    Raises:
        SweepError: they differ in an ignored parameter, so that one would be lost.
    """
    for one, other in zip(first, second, strict=True):
        if one is not other and not _same(one.value, other.value):
            raise SweepError(
                "is swept over, but ignored keys never make another task; give it one value",
                spec=declaration.name,
                path=one.name,
            )


def _same(one: object, other: object) -> bool:
    try:
        return canonical.encode(one) == canonical.encode(other)
    except Unencodable:
        return one is other


def _without_ignored(value: object, prefix: str | None) -> object:
    """`value` without the keys that begin with `prefix`, at any depth."""
    if not prefix:
        return value
    if isinstance(value, dict):
        return {
            key: _without_ignored(inner, prefix)
            for key, inner in value.items()
            if not (isinstance(key, str) and key.startswith(prefix))
        }
    if type(value) in (list, tuple):
        return type(value)(_without_ignored(inner, prefix) for inner in value)  # type: ignore[attr-defined,call-arg]  # exact list or tuple
    return value


def _without_prefix(value: object, prefix: str | None) -> object:
    """`value` with `prefix` removed from its keys, at any depth."""
    if not prefix:
        return value
    if isinstance(value, dict):
        names = {key: key.removeprefix(prefix) if isinstance(key, str) else key for key in value}
        doubled = [name for name, count in Counter(names.values()).items() if count > 1]
        if doubled:
            raise SpecError(f"{doubled[0]} is given twice: with and without the ignore prefix")
        return {names[key]: _without_prefix(inner, prefix) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_without_prefix(inner, prefix) for inner in value)  # type: ignore[attr-defined,call-arg]  # exact list or tuple
    return value


def _unknown_key(declaration: Declaration, name: str) -> str:
    known = sorted(declaration.signature.config)
    task = getattr(declaration.task, "__name__", str(declaration.task))
    location = location_of(declaration.task)
    where = f" ({location})" if location else ""
    takes = ", ".join(known) or "none"
    hint = nearest(name, known)
    return f"{declaration.name}.{name} is not a parameter of {task}{where}.{hint} It takes: {takes}"
