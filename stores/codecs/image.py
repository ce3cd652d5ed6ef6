"""Images as PNG files, without loss."""

from __future__ import annotations

import sys
from typing import Any, BinaryIO, ClassVar, Final

from stores.codec import Codec, library

_MODES: Final = ("1", "L", "LA", "RGB", "RGBA")

_IS_ARRAY: Final = "stores.array"


class ImageCodec(Codec):
    """Images of Pillow; on request arrays of bytes, which come back as such.

    On request, images of other modes and files that were opened are written as Pillow writes
    them. Options are those of `Image.save`, `format` left out.
    """

    extension: ClassVar[str] = "png"
    priority: ClassVar[int] = 10

    def handles(self, value: object) -> bool:
        pillow: Any = sys.modules.get("PIL.Image")
        if pillow is None or type(value) is not pillow.Image:
            return False
        image: Any = value
        return image.mode in _MODES and not image.info and min(image.size) > 0

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        pillow: Any = library("PIL.Image", "images")
        if not isinstance(value, pillow.Image):
            note: Any = library("PIL.PngImagePlugin", "images").PngInfo()
            note.add_text(_IS_ARRAY, "yes")
            value, options = pillow.fromarray(value), {"pnginfo": note, **options}
        value.save(stream, format="PNG", **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        pillow: Any = library("PIL.Image", "images")
        try:
            with pillow.open(stream, formats=["PNG"], **options) as file:
                image = file.copy()
        except (OSError, SyntaxError) as error:
            raise ValueError(f"it is no PNG, or a damaged one ({error})") from error
        if image.info.pop(_IS_ARRAY, None) is None:
            return image
        import numpy as np

        return np.array(image)
