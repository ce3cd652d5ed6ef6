"""Which codec writes a value, and how do its bytes become an artifact and a value again?"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from stores.codec import Codec, codecs, infer
from stores.errors import (
    ArtifactDamaged,
    CodecNotFound,
    PickleRefused,
    StoreError,
    UnknownPlugin,
    nearest,
)
from stores.record import Address, Artifact

_log = logging.getLogger("stores")


def codec_for(
    value: object, type_: str | None, known: Mapping[str, object] = {}
) -> tuple[str, Codec]:  # noqa: B006  # only read
    """The codec a value is saved with.

    Raises:
        CodecNotFound: there is no type of that name.
    """
    if type_ is None:
        return infer(value)
    try:
        return type_, codecs.find(type_)()
    except UnknownPlugin:
        names = sorted({*codecs.names, *known})
        raise CodecNotFound(
            f"there is no type {type_!r}; choose one of: {', '.join(names)}.{nearest(type_, names)}"
        ) from None


def dumped(
    codec: Codec, value: object, address: Address, name: str, options: Mapping[str, Any]
) -> bytes:
    """The bytes of a value that is to be an artifact of this name.

    Raises:
        StoreError: it cannot be written like this.
    """
    try:
        return codec.to_bytes(value, **options)
    except StoreError as error:
        raise type(error)(f"{address}/{name}: {error}") from error
    except (TypeError, ValueError) as error:
        kind = type(value).__qualname__
        fault = f"a {kind} cannot be saved like this: {error}"
        raise StoreError(f"{address}/{name}: {fault}") from error


def inline_artifact(
    name: str, type_: str, codec: Codec, data: bytes, load: Mapping[str, Any]
) -> Artifact:
    """An artifact that holds its bytes itself."""
    text, encoding = None, "utf-8"
    if codec.is_text:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = None  # lone surrogates: kept as bytes
    if text is None:
        text, encoding = base64.b64encode(data).decode(), "base64"
    return Artifact(
        name=name,
        type_=type_,
        codec_version=codec.version,
        size_bytes=len(data),
        inline=text,
        encoding=encoding,
        load_kwargs=dict(load),
    )


def inline_bytes(artifact: Artifact) -> bytes:
    """The bytes that an artifact holds itself."""
    text = artifact.inline or ""
    return text.encode() if artifact.encoding == "utf-8" else base64.b64decode(text)


def codec_of(address: Address, artifact: Artifact, *, allow_pickle: bool) -> Codec:
    """The codec an artifact was saved with.

    Raises:
        CodecNotFound: it is not known here, or in an older version only.
        PickleRefused: it would run code, and the store does not allow that.
    """
    try:
        codec = codecs.find(artifact.type_)()
    except UnknownPlugin as error:
        raise CodecNotFound(
            f"{address}/{artifact.name} was saved with the type {artifact.type_!r}, which is "
            f"not known here: {error}"
        ) from None
    if artifact.codec_version > codec.version:
        raise CodecNotFound(
            f"{address}/{artifact.name} was saved with version {artifact.codec_version} of the "
            f"type {artifact.type_!r}, but the one here reads up to version {codec.version}: "
            f"update the package that brings it"
        )
    if codec.unpickles and not allow_pickle:
        raise PickleRefused(
            f"{address}/{artifact.name} is a pickle, which runs code when it is loaded: "
            f"open the store with allow_pickle=True if you trust everyone who can write to it"
        )
    return codec


def loaded(
    address: Address, artifact: Artifact, codec: Codec, data: bytes, options: Mapping[str, Any]
) -> Any:
    """The value of bytes.

    Raises:
        ArtifactDamaged: they are not what the codec wrote.
    """
    try:
        return codec.from_bytes(data, **{**artifact.load_kwargs, **options})
    except (ValueError, EOFError, OSError) as error:
        raise _damaged(address, artifact, error) from error


def loaded_inline(
    address: Address, artifact: Artifact, codec: Codec, options: Mapping[str, Any]
) -> Any:
    """The value that an artifact holds itself.

    Raises:
        ArtifactDamaged: it is not what the codec wrote.
    """
    if artifact.encoding != "utf-8" or artifact.inline is None:
        return loaded(address, artifact, codec, inline_bytes(artifact), options)
    try:
        if not options and not artifact.load_kwargs:
            return codec.from_text(artifact.inline)
        return codec.from_text(artifact.inline, **{**artifact.load_kwargs, **options})
    except (ValueError, EOFError) as error:
        raise _damaged(address, artifact, error) from error


def _damaged(address: Address, artifact: Artifact, error: Exception) -> ArtifactDamaged:
    return ArtifactDamaged(f"{address}/{artifact.name} cannot be read as {artifact.type_}: {error}")


def is_surely_longer(value: Any, limit: int, depth: int = 3) -> bool:
    """Whether a value is surely too large for the record, so that memory does not hold it twice."""
    kind = type(value)
    if kind in _SHORT:
        return False
    size = getattr(value, "nbytes", None)
    if isinstance(size, int):
        return size > limit
    if kind in (dict, list, tuple) and len(value) <= _FEW_PARTS and depth:
        for each in value.values() if kind is dict else value:
            part = type(each)
            if part in _SHORT or (part is str and len(each) <= limit):
                continue  # most are: they need no call
            if is_surely_longer(each, limit, depth - 1):
                return True
        return False
    return isinstance(value, (bytes, str)) and len(value) > limit


_SHORT: Final = frozenset({int, float, bool, type(None)})

_FEW_PARTS: Final = 100
"""In so few a large one is looked for."""


def check_is_json(where: str, what: str, options: Mapping[str, Any] | None) -> None:
    """Check that a record can keep the options with which a value will be read.

    Raises:
        StoreError: it cannot.
    """
    if not options:
        return
    try:
        json.dumps(dict(options))
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"{where}: {what} are kept in the record, as JSON, but {error}: "
            f"give such options to load() instead"
        ) from error
