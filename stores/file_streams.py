"""How do artifacts leave the folder of a file store as bytes, and how do they get into it?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from stores.errors import ArtifactDamaged
from stores.file_layout import Layout
from stores.record import Address, Artifact
from stores.transfer import archive_of, copy_stream, stream_of_inline, unpack

FOLDER: Final = "folder"
"""The encoding of an artifact that is one."""


def is_folder(artifact: Artifact) -> bool:
    """Whether an artifact is a folder; in the first days only those had no digest."""
    return artifact.file is not None and (artifact.digest is None or artifact.encoding == FOLDER)


def as_archive(artifact: Artifact) -> Artifact:
    """What is told of a folder that travels as a tar."""
    return replace(artifact, encoding="tar", size_bytes=0, digest=None)


def file_stream(layout: Layout, address: Address, artifact: Artifact) -> BinaryIO:
    """The bytes of an artifact.

    Raises:
        ArtifactDamaged: its file is gone.
    """
    if artifact.inline is not None:
        return stream_of_inline(artifact)
    path = Path(layout.key_folder(address)) / (artifact.file or "")
    try:
        return archive_of(path) if is_folder(artifact) else path.open("rb")
    except OSError as error:
        raise ArtifactDamaged(
            f"{address}/{artifact.name}: {path} cannot be read: {error}"
        ) from error


def put_stream(artifact: Artifact, stream: BinaryIO, path: Path) -> None:
    """Write the bytes of an artifact of another store to a new file or folder."""
    if artifact.encoding == "tar":
        unpack(stream, path)
        return
    with path.open("xb") as file:
        copy_stream(stream, file)
