"""Pydantic models as JSON: the name of the class and its fields."""

from __future__ import annotations

from stores.field_codec import FieldCodec
from stores.objects import is_model


class PydanticCodec(FieldCodec):
    """Of plain values and of such objects; others are pickled. There are no options."""

    name = "pydantic"

    @staticmethod
    def is_one(value: object) -> bool:
        return is_model(value)
