"""How is one result told on stdout? Text and bytes as they are, others as Python prints them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowlib.errors import FlowError
from flowlib.raw_result import RawResult
from stores import StoreError
from stores.codec import Codec, codecs
from stores.transfer import CHUNK_BYTES

_AS_THEY_ARE: Final = frozenset({"bytes", "csv", "text", "yaml"})
_LINES: Final = frozenset({"json", "scalar", "dataclass", "pydantic", "bokeh"})
"""Text that is stored without the end of its line."""


def shown_chunks(raw: RawResult, *, may_unpickle: bool = False) -> Iterator[bytes]:
    """A result piece by piece: text, JSON and bytes as they are stored, all else decoded.

    Args:
        raw: It.
        may_unpickle: Whether code may be run that the bytes name, as a pickle does.

    Raises:
        ArtifactDamaged: its bytes are gone, or not those that were saved.
        FlowError: it is a pickle and nobody said that it may be loaded; or a folder.
    """
    type_ = raw.artifact.type_
    if type_ in _AS_THEY_ARE:
        yield from raw.chunks()
    elif type_ in _LINES:
        yield from raw.chunks()
        yield b"\n"
    else:
        yield from _decoded(raw, may_unpickle=may_unpickle)


def _decoded(raw: RawResult, *, may_unpickle: bool) -> Iterator[bytes]:
    name, where = raw.artifact.name, f"flowlib results '{raw.address}:{raw.artifact.name}' -o FILE"
    codec = _codec(raw.artifact.type_)
    if codec is None:
        raise FlowError(
            f"{name} has the type {raw.artifact.type_}, which is not known here: {where} "
            f"writes its bytes to a file"
        )
    if codec.unpickles and not may_unpickle:
        raise FlowError(
            f"{name} is a pickle, which runs code when it is loaded: --unpickle shows it, if you "
            f"trust everybody who can write to this store"
        )
    value = raw.store.load_artifact(raw.address, 0, raw.artifact)
    if raw.artifact.type_ == "path":
        yield from _of_file(Path(value), f"{name} is a folder: {where} writes it as a tar")
    else:
        yield f"{value}\n".encode("utf-8", "backslashreplace")


def _of_file(path: Path, else_: str) -> Iterator[bytes]:
    if path.is_dir():
        raise FlowError(else_)
    with path.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            yield data


def _codec(type_: str) -> type[Codec] | None:
    try:
        return codecs.find(type_)
    except StoreError:
        return None
