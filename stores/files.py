"""How do users add file types of their own, and open artifacts as files? The seed's classes."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from stores.codec import Codec, read_archive, write_archive
from stores.lazy_dataclass import dataclass
from stores.values import Promise

_log = logging.getLogger("stores")


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """How values of one type are saved and loaded.

    Attributes:
        save_fn: `save_fn(value, file)`, or `save_fn(value, path)` with `needs_path`.
        load_fn: `load_fn(file)`, or `load_fn(path)`.
        extension: Of the file, without the dot.
        is_binary: Whether the file is opened in binary mode.
        open_fn: Opens the file; `open` if None.
        needs_path: Whether both functions work on a path, which may become a folder.
    """

    save_fn: Callable[..., Any]
    load_fn: Callable[..., Any]
    extension: str | None = None
    is_binary: bool | None = None
    open_fn: Callable[..., Any] | None = None
    needs_path: bool = False


class TypeInfoCodec(Codec):
    """A registered type as a codec."""

    def __init__(self, info: TypeInfo) -> None:
        self._info = info

    @property
    def suffix(self) -> str:
        """The extension of its files."""
        return self._info.extension or ""

    def handles(self, value: object) -> bool:
        return False  # only where the user names the type

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        if self.works_on_paths:
            write_archive(stream, lambda path: self.dump_path(value, path, **options))
            return
        mode, how = options.pop("mode", None) or self.mode("w"), options.pop("open_kwargs", None)
        with _wrapped(stream, mode, how) as file:
            self._info.save_fn(value, file, **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        if self.works_on_paths:
            return read_archive(stream, partial(self.load_path, **options))
        with _wrapped(stream, self.mode("r"), options.pop("open_kwargs", None)) as file:
            return self._info.load_fn(file, **options)

    def dump_path(
        self,
        value: Any,
        path: Path,
        *,
        mode: str | None = None,
        open_kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if self._info.needs_path:
            self._info.save_fn(value, str(path), **options)
            return
        with _opened(str(path), mode or self.mode("w"), self._info.open_fn, open_kwargs) as file:
            self._info.save_fn(value, file, **options)

    def load_path(
        self, path: Path, *, open_kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        if self._info.needs_path:
            return self._info.load_fn(str(path), **options)
        with _opened(str(path), self.mode("r"), self._info.open_fn, open_kwargs) as file:
            return self._info.load_fn(file, **options)

    @property
    def works_on_paths(self) -> bool:
        """Whether its functions want a path or an opener of their own."""
        return self._info.needs_path or self._info.open_fn is not None

    def mode(self, letter: str) -> str:
        """`letter`, with a `b` for binary types."""
        return f"{letter}b" if self._info.is_binary else letter


@contextmanager
def _wrapped(stream: BinaryIO, mode: str, open_kwargs: Mapping[str, Any] | None) -> Iterator[Any]:
    """A stream of bytes as a file of this mode; it stays open."""
    if "b" in mode:
        yield stream
        return
    how: dict[str, Any] = {"encoding": "utf-8", "write_through": True, **(open_kwargs or {})}
    text = io.TextIOWrapper(stream, **how)
    try:
        yield text
    finally:
        text.detach()


def _opened(
    path: str,
    mode: str,
    open_fn: Callable[..., Any] | None,
    open_kwargs: Mapping[str, Any] | None,
) -> Any:
    """An open file; text is UTF-8 whatever the locale says."""
    if open_fn is not None:
        return open_fn(path, mode, **(open_kwargs or {}))
    utf8 = {} if "b" in mode else {"encoding": "utf-8"}
    return Path(path).open(mode, **{**utf8, **(open_kwargs or {})})


class FilePromise(Promise):
    """An artifact in a file that is loaded when it is asked for.

    Args:
        name: Name of the artifact.
        path: Its file or folder.
        save_fn: Saves a value to an open file.
        load_fn: Loads a value from an open file.
        open_fn: Opens the file; `open` if None.
        mode: Mode for opening; `"r"` if None.
        load_kwargs: Options of `load_fn`.
        **open_kwargs: Options of `open_fn`.
    """

    def __init__(
        self,
        name: str,
        path: str,
        save_fn: Callable[..., Any],
        load_fn: Callable[..., Any],
        open_fn: Callable[..., Any] | None = None,
        mode: str | None = None,
        load_kwargs: Mapping[str, Any] | None = None,
        **open_kwargs: Any,
    ) -> None:
        self.name = name
        self.path = path
        self.save_fn = save_fn
        self.load_fn = load_fn
        self.open_fn = open_fn
        self.mode = mode
        self.load_kwargs = dict(load_kwargs or {})
        self.open_kwargs = open_kwargs

    def load(self, **kwargs: Any) -> Any:
        """The value; None and a warning when the file is gone."""
        if not Path(self.path).exists():
            _log.warning("%s is gone: %s cannot be loaded", self.path, self.name)
            return None
        with File.from_promise(self) as file:
            return file.load(**kwargs)


class File:
    """An open file that can also save and load values of its type.

    Args:
        path: The file.
        mode: Mode for opening.
        save_fn: Saves a value to an open file.
        load_fn: Loads a value from an open file.
        open_fn: Opens the file; `open` if None.
        load_kwargs: Options of `load_fn`.
        **open_kwargs: Options of `open_fn`.
    """

    def __init__(
        self,
        path: str,
        mode: str,
        save_fn: Callable[..., Any],
        load_fn: Callable[..., Any],
        open_fn: Callable[..., Any] | None = None,
        load_kwargs: Mapping[str, Any] | None = None,
        **open_kwargs: Any,
    ) -> None:
        self.path, self.mode = path, mode
        self._save_fn = save_fn
        self._load_fn = load_fn
        self._load_kwargs = dict(load_kwargs or {})
        self._file = _opened(path, mode, open_fn, open_kwargs)
        self._then: Callable[[], None] | None = None
        self._is_closed = False

    @classmethod
    def from_promise(cls, promise: FilePromise) -> File:
        """Open what a promise stands for."""
        return cls(
            promise.path,
            promise.mode or "r",
            promise.save_fn,
            promise.load_fn,
            promise.open_fn,
            promise.load_kwargs,
            **promise.open_kwargs,
        )

    def save(self, obj: Any, **kwargs: Any) -> None:
        """Save a value to the file, at its present position."""
        self._save_fn(obj, self._file, **kwargs)

    def load(self, **kwargs: Any) -> Any:
        """Load a value from the file."""
        return self._load_fn(self._file, **{**self._load_kwargs, **kwargs})

    def read(self, size: int = -1) -> Any:
        """Up to `size` characters or bytes; all of them by default."""
        return self._file.read(size)

    def readline(self, size: int = -1) -> Any:
        """One line."""
        return self._file.readline(size)

    def readlines(self, hint: int = -1) -> list[Any]:
        """All lines."""
        return list(self._file.readlines(hint))

    def write(self, obj: Any) -> Any:
        """Write text or bytes; returns how much was written."""
        return self._file.write(obj)

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write several lines."""
        self._file.writelines(lines)

    def seek(self, offset: int, whence: int = 0) -> Any:
        """Go to a position; returns it."""
        return self._file.seek(offset, whence)

    def tell(self) -> Any:
        """The present position."""
        return self._file.tell()

    def truncate(self, size: int | None = None) -> Any:
        """Cut the file; returns its new size."""
        return self._file.truncate(size)

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if not self._is_closed:
            self._is_closed = True
            self._file.close()
        then, self._then = self._then, None
        if then is not None:
            then()

    def on_close(self, then: Callable[[], None]) -> None:
        """Call `then` once, after the file was closed."""
        self._then = then

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._is_closed or bool(getattr(self._file, "closed", False))

    def readable(self) -> bool:
        """Whether it can be read."""
        return bool(self._file.readable())

    def writable(self) -> bool:
        """Whether it can be written."""
        return bool(self._file.writable())

    def seekable(self) -> bool:
        """Whether `seek` works."""
        return bool(self._file.seekable())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __next__(self) -> Any:
        return next(self._file)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
