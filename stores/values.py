"""What do stores hand out besides plain values? Promises, sweeps, and configs with attributes."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from stores.record import Address


BYTES: Final = "bytes"
"""The type of values that are stored as they are."""


class Promise(ABC):
    """A value that is loaded when it is asked for."""

    @abstractmethod
    def load(self, **kwargs: Any) -> Any:
        """The value."""

    def stream(self) -> BinaryIO | None:
        """The bytes of a value of the type `bytes`, to be read piece by piece; else None.

        Raises:
            ArtifactDamaged: they are gone.
        """
        return None


class MetaDict(dict[str, Any]):
    """A dict whose keys are attributes, too; so are those of the dicts inside."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        dict.__init__(self, *args, **kwargs)
        for key, value in self.items():
            if type(value) is dict:
                dict.__setitem__(self, key, _with_attributes(value))

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(
                f"there is no {name!r}; there are: {', '.join(map(str, self)) or 'no keys'}"
            ) from None
        if type(value) is dict:  # put in after the construction
            value = self[name] = MetaDict(value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def copy(self) -> MetaDict:
        """A shallow copy, with attributes, too."""
        return copy.copy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> MetaDict:
        return type(self)({copy.deepcopy(k, memo): copy.deepcopy(v, memo) for k, v in self.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def _with_attributes(plain: dict[Any, Any]) -> MetaDict:
    """`MetaDict(plain)`; every task has some, and arguments that may be anything take longer."""
    made = MetaDict.__new__(MetaDict)
    dict.update(made, plain)
    for key, value in plain.items():
        if type(value) is dict:
            dict.__setitem__(made, key, _with_attributes(value))
    return made


class UniqueConfig(MetaDict):
    """The configs of a task and of all its ancestors, by task name.

    It remembers which record it belongs to, so that a store finds exactly that one. The memory
    is no key: two configs with the same items are equal.
    """

    __slots__ = ("_address",)

    def __init__(self, config: Any = (), address: Address | None = None) -> None:
        super().__init__(config)
        object.__setattr__(self, "_address", address)

    @property
    def address(self) -> Address | None:
        """The record this config was read from, if any."""
        address: Address | None = object.__getattribute__(self, "_address")
        return address

    def __deepcopy__(self, memo: dict[int, Any]) -> UniqueConfig:
        return UniqueConfig(copy.deepcopy(dict(self), memo), self.address)

    def __copy__(self) -> UniqueConfig:
        return UniqueConfig(dict(self), self.address)

    def __reduce__(self) -> tuple[Any, ...]:
        return UniqueConfig, (dict(self), self.address)


class _WithConfig:
    """A value with the config it belongs to; the config may be worked out on first use."""

    __slots__ = ("_config", "value")

    def __init__(self, value: Any, config: MetaDict | Callable[[], MetaDict]) -> None:
        self.value = value
        self._config = MetaDict(config) if type(config) is dict else config

    @property
    def config(self) -> MetaDict:
        """The configs of the task that saved the value and of all its ancestors."""
        if not isinstance(self._config, dict):
            self._config = self._config()
        return self._config

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, _WithConfig)  # noqa: S101  # for the type checker
        return bool(self.value == other.value and self.config == other.config)

    __hash__ = None  # type: ignore[assignment]  # it holds values of any kind

    def __repr__(self) -> str:
        return f"{type(self).__name__}(value={self.value!r}, config={self.config!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.value, self.config)


class Sweep(_WithConfig):
    """One result out of many: the value, and the config of the task that saved it."""

    __slots__ = ()


class LazySweep(_WithConfig):
    """Like `Sweep`, with a `Promise` as its value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StoreContext:
    """Where a store keeps the results of one task.

    Attributes:
        run_dir: The folder, for stores that keep files.
        sweep_counter: The index of the task among those of its spec, three digits at least.
    """

    run_dir: str | None = None
    sweep_counter: str | None = None
