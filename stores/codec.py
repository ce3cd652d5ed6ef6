"""How does a value become bytes and back? The one class to derive from for a new kind of value."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from stores.errors import CodecNotFound
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
        """Read what `dump` wrote."""

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
    """A codec that writes a file or a folder; its stream form is a tar of that."""

    needs_path: ClassVar[bool] = True

    @abstractmethod
    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        """Write `value` to `path`, which does not exist yet, as a file or a folder."""

    @abstractmethod
    def load_path(self, path: Path, **options: Any) -> Any:
        """Read what `dump_path` wrote."""

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        import tarfile  # slow to import, and wanted only here
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "content"
            self.dump_path(value, path, **options)
            with tarfile.open(fileobj=stream, mode="w|") as archive:
                archive.add(path, "content")

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        import shutil
        import tarfile
        import tempfile

        folder = Path(tempfile.mkdtemp())
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                archive.extractall(folder, filter="data")
            return self.load_path(folder / "content", **options)
        finally:
            if not self.keeps_path:
                shutil.rmtree(folder, ignore_errors=True)

    keeps_path: ClassVar[bool] = False
    """Whether the loaded value is the path itself, so that the file must stay."""


codecs: Registry[Codec] = Registry("codec", Codec, "stores.codecs")  # type: ignore[type-abstract]  # the registry returns concrete classes only


def infer(value: object) -> tuple[str, Codec]:
    """The codec that `value` is saved with when the user names none.

    Raises:
        CodecNotFound: none handles it.
    """
    able = [(name, codec) for name, codec in _instances() if codec.handles(value)]
    if not able:
        raise CodecNotFound(f"no codec handles a {type(value).__qualname__}: name one by type_=")
    return max(able, key=lambda pair: pair[1].priority)


def _instances() -> list[tuple[str, Codec]]:
    return [(name, codecs.find(name)()) for name in codecs.names]
