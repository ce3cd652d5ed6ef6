"""Are the bytes that go through a stream those that were saved? They are hashed on the way."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable
from typing import BinaryIO

from stores.digests import blake2b
from stores.errors import ArtifactDamaged
from stores.record import Address, Artifact
from stores.transfer import CHUNK_BYTES
from stores.trees import digest_of_archive


class CheckedStream(io.RawIOBase):
    """Passes the bytes of an artifact on and works out their digest.

    Attributes:
        count: How many have gone through.

    Args:
        stream: The bytes, from their beginning.
        address: Of the record.
        artifact: What the stream should hold, as `portable` tells it.
        beat: Called every `beat_s` seconds while bytes go through.
    """

    def __init__(
        self,
        stream: BinaryIO,
        address: Address,
        artifact: Artifact,
        beat: Callable[[], object] | None = None,
        beat_s: float = 10.0,
    ) -> None:
        self._stream = stream
        self._beat = beat
        self._beat_s = beat_s
        self._last_beat = time.monotonic()
        self._what = f"{address}/{artifact.name}"
        self._artifact = artifact
        self._digest = blake2b(digest_size=16)
        self.count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        self.count += len(data)
        if self._beat is not None and time.monotonic() - self._last_beat > self._beat_s:
            self._beat()
            self._last_beat = time.monotonic()
        return data

    def readall(self) -> bytes:
        return self.read()

    def check(self) -> None:
        """Read what nobody has read, and compare all with what was saved.

        Raises:
            ArtifactDamaged: it is not the same.
        """
        while self.read(CHUNK_BYTES):
            pass
        if self._artifact.encoding == "tar" and not self._artifact.size_bytes:
            return  # a folder, made an archive just now
        if self.count != self._artifact.size_bytes:
            raise ArtifactDamaged(
                f"{self._what} has {self.count} bytes instead of {self._artifact.size_bytes}"
            )
        self._compare(self._artifact.digest, "has other bytes than those that were saved")

    def check_taken(self, taken: Artifact) -> None:
        """Compare what went through with what has arrived.

        Raises:
            ArtifactDamaged: it is not the same.
        """
        if self._artifact.encoding != "tar":
            self._compare(taken.digest, "arrived with other bytes")

    def _compare(self, digest: str | None, fault: str) -> None:
        if digest is not None and digest != self._digest.hexdigest():
            raise ArtifactDamaged(f"{self._what} {fault}")


def check_folder(address: Address, artifact: Artifact, stream: BinaryIO) -> None:
    """Compare a folder, made an archive just now, with what was saved: at least its size.

    Raises:
        ArtifactDamaged: it is not the same.
    """
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        members = archive.getmembers()
    size_bytes = sum(member.size for member in members)
    has_links = any(member.issym() or member.islnk() for member in members)
    if not has_links and size_bytes != artifact.size_bytes:
        raise ArtifactDamaged(
            f"{address}/{artifact.name} has {size_bytes} bytes instead of {artifact.size_bytes}"
        )
    stream.seek(0)
    if artifact.digest is not None and digest_of_archive(stream) != artifact.digest:
        raise ArtifactDamaged(
            f"{address}/{artifact.name} has other files, or other bytes in them, than were saved"
        )
    stream.seek(0)
