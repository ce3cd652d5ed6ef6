"""Dataclasses as JSON: the name of the class and its fields."""

from __future__ import annotations

from stores.field_codec import FieldCodec
from stores.objects import is_dataclass_value


class DataclassCodec(FieldCodec):
    """Of plain values and of such objects; others are pickled. There are no options."""

    name = "dataclass"

    @staticmethod
    def is_one(value: object) -> bool:
        return is_dataclass_value(value)
