"""How do the bytes of an artifact go from one store to another, whatever wrote them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from stores.codec import Codec, codecs
from stores.disk import remove
from stores.encoding import inline_artifact, inline_bytes
from stores.errors import ArtifactDamaged, StoreError
from stores.files import TypeInfoCodec
from stores.record import Address, Artifact

CHUNK_BYTES: Final = 1 << 20


def is_archive(codec: Codec) -> bool:
    """Whether a codec's stream is the tar of a file or folder that it writes by itself."""
    if isinstance(codec, TypeInfoCodec):
        return codec.works_on_paths
    return codec.needs_path


def loaded_stream(
    address: Address,
    artifact: Artifact,
    codec: Codec,
    stream: BinaryIO,
    options: Mapping[str, Any],
) -> Any:
    """The value of bytes that are kept outside of the record.

    Raises:
        ArtifactDamaged: they are not what the codec wrote.
    """
    try:
        return _decoded(artifact, codec, stream, options)
    except (ValueError, EOFError, OSError) as error:
        raise ArtifactDamaged(
            f"{address}/{artifact.name} cannot be read as {artifact.type_}: {error}"
        ) from error


def _decoded(artifact: Artifact, codec: Codec, stream: BinaryIO, options: Mapping[str, Any]) -> Any:
    merged = {**artifact.load_kwargs, **options}
    if artifact.encoding == "tar" or not is_archive(codec):
        return codec.load(stream, **merged)
    import tempfile  # slow to import, and wanted only here

    with tempfile.TemporaryDirectory(prefix="flowlib-") as folder:
        path = Path(folder) / "content"
        with path.open("wb") as file:
            copy_stream(stream, file)
        return codec.load_path(path, **merged)


def taken_inline(artifact: Artifact, stream: BinaryIO, limit: int) -> Artifact | None:
    """The artifact with its bytes in the record; None if they are too many, or an archive."""
    if artifact.inline is not None:
        return artifact if artifact.size_bytes <= limit else None
    if artifact.encoding == "tar" or artifact.size_bytes > limit:
        return None
    codec = _known(artifact.type_)
    if codec is None or is_archive(codec):
        return None
    made = inline_artifact(artifact.name, artifact.type_, codec, stream.read(), {})
    return replace(
        made, codec_version=artifact.codec_version, load_kwargs=dict(artifact.load_kwargs)
    )


def extension_of(type_: str) -> str:
    """The extension of files of a type; empty for types that are not known here."""
    codec = _known(type_)
    return "" if codec is None else codec.extension


def stream_of_inline(artifact: Artifact) -> BinaryIO:
    """The bytes that an artifact holds itself."""
    import io

    return io.BytesIO(inline_bytes(artifact))


def copy_stream(source: BinaryIO, target: BinaryIO) -> int:
    """Copy in pieces; how many bytes it were."""
    count = 0
    while chunk := source.read(CHUNK_BYTES):
        target.write(chunk)
        count += len(chunk)
    return count


def archive_of(path: Path) -> BinaryIO:
    """The tar of a file or folder, in a file that is gone when it is closed."""
    import tarfile
    import tempfile

    stream: BinaryIO = tempfile.TemporaryFile(prefix="flowlib-")  # noqa: SIM115  # the caller closes it
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(path, "content")
    stream.seek(0)
    return stream


def unpack(stream: BinaryIO, target: Path) -> None:
    """Write the file or folder of a tar to `target`.

    Raises:
        StoreError: it is no such tar.
    """
    import tarfile
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix=".", dir=target.parent))
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            archive.extractall(folder, filter="data")
        (folder / "content").replace(target)
    except (tarfile.TarError, FileNotFoundError) as error:
        raise StoreError(
            f"{target.name}: it is no archive of a file or folder ({error})"
        ) from error
    finally:
        remove(str(folder))


def _known(type_: str) -> Codec | None:
    try:
        return codecs.find(type_)()
    except StoreError:
        return None
