"""A figure of matplotlib as the picture it shows."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, library


class MatplotlibCodec(Codec):
    """On request only, for a picture comes back: an image of Pillow, no figure to draw on.

    Figures that are saved without a type are pickles, which other versions of matplotlib may not
    read. Options are those of `Figure.savefig`, `format` left out.
    """

    extension: ClassVar[str] = "png"

    def handles(self, value: object) -> bool:
        return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        if not isinstance(value, library("matplotlib.figure", "matplotlib").Figure):
            raise TypeError("only a Figure can be saved as matplotlib")
        value.savefig(stream, **options, format="png")

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        pillow: Any = library("PIL.Image", "matplotlib")
        try:
            with pillow.open(stream, formats=["PNG"], **options) as file:
                return file.copy()
        except (OSError, SyntaxError) as error:
            raise ValueError(f"it is no PNG, or a damaged one ({error})") from error
