"""How does a value become bytes and back? The one class to derive from for a new kind of value."""

from __future__ import annotations

import importlib
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

from stores.errors import CodecNotFound, StoreError
from stores.registry import Registry


class Codec(ABC):
    """Writes values of some kind to a stream of bytes and reads them back equal.

    Attributes:
        version: Kept with every artifact; a codec reads all versions it has ever written.
        extension: Of the files it writes, without the dot; may be empty.
        priority: Among the codecs that handle a value the highest is taken.
        is_text: Whether the bytes are UTF-8 text, readable in a record.
        unpickles: Whether reading runs code that the bytes name.
        needs_path: Whether it writes files or folders itself: `dump_path` and `load_path` are
            used where there is a path, and derived from streams elsewhere.
    """

    version: ClassVar[int] = 1
    extension: ClassVar[str] = ""
    priority: ClassVar[int] = 0
    is_text: ClassVar[bool] = False
    unpickles: ClassVar[bool] = False
    needs_path: ClassVar[bool] = False

    @abstractmethod
    def handles(self, value: object) -> bool:
        """Whether `value` comes back equal, with its exact type. Cheap, and imports nothing."""

    @abstractmethod
    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        """Write `value`; `options` are those of the format."""

    @abstractmethod
    def load(self, stream: BinaryIO, **options: Any) -> Any:
        """Read what `dump` wrote.

        Raises:
            ValueError, EOFError: the bytes are none that `dump` writes.
        """

    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        """Write `value` to a new file or folder."""
        with path.open("wb") as stream:
            self.dump(value, stream, **options)

    def load_path(self, path: Path, **options: Any) -> Any:
        """Read what `dump_path` wrote."""
        with path.open("rb") as stream:
            return self.load(stream, **options)

    def to_bytes(self, value: Any, **options: Any) -> bytes:
        """`value` as bytes."""
        stream = io.BytesIO()
        self.dump(value, stream, **options)
        return stream.getvalue()

    def from_bytes(self, data: bytes, **options: Any) -> Any:
        """The value of `to_bytes`."""
        return self.load(io.BytesIO(data), **options)

    def from_text(self, text: str, **options: Any) -> Any:
        """The value of a text codec's bytes, which are this text in UTF-8."""
        return self.from_bytes(text.encode(), **options)


class PathCodec(Codec):
    """A codec that writes a file or a folder; its stream form is a tar of that.

    Attributes:
        keeps_path: Whether the loaded value is the path itself: unpacked from a stream, it stays
            until the process ends.
    """

    needs_path: ClassVar[bool] = True
    keeps_path: ClassVar[bool] = False

    @abstractmethod
    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        """Write `value` to a new file or folder."""

    @abstractmethod
    def load_path(self, path: Path, **options: Any) -> Any:
        """Read what `dump_path` wrote."""

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        write_archive(stream, lambda path: self.dump_path(value, path, **options))

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        read = partial(self.load_path, **options)
        return read_archive(stream, read, keep=self.keeps_path)


def write_by_file(stream: BinaryIO, write: Callable[[Path], object]) -> None:
    """Write the file that `write` makes, for libraries whose streams hold everything in memory."""
    import shutil  # slow to import, and wanted only here
    import tempfile

    with tempfile.TemporaryDirectory(prefix="flowlib-") as folder:
        path = Path(folder) / "content"
        write(path)
        with path.open("rb") as file:
            shutil.copyfileobj(file, stream, _COPY_BYTES)


def read_by_file(stream: BinaryIO, read: Callable[[Path], Any]) -> Any:
    """What `read` makes of a file with the bytes of a stream; the file is gone afterwards."""
    import shutil
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="flowlib-") as file:
        shutil.copyfileobj(stream, file, _COPY_BYTES)
        file.flush()
        return read(Path(file.name))


_COPY_BYTES: Final = 1 << 20


def write_archive(stream: BinaryIO, write: Callable[[Path], object]) -> None:
    """Write the file or folder that `write` makes at the path it is given, as a tar."""
    import tarfile  # slow to import, and wanted only here
    import tempfile

    with tempfile.TemporaryDirectory(prefix="flowlib-") as folder:
        path = Path(folder) / "content"
        write(path)
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            archive.add(path, "content")


def read_archive(stream: BinaryIO, read: Callable[[Path], Any], *, keep: bool = False) -> Any:
    """What `read` makes of the file or folder in a tar; `keep` it until the process ends.

    Raises:
        ValueError: it is no such tar.
    """
    import atexit
    import shutil
    import tarfile
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="flowlib-"))
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            archive.extractall(folder, filter="data")
        return read(folder / "content")
    except tarfile.TarError as error:
        raise ValueError(f"it is no archive of a file or folder ({error})") from error
    finally:
        if keep:
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


codecs: Registry[Codec] = Registry("codec", Codec, "stores.codecs")  # type: ignore[type-abstract]  # the registry returns concrete classes only


def infer(value: object) -> tuple[str, Codec]:
    """The codec that `value` is saved with when the user names none.

    The one of the highest priority that handles it. Others than the plain formats (text, json,
    bytes) and what was used or registered before are asked about what those do not take: about
    objects, arrays, tuples. Other packages are asked about such only.

    Raises:
        CodecNotFound: none handles it.
    """
    if type(value) in _PLAIN:
        found = _first(codecs.loaded_with(_PLAIN_FORMATS), value)
        if found is not None and found[1].priority > 0:
            return found
    found = _first(codecs.at_hand, value)
    if found is None or type(value) not in _PLAIN or found[1].priority < 0:
        found = _first(tuple([(name, codecs.find(name)) for name in codecs.names]), value)
    if found is None:
        raise CodecNotFound(f"no codec handles a {type(value).__qualname__}: name one by type_=")
    return found


_PLAIN: Final = frozenset({str, bytes, int, float, bool, type(None), list, dict})

_PLAIN_FORMATS: Final = ("bytes", "json", "text")
"""No other format of ours takes plain values before these do."""


def _first(classes: tuple[tuple[str, type[Codec]], ...], value: object) -> tuple[str, Codec] | None:
    for name, codec in _ranked(classes):
        if codec.handles(value):
            return name, codec
    return None


@lru_cache(maxsize=4)
def _ranked(classes: tuple[tuple[str, type[Codec]], ...]) -> list[tuple[str, Codec]]:
    """One codec of each class, by falling priority."""
    made = [(name, each()) for name, each in classes]
    return sorted(made, key=lambda pair: -pair[1].priority)


def library(name: str, extra: str) -> Any:
    """A module that a codec needs, imported now.

    Raises:
        StoreError: it is not installed; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise StoreError(
            f"this value needs {name.partition('.')[0]} ({error}): "
            f"pip install 'flowlib-runner[{extra}]'"
        ) from error


@lru_cache(maxsize=64)
def is_installed(name: str) -> bool:
    """Whether a package could be imported; it is not."""
    from importlib.util import find_spec

    return find_spec(name) is not None


def refuse_options(type_: str, options: Mapping[str, object]) -> None:
    """For codecs without options.

    Raises:
        TypeError: there are some.
    """
    if options:
        raise TypeError(f"the type {type_!r} has no options, so not {', '.join(sorted(options))}")
