"""Any Python object, by pickle; by cloudpickle where pickle cannot. Reading runs code."""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec
from stores.errors import Unpicklable


class PickleCodec(Codec):
    """The codec of last resort."""

    extension: ClassVar[str] = "p"
    priority: ClassVar[int] = -100
    unpickles: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return True

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        start = stream.tell() if stream.seekable() else None
        try:
            pickle.dump(value, stream, **{"protocol": 5, **options})
        except (pickle.PicklingError, AttributeError, TypeError):
            if start is None:
                raise
            stream.seek(start)
            stream.truncate()
            _dump_by_value(value, stream)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return pickle.load(stream, **options)  # noqa: S301  # refused by stores with allow_pickle=False


def _dump_by_value(value: Any, stream: BinaryIO) -> None:
    import cloudpickle

    try:
        cloudpickle.dump(value, stream, protocol=5)
    except Exception as error:  # any class may refuse in its own way
        raise Unpicklable(
            f"a {type(value).__qualname__} cannot be pickled ({error}): save what it is made "
            f"of, or name a codec by type_="
        ) from error
