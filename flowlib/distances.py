"""How far are two values apart? The largest relative difference between numbers in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def distance_of(one: Any, other: Any) -> float:
    """The largest relative difference between numbers in two values, at any depth.

    It is 0 for equal values, and infinite where they differ in anything but numbers. NaN is as far
    from NaN as 1 from 1.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        same_keys = one.keys() == other.keys()
        return _largest([(one[key], other[key]) for key in one]) if same_keys else math.inf
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        same_length = len(one) == len(other)
        return _largest(list(zip(one, other, strict=True))) if same_length else math.inf
    if _is_number(one) and _is_number(other):
        return _between(one, other)
    if hasattr(one, "shape") and type(one) is type(other):
        is_table = hasattr(one, "equals")
        return _between_tables(one, other) if is_table else _between_arrays(one, other)
    return 0.0 if type(one) is type(other) and _is_equal(one, other) else math.inf


def _largest(pairs: Sequence[tuple[Any, Any]]) -> float:
    return max((distance_of(one, other) for one, other in pairs), default=0.0)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _between(one: float, other: float) -> float:
    if one == other or (one != one and other != other):
        return 0.0
    if not (math.isfinite(one) and math.isfinite(other)):
        return math.inf
    return abs(one - other) / max(abs(one), abs(other))


def _between_tables(one: Any, other: Any) -> float:
    return 0.0 if one.equals(other) else math.inf


def _between_arrays(one: Any, other: Any) -> float:
    """Of arrays and tensors."""
    try:
        import numpy as np

        a, b = np.asarray(_on_host(one)), np.asarray(_on_host(other))
    except (ImportError, TypeError, ValueError, RuntimeError):
        return 0.0 if _is_equal(one, other) else math.inf
    if a.shape != b.shape or a.dtype != b.dtype:
        return math.inf
    if a.dtype.kind not in "iufc":
        return 0.0 if bool(np.array_equal(a, b)) else math.inf
    finite = np.isfinite(a) & np.isfinite(b)
    if not bool(np.array_equal(a[~finite], b[~finite], equal_nan=True)):
        return math.inf
    x, y = (each[finite].astype("complex128") for each in (a, b))
    apart, scale = np.abs(x - y), np.maximum(np.abs(x), np.abs(y))
    return float(np.max(apart[apart > 0] / scale[apart > 0], initial=0.0))


def _on_host(tensor: Any) -> Any:
    return tensor.detach().cpu() if hasattr(tensor, "detach") else tensor


def _is_equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001  # what `==` does is the user's
        return False
