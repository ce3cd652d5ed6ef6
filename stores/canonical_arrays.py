"""How are arrays, scalars and dtypes of numpy written as canonical text?"""

from __future__ import annotations

from typing import Any, Final

from stores.digests import blake2b
from stores.errors import Unencodable

Form = tuple[str, str, Any]

_PLAIN: Final = (bool, int, float, complex, str, bytes)


def scalar(value: Any) -> Form:
    """Like the value of Python's; a date with its unit, a long double by its digits."""
    import numpy as np

    if isinstance(value, np.void):
        return "void", "", np.asarray(value)
    if value.dtype.kind not in "mM":
        plain = value.item()
        if type(plain) in _PLAIN:
            return "", "", plain
    return "numpy", "", [dtype_name(value.dtype), str(value)]


def array(value: Any) -> Form:
    """Its dtype, shape and the digest of its bytes in C order, little-endian, any NaN as one.

    Arrays of structures are written field by field, so that padding does not count.

    Raises:
        Unencodable: it holds Python objects.
    """
    import numpy as np

    dtype = value.dtype
    if dtype.hasobject:
        raise Unencodable(
            "is an array of Python objects, which has no stable bytes: give it a numeric or "
            "string dtype, or pass it as a list"
        )
    if dtype.names is not None:
        return "ndarray", "", [[[name, np.asarray(value[name])] for name in dtype.names]]
    ordered = np.ascontiguousarray(value).reshape(-1)
    little = ordered.astype(dtype.newbyteorder("<"), copy=False)
    return "ndarray", "", [dtype_name(little.dtype), list(value.shape), _digest(little)]


def dtype_name(dtype: Any) -> str:
    """A text that only this dtype has."""
    import numpy as np

    if dtype.names is not None:
        return str(dtype)
    is_own = np.dtype(dtype.str) == dtype  # dtypes of other packages look like raw bytes
    return str(dtype.str if is_own else dtype.name)


def _digest(flat: Any) -> str:
    """BLAKE2b-128 of the bytes of a flat array."""
    import numpy as np

    kind, size = flat.dtype.kind, flat.dtype.itemsize
    if (kind == "f" and size > 8) or (kind == "c" and size > 16):  # padded, not portable
        return _hashed(",".join(map(str, flat)).encode())
    if kind == "c":
        flat = flat.view(flat.real.dtype)
    if kind in "fc":
        is_nan = np.isnan(flat)
        if is_nan.any():
            flat = np.where(is_nan, flat.dtype.type("nan"), flat)
    return _hashed(flat.view(np.uint8) if size and flat.size else flat.tobytes())


def _hashed(data: Any) -> str:
    return blake2b(data, digest_size=16).hexdigest()
