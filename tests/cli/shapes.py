"""Small schemas of JSON documents: a type, a list of one shape, or a dict of shapes by key."""

from __future__ import annotations

ANYTHING = object()
NUMBER = (int, float)
MAYBE_TEXT = (str, type(None))
MAYBE_NUMBER = (int, float, type(None))


def fits(value, shape, path="$"):
    """Raise if a document is not of a shape; keys that the shape does not name are allowed."""
    if shape is ANYTHING:
        return
    if isinstance(shape, dict):
        assert isinstance(value, dict), f"{path} is {value!r}, no object"
        if ... in shape:  # any keys, all values of one shape
            for key, inner in value.items():
                fits(inner, shape[...], f"{path}.{key}")
            return
        assert shape.keys() <= value.keys(), f"{path} has no {sorted(shape.keys() - value.keys())}"
        for key, inner in shape.items():
            fits(value[key], inner, f"{path}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{path} is {value!r}, no array"
        for number, each in enumerate(value):
            fits(each, shape[0], f"{path}[{number}]")
    else:
        kinds = shape if isinstance(shape, tuple) else (shape,)
        assert type(value) in kinds, f"{path} is {value!r}, not of {kinds}"


COUNTS = {...: int}
RECORD = {
    "id": str, "task": str, "key": str, "state": str, "last_state": str, "config": {...: ANYTHING},
    "given": [str], "duration_s": MAYBE_NUMBER, "ended": MAYBE_TEXT, "run": str,
    "unique_name": str,
}  # fmt: skip
LS = {"schema": int, "total": int, "counts": COUNTS, "records": [RECORD]}
