"""
Any Python object, by pickle; by cloudpickle where pickle cannot. Reading runs code.

Classes and functions of the script that runs are written by the name the script has as a module
(`train:Model`, not `__main__:Model`), so that another process can import them. Those of a notebook
and those defined inside functions are written by value.
"""

from __future__ import annotations

import importlib
import io
import pickle
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec
from stores.errors import StoreError, Unpicklable

_MAIN = ("__main__", "__mp_main__")
_NOTHING: dict[str, object] = {}


class PickleCodec(Codec):
    """The codec of last resort. Options are those of `pickle`."""

    extension: ClassVar[str] = "p"
    priority: ClassVar[int] = -100
    unpickles: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return True

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        """Write `value`; what was written before a failure is taken back.

        Raises:
            Unpicklable: it cannot be written; the message names the part at fault.
        """
        if not stream.seekable():
            stream.write(self.to_bytes(value, **options))
            return
        start = stream.tell()
        try:
            _Pickler(stream, **{"protocol": 5, **options}).dump(value)
        except (OSError, MemoryError):
            raise  # of the disk, not of the value
        except Exception:  # noqa: BLE001  # any class may refuse in its own way
            stream.seek(start)
            stream.truncate()
            _dump_by_value(value, stream, options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        """Read what `dump` wrote.

        Raises:
            ValueError: it is no pickle, or a damaged one.
            StoreError: it needs something that cannot be imported here.
        """
        try:
            return pickle.load(stream, **options)  # noqa: S301  # refused by stores with allow_pickle=False
        except pickle.UnpicklingError as error:
            raise ValueError(f"it is no pickle, or a damaged one ({error})") from error
        except (ImportError, AttributeError) as error:
            raise StoreError(
                f"the pickle needs something that is not here ({error}): make it importable, in "
                f"the version it was saved with"
            ) from error


class _ByValue(Exception):
    """Something was met that only cloudpickle can write."""


class _Pickler(pickle.Pickler):
    """Writes what belongs to the script that runs by the name others import it by."""

    def reducer_override(self, obj: Any) -> Any:
        if _is_of_script(obj):
            return _by_script_name(obj) or _refused()
        return NotImplemented


def _is_of_script(obj: Any) -> bool:
    """Whether it is a class or function of the script that runs, or one that was decorated."""
    kind = type(obj)
    if kind is types.FunctionType or issubclass(kind, type):
        return obj.__module__ in _MAIN
    return getattr(obj, "__dict__", _NOTHING).get("__module__") in _MAIN  # `functools.wraps`


def _refused() -> Any:
    raise _ByValue


def _by_script_name(thing: Any) -> tuple[Any, ...] | None:
    """How to find a class or function of the script; None if others cannot import it."""
    main = sys.modules["__main__"]
    name = _script_name(main)
    if name is None or "<" in thing.__qualname__ or _held(main, thing.__qualname__) is not thing:
        return None
    return _from_script, (name, thing.__qualname__)


def _script_name(main: types.ModuleType) -> str | None:
    spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        name = str(spec.name)  # python -m package.module
    else:
        name = Path(path).stem if path and Path(path).exists() else "__main__"
    return None if name == "__main__" else name


def _held(module: types.ModuleType, qualname: str) -> Any:
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _from_script(module_name: str, qualname: str) -> Any:
    """Find what a script defined: in this process's script if it is the same, else import it."""
    main = sys.modules["__main__"]
    is_main = _script_name(main) == module_name
    found = _held(main if is_main else importlib.import_module(module_name), qualname)
    if found is None:
        raise AttributeError(f"{module_name} has no {qualname}")
    return found


def _dump_by_value(value: Any, stream: BinaryIO, options: dict[str, Any]) -> None:
    import cloudpickle

    carried: set[str] = set()

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        def reducer_override(self, obj: Any) -> Any:
            found = _by_script_name(obj) if _is_of_script(obj) else None
            if (
                found is None
                and isinstance(obj, type)
                and (obj.__module__ in _MAIN or "<" in obj.__qualname__)
            ):
                carried.add(obj.__qualname__)
            return found or super().reducer_override(obj)

    try:
        Pickler(stream, **{"protocol": 5, **options}).dump(value)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # any class may refuse in its own way
        raise Unpicklable(_why(value, error)) from error
    if carried:
        warnings.warn(
            f"{', '.join(sorted(carried))} cannot be imported by others, so it is saved by value: "
            f"instances that are loaded later are of a class of their own. Define it at the top "
            f"of a module",
            stacklevel=4,
        )


def _why(value: Any, error: Exception) -> str:
    path, culprit = _culprit(value)
    kind = type(culprit)
    if isinstance(culprit, (types.GeneratorType, types.AsyncGeneratorType)):
        where = f"its part {path}, a {kind.__qualname__}," if path else "it"
        return (
            f"a {type(value).__qualname__} cannot be pickled, for {where} is used up when it is "
            f"read once: give a list of its items, list(…), or name a codec by type_="
        )
    where = f"its part {path}, a {kind.__module__}.{kind.__qualname__}," if path else "it"
    return (
        f"a {type(value).__qualname__} cannot be pickled, for {where} refuses ({error}): leave "
        f"that out, give the class a __getstate__, or name a codec by type_="
    )


def _culprit(value: Any) -> tuple[str, Any]:
    """The innermost part that cannot be pickled, and where it is."""
    path, seen = "", {id(value)}
    while True:
        for step, part in _parts(value):
            if id(part) not in seen and not _can_be_pickled(part):
                path, value = f"{path}{step}", part
                seen.add(id(part))
                break
        else:
            return path, value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    else:
        yield from ((f".{name}", item) for name, item in getattr(value, "__dict__", {}).items())


def _can_be_pickled(value: Any) -> bool:
    import cloudpickle

    try:
        cloudpickle.Pickler(io.BytesIO(), protocol=5).dump(value)
    except Exception:  # noqa: BLE001  # any class may refuse in its own way
        return False
    return True
