"""What do overrides make of the configs of a document?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flowlib.choices import sweep, zipped
from flowlib.errors import ConfigError, nearest
from flowlib.markers import from_markers
from flowlib.overrides import Action, Override, parse_override
from flowlib.signature import is_task_class, signature_of
from flowlib.sources import Source
from stores.lazy_dataclass import dataclass

Overrides = Mapping[str, object] | Sequence[str]
"""Values by dotted path, or texts as on the command line."""

Configs = Mapping[str, dict[str, Any]]
Tasks = Mapping[str, Callable[..., object]]


@dataclass(frozen=True, slots=True)
class _Given:
    """A Python value, which is taken as it is."""

    value: object


def parsed(overrides: Overrides) -> list[Override]:
    """The overrides that are meant.

    Raises:
        ConfigError: a text or a path is none.
    """
    if not isinstance(overrides, Mapping):
        return [parse_override(text) for text in overrides]
    found = []
    for key, value in overrides.items():
        path = tuple(key.split("."))
        if len(path) < 2 or not all(path):
            raise ConfigError(f"override {key!r}: write spec.parameter")
        found.append(Override(key, Action.SET, path, (_Given(value),)))
    return found


def apply(overrides: Sequence[Override], configs: Configs, tasks: Tasks) -> None:
    """Change `configs`, by name of spec, one override after the other.

    Raises:
        ConfigError: the place is not there, or is there already.
    """
    for each in overrides:
        name = _spec_of(each, configs)
        _Change(each, name, tasks[name]).make(configs[name])


def _spec_of(override: Override, configs: Configs) -> str:
    wanted = override.path[0]
    if wanted in configs:
        return wanted
    found = [each for each in configs if each.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise _unfit(override, f"{wanted} may be {' or '.join(found)}: write it exactly")
    raise _unfit(override, f"there is no spec {wanted}.{nearest(wanted, configs)}")


@dataclass(frozen=True, slots=True)
class _Change:
    override: Override
    spec: str
    task: Callable[..., object]

    def make(self, config: dict[str, Any]) -> None:
        """Change a config."""
        inner: Any = config
        *way, last = self.override.path[1:]
        for depth, key in enumerate(way):
            if isinstance(inner, dict) and key not in inner and self._adds:
                inner[key] = {}
            self._require_mapping(inner, depth)
            self._require(inner, key)
            inner = inner[key]
        self._require_mapping(inner, len(way))
        if self.override.action is Action.DELETE:
            self._require(inner, last)
            del inner[last]
            return
        self._check_place(inner, last, is_top=not way)
        inner[last] = _value_of(self.override)

    @property
    def _adds(self) -> bool:
        return self.override.action is Action.ADD

    def _check_place(self, config: dict[str, Any], key: str, *, is_top: bool) -> None:
        if self._adds:
            if key in config:
                raise _unfit(self.override, f"{key} is there already: leave out the +")
        elif not (is_top and self._takes(key)):
            known = {**config, **dict.fromkeys(_parameters(self.task))} if is_top else config
            self._require(known, key)

    def _takes(self, key: str) -> bool:
        takes_any = signature_of(self.task, frozenset()).takes_any_config
        return takes_any or key in _parameters(self.task)

    def _require_mapping(self, found: object, depth: int) -> None:
        if not isinstance(found, dict):
            dotted = ".".join((self.spec, *self.override.path[1 : depth + 1]))
            raise _unfit(self.override, f"{dotted} is no mapping")

    def _require(self, config: Mapping[str, object], key: str) -> None:
        if key not in config:
            has = f" There are: {', '.join(config)}." if config else ""
            new = f" A new key is added by +{'.'.join(self.override.path)}=…"
            hint = nearest(key, config)
            raise _unfit(self.override, f"{self.spec} has no {key}.{hint}{has}{new}")


def _parameters(task: Callable[..., object]) -> list[str]:
    """What a config may give: the parameters of a function may be given, or come from upstream."""
    if is_task_class(task):
        return list(signature_of(task, frozenset()).config)
    return [name for name in inspect.signature(task).parameters if name != "task"]


def _value_of(override: Override) -> object:
    """What stands in the config in the end."""
    if isinstance(override.values[0], _Given):
        return override.values[0].value
    source = Source(f"override {override.text!r}", None)
    values = [from_markers(source, (), each) for each in override.values]
    if override.is_zipped:
        return zipped(*values)
    if len(values) > 1 or isinstance(values[0], list):
        return sweep(*values)  # a list is one value, whatever `expand` is
    return values[0]


def _unfit(override: Override, reason: str) -> ConfigError:
    return ConfigError(f"override {override.text!r}: {reason}")
