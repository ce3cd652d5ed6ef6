"""Do arrays and models come back from a spec that was written down?"""

from __future__ import annotations

import json
from typing import Any

import pytest

numpy = pytest.importorskip("numpy")

from pydantic import BaseModel  # noqa: E402  # only where numpy is

from flowlib import Flow, TaskSpec  # noqa: E402  # the same
from tests.flowlib.portable_specs import Prepare  # noqa: E402  # the same


class Model(BaseModel):
    """With a model inside."""

    rate: float = 0.1
    inner: Model | None = None


def key(spec: TaskSpec) -> str:
    """Of its only task."""
    return Flow([spec]).graph.by_spec["Prepare"][0].key


@pytest.mark.parametrize(
    "value",
    [
        numpy.arange(6.0).reshape(2, 3),
        numpy.zeros((0, 3), dtype="int16"),
        numpy.array([numpy.nan, -0.0]),
        numpy.array(True),
        numpy.array(["a", "bc"]),
        Model(rate=0.5, inner=Model()),
    ],
    ids=repr,
)
def test_they_come_back(value: Any) -> None:
    """With types, shapes and keys."""
    spec = TaskSpec(Prepare, {"value": [value]})
    module: dict[str, Any] = {}
    exec(spec.to_python(with_imports=True), module)  # noqa: S102  # that is what it is for
    for again in (TaskSpec.from_dict(json.loads(json.dumps(spec.to_dict()))), module["spec"]):
        [found] = again.config["value"]
        assert (type(found), repr(found)) == (type(value), repr(value))
        assert getattr(found, "dtype", None) == getattr(value, "dtype", None)
        assert key(again) == key(spec)
