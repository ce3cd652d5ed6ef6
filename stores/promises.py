"""A value that stays in its store until it is asked for."""

from __future__ import annotations

from typing import Any, BinaryIO

from stores.primitives import StorePrimitives
from stores.record import Address, Artifact
from stores.values import BYTES, Promise


class StoredPromise(Promise):
    """An artifact that is read and decoded when it is asked for.

    Args:
        store: Where it is.
        address: Its record.
        artifact: What the record says of it.
        options: Of its codec, for loading.
    """

    def __init__(
        self, store: StorePrimitives, address: Address, artifact: Artifact, options: dict[str, Any]
    ) -> None:
        self._store, self._address, self._artifact = store, address, artifact
        self._options = options

    def __repr__(self) -> str:
        return f"<{self._artifact.name!r} of {self._address}, not loaded>"

    def stream(self) -> BinaryIO | None:
        if self._artifact.type_ != BYTES:
            return None
        return self._store.artifact_stream(self._address, self._artifact)

    def load(self, **kwargs: Any) -> Any:
        options = {**self._options, **kwargs}
        return self._store.load_artifact(self._address, 0, self._artifact, **options)
